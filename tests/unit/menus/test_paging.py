"""Paging: no page exceeds its budget, no option is lost, no grapheme is cut, for any text, script and screen size."""

from collections.abc import Sequence
from itertools import islice
from unittest import mock

import regex
from hypothesis import given, settings
from hypothesis import strategies as st

import menus.rendering.paging
from core.gsm7 import count_septets, count_utf16_units, to_basic_alphabet
from menus.rendering.paging import MAX_OPTIONS, Page, ScreenBudget, ScreenView, iter_pages, paginate

BENGALI = "আপনার ট্র্যাকিং নম্বর লিখুন ক্ষ্ম জ্ঞ স্ত্রী কর্তৃপক্ষ"
HINDI = "अपना ट्रैकिंग नंबर लिखें क्षत्रिय स्त्री प्रार्थना"
LATIN = "Type your tracking number please é ñ Ü"
words = st.sampled_from([*BENGALI.split(), *HINDI.split(), *LATIN.split(), "🙂", "1234 5678 9012", "Krüger-Straße"])
texts = st.lists(words, min_size=1, max_size=40).map(" ".join)
labels = st.lists(words, min_size=1, max_size=6).map(" ".join)
showings = st.builds(
    ScreenView,
    text=texts,
    options=st.lists(labels, max_size=25).map(lambda all_: tuple((str(n), label) for n, label in enumerate(all_, 1))),
    back_label=st.sampled_from(["", "Back", "ফিরুন"]),
    more_label=st.sampled_from(["More", "আরও"]),
    note=st.sampled_from(["", "Please choose 1 to 8", "এই নম্বরটি ঠিক নয়", "A note that is much too long " * 6]),
    ends_session=st.booleans(),
)
budgets = st.builds(ScreenBudget, septets=st.integers(90, 182), units=st.integers(60, 80), unicode=st.booleans())


def paginate_all(showing: ScreenView, budget: ScreenBudget) -> list[Page]:
    return list(islice(iter_pages(showing, budget), 500))


def cost(page: Page) -> tuple[str, int]:
    taken = count_septets(page.text)
    return ("septets", taken + 4) if taken is not None else ("units", count_utf16_units(page.text) + 4)


@settings(max_examples=100, deadline=None)
@given(showings, budgets)
def test_no_page_is_over_its_budget(showing: ScreenView, budget: ScreenBudget) -> None:
    for page in paginate_all(showing, budget):
        kind, taken = cost(page)
        assert taken <= (budget.septets if kind == "septets" else budget.units)
        assert kind == "septets" or budget.unicode, "a network without Unicode never gets any"


@settings(max_examples=100, deadline=None)
@given(showings, budgets)
def test_every_option_is_shown_under_its_own_number_and_in_order(showing: ScreenView, budget: ScreenBudget) -> None:
    shown = "\n".join(page.text for page in paginate_all(showing, budget))
    at = 0
    for key, _ in showing.options:
        found = regex.compile(rf"^{key} ", regex.MULTILINE).search(shown, at)
        assert found, f"option {key} is lost"
        at = found.start()


@settings(max_examples=100, deadline=None)
@given(showings, budgets)
def test_only_the_last_page_ends_and_every_other_leads_on(showing: ScreenView, budget: ScreenBudget) -> None:
    *before, last = paginate_all(showing, budget)
    assert not last.has_more
    assert last.ends_session == showing.ends_session
    assert all(page.has_more and not page.ends_session and "\n98 " in page.text for page in before)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from([*"কখগ", "ক্ষ্ম", "স্ত্রী", "👩‍👩‍👧", "é"]), min_size=30, max_size=150), budgets)
def test_a_word_longer_than_a_screen_is_cut_between_graphemes(graphemes: list[str], budget: ScreenBudget) -> None:
    text = "".join(graphemes)
    pages = paginate_all(ScreenView(text, more_label="More"), ScreenBudget(budget.septets, budget.units, unicode=True))
    said = "".join(page.text.removesuffix("98 More").rstrip("\n") for page in pages)
    assert said == text
    starts = {0}
    for grapheme in regex.findall(r"\X", text):
        starts.add(max(starts) + len(grapheme))
    position = 0
    for page in pages:
        assert position in starts
        position += len(page.text.removesuffix("98 More").rstrip("\n"))


@settings(max_examples=100, deadline=None)
@given(showings, budgets)
def test_a_note_stands_on_one_page_and_moves_no_line(showing: ScreenView, budget: ScreenBudget) -> None:
    """A refusal shows the page that the caller answered: finding 1, "another window of the list"."""
    plain = paginate_all(showing._replace(note=""), budget)
    first, *others = paginate_all(showing, budget)
    assert others == (plain if first.is_partial else plain[1:])
    if not first.is_partial:
        note = showing.note if budget.unicode else to_basic_alphabet(showing.note)
        assert first.text == (f"{note}\n" if note else "") + plain[0].text


@settings(max_examples=100, deadline=None)
@given(showings, budgets)
def test_no_page_but_the_last_is_less_than_half_full(showing: ScreenView, budget: ScreenBudget) -> None:
    """Finding 1.3: a line is cut between words where the page before it would be less than half full."""
    for page in paginate_all(showing._replace(note=""), budget)[:-1]:
        content, more, foot = page.text.partition("\n98 ")
        half = f"{content}\n{content}{more}{foot}"
        longest = max(map(len, showing.text.split()))
        assert not budget.fits(half) or longest > 12, page.text


