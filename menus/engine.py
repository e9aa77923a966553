"""Takes one answer and says where it leads: pure, until steps lie on the way and the calls they were given are made.

`0` is back, `00` is home and 98 is the next page where there is one, on every screen. Steps follow each other
until a screen is reached that waits for an answer; a ring of steps ends at the menu's `stuck` screen. Where a call says
that what it is asked about is `Gone`, or the caller's account was closed from elsewhere, they are put at the screen that
says so, whatever they were about to do.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import date
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from menus.model import (
    Accepted,
    Acting,
    Asked,
    Choice,
    Form,
    Gone,
    Goodbye,
    Listing,
    Menu,
    Outcome,
    Place,
    Question,
    Refused,
    Shown,
    Step,
    Visit,
    keyed,
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


class Leaving(msgspec.Struct, frozen=True):
    """On the way from `place` to the screen `name`, with whatever steps lie before it still to be taken."""

    place: Place
    name: str
    secrets: Mapping[str, Any] | None = None


Went: TypeAlias = Reached | Leaving


def typed_plainly(text: str) -> str:
    """What was typed, with Bengali and Devanagari digits as 0-9 and no blanks around it."""
    return (text if text.isascii() else text.translate(_TO_ASCII)).strip()


async def advance(menu: Menu, place: Place, typed: str, visit: Visit) -> Reached:
    """Where `typed` leads from `place`; `visit` tells steps who calls (its facts are filled in here)."""
    if place.facts.get("consent") and (cut_off := await _cut_off(menu, place, visit)):
        return cut_off
    try:
        went = _went(menu, place, typed_plainly(typed), visit.today)
        if went.place.facts is not place.facts:
            await _keep(menu, place, went.place, visit)
        return await _stood(menu, went, visit)
    except Gone:
        return _told_gone(menu, place)
    except _closings(menu):
        return _told_closed(menu, place)


def takes(menu: Menu, place: Place, typed: str, today: date) -> bool:
    """Whether `typed` is an answer where the caller stands, be it back, home or the next page."""
    answer = typed_plainly(typed)
    if answer in {BACK, HOME} or (answer == MORE and place.more):
        return True
    with suppress(Gone):
        return _taken(menu, place, answer, today)
    return False


def _taken(menu: Menu, place: Place, answer: str, today: date) -> bool:
    match screen := menu.shown(place):
        case Choice():
            return answer in menu.options[screen.name]
        case Listing():
            return _is_position(answer, len(screen.rows(place.facts)) + len(screen.options))
        case Question():
            return answer in menu.options[screen.name] or isinstance(screen.check(answer, today), Accepted)
        case Form():
            asked = screen.fields(place.facts)[place.item : place.item + 1]
            return any(isinstance(_understood(one, answer, today), Accepted) for one in asked)
        case Goodbye():
            return False


async def arrive(menu: Menu, leaving: Leaving, visit: Visit) -> Reached:
    """Where the steps on the way lead."""
    if cut_off := await _cut_off(menu, leaving.place, visit):
        return cut_off
    try:
        return await _stood(menu, leaving, visit)
    except Gone:
        return _told_gone(menu, leaving.place)
    except _closings(menu):
        return _told_closed(menu, leaving.place)


async def _along(menu: Menu, leaving: Leaving, visit: Visit) -> Reached:
    place, name, secrets, refused = leaving.place, leaving.name, leaving.secrets, None
    for _ in range(MOST_STEPS):
        screen = menu.screen(name, place.facts)
        if not isinstance(screen, Step):
            stood = _stand(menu, place, screen)
            if isinstance(stood, Reached):
                return _asked_again(stood, refused) if refused else stood
            name = stood.name
            continue
        outcome = await _taken_by(menu, screen, _told(visit, place, secrets))
        if outcome.place is not None and outcome.place.screen in menu.screens:
            return await _cut_off(menu, outcome.place, visit) or Reached(outcome.place)
        place, refused = _learned(place, outcome), outcome.refused
        if screen.commits:
            place = replace(place, trail=())
        name = screen.outcomes[outcome.name]
    return Reached(replace(place, screen=menu.stuck, page=0, item=0, more=False, over=True))


def _asked_again(stood: Reached, refused: Refused) -> Reached:
    """A question once more, with what was wrong; it does not lie behind itself."""
    place, trail = stood.place, stood.place.trail
    if trail and trail[-1][0] == place.screen:
        place = replace(place, trail=trail[:-1])
    return Reached(place, refused)


def _taken_by(menu: Menu, step: Step, visit: Visit) -> Awaitable[Outcome[str]]:
    """The step as it is taken by a citizen, or by an operator for one, and then on the record as theirs."""
    return _acted(menu.acting, step, visit) if menu.acting and visit.assisted else step.call(visit)


async def _acted(acting: Acting, step: Step, visit: Visit) -> Outcome[str]:
    with acting.during(visit):
        return await step.call(visit)


async def _cut_off(menu: Menu, place: Place, visit: Visit) -> Reached | None:
    """Where an operator is put whose citizen's consent is over; nowhere while it is alive, or nobody acts for anybody."""
    if not (menu.acting and place.facts.get("consent")):
        return None
    why = await menu.acting.over(_told(visit, place, None))
    if not why:
        return None
    home = at_home(menu, place)
    kept = {key: fact for key, fact in home.facts.items() if key not in menu.acting.forgets}
    return Reached(replace(home, screen=menu.acting.ends, facts={**kept, "consent_over": why}, over=True))


