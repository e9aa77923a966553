"""Take the text of a turn apart: what is read, what can be chosen by a key, and what can be typed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from menus import validators
from menus.model import Form, ListScreen, Menu, Navigation, Question, VisibleScreen
from menus.rendering.localization import Locale
from menus.rendering.paging import BACK_KEY, MORE_KEY
from menus.rendering.view import build_view
from sessions.message_turns import Turn

Typing: TypeAlias = Literal["", "text", "digits"]
"""What the page asks to type; empty where keys are enough."""

DIGIT_VALIDATORS: Final = frozenset(
    {
        validators.pin,
        validators.new_pin,
        validators.code,
        validators.tracking_number,
        validators.aadhaar,
        validators.phone_text,
        validators.birth_date,
    }
)

HIDDEN_FACTS: Final = frozenset({"pin", "answer", "recovery_1"})
"""What is typed so that nobody beside the phone can read it."""


class Key(NamedTuple):
    """A key that can be pressed, and what it is called."""

    key: str
    label: str


class PageView(NamedTuple):
    """The parts of a page. `back` and `more` are empty where there is nothing to go to; `ends`: the conversation is over.

    `is_list`: a key is the usual answer, and typing a name another one. `hides`: nobody beside the phone shall read what is typed.
    """

    text: Sequence[str]
    options: Sequence[Key]
    back: str
    more: str
    typing: Typing
    is_list: bool
    hides: bool
    language: str
    ends: bool
    is_home: bool


def build_page_view(menu: Menu, turn: Turn, locale: Locale) -> PageView:
    """The parts of the page of a turn."""
    position = turn.position
    view = build_view(menu, Navigation(position), locale)
    lines = turn.reply.text.split("\n")
    foot = {f"{BACK_KEY} {view.back_label}": "back", f"{MORE_KEY} {view.more_label}": "more"}
    feet = {foot[line] for line in lines if line in foot}
    text, options = split_options([line for line in lines if line not in foot], view.options)
    screen = menu.visible_screen(position)
    return PageView(
        text=text,
        options=options,
        back=view.back_label if "back" in feet else "",
        more=view.more_label if "more" in feet else "",
        typing=_find_typing(screen, position.facts, position.field_index),
        is_list=isinstance(screen, ListScreen),
        hides=isinstance(screen, Question) and screen.save_as in HIDDEN_FACTS,
        language=position.language,
        ends=turn.reply.ends,
        is_home=screen.name == menu.resolve_screen(menu.home, position.facts).name,
    )


def split_options(lines: Sequence[str], labels: Sequence[tuple[str, str]]) -> tuple[Sequence[str], Sequence[Key]]:
    """The lines that are only read, and the options of the page, of which a label may have several lines."""
    first_lines: Mapping[str, tuple[str, str]] = {
        f"{key} {label}".split("\n", 1)[0]: (key, label) for key, label in labels
    }
    text: list[str] = []
    options: list[Key] = []
    rest: Iterator[str] = iter(lines)
    for line in rest:
        if line not in first_lines:
            text.append(line)
            continue
        key, label = first_lines[line]
        options.append(Key(key, label))
        for _ in range(label.count("\n")):
            next(rest, "")
    return text, options


def _find_typing(screen: VisibleScreen, facts: Mapping[str, object], field_index: int) -> Typing:
    match screen:
        case Question():
            return "digits" if screen.validator in DIGIT_VALIDATORS else "text"
        case Form():
            field = screen.fields(facts)[field_index]
            return "" if field.choices else "digits" if field.has_digits else "text"
        case ListScreen():
            return "text" if screen.free_text else ""
        case _:
            return ""
