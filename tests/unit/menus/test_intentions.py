"""What a caller wants to do once has one idempotency key, in however many inputs and sessions."""

import dataclasses
from datetime import date
from typing import Any, Literal

import msgspec
import pytest
from msgspec.structs import replace

from core.validation import Invalid, Valid
from menus.engine import advance, finish_transition
from menus.intentions import keep_intention
from menus.journeys.resume import is_resumable, resume_position
from menus.model import (
    Choice,
    Goodbye,
    Menu,
    Navigation,
    Option,
    Outcome,
    Position,
    Question,
    Step,
    StepContext,
    Transition,
)
from menus.proof import ANYONE, COMMITS, FRESH_PIN, NO_PROOF, REVEALS, Effect, Proof, ProofPolicy
from services.audit.audit import citizen_actor
from services.catalogue.models import NoLongerOfferedError
from sessions.session import Reply, Session, decode_session
from tests.support.menu_facts import conversation
from tests.unit.menus.test_engine import CONTEXT

PIN = "8265"


def anything(text: str, _: date) -> Valid | Invalid:
    return Valid(text)


class Caller:
    """Presses keys on a menu with two acts, and records the key of each one that runs."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.session, self.length = "A", 0
        again = (Option("again", goto="words"), Option("both", goto="send_both"), Option("home", goto="main"))
        self.menu = Menu(
            (
                Choice(
                    "main", (Option("act", goto="words"), Option("pay", goto="pay"), Option("both", goto="send_both"))
                ),
                Question("words", "words", anything, goto="send", secret=True),
                Step("send", self.act, {"done": "sent", "gone": "main"}, effects=COMMITS, needs=ANYONE),
                Choice("sent", again),
                Step("send_both", self.act, {"done": "send", "gone": "main"}, effects=COMMITS, needs=ANYONE),
                Step(
                    "pay", self.act, {"done": "sent", "gone": "main"}, commits=True, needs=FRESH_PIN, subject=("bill",)
                ),
                Step("code", self.act, {"done": "prove", "gone": "prove"}, once=True, subject=("pending_act",)),
                Question("prove", "pin", anything, goto="check", secret=True, options=(Option("again", goto="code"),)),
                Step("check", self.check, {"right": "main", "wrong": "prove"}),
                Choice("unavailable", (Option("home", goto="main"),)),
                Goodbye("stuck"),
            ),
            home="main",
            stuck="stuck",
            unavailable="unavailable",
            persistent_facts=frozenset({"bill", "fails"}),
            proof_policy=ProofPolicy(
                entry_screens={Proof.PIN: "code"},
                waiting_screens=frozenset({"prove"}),
                sim_screens=frozenset(),
                check_sim=self.check_sim,
            ),
        )
        self.position = Position("main", "en")

    async def act(self, context: StepContext) -> Outcome[Literal["done", "gone"]]:
        self.keys.append(context.idempotency_key)
        if context.facts.get("fails"):
            raise NoLongerOfferedError("a service")
        return Outcome("done")

    async def check(self, context: StepContext) -> Outcome[Literal["right", "wrong"]]:
        self.keys.append(context.idempotency_key)
        return Outcome("right", proof=Proof.PIN) if context.facts["pin"] == PIN else Outcome("wrong")

    async def check_sim(self, *_: Any) -> str:
        return ""

    async def presses(self, *inputs: str) -> list[str]:
        """The keys of the acts that these inputs cause."""
        before = len(self.keys)
        for text in inputs:
            self.length += len(text) + bool(self.length)
            context = replace(CONTEXT, session=self.session, input_key=f"{self.session}:{self.length}")
            self.position = (await advance(self.menu, self.position, text, context)).position
        return self.keys[before:]

    def redials(self) -> None:
        """Begin another session at the place where the one before was dropped."""
        offer = resume_position(self.position, self.session)
        self.session, self.length = f"{self.session}'", 0
        self.position = msgspec.convert(offer.facts["interrupted"], Position)


async def test_an_act_has_the_same_key_when_it_is_repeated_in_another_session():
    caller = Caller()
    await caller.presses("1")
    parked = caller.position
    assert await caller.presses("hello") == ["A:0+/send"]

    for session in ("A'", "A''"):
        caller.position = parked  # the one after the act was never saved
        caller.redials()
        parked = caller.position
        assert caller.session == session
        assert await caller.presses("hallo", "1", "another") == ["A:0+/send", f"{session}:5+/send"]


@pytest.mark.parametrize("way", [("0", "1"), ("0", "9", "1"), ()])
async def test_going_back_does_not_begin_another_intention(way):
    caller = Caller()
    await caller.presses("1", *way)
    assert await caller.presses("hello") == ["A:0+/send"]


async def test_at_home_another_intention_begins_where_one_was_taken_up():
    caller = Caller()
    await caller.presses("1")
    caller.redials()
    assert await caller.presses("00", "1", "hello") == ["A':2+/send"]


async def test_acts_of_one_input_differ_by_their_names_and_end_one_intention():
    caller = Caller()
    assert await caller.presses("3", "2", "1", "words") == [
        *("A:0+/send_both", "A:0+/send"),
        *("A:1+/send_both", "A:1+/send"),
        "A:3+/send",
    ]


async def test_what_is_done_to_prove_an_act_is_no_part_of_it():
    caller = Caller()
    caller.position = Position("main", "en", facts={"bill": 12})
    code = await caller.presses("2")
    again = await caller.presses("1")
    wrong = await caller.presses("0000")
    right = await caller.presses(PIN)
    assert len({*code, *again}) == 2, "another code is sent"
    assert [key.partition(".")[0] for key in (*code, *again)] == ["A:0+/code", "A:1+/code"]
    assert wrong == ["A:8"], "an attempt has the key of its input"
    assert right[0] == "A:13"
    assert right[1].startswith("A:0+/pay.")


async def test_another_subject_is_another_act():
    keys = set()
    for bill in (12, 13, 12):
        caller = Caller()
        caller.position = Position("main", "en", facts={"bill": bill})
        keys.add((await caller.presses("2", PIN))[-1])
    assert len(keys) == 2


async def test_an_act_that_fails_for_good_is_not_the_next_one():
    """What was recorded before the error must not answer a later act."""
    caller = Caller()
    caller.position = Position("main", "en", facts={"fails": True})
    assert await caller.presses("1", "hello") == ["A:0+/send"]
    assert caller.position.screen == "unavailable"
    assert await caller.presses("1", "1", "hello") == ["A:9+/send"]


async def test_messages_keep_the_intention_of_the_message_that_showed_the_question():
    caller = Caller()
    entered = await finish_transition(
        caller.menu, Transition(Position("main", "en"), "words"), replace(CONTEXT, session="sms/1", input_key="sms/1:1")
    )
    asked = keep_intention(entered.position, "sms/1")
    for message in ("sms/2", "sms/3"):
        await advance(caller.menu, asked, "hello", replace(CONTEXT, session=message, input_key=f"{message}:1"))
    assert caller.keys == ["sms/1:0+/send"] * 2


async def test_an_act_of_a_call_that_is_done_by_sms_is_audited_as_one_by_sms():
    caller, actors = Caller(), []

    async def send(context: StepContext) -> Outcome[Literal["done"]]:
        actors.append(citizen_actor(7, context.idempotency_key).channel)
        return Outcome("done")

    caller.menu.screens["send"] = dataclasses.replace(caller.menu.screens["send"], run=send)
    asked = Position("words", "en", intention="ATUid_1:7+")
    for channel, session in (("ussd", "ATUid_2"), ("sms", "sms/3")):
        context = replace(CONTEXT, channel=channel, session=session, input_key=f"{session}:1")
        await advance(caller.menu, asked, "hello", context)
    assert actors == ["ussd", "sms"]
    assert citizen_actor(7, "ATUid_1:7").channel == "ussd"


async def test_a_replayed_path_finds_no_effect_of_a_later_intention():
    context = replace(CONTEXT, session="A", input_key="A:9", intention="A:5+")
    past = {"A:0+/send": True, "A:5+/send": False, "A:9+/send": False, "B:99+/send": True}
    inputs = {"A:7": True, "A:9": False, "A:11": False, "B:99": True}
    assert {key: context.is_past(key) for key in (*past, *inputs)} == {**past, **inputs}
    assert not context.is_past(None)
    resumed = replace(context, session="B", input_key="B:9")
    assert {key: resumed.is_past(key) for key in past} == {**past, "B:99+/send": False}, (
        "it comes later in this session"
    )


def test_the_offer_keeps_the_key_of_what_the_dropped_session_had_taken_up():
    taken_up = Position("words", "en", history=(("main", 0),), intention="A:7+")
    assert is_resumable(taken_up)
    place = msgspec.convert(resume_position(taken_up, "B").facts["interrupted"], Position)
    assert place.intention == "A:7+"


def test_a_session_from_before_intentions_is_read():
    former = [
        "s",
        "main",
        7,
        ["words", "en", 0, False, 0, [["main", 0]], {"rating": "4"}, False],
        ["Say it", False],
        [],
    ]
    session = decode_session(msgspec.msgpack.encode(former))
    assert session == Session(
        "s", "main", 7, Position("words", "en", history=(("main", 0),), facts={"rating": "4"}), Reply("Say it")
    )


def test_most_sessions_do_not_store_a_key():
    assert (
        len(msgspec.msgpack.encode(Position("words", "en")))
        == len(msgspec.msgpack.encode(["words", "en", 0, False, 0, [], {}, False])) + 3
    )


STEPS = [screen for screen in conversation().menu.screen_list if isinstance(screen, Step)]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
async def test_every_step_that_does_more_than_reveal_has_the_key_of_the_intention(step):
    keys = []

    async def run(context: StepContext) -> Outcome[Literal["done"]]:
        keys.append(context.idempotency_key)
        return Outcome("done")

    spy = dataclasses.replace(step, run=run, outcomes={"done": "next"}, needs=NO_PROOF)
    menu = Menu(
        (Choice("main", ()), spy, Choice("next", ()), Goodbye("stuck")),
        home="main",
        stuck="stuck",
        persistent_facts=frozenset(),
    )
    left = Navigation(Position("main", "en", intention="A:7+"))
    context = replace(CONTEXT, session="B", input_key="B:12")
    ended = (await finish_transition(menu, Transition(left.position, step.name), context)).position

    is_done_once = step.commits or step.once or bool(step.effects - REVEALS)
    assert keys[0].partition(".")[0] == (f"A:7+/{step.name}" if is_done_once else "B:12")
    assert ended.intention == ("B:12+" if is_done_once else "A:7+")


def test_subjects_are_numbers_and_codes_and_nothing_personal():
    named = {name for step in STEPS for name in step.subject}
    assert named == {
        *("about", "about_service", "asked_consent", "bill", "centre", "consent", "document", "documents_sign_in"),
        *("draft", "number", "paper", "pending_act", "profile_key", "service"),
    }


def test_acts_of_two_subjects_are_told_apart():
    """Whoever pays, withdraws or complains goes back and chooses another one."""
    needs_subject = {step.name for step in STEPS if step.effects & {Effect.COSTS} or step.name.startswith("withdraw")}
    assert needs_subject == {"ask_wallet", "pay_bill", "withdraw_now"}
    assert all(step.subject for step in STEPS if step.name in needs_subject)
