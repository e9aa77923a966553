"""Every question, form field, choice and list of the menus takes a dressed answer as it takes the plain one.

The screens come from the menu itself: a new question without a sample answer fails here.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.typed_input import normalize_input
from core.typed_options import index_labels, normalize_label
from core.validation import Valid
from menus import engine
from menus.model import (
    Choice,
    Form,
    FormField,
    ListScreen,
    Menu,
    Navigation,
    Position,
    Question,
    Screen,
    number_options,
)
from menus.rendering.labels import LocaleLabels
from services.catalogue.form_fields import CatalogueFormField
from services.catalogue.models import Field
from services.catalogue.profile_fields import PROFILE_FIELDS
from tests.support.menu_facts import conversation, draw_facts
from tests.support.typed_variants import (
    DRESSES_OF_ALL,
    DRESSINGS,
    QUESTIONS,
    WRONG_ANSWERS,
    AnswerKind,
    dress_in_invisible,
    sample_answer,
)
from tests.support.variant_count import COUNT_PROPERTY

TODAY = date(2026, 11, 21)
CHANNELS = ("ussd", "sms")
ROUNDS = 6  # draws of one test; each dresses the answer to every screen


class Item(NamedTuple):
    """A position, the kind of its answer, and a valid answer."""

    menu: Menu
    position: Position
    kind: AnswerKind
    answer: str


@lru_cache
def menus() -> Mapping[str, Menu]:
    return {channel: conversation().menu.for_channel(channel) for channel in CHANNELS}


def move(item: Item, text: str) -> object:
    """Where the answer leads, before any step runs."""
    return engine._navigate(item.menu, item.position, normalize_input(text), TODAY)


def stand_at(screen: str, **facts: Any) -> Position:
    return Position(screen, "en", history=(("main", 0),), facts=facts)


def assert_same_outcome(item: Item, text: str) -> None:
    plain, variant = move(item, item.answer), move(item, text)
    assert not (isinstance(plain, Navigation) and plain.invalid), f"{item.position.screen} refuses {item.answer!r}"
    assert variant == plain, f"{item.position.screen}: {text!r} is not {item.answer!r}"
    assert engine.accepts(item.menu, item.position, text, TODAY), f"{item.position.screen}: {text!r}"


def dress(item: Item, random: Random) -> str:
    """The answer in a dressing of its kind, and mostly in one more that fits every answer."""
    text = random.choice(DRESSINGS[item.kind])(item.answer, random)
    return random.choice((*DRESSES_OF_ALL, lambda same, _: same))(text, random)


def list_questions() -> list[Item]:
    """Every question with the answer that its fact has a sample for; those of the profile have the fields of the profile."""
    items = []
    for channel, menu in menus().items():
        for screen in menu.screen_list:
            if isinstance(screen, Question):
                sample = _find_sample(screen)
                assert sample, f"give {screen.name} ({channel}) a sample answer in tests.support.typed_variants"
                items.append(Item(menu, stand_at(screen.name, biller="desco"), *sample))
    return items


def _find_sample(screen: Question) -> tuple[AnswerKind, str] | None:
    field = PROFILE_FIELDS.get(screen.name.removeprefix("profile_"))
    if screen.name.startswith("profile_") and field:
        return sample_answer(field, lambda text: isinstance(screen.validator(text, TODAY), Valid))
    return QUESTIONS.get(screen.save_as)


def service_with_form() -> str:
    return list_fields()[0][0]


def list_fields() -> list[tuple[str, Field]]:
    catalogue = conversation().services.current_catalogue.catalogue
    return [(code, field) for code, service in catalogue.services.items() for field in service.fields]


def list_form_items() -> list[Item]:
    """Every typed field of every service, asked alone by the form."""
    items = []
    for service, field in list_fields():
        if not field.choices:
            sample = sample_answer(field, _accepts(CatalogueFormField(field)))
            assert sample, f"give {service}.{field.name} a sample answer in tests.support.typed_variants"
            facts = {"service": service, "ask": [field.name], "form": {}}
            items += [Item(menu, stand_at("form", **facts), *sample) for menu in menus().values()]
    return items


def _accepts(field: FormField) -> Callable[[str], bool]:
    return lambda text: isinstance(field.validate(text, TODAY), Valid)


def list_option_items(channels: Sequence[str] = CHANNELS) -> list[Item]:
    """Every option of every choice and question, and every choice of every form field, by its key."""
    items = []
    for menu in (menus()[channel] for channel in channels):
        for name, options in menu.options.items():
            kind: AnswerKind = "key" if isinstance(menu.screens[name], Choice) else "key beside text"
            items += [Item(menu, stand_at(name, service=service_with_form(), form={}), kind, key) for key in options]
        for service, field in list_fields():
            facts = {"service": service, "ask": [field.name], "form": {}}
            items += [Item(menu, stand_at("form", **facts), "key", str(key)) for key, _ in enumerate(field.choices, 1)]
    return items


def list_navigation_items() -> list[Item]:
    """Back, home and the next page on every screen that is answered."""
    items = []
    for menu in menus().values():
        for screen in menu.screen_list:
            if isinstance(screen, Choice | Question):
                position = Position(screen.name, "en", has_more=True, history=(("main", 0),))
                items += [Item(menu, position, "key beside text", key) for key in ("0", "00", "98")]
    return items


def list_list_items(facts: Mapping[str, Any]) -> list[Item]:
    """The first and the last row and the options of every list, and a name where a list takes one."""
    items = []
    for menu in menus().values():
        for screen in menu.screen_list:
            if isinstance(screen, ListScreen):
                position, rows = stand_at(screen.name, **facts), screen.rows(facts)
                keys = {"1", str(len(rows)), *(key for key, _ in number_options(screen.options, len(rows)))}
                items += [Item(menu, position, "key", key) for key in sorted(keys)]
                items += [Item(menu, position, "text", "birth certificate")] * (screen.free_text is not None)
    return items


@pytest.mark.parametrize("list_items", [list_questions, list_form_items, list_option_items, list_navigation_items])
def test_a_dressed_answer_is_the_plain_one(
    list_items: Callable[[], list[Item]], record_property: Callable[[str, object], None]
) -> None:
    items, tried = list_items(), 0

    @settings(max_examples=ROUNDS, phases=[Phase.generate])
    @given(st.integers(0, 2**32).map(Random))
    def dress_each(random: Random) -> None:
        nonlocal tried
        for item in items:
            tried += 1
            assert_same_outcome(item, dress(item, random))

    dress_each()
    record_property(COUNT_PROPERTY, tried)


@pytest.mark.parametrize("list_items", [list_questions, list_form_items, list_option_items])
def test_a_refusal_is_never_about_what_nobody_sees(
    list_items: Callable[[], list[Item]], record_property: Callable[[str, object], None]
) -> None:
    items, tried = list_items(), 0

    @settings(max_examples=1, phases=[Phase.generate])
    @given(st.integers(0, 2**32).map(Random))
    def dress_each(random: Random) -> None:
        nonlocal tried
        for item in items:
            for wrong in WRONG_ANSWERS[item.kind]:
                tried += 1
                text = random.choice(DRESSES_OF_ALL)(wrong, random)
                assert move(item, text) == move(item, wrong), f"{item.position.screen}: {text!r} is not {wrong!r}"

    dress_each()
    record_property(COUNT_PROPERTY, tried)


def test_a_dressed_row_of_a_list_is_the_row_and_a_name_is_a_search(
    record_property: Callable[[str, object], None],
) -> None:
    tried = 0

    @settings(max_examples=ROUNDS, phases=[Phase.generate])
    @given(draw_facts(), st.integers(0, 2**32).map(Random))
    def dress_each(facts: Mapping[str, Any], random: Random) -> None:
        nonlocal tried
        for item in list_list_items(facts):
            tried += 1
            variant, plain = move(item, text := dress(item, random)), move(item, item.answer)
            assert variant == plain, f"{item.position.screen}: {text!r} is not {item.answer!r}"

    dress_each()
    record_property(COUNT_PROPERTY, tried)


def iterate_labels() -> Iterator[tuple[Item, str]]:
    """Every option by its key, with each of its labels that no other option of its screen has."""
    labels = LocaleLabels(conversation().locales)
    for item in list_option_items(("ussd",)):
        screen = item.menu.screens[item.position.screen]
        if isinstance(screen, Form):
            (field,) = screen.fields(item.position.facts)
            texts = [(str(key), tuple(names.values())) for key, (_, names) in enumerate(field.choices, 1)]
        else:
            of_options = labels.of_options(screen.name)
            options = item.menu.options[screen.name].items()
            texts = [(key, tuple(of_options.get(option.name, ()))) for key, option in options]
        unambiguous = index_labels(texts)
        for label in dict(texts)[item.answer]:
            if unambiguous.get(normalize_label(label)) == item.answer and not _is_an_answer(screen, label):
                yield item, label


def _is_an_answer(screen: Screen, label: str) -> bool:
    return isinstance(screen, Question) and isinstance(screen.validator(label, TODAY), Valid)


def test_the_words_of_an_option_choose_it_in_every_language(record_property: Callable[[str, object], None]) -> None:
    labels, tried = list(iterate_labels()), 0

    @settings(max_examples=2, phases=[Phase.generate])
    @given(st.integers(0, 2**32).map(Random))
    def type_each(random: Random) -> None:
        nonlocal tried
        for item, label in labels:
            tried += 1
            write = random.choice((str.lower, str.upper, without_nukta, lambda text: f"{text}."))
            assert_same_outcome(item, dress_in_invisible(write(label), random))

    type_each()
    record_property(COUNT_PROPERTY, tried)


def without_nukta(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).replace("\u093c", "").replace("\u09bc", ""))


def test_yes_and_no_answer_a_question_of_yes_or_no() -> None:
    yes, no = ("yes", "YES.", "হ্যাঁ", "हाँ", "haan", "ok"), ("no", "No!", "না", "नहीं", "nahi")
    asked = []
    for menu in menus().values():
        for name, options in menu.options.items():
            for key, option in options.items():
                if option.means:
                    item = Item(menu, stand_at(name, service=service_with_form(), form={}), "key", key)
                    for word in yes if option.means == "yes" else no:
                        assert_same_outcome(item, word)
                    asked.append(name)

    assert {"withdraw", "confirm", "delete_confirm", "pay_confirm", "email_confirm"} <= set(asked)


def test_no_number_field_takes_the_zero_that_goes_back() -> None:
    takes_zero = [
        f"{service}.{field.name}"
        for service, field in list_fields()
        if field.kind != "text" and isinstance(CatalogueFormField(field).validate("0", TODAY), Valid)
    ]

    assert takes_zero == []