async def _stood(menu: Menu, went: Went, visit: Visit) -> Reached:
    """Where the caller stands at the end of the way."""
    reached = went if isinstance(went, Reached) else await _along(menu, went, visit)
    screen = menu.screens[reached.place.screen]
    return await _standing(menu, reached, screen, visit) if isinstance(screen, Form) else reached


async def _standing(menu: Menu, reached: Reached, screen: Form, visit: Visit) -> Reached:
    """Where the caller stands, once it is sure that it can be shown: a form may have lost questions, or be gone."""
    place, fields = reached.place, len(screen.fields(reached.place.facts))
    if place.item < fields:
        return reached
    if not fields:
        return await _along(menu, Leaving(place, screen.goto), visit)
    return Reached(replace(place, item=0, page=0, more=False), reached.refused)


async def _keep(menu: Menu, before: Place, after: Place, visit: Visit) -> None:
    """Have a form kept that took an answer, where it says how."""
    screen = menu.screens[before.screen]
    if not isinstance(screen, Form) or screen.keeps is None:
        return
    form = after.facts.get(screen.saves)
    if form is not None and form is not before.facts.get(screen.saves):
        await screen.keeps(_told(visit, after, None))


def _told_gone(menu: Menu, place: Place) -> Reached:
    return Reached(replace(at_home(menu, place), screen=menu.gone))


def _closings(menu: Menu) -> tuple[type[Exception], ...]:
    return (menu.closing.raised,) if menu.closing else ()


def _told_closed(menu: Menu, place: Place) -> Reached:
    """Nobody is signed in any more, and the caller is told why."""
    closing, home = menu.closing, at_home(menu, place)
    assert closing  # noqa: S101 - it was raised
    kept = {key: fact for key, fact in home.facts.items() if key not in closing.forgets}
    return Reached(replace(home, screen=closing.screen, facts=kept))


def _went(menu: Menu, place: Place, answer: str, today: date) -> Went:
    if answer == HOME:
        return _go_home(menu, place)
    if answer == BACK:
        return _back(menu, place)
    if answer == MORE and place.more:
        return Reached(replace(place, page=place.page + 1))
    screen = menu.shown(place)
    return _HEARD[type(screen)](menu, place, screen, answer, today)


def _to(menu: Menu, place: Place, name: str, secrets: Mapping[str, Any] | None = None) -> Went:
    screen = menu.screen(name, place.facts)
    return Leaving(place, name, secrets) if isinstance(screen, Step) else _stand(menu, place, screen)


def at_home(menu: Menu, place: Place) -> Place:
    """`place` with nothing behind it and only the facts that outlive a return home."""
    kept = {key: fact for key, fact in place.facts.items() if key in menu.keeps}
    home = menu.screen(menu.home, kept).name
    return replace(place, screen=home, page=0, item=0, more=False, trail=(), facts=kept, over=False)


def _stand(menu: Menu, place: Place, screen: Shown) -> Went:
    if isinstance(screen, Listing) and not screen.rows(place.facts):
        return Leaving(place, screen.empty)
    if isinstance(screen, Form) and not screen.fields(place.facts):
        return Leaving(place, screen.goto)
    if screen.name == menu.screen(menu.home, place.facts).name:
        return Reached(at_home(menu, place))
    there = replace(place, screen=screen.name, page=0, item=0, more=False)
    return Reached(replace(there, over=menu.ends(there)))


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


