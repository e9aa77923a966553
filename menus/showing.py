"""Puts the place a caller stands at into words: text, numbered options, and why an answer was not understood."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, overload

from menus.engine import Reached
from menus.model import Choice, Facts, Form, Goodbye, Listing, Menu, Place, Question, Shown, keyed
from menus.words import Words, template
from screens.pages import Showing

Labels = Sequence[tuple[str, str]]


class Rows(Labels):
    """The numbered rows of a list and the options after them, put into words as far as they are asked for."""

    def __init__(self, rows: Sequence[Facts], label: Callable[[Facts], str], after: Labels) -> None:
        self._rows = rows
        self._label = label
        self._after = after

    def __len__(self) -> int:
        return len(self._rows) + len(self._after)

    @overload
    def __getitem__(self, which: int) -> tuple[str, str]: ...

    @overload
    def __getitem__(self, which: slice) -> Labels: ...

    def __getitem__(self, which: int | slice) -> tuple[str, str] | Labels:
        places = range(len(self))[which]
        return self._one(places) if isinstance(places, int) else [self._one(place) for place in places]

    def _one(self, place: int) -> tuple[str, str]:
        if place < len(self._rows):
            return str(place + 1), self._label(self._rows[place])
        return self._after[place - len(self._rows)]


def show(menu: Menu, reached: Reached, words: Words) -> Showing:
    """What the caller is told where they now stand."""
    place, screen = reached.place, menu.shown(reached.place)
    spoken = words.screens[screen.name]
    facts, options = _said(menu, screen, place, words)
    return Showing(
        text=_for_whom(place, words) + words.say(spoken.text, facts),
        options=options,
        back=_back(menu, screen, place, words),
        more=words.common["more"],
        note=_note(reached, words),
        ends=menu.ends(place),
    )


def _for_whom(place: Place, words: Words) -> str:
    """What tells an operator on every screen for whom they act: the last digits of the citizen's number."""
    if not place.facts.get("consent"):
        return ""
    return words.say(template(words.common["citizen"]), {"last": place.facts["citizen"][-4:]}) + " "


def lies_behind(place: Place) -> bool:
    """Whether there is anything to go back to."""
    return bool(place.trail or place.item)


def _back(menu: Menu, screen: Shown, place: Place, words: Words) -> str:
    """What `0` is called here: back along the trail, home where there is none, nothing where a call ends or opens."""
    if screen.name == menu.screen(menu.home, place.facts).name or menu.ends(place):
        return ""
    if lies_behind(place):
        return words.common["back"]
    return "" if isinstance(screen, Choice) and screen.opens else words.common["home"]


def _said(menu: Menu, screen: Shown, place: Place, words: Words) -> tuple[Mapping[str, Any], Labels]:
    spoken = words.screens[screen.name]
    match screen:
        case Choice() | Question():
            options = menu.options[screen.name].items()
            labels = [(key, words.say(spoken.options[option.name], place.facts)) for key, option in options]
            return place.facts, tuple(labels)
        case Listing():
            assert spoken.row is not None  # noqa: S101 (menus.check refuses a list whose rows have no words)
            rows = screen.rows(place.facts)
            after = [
                (key, words.say(spoken.options[it.name], place.facts)) for key, it in keyed(screen.options, len(rows))
            ]
            return place.facts, Rows(rows, partial(words.say, spoken.row), after)
        case Form():
            return _form(screen, place, words)
        case Goodbye():
            return place.facts, ()


def _form(screen: Form, place: Place, words: Words) -> tuple[Mapping[str, Any], Labels]:
    fields = screen.fields(place.facts)
    asked = fields[place.item]
    say = words.ways["texts"]
    facts = {**place.facts, "item": place.item + 1, "items": len(fields), "label": asked.labels}
    facts["hint"] = place.facts.get(screen.hints, {}).get(asked.name, "")
    return facts, tuple((str(key), say(names)) for key, (_, names) in enumerate(asked.choices, 1))


def _note(reached: Reached, words: Words) -> str:
    if reached.refused is None:
        return ""
    return words.say(words.refused[reached.refused.reason], reached.refused.facts)
