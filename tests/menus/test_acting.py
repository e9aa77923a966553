"""How menus are walked by an operator for a citizen: asked before every key press, other screens, and on the record."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Literal

import pytest

from menus.check.tree import tree
from menus.engine import Leaving, advance, arrive
from menus.model import Acting, Choice, Goodbye, Menu, Option, Outcome, Place, Step, Visit

TODAY = date(2026, 11, 21)
FACTS = {"operator": 12, "account": 7, "citizen": "+8801711000001", "consent": 3, "consent_for": "follow"}


class Centre:
    """A menu with an operator's own home, and what was asked and done within it."""

    def __init__(self) -> None:
        self.why = ""
        self.asked: list[str] = []
        self.signed: list[int] = []
        self.within = 0
        left = Place("done", "en", facts=FACTS)

        async def over(visit: Visit) -> str:
            self.asked.append(visit.effect)
            return self.why

        @contextmanager
        def during(visit: Visit):
            self.within = visit.assisted
            yield
            self.within = 0

        async def work(_: Visit) -> Outcome[Literal["done"]]:
            self.signed.append(self.within)
            return Outcome("done")

        async def carry_on(_: Visit) -> Outcome[Literal["carried"]]:
            return Outcome("carried", place=left)

        self.menu = Menu(
            (
                Choice("main", (Option("work", goto="work"), Option("pin", goto="pin"), Option("pay", goto="pay"))),
                Choice("helping", (Option("work", goto="work"), Option("pin", goto="pin"), Option("pay", goto="pay"))),
                Step("work", work, {"done": "done"}),
                Step("carry_on", carry_on, {"carried": "main"}),
                *(Choice(name, ()) for name in ("pin", "pay", "refused", "unasked")),
                Goodbye("done"),
                Goodbye("ended"),
                Goodbye("stuck"),
            ),
            home="main",
            stuck="stuck",
            keeps=frozenset(FACTS),
            acting=Acting(
                instead={"main": "helping", "pin": "refused"},
                only_for={"pay": frozenset({"pay"})},
                unasked="unasked",
                over=over,
                during=during,
                ends="ended",
                forgets=frozenset(FACTS) - {"operator"},
            ),
        )

    async def types(self, place: Place, typed: str) -> Place:
        return (await advance(self.menu, place, typed, self.visit())).place

    def visit(self) -> Visit:
        return Visit("+8801711000012", "ussd", "s1", "en", "s1:9", {}, vouched=True, today=TODAY)


@pytest.fixture
def centre() -> Centre:
    return Centre()


HELPING = Place("helping", "en", facts=FACTS)
ALONE = Place("main", "en", facts={"operator": 12})


async def test_who_acts_for_nobody_is_asked_nothing_and_signs_nothing(centre):
    assert (await centre.types(ALONE, "2")).screen == "pin"
    assert (await centre.types(ALONE, "1")).over
    assert (centre.asked, centre.signed) == ([], [0])


async def test_it_is_asked_once_at_every_key_press_whether_or_not_a_step_follows(centre):
    await centre.types(HELPING, "2")
    await centre.types(HELPING, "1")
    await centre.types(HELPING, "nonsense")
    assert centre.asked == ["s1:9"] * 3


async def test_a_step_is_taken_in_the_operators_name(centre):
    await centre.types(HELPING, "1")
    assert centre.signed == [3]


@pytest.mark.parametrize(("typed", "screen"), [("2", "refused"), ("3", "unasked"), ("00", "helping"), ("0", "helping")])
async def test_some_screens_are_others(centre, typed, screen):
    place = await centre.types(HELPING, typed)
    assert (place.screen, place.facts) == (screen, FACTS)


async def test_a_goodbye_does_not_end_the_visit(centre):
    done = await centre.types(HELPING, "1")
    assert (done.screen, done.over) == ("done", False)
    assert (await centre.types(done, "5")).screen == "helping"


@pytest.mark.parametrize("typed", ["1", "2", "0", "00", "98", "nonsense"])
async def test_where_the_consent_is_over_nothing_is_done_and_the_citizen_is_forgotten(centre, typed):
    centre.why = "citizen"
    place = await centre.types(HELPING, typed)
    assert (place.screen, place.over) == ("ended", True)
    assert place.facts == {"operator": 12, "consent_over": "citizen"}
    assert centre.signed == []


async def test_a_keyword_in_the_middle_of_a_visit_is_asked_about_too(centre):
    centre.why = "lapsed"
    reached = await arrive(centre.menu, Leaving(HELPING, "work"), centre.visit())
    assert (reached.place.screen, centre.signed) == ("ended", [])


async def test_a_place_that_is_gone_back_to_is_asked_about_before_it_is_shown(centre):
    reached = await arrive(centre.menu, Leaving(ALONE, "carry_on"), centre.visit())
    assert reached.place.screen == "done"
    centre.why = "citizen"
    reached = await arrive(centre.menu, Leaving(ALONE, "carry_on"), centre.visit())
    assert reached.place.screen == "ended"


def test_a_screen_that_is_kept_from_operators_and_is_none_is_a_fault(centre):
    acting = centre.menu.acting
    misspelt = replace(acting, instead={**acting.instead, "pni": "refused"}, only_for={"payy": frozenset()})
    menu = Menu(centre.menu.listed, home="main", stuck="stuck", keeps=frozenset(), acting=misspelt)
    said = [str(fault) for fault in tree(menu) if "operators" in str(fault)]
    assert said == [
        "menus: pni: this is said of operators, and there is no such screen; did you mean 'pin'?",
        "menus: payy: this is said of operators, and there is no such screen; did you mean 'pay'?",
    ]
