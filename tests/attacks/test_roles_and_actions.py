"""Who may do what: every act of the menu is tried by every kind of caller. For the API see test_api_roles.py."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest
from msgspec.structs import replace as replace_struct

from menus.engine import finish_transition
from menus.model import Menu, Outcome, Position, Screen, SessionPolicy, Step, StepContext, Transition
from menus.validation.proof_table import find_operator_screens
from menus.validation.proofs import matters
from services.assisted.models import PURPOSES
from services.citizens.models import AccountClosedError
from tests.support.menu_facts import conversation
from tests.unit.menus.test_engine import CONTEXT

OWNER = {"account": 7, "epoch": 0}
PROVED_EARLIER = {**OWNER, "proved": ["PIN", "code"], "documents_sign_in": 0}
OPERATOR = {"operator": 2, "operator_epoch": 0}
VISIT = {**OPERATOR, "account": 7, "citizen": "+8801700000009", "citizen_language": "bn", "consent": 3}
ROLES: Final[Mapping[str, tuple[bool, Mapping[str, Any]]]] = {
    "forged SMS": (False, {}),
    "forged SMS, owner signed in": (False, PROVED_EARLIER),
    "call": (True, {}),
    "call, signed in": (True, OWNER),
    "call, operator": (True, OPERATOR),
}
"""Whether the channel vouches for the number, and what the session knows of its caller."""
ASKED: Final = {
    "gate": "sign in",
    "prove_account": "PIN",
    "prove_owner": "PIN or code",
    "prove_by_code": "code",
    "prove_operator": "operator's PIN",
    "recover": "answers",
    "documents_start": "issuer's code",
    "number_unproved": "call",
    "assist_refused": "never",
    "assist_unasked": "never",
}
"""What a caller is asked for who comes to one of these screens."""

EVERYBODY = ("done",) * 5
READER = ("sign in", "done", "sign in", "done", "sign in")
"""What only its owner may read: the reply to a forged SMS goes to the owner."""
WRITER = ("PIN", "PIN", "sign in", "done", "sign in")
FRESH = ("PIN",) * 5
PAYER = JUDGE = ("PIN or code", "PIN or code", "done", "done", "done")
HOLDER = ("issuer's code",) * 5
OPERATORS = ("operator's PIN",) * 5
TABLE: Final = {
    "answer": WRITER,
    "answer_by_sms": WRITER,
    "ask_wallet": PAYER,
    "assist_end": EVERYBODY,
    "begin_afresh": WRITER,
    "bill_again": READER,
    "bill_look": EVERYBODY,
    "complain": EVERYBODY,
    "complaint_own": READER,
    "delete": FRESH,
    "document_fetch": HOLDER,
    "documents_look": HOLDER,
    "email": READER,
    "finish_registering": ("code", "code", "done", "done", "done"),
    "give_email": FRESH,
    "keep_operator_pin": OPERATORS,
    "keep_pin": FRESH,
    "keep_questions": FRESH,
    "keep_recovered_pin": ("answers",) * 5,
    "operator_out": EVERYBODY,
    "own": READER,
    "own_data_send": FRESH,
    "paper_mark": WRITER,
    "paper_remove": WRITER,
    "papers": READER,
    "papers_others": READER,
    "pay_bill": PAYER,
    "prefill": READER,
    "profile_details": READER,
    "profile_keep": WRITER,
    "profile_keep_identity": FRESH,
    "profile_remove": WRITER,
    "raise_complaint": JUDGE,
    "record_cash": OPERATORS,
    "register_citizen": OPERATORS,
    "register_texted": EVERYBODY,
    "remove_email": FRESH,
    "send_complaint": EVERYBODY,
    "send_email_again": WRITER,
    "send_feedback": EVERYBODY,
    "send_recovered_pin": ("answers",) * 5,
    "send_status": EVERYBODY,
    "settle_complaint": JUDGE,
    "sign_out": EVERYBODY,
    "submit": FRESH,
    "take_up_draft": READER,
    "texted_feedback": EVERYBODY,
    "texted_refusal": JUDGE,
    "withdraw_now": FRESH,
}
"""What each role gets for each act, in the order of ROLES."""
VISITS: Final[Mapping[str, frozenset[str]]] = {
    "apply": frozenset({"answer", "begin_afresh", "submit", "withdraw_now", "ask_wallet", "record_cash"}),
    "pay": frozenset({"ask_wallet", "pay_bill", "record_cash"}),
    "follow": frozenset(),
    "complain": frozenset({"send_complaint", "send_feedback", "settle_complaint", "raise_complaint"}),
    "profile": frozenset({"paper_mark", "paper_remove", "profile_keep", "profile_keep_identity", "profile_remove"}),
}
"""The acts that an operator does for a citizen with a consent for each purpose, with the operator's PIN."""


class ReachedError(Exception):
    """The engine came to this step and would run it."""


def record(name: str) -> Any:
    async def run(_: StepContext) -> Outcome[str]:
        raise ReachedError(name)

    return run


@cache
def build_recording_menu() -> Menu:
    """The menu of the product, whose steps only say that they are reached. No session and no consent has ended."""
    menu = conversation().menu

    async def end_of_nothing(_: StepContext) -> str:
        return ""

    async def same_sim(*_: object) -> str:
        return ""

    def copy(screen: Screen) -> Screen:
        return replace(screen, run=record(screen.name)) if isinstance(screen, Step) else screen

    assert menu.operator_policy
    assert menu.proof_policy
    return Menu(
        map(copy, menu.screen_list),
        home=menu.home,
        stuck=menu.stuck,
        persistent_facts=menu.persistent_facts,
        operator_policy=replace(menu.operator_policy, end_reason=end_of_nothing, audit_context=lambda _: nullcontext()),
        session_policy=SessionPolicy(
            find_end=end_of_nothing, error=AccountClosedError, screens={}, forgotten_facts=frozenset()
        ),
        proof_policy=replace(menu.proof_policy, check_sim=same_sim),
    )


async def try_act(act: str, facts: Mapping[str, Any], *, vouched: bool) -> str:
    """`done`, or what the caller is asked for instead."""
    menu, context = build_recording_menu(), replace_struct(CONTEXT, caller_number_verified=vouched)
    start = Position(menu.home, "en", facts=dict(facts))
    try:
        reached = (await finish_transition(menu, Transition(start, act, {}), context)).position.screen
    except ReachedError as error:
        reached = str(error)
    return "done" if reached == act else ASKED[reached]


def list_acts() -> list[str]:
    return sorted(
        name for name, screen in conversation().menu.screens.items() if isinstance(screen, Step) and matters(screen)
    )


def test_the_table_has_every_act() -> None:
    assert sorted(TABLE) == list_acts()


@pytest.mark.parametrize("act", TABLE)
async def test_every_role_is_asked_for_what_the_table_says(act: str) -> None:
    got = {role: await try_act(act, facts, vouched=vouched) for role, (vouched, facts) in ROLES.items()}
    assert got == dict(zip(ROLES, TABLE[act], strict=True))


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_an_operator_does_for_a_citizen_what_the_consent_is_for_and_with_a_pin_each_time(purpose: str) -> None:
    facts = {**VISIT, "consent_for": purpose}
    got = {act: await try_act(act, facts, vouched=True) for act in TABLE}
    reached = find_operator_screens(conversation().menu, purpose)
    commits = {act for act, result in got.items() if result == "operator's PIN" and act in reached}
    assert commits == VISITS[purpose]
    done = {act for act, result in got.items() if result == "done" and act in reached}
    assert {act for act in done if TABLE[act] != READER} <= {"assist_end", "bill_look", "send_status", "form"}
