"""No page is over its budget, no option is lost, no grapheme is cut: for any text, in any script, on any screen."""

from collections.abc import Sequence
from unittest import mock

import regex
from hypothesis import given, settings
from hypothesis import strategies as st

import screens.pages
from screens.alphabet import septets, units
from screens.pages import MOST_OPTIONS, Budget, Page, Showing, fit

BENGALI = "আপনার ট্র্যাকিং নম্বর লিখুন ক্ষ্ম জ্ঞ স্ত্রী কর্তৃপক্ষ"
HINDI = "अपना ट्रैकिंग नंबर लिखें क्षत्रिय स्त्री प्रार्थना"
LATIN = "Type your tracking number please é ñ Ü"
words = st.sampled_from([*BENGALI.split(), *HINDI.split(), *LATIN.split(), "🙂", "1234 5678 9012", "Krüger-Straße"])
texts = st.lists(words, min_size=1, max_size=40).map(" ".join)
labels = st.lists(words, min_size=1, max_size=6).map(" ".join)
showings = st.builds(
    Showing,
    text=texts,
    options=st.lists(labels, max_size=25).map(lambda all_: tuple((str(n), label) for n, label in enumerate(all_, 1))),
    back=st.sampled_from(["", "Back", "ফিরুন"]),
    more=st.sampled_from(["More", "আরও"]),
    note=st.sampled_from(["", "Please choose 1 to 8", "এই নম্বরটি ঠিক নয়", "A note that is much too long " * 6]),
    ends=st.booleans(),
)
budgets = st.builds(Budget, septets=st.integers(90, 182), units=st.integers(60, 80), unicode=st.booleans())


def pages_of(showing: Showing, budget: Budget) -> list[Page]:
    pages = [fit(showing, budget, 0)]
    while pages[-1].more and len(pages) < 500:
        pages.append(fit(showing, budget, len(pages)))
    return pages


def cost(page: Page) -> tuple[str, int]:
    taken = septets(page.text)
    return ("septets", taken + 4) if taken is not None else ("units", units(page.text) + 4)


@settings(max_examples=300, deadline=None)
@given(showings, budgets)
def test_no_page_is_over_its_budget(showing: Showing, budget: Budget) -> None:
    for page in pages_of(showing, budget):
        kind, taken = cost(page)
        assert taken <= (budget.septets if kind == "septets" else budget.units)
        assert kind == "septets" or budget.unicode, "a network without Unicode never gets any"


@settings(max_examples=300, deadline=None)
@given(showings, budgets)
def test_every_option_is_shown_under_its_own_number_and_in_order(showing: Showing, budget: Budget) -> None:
    shown = "\n".join(page.text for page in pages_of(showing, budget))
    at = 0
    for key, _ in showing.options:
        found = regex.compile(rf"^{key} ", regex.MULTILINE).search(shown, at)
        assert found, f"option {key} is lost"
        at = found.start()


@settings(max_examples=300, deadline=None)
@given(showings, budgets)
def test_only_the_last_page_ends_and_every_other_leads_on(showing: Showing, budget: Budget) -> None:
    *before, last = pages_of(showing, budget)
    assert not last.more
    assert last.ends == showing.ends
    assert all(page.more and not page.ends and "\n98 " in page.text for page in before)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*"কখগ", "ক্ষ্ম", "স্ত্রী", "👩‍👩‍👧", "é"]), min_size=30, max_size=150), budgets)
def test_a_word_longer_than_a_screen_is_cut_between_graphemes(graphemes: list[str], budget: Budget) -> None:
    text = "".join(graphemes)
    pages = pages_of(Showing(text, more="More"), Budget(budget.septets, budget.units, unicode=True))
    said = "".join(page.text.removesuffix("98 More").rstrip("\n") for page in pages)
    assert said == text
    starts = {0}
    for grapheme in regex.findall(r"\X", text):
        starts.add(max(starts) + len(grapheme))
    position = 0
    for page in pages:
        assert position in starts
        position += len(page.text.removesuffix("98 More").rstrip("\n"))


def test_what_fits_is_one_page_without_more() -> None:
    page = fit(Showing("Ekdial", (("1", "English"), ("2", "Bangla")), back="Back"), Budget())
    assert page == Page("Ekdial\n1 English\n2 Bangla\n0 Back")


def test_a_page_past_the_end_is_the_last() -> None:
    showing = Showing("Choose", tuple((str(n), "A service with a long name") for n in range(1, 20)))
    assert fit(showing, Budget(), 99) == pages_of(showing, Budget())[-1]


def test_the_prefix_counts() -> None:
    assert not fit(Showing("x" * 156), Budget(septets=160)).more
    assert fit(Showing("x" * 157), Budget(septets=160)).more


def test_no_option_has_the_key_of_the_next_page() -> None:
    assert MOST_OPTIONS < 98


class Counted(Sequence):
    """Options that are counted as they are put into words."""

    def __init__(self, many: int) -> None:
        self.many, self.said = many, 0

    def __len__(self) -> int:
        return self.many

    def __getitem__(self, which):
        if isinstance(which, slice):
            return [self[place] for place in range(self.many)[which]]
        if which >= self.many:
            raise IndexError
        self.said += 1
        return str(which + 1), f"A service called {which + 1}"


def test_the_first_page_of_a_long_list_costs_no_more_than_that() -> None:
    counted = Counted(50)
    assert fit(Showing("Choose", counted, back="Back"), Budget()).more
    assert counted.said < 25


@settings(max_examples=200, deadline=None)
@given(showings, st.integers(1, 60), budgets)
def test_a_page_of_a_long_list_is_as_if_all_of_it_had_been_looked_at(
    showing: Showing, many: int, budget: Budget
) -> None:
    labels = [label for _, label in showing.options] or ["Birth"]
    long = showing._replace(options=[(str(n + 1), labels[n % len(labels)]) for n in range(many)])
    with mock.patch.object(screens.pages, "A_PAGEFUL", MOST_OPTIONS):
        whole = pages_of(long, budget)
    assert pages_of(long, budget) == whole
