"""How an operator uses the menu for a citizen: consent checked for every input, other screens, audit context."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Literal

import pytest

from menus.engine import advance, finish_transition
from menus.model import Choice, Goodbye, Menu, OperatorPolicy, Option, Outcome, Position, Step, StepContext, Transition
from menus.validation.structure import find_structure_problems

TODAY = date(2026, 11, 21)
FACTS = {"operator": 12, "account": 7, "citizen": "+8801711000001", "consent": 3, "consent_for": "follow"}


class AssistedMenuContext:
    """A menu with a home screen for operators; records the checks and the steps."""

    def __init__(self) -> None:
        self.denial_reason = ""
        self.policy_checks: list[str] = []
        self.audit_entries: list[int] = []
        self.within = 0
        left = Position("done", "en", facts=FACTS)

        async def over(context: StepContext) -> str:
            self.policy_checks.append(context.idempotency_key)
            return self.denial_reason

        @contextmanager
        def during(context: StepContext):
            self.within = context.consent_id
            yield
            self.within = 0

        async def work(_: StepContext) -> Outcome[Literal["done"]]:
            self.audit_entries.append(self.within)
            return Outcome("done")

        async def carry_on(_: StepContext) -> Outcome[Literal["carried"]]:
            return Outcome("carried", position=left)

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
            persistent_facts=frozenset(FACTS),
            operator_policy=OperatorPolicy(
                replacements={"main": "helping", "pin": "refused"},
                required_purposes={"pay": frozenset({"pay"})},
                no_consent_screen="unasked",
                refusal_screens=frozenset({"unasked"}),
                end_reason=over,
                audit_context=during,
                ended_screen="ended",
                forgotten_facts=frozenset(FACTS) - {"operator"},
            ),
        )

    async def enter(self, position: Position, typed: str) -> Position:
        return (await advance(self.menu, position, typed, self.step_context())).position

    def step_context(self) -> StepContext:
        return StepContext("+8801711000012", "ussd", "s1", "en", "s1:9", {}, caller_number_verified=True, today=TODAY)


@pytest.fixture
def menu_context() -> AssistedMenuContext:
    return AssistedMenuContext()


HELPING = Position("helping", "en", facts=FACTS)
ALONE = Position("main", "en", facts={"operator": 12})


async def test_who_acts_for_nobody_is_asked_nothing_and_signs_nothing(menu_context):
    assert (await menu_context.enter(ALONE, "2")).screen == "pin"
    assert (await menu_context.enter(ALONE, "1")).ended
    assert (menu_context.policy_checks, menu_context.audit_entries) == ([], [0])


async def test_it_is_asked_once_at_every_key_press_whether_or_not_a_step_follows(menu_context):
    await menu_context.enter(HELPING, "2")
    await menu_context.enter(HELPING, "1")
    await menu_context.enter(HELPING, "nonsense")
    assert menu_context.policy_checks == ["s1:9"] * 3


async def test_a_step_is_taken_in_the_operators_name(menu_context):
    await menu_context.enter(HELPING, "1")
    assert menu_context.audit_entries == [3]


@pytest.mark.parametrize(("typed", "screen"), [("2", "refused"), ("3", "helping"), ("00", "helping"), ("0", "helping")])
async def test_some_screens_are_others(menu_context, typed, screen):
    position = await menu_context.enter(HELPING, typed)
    assert (position.screen, position.facts) == (screen, FACTS)


async def test_a_screen_without_a_consent_is_not_offered_and_refused_where_a_keyword_leads_there(menu_context):
    menu = menu_context.menu
    assert [option.name for option in menu.offered_options("helping", FACTS).values()] == ["work", "pin"]
    assert [option.name for option in menu.offered_options("helping", {}).values()] == ["work", "pin", "pay"]
    reached = await finish_transition(menu, Transition(HELPING, "pay"), menu_context.step_context())
    assert reached.position.screen == "unasked"
    agreed = {**FACTS, "consent_for": "follow pay"}
    assert [option.name for option in menu.offered_options("helping", agreed).values()] == ["work", "pin", "pay"]


async def test_a_goodbye_does_not_end_the_visit(menu_context):
    done = await menu_context.enter(HELPING, "1")
    assert (done.screen, done.ended) == ("done", False)
    assert (await menu_context.enter(done, "5")).screen == "helping"


@pytest.mark.parametrize("typed", ["1", "2", "0", "00", "98", "nonsense"])
async def test_where_the_consent_is_over_nothing_is_done_and_the_citizen_is_forgotten(menu_context, typed):
    menu_context.denial_reason = "citizen"
    position = await menu_context.enter(HELPING, typed)
    assert (position.screen, position.ended) == ("ended", True)
    assert position.facts == {"operator": 12, "consent_over": "citizen"}
    assert menu_context.audit_entries == []


async def test_a_keyword_in_the_middle_of_a_visit_is_asked_about_too(menu_context):
    menu_context.denial_reason = "lapsed"
    reached = await finish_transition(menu_context.menu, Transition(HELPING, "work"), menu_context.step_context())
    assert (reached.position.screen, menu_context.audit_entries) == ("ended", [])


async def test_a_place_that_is_gone_back_to_is_asked_about_before_it_is_shown(menu_context):
    reached = await finish_transition(menu_context.menu, Transition(ALONE, "carry_on"), menu_context.step_context())
    assert reached.position.screen == "done"
    menu_context.denial_reason = "citizen"
    reached = await finish_transition(menu_context.menu, Transition(ALONE, "carry_on"), menu_context.step_context())
    assert reached.position.screen == "ended"


def test_a_screen_that_is_kept_from_operators_and_is_none_is_a_fault(menu_context):
    acting = menu_context.menu.operator_policy
    misspelt = replace(
        acting, replacements={**acting.replacements, "pni": "refused"}, required_purposes={"payy": frozenset()}
    )
    menu = Menu(
        menu_context.menu.screen_list,
        home="main",
        stuck="stuck",
        persistent_facts=frozenset(),
        operator_policy=misspelt,
    )
    messages = [str(problem) for problem in find_structure_problems(menu) if "operator policy" in str(problem)]
    assert messages == [
        "menus: pni: the operator policy names this screen, but there is no such screen; did you mean 'pin'?",
        "menus: payy: the operator policy names this screen, but there is no such screen; did you mean 'pay'?",
    ]
