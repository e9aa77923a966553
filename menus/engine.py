"""Takes one answer and says where it leads. Pure but for the calls that steps were given.

`0` is back, `00` is home and 98 is the next page where there is one, on every screen. Steps follow each other
until a screen is reached that waits for an answer; a ring of steps ends at the menu's `stuck` screen.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from menus.model import (
    Accepted,
    Asked,
    Choice,
    Form,
    Goodbye,
    Listing,
    Menu,
    Option,
    Outcome,
    Place,
    Question,
    Refused,
    Screen,
    Step,
    Visit,
)
from screens.pages import BACK, HOME, MORE

MOST_STEPS = 20
LONGEST_TRAIL = 20
_TO_ASCII = {
    ord(digit): str(value) for zero in "০०" for value, digit in enumerate(chr(ord(zero) + n) for n in range(10))
}


class Reached(msgspec.Struct, frozen=True):
    """Where an answer led, and why not further if it was not understood."""

    place: Place
    refused: Refused | None = None


def typed_plainly(text: str) -> str:
    """What was typed, with Bengali and Devanagari digits as 0-9 and no blanks around it."""
    return (text if text.isascii() else text.translate(_TO_ASCII)).strip()


async def advance(menu: Menu, place: Place, typed: str, visit: Visit) -> Reached:
    """Where `typed` leads from `place`; `visit` tells steps who calls (its facts are filled in here)."""
    answer = typed_plainly(typed)
    if answer == HOME:
        return await _go_home(menu, place, visit)
    if answer == BACK:
        return await _back(menu, place, visit)
    if answer == MORE and place.more:
        return Reached(replace(place, page=place.page + 1))
    return await _hear(menu, place, answer, visit)


async def _hear(menu: Menu, place: Place, answer: str, visit: Visit) -> Reached:
    screen = menu.shown(place)
    match screen:
        case Choice():
            return await _choose(menu, place, screen, answer, visit)
        case Listing():
            return await _pick(menu, place, screen, answer, visit)
        case Question():
            return await _answer(menu, place, screen, answer, visit)
        case Form():
            return await _fill(menu, place, screen, answer, visit)
        case Goodbye():
            return await _go_home(menu, place, visit)


async def arrive(
    menu: Menu, place: Place, name: str, visit: Visit, secrets: Mapping[str, Any] | None = None
) -> Reached:
    """Goes to the screen `name`, through whatever steps lie on the way."""
    for _ in range(MOST_STEPS):
        screen = menu.screens[name]
        if not isinstance(screen, Step):
            return await _stand(menu, place, screen, visit)
        outcome = await screen.call(_told(visit, place, secrets))
        if outcome.place is not None and outcome.place.screen in menu.screens:
            return Reached(outcome.place)
        place = _learned(place, outcome)
        if screen.commits:
            place = replace(place, trail=())
        name = screen.outcomes[outcome.name]
    return Reached(replace(place, screen=menu.stuck, page=0, item=0, more=False, over=True))


def at_home(menu: Menu, place: Place) -> Place:
    """`place` with nothing behind it and only the facts that outlive a return home."""
    kept = {key: fact for key, fact in place.facts.items() if key in menu.keeps}
    return replace(place, screen=menu.home, page=0, item=0, more=False, trail=(), facts=kept, over=False)


async def _stand(menu: Menu, place: Place, screen: Screen, visit: Visit) -> Reached:
    if isinstance(screen, Listing) and not screen.rows(place.facts):
        return await arrive(menu, place, screen.empty, visit)
    if screen.name == menu.home:
        return Reached(at_home(menu, place))
    return Reached(replace(place, screen=screen.name, page=0, item=0, more=False, over=isinstance(screen, Goodbye)))


def _told(visit: Visit, place: Place, secrets: Mapping[str, Any] | None) -> Visit:
    facts = {**place.facts, **secrets} if secrets else place.facts
    return replace(visit, language=place.language, facts=facts)


def _learned(place: Place, outcome: Outcome[str]) -> Place:
    if not outcome.facts and not outcome.language:
        return place
    return replace(place, facts={**place.facts, **outcome.facts}, language=outcome.language or place.language)


def _remembered(place: Place, **facts: Any) -> Place:
    return replace(place, facts={**place.facts, **facts})


def _left(place: Place) -> Place:
    """`place` with itself added to the trail that `0` goes back along."""
    here = (place.screen, place.item)
    if place.trail and place.trail[-1] == here:
        return place
    return replace(place, trail=(*place.trail, here)[-LONGEST_TRAIL:])


async def _go_home(menu: Menu, place: Place, visit: Visit) -> Reached:
    return await arrive(menu, at_home(menu, place), menu.home, visit)


async def _back(menu: Menu, place: Place, visit: Visit) -> Reached:
    if place.page:
        return Reached(replace(place, page=place.page - 1))
    if place.item:
        return Reached(replace(place, item=place.item - 1, more=False))
    if not place.trail:
        return await _go_home(menu, place, visit)
    name, item = place.trail[-1]
    return Reached(replace(place, screen=name, item=item, page=0, more=False, trail=place.trail[:-1], over=False))


async def _take(menu: Menu, place: Place, option: Option, visit: Visit) -> Reached:
    return await arrive(menu, _left(place), option.goto, visit)


async def _choose(menu: Menu, place: Place, screen: Choice, answer: str, visit: Visit) -> Reached:
    options = menu.options[screen.name]
    if answer not in options:
        return Reached(place, _one_of(list(options)))
    option = options[answer]
    if screen.saves:
        place = _remembered(place, **{screen.saves: option.name})
    return await _take(menu, place, option, visit)


async def _pick(menu: Menu, place: Place, screen: Listing, answer: str, visit: Visit) -> Reached:
    rows = screen.rows(place.facts)
    if not _is_position(answer, len(rows)):
        return Reached(place, _one_of([str(position) for position in range(1, len(rows) + 1)]))
    chosen = _remembered(place, **{screen.saves: rows[int(answer) - 1][screen.saves]})
    return await arrive(menu, _left(chosen), screen.goto, visit)


async def _answer(menu: Menu, place: Place, screen: Question, answer: str, visit: Visit) -> Reached:
    options = menu.options[screen.name]
    if answer in options:
        return await _take(menu, place, options[answer], visit)
    understood = screen.check(answer, visit.today)
    if isinstance(understood, Refused):
        return Reached(place, understood)
    if screen.secret:
        return await arrive(menu, _left(place), screen.goto, visit, {screen.saves: understood.value})
    remembered = _remembered(place, **{screen.saves: understood.value})
    return await arrive(menu, _left(remembered), screen.goto, visit)


async def _fill(menu: Menu, place: Place, screen: Form, answer: str, visit: Visit) -> Reached:
    fields = screen.fields(place.facts)
    understood = _understood(fields[place.item], answer, visit)
    if isinstance(understood, Refused):
        return Reached(place, understood)
    form = {**place.facts.get(screen.saves, {}), fields[place.item].name: understood.value}
    filled = _remembered(place, **{screen.saves: form})
    if place.item + 1 < len(fields):
        return Reached(replace(filled, item=place.item + 1, page=0, more=False))
    return await arrive(menu, _left(filled), screen.goto, visit)


def _understood(asked: Asked, answer: str, visit: Visit) -> Accepted | Refused:
    if not asked.choices:
        return asked.check(answer, visit.today)
    if not _is_position(answer, len(asked.choices)):
        return _one_of([str(position) for position in range(1, len(asked.choices) + 1)])
    return Accepted(asked.choices[int(answer) - 1][0])


def _is_position(answer: str, count: int) -> bool:
    return answer in map(str, range(1, count + 1))


def _one_of(keys: list[str]) -> Refused:
    if len(keys) <= 1:
        return Refused("not_the_option", {"key": keys[0] if keys else BACK})
    if [int(key) for key in keys] == list(range(int(keys[0]), int(keys[-1]) + 1)):
        return Refused("not_an_option", {"first": keys[0], "last": keys[-1]})
    return Refused("not_one_of", {"keys": ", ".join(keys)})