def test_a_date_and_a_number_in_groups_are_not_cut() -> None:
    budget = ScreenBudget(units=60, unicode=True)
    text = "দপ্তরের কাজ শেষ হওয়ার কথা আগামী ২৫ ডিসেম্বর ২০২৬ তারিখে, নম্বর 1234 5678 9012 মনে রাখুন"
    shown = [page.text.split("\n")[0] for page in paginate_all(ScreenView(text), budget)]
    assert any("২৫ ডিসেম্বর ২০২৬" in line for line in shown)
    assert any("1234 5678 9012" in line for line in shown)


def test_a_note_without_room_shows_the_options_it_speaks_of_and_98_the_whole_page() -> None:
    options = (("1", "হ্যাঁ, মিটেছে"), ("2", "না, মেটেনি"))
    showing = ScreenView("সমস্যা মিটেছে? আপনার উত্তর দিন", options, note="১ থেকে ২ বেছে নিন", more_label="আরও")
    page = paginate(showing, ScreenBudget(unicode=True))
    assert page == Page("১ থেকে ২ বেছে নিন\n1 হ্যাঁ, মিটেছে\n2 না, মেটেনি\n98 আরও", has_more=True, is_partial=True)
    assert paginate(showing._replace(note=""), ScreenBudget(unicode=True)).text.endswith("\n2 না, মেটেনি")


def test_a_long_line_is_split_after_a_comma_where_the_page_is_more_than_half_full() -> None:
    budget = ScreenBudget(septets=60)
    first, second = paginate_all(
        ScreenView("Rahim Uddin, 21-11-2025, Male, Ayesha Begum, Karim Uddin Chowdhury"), budget
    )
    assert first.text == "Rahim Uddin, 21-11-2025, Male, Ayesha Begum,\n98 More"
    assert second.text == "Karim Uddin Chowdhury"


def test_a_long_line_without_a_pause_is_split_between_words() -> None:
    budget = ScreenBudget(septets=40)
    text = "Yes, " + "abcdefghi " * 5
    assert [page.text.split("\n")[0] for page in paginate_all(ScreenView(text.strip()), budget)] == [
        "Yes, abcdefghi abcdefghi",
        "abcdefghi abcdefghi abcdefghi",
    ]


def test_a_word_that_ends_where_the_page_does_stays_on_it() -> None:
    budget = ScreenBudget(septets=40)
    first = paginate(ScreenView("a" * 14 + " " + "b" * 13 + " " + "c" * 20), budget)
    assert first.text == f"{'a' * 14} {'b' * 13}\n98 More"


def test_the_key_of_an_option_stays_beside_its_label_where_the_label_begins_with_a_space() -> None:
    first, second = paginate_all(
        ScreenView("Choose", (("1", " Abcdefghijklmnopqrstuvwx yz"),)), ScreenBudget(septets=40)
    )
    assert (first.text, second.text) == ("Choose\n98 More", "1  Abcdefghijklmnopqrstuvwx yz")


def test_what_fits_is_one_page_without_more() -> None:
    page = paginate(ScreenView("Ekdial", (("1", "English"), ("2", "Bangla")), back_label="Back"), ScreenBudget())
    assert page == Page("Ekdial\n1 English\n2 Bangla\n0 Back")


def test_a_page_past_the_end_is_the_last() -> None:
    showing = ScreenView("Choose", tuple((str(n), "A service with a long name") for n in range(1, 20)))
    assert paginate(showing, ScreenBudget(), 99) == paginate_all(showing, ScreenBudget())[-1]


def test_the_prefix_counts() -> None:
    assert not paginate(ScreenView("x" * 156), ScreenBudget(septets=160)).has_more
    assert paginate(ScreenView("x" * 157), ScreenBudget(septets=160)).has_more


def test_no_option_has_the_key_of_the_next_page() -> None:
    assert MAX_OPTIONS < 98


class CountingOptions(Sequence):
    """Options that count how often their labels are rendered."""

    def __init__(self, many: int) -> None:
        self.many, self.rendered = many, 0

    def __len__(self) -> int:
        return self.many

    def __getitem__(self, which):
        if isinstance(which, slice):
            return [self[place] for place in range(self.many)[which]]
        if which >= self.many:
            raise IndexError
        self.rendered += 1
        return str(which + 1), f"A service called {which + 1}"


def test_the_first_page_of_a_long_list_costs_no_more_than_that() -> None:
    counted = CountingOptions(50)
    assert paginate(ScreenView("Choose", counted, back_label="Back"), ScreenBudget()).has_more
    assert counted.rendered < 25


@settings(max_examples=80, deadline=None)
@given(showings, st.integers(1, 60), budgets)
def test_a_page_of_a_long_list_is_as_if_all_of_it_had_been_looked_at(
    showing: ScreenView, many: int, budget: ScreenBudget
) -> None:
    labels = [label for _, label in showing.options] or ["Birth"]
    long = showing._replace(options=[(str(n + 1), labels[n % len(labels)]) for n in range(many)])
    with mock.patch.object(menus.rendering.paging, "OPTIONS_PER_PAGE", MAX_OPTIONS):
        whole = paginate_all(long, budget)
    assert paginate_all(long, budget) == whole
