"""Forms: each answer is kept as it comes, and questions that change while somebody fills them in are told."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import pytest

from menus.engine import advance, takes
from menus.model import Accepted, Choice, Form, Goodbye, Menu, Outcome, Place, Refused, Step, Visit

TODAY = date(2026, 11, 21)


@dataclass
class Asked:
    name: str
    labels: dict[str, str] = field(default_factory=dict)
    choices: tuple = ()

    def check(self, typed, today):
        return Accepted(typed.upper()) if typed.isalpha() else Refused("not_a_name")

    def shown(self, value):
        return value


class World:
    """A menu with one form, whose questions can be changed, and what was kept of it."""

    def __init__(self):
        self.asked = ["child", "mother"]
        self.kept = []
        self.menu = Menu(
            (
                Choice("main", ()),
                Form("form", lambda _: [Asked(name) for name in self.asked], "form", goto="sum", keeps=self.keep),
                Step("sum", self.sum_up, {"done": "summary"}),
                Goodbye("summary"),
                Goodbye("stuck"),
            ),
            home="main",
            stuck="stuck",
            keeps=frozenset(),
        )

    async def keep(self, visit):
        self.kept.append((visit.effect, dict(visit.facts["form"])))

    async def sum_up(self, _: Visit) -> Outcome[Literal["done"]]:
        return Outcome("done")

    async def types(self, place, typed, effect="s1:5"):
        visit = Visit("+8801700000001", "ussd", "s1", "en", effect, {}, vouched=True, today=TODAY)
        return await advance(self.menu, place, typed, visit)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def place():
    return Place("form", "en", trail=(("main", 0),))


async def test_each_answer_that_is_taken_is_kept_with_those_before_it(world, place):
    first = await world.types(place, "Rahim", "s1:5")
    await world.types(first.place, "Salma", "s1:11")
    assert world.kept == [("s1:5", {"child": "RAHIM"}), ("s1:11", {"child": "RAHIM", "mother": "SALMA"})]


async def test_what_is_refused_back_home_and_other_screens_keep_nothing(world, place):
    first = (await world.types(place, "Rahim")).place
    world.kept.clear()
    for typed in ("7", "0", "00", ""):
        await world.types(first, typed)
    assert world.kept == []


async def test_heard_again_the_same_is_kept_again(world, place):
    for _ in range(2):
        await world.types(place, "Rahim", "s1:5")
    assert world.kept == [("s1:5", {"child": "RAHIM"})] * 2


async def test_a_form_that_asks_nothing_leads_on(world, place):
    world.asked.clear()
    assert (await world.types(place, "Rahim")).place.screen == "summary"
    assert (await world.types(place, "0")).place.screen == "main"


async def test_going_back_into_a_form_that_asks_nothing_any_more_leads_on(world, place):
    second = (await world.types(place, "Rahim")).place
    world.asked.clear()
    assert (await world.types(second, "0")).place.screen == "summary"


async def test_a_question_that_went_while_it_was_read_takes_no_answer(world, place):
    second = (await world.types(place, "Rahim")).place
    world.asked.pop()
    assert not takes(world.menu, second, "Salma", TODAY)
    reached = await world.types(second, "Salma")
    assert reached.place.screen == "summary"
    assert reached.place.facts["form"] == {"child": "RAHIM"}