def _go_home(menu: Menu, place: Place) -> Went:
    return _to(menu, at_home(menu, place), menu.home)


def _back(menu: Menu, place: Place) -> Went:
    if place.page:
        return Reached(replace(place, page=place.page - 1))
    if place.item:
        return Reached(replace(place, item=place.item - 1, more=False))
    if not place.trail:
        return _go_home(menu, place)
    name, item = place.trail[-1]
    return Reached(replace(place, screen=name, item=item, page=0, more=False, trail=place.trail[:-1], over=False))


def _choose(menu: Menu, place: Place, screen: Choice, answer: str, _: date) -> Went:
    options = menu.options[screen.name]
    if answer not in options:
        return Reached(place, _one_of(list(options)))
    option = options[answer]
    if screen.saves:
        place = _remembered(place, **{screen.saves: option.name})
    return _to(menu, _left(place), option.goto)


def _pick(menu: Menu, place: Place, screen: Listing, answer: str, today: date) -> Went:
    rows = screen.rows(place.facts)
    options = dict(keyed(screen.options, len(rows)))
    if answer in options:
        return _to(menu, _left(place), options[answer].goto)
    if not _is_position(answer, len(rows)):
        return _words(menu, place, screen, answer, today) or Reached(place, _one_of_first(len(rows) + len(options)))
    chosen = _remembered(place, **{screen.saves: rows[int(answer) - 1][screen.saves]})
    return _to(menu, _left(chosen), screen.goto)


def _words(menu: Menu, place: Place, screen: Listing, answer: str, today: date) -> Went | None:
    """Where a list leads whoever types words instead of a number; nowhere where it takes none, or these are none."""
    understood = screen.typed.check(answer, today) if screen.typed else None
    if screen.typed is None or not isinstance(understood, Accepted):
        return None
    return _to(menu, _left(place), screen.typed.goto, {screen.typed.saves: understood.value})


def _answer(menu: Menu, place: Place, screen: Question, answer: str, today: date) -> Went:
    options = menu.options[screen.name]
    if answer in options:
        return _to(menu, _left(place), options[answer].goto)
    understood = screen.check(answer, today)
    if isinstance(understood, Refused):
        return Reached(place, understood)
    if screen.secret:
        return _to(menu, _left(place), screen.goto, {screen.saves: understood.value})
    remembered = _remembered(place, **{screen.saves: understood.value})
    return _to(menu, _left(remembered), screen.goto)


def _fill(menu: Menu, place: Place, screen: Form, answer: str, today: date) -> Went:
    fields = screen.fields(place.facts)
    if place.item >= len(fields):  # the questions changed since this one was asked
        return _to(menu, place, screen.goto)
    understood = _understood(fields[place.item], answer, today)
    if isinstance(understood, Refused):
        return Reached(place, understood)
    form = {**place.facts.get(screen.saves, {}), fields[place.item].name: understood.value}
    filled = _remembered(place, **{screen.saves: form})
    if place.item + 1 < len(fields):
        return Reached(replace(filled, item=place.item + 1, page=0, more=False))
    return _to(menu, _left(filled), screen.goto)


def _begin_again(menu: Menu, place: Place, _: Goodbye, __: str, ___: date) -> Went:
    return _go_home(menu, place)


_HEARD: Mapping[type[Shown], Callable[[Menu, Place, Any, str, date], Went]] = {
    Choice: _choose,
    Listing: _pick,
    Question: _answer,
    Form: _fill,
    Goodbye: _begin_again,
}


def _understood(asked: Asked, answer: str, today: date) -> Accepted | Refused:
    if not asked.choices:
        return asked.check(answer, today)
    if not _is_position(answer, len(asked.choices)):
        return _one_of_first(len(asked.choices))
    return Accepted(asked.choices[int(answer) - 1][0])


def _is_position(answer: str, count: int) -> bool:
    return answer in map(str, range(1, count + 1))


def _one_of_first(count: int) -> Refused:
    return _one_of([str(position) for position in range(1, count + 1)])


def _one_of(keys: list[str]) -> Refused:
    if len(keys) <= 1:
        return Refused("not_the_option", {"key": keys[0] if keys else BACK})
    keys = sorted(keys, key=int)
    if [int(key) for key in keys] == list(range(int(keys[0]), int(keys[-1]) + 1)):
        return Refused("not_an_option", {"first": keys[0], "last": keys[-1]})
    return Refused("not_one_of", {"keys": ", ".join(keys)})
