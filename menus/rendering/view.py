"""Build the view of a position: text, numbered options, and the note about a rejected input."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, overload

from menus.model import (
    Choice,
    Facts,
    Form,
    Goodbye,
    ListScreen,
    Menu,
    Navigation,
    Position,
    Question,
    VisibleScreen,
    number_options,
)
from menus.rendering.localization import Locale, parse_template
from menus.rendering.paging import ScreenView

OptionLabels = Sequence[tuple[str, str]]


class LazyRows(OptionLabels):
    """The numbered rows of a list and the options after them; each label is rendered on access."""

    def __init__(self, rows: Sequence[Facts], label: Callable[[Facts], str], options: OptionLabels) -> None:
        self._rows = rows
        self._label = label
        self._options = options

    def __len__(self) -> int:
        return len(self._rows) + len(self._options)

    @overload
    def __getitem__(self, which: int) -> tuple[str, str]: ...

    @overload
    def __getitem__(self, which: slice) -> OptionLabels: ...

    def __getitem__(self, which: int | slice) -> tuple[str, str] | OptionLabels:
        indexes = range(len(self))[which]
        return (
            self._labelled_row(indexes)
            if isinstance(indexes, int)
            else [self._labelled_row(index) for index in indexes]
        )

    def _labelled_row(self, index: int) -> tuple[str, str]:
        if index < len(self._rows):
            return str(index + 1), self._label(self._rows[index])
        return self._options[index - len(self._rows)]


def build_view(menu: Menu, navigation: Navigation, locale: Locale) -> ScreenView:
    """The view at the caller's position."""
    position, screen = navigation.position, menu.visible_screen(navigation.position)
    texts = locale.screens[screen.name]
    if navigation.invalid and isinstance(screen, Question) and screen.retry_of:
        texts = locale.screens[screen.retry_of]
    facts, options = _facts_and_options(menu, screen, position, locale)
    return ScreenView(
        text=_citizen_prefix(position, locale) + locale.render(texts.text, facts),
        options=options,
        back_label=_back_label(menu, screen, position, locale),
        more_label=locale.common["more"],
        note=_error_note(navigation, locale),
        ends_session=menu.ends_session(position),
    )


def _citizen_prefix(position: Position, locale: Locale) -> str:
    """The prefix that shows an operator the last digits of the citizen's number on every screen."""
    if not position.facts.get("consent"):
        return ""
    return locale.render(parse_template(locale.common["citizen"]), {"last": position.facts["citizen"][-4:]}) + " "


def can_go_back(position: Position) -> bool:
    """Whether the position has a previous screen or question."""
    return bool(position.history or position.field_index)


def _back_label(menu: Menu, screen: VisibleScreen, position: Position, locale: Locale) -> str:
    """The label of `0`: back with a history, home without one, none where a session opens or ends."""
    if screen.name == menu.resolve_screen(menu.home, position.facts).name or menu.ends_session(position):
        return ""
    if can_go_back(position):
        return locale.common["back"]
    return "" if isinstance(screen, Choice) and screen.opens_session else locale.common["home"]


def _facts_and_options(
    menu: Menu, screen: VisibleScreen, position: Position, locale: Locale
) -> tuple[Mapping[str, Any], OptionLabels]:
    texts = locale.screens[screen.name]
    match screen:
        case Choice() | Question():
            options = menu.offered_options(screen.name, position.facts).items()
            labels = [(key, locale.render(texts.options[option.name], position.facts)) for key, option in options]
            return position.facts, tuple(labels)
        case ListScreen():
            assert texts.row is not None  # nosec B101  # noqa: S101 (menus.validation.check refuses a list whose rows have no words)
            rows = screen.rows(position.facts)
            options_after = [
                (key, locale.render(texts.options[it.name], position.facts))
                for key, it in number_options(screen.options, len(rows))
            ]
            return position.facts, LazyRows(rows, partial(locale.render, texts.row), options_after)
        case Form():
            return build_form_view(screen, position, locale)
        case Goodbye():
            return position.facts, ()


def build_form_view(screen: Form, position: Position, locale: Locale) -> tuple[Mapping[str, Any], OptionLabels]:
    """The facts and the numbered choices of the current question of a form."""
    fields = screen.fields(position.facts)
    field = fields[position.field_index]
    say = locale.formatters["texts"]
    facts = {**position.facts, "item": position.field_index + 1, "items": len(fields), "label": field.labels}
    facts["intro"] = position.facts.get(screen.intro_fact) if position.field_index == 0 else None
    facts["hint"] = position.facts.get(screen.hints_fact, {}).get(field.name, "")
    return facts, tuple((str(key), say(names)) for key, (_, names) in enumerate(field.choices, 1))


def _error_note(navigation: Navigation, locale: Locale) -> str:
    if navigation.invalid is None:
        return ""
    return locale.render(locale.validation_messages[navigation.invalid.reason], navigation.invalid.facts)
