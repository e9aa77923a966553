"""The proof that a step needs: asked right before the step, given once, and never found in a later session."""

from datetime import date
from typing import Any, Literal

import msgspec
import pytest
from msgspec.structs import replace

from core.validation import Invalid, Valid
from menus.engine import advance
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
    SessionPolicy,
    Step,
    StepContext,
)
from menus.proof import (
    ANYONE,
    DOCUMENT_HOLDER,
    FRESH_PIN,
    FRESH_PIN_AND_SIM,
    NUMBER_OR_CODE,
    PAYER,
    RECOVERY,
    SESSION_BOUND_FACTS,
    SESSION_OR_PIN,
    SIGNED_IN,
    Needs,
    Proof,
    ProofPolicy,
    find_missing_proof,
)
from tests.unit.menus.test_engine import CONTEXT

PIN = "8265"
KINDS = [
    ANYONE,
    DOCUMENT_HOLDER,
    FRESH_PIN,
    FRESH_PIN_AND_SIM,
    NUMBER_OR_CODE,
    PAYER,
    RECOVERY,
    SESSION_OR_PIN,
    SIGNED_IN,
]


def anything(text: str, _: date) -> Valid | Invalid:
    return Valid(text)


class Acts:
    """A menu with one act, `send`, which counts its runs; and the screens that ask for each proof."""

    def __init__(self, needs: Needs, *, sim: str = "") -> None:
        self.runs: list[dict[str, Any]] = []
        self.sim = sim
        self.menu = Menu(
            (
                Choice("main", (Option("act", goto="confirm"), Option("twice", goto="send"))),
                Choice("confirm", (Option("yes", goto="text"), Option("no", goto="main"))),
                Question("text", "text", anything, goto="send", secret=True),
                Step("send", self.send, {"sent": "sent"}, commits=True, needs=needs, carries=("text",)),
                Choice("sent", (Option("again", goto="send"),)),
                *(
                    screen
                    for proof in Proof
                    for screen in (
                        Question(f"ask {proof}", "typed", anything, goto=f"check {proof}", secret=True),
                        Step(f"check {proof}", self.check(proof), {"right": "main", "wrong": f"ask {proof}"}),
                    )
                ),
                Goodbye("replaced"),
                Goodbye("stuck"),
            ),
            home="main",
            stuck="stuck",
            persistent_facts=frozenset({"account", "epoch"}),
            proof_policy=ProofPolicy(
                entry_screens={proof: f"ask {proof}" for proof in Proof},
                waiting_screens=frozenset(f"ask {proof}" for proof in Proof),
                sim_screens=frozenset({"replaced"}),
                check_sim=self.check_sim,
            ),
        )

    async def send(self, context: StepContext) -> Outcome[Literal["sent"]]:
        self.runs.append(dict(context.facts))
        return Outcome("sent")

    async def check_sim(self, _: StepContext, __: Proof) -> str:
        return self.sim

    @staticmethod
    def check(proof: Proof) -> Any:
        async def check_typed(context: StepContext) -> Outcome[Literal["right", "wrong"]]:
            is_right = context.facts["typed"] == PIN
            return Outcome("right", proof=proof) if is_right else Outcome("wrong")

        return check_typed

    async def walk(self, *inputs: str, vouched: bool = True, start: Position | None = None) -> Position:
        """Type the inputs from `start`; the position at the end."""
        context, reached = replace(CONTEXT, caller_number_verified=vouched), Navigation(start or Position("main", "en"))
        for text in inputs:
            reached = await advance(self.menu, reached.position, text, context)
        return reached.position


async def test_the_act_runs_right_after_the_proof_with_the_input_that_waited():
    acts = Acts(FRESH_PIN)

    asked = await acts.walk("1", "1", "hello")
    assert (asked.screen, acts.runs) == (f"ask {Proof.PIN}", [])
    wrong = await acts.walk("1111", start=asked)
    assert (wrong.screen, acts.runs) == (f"ask {Proof.PIN}", [])
    done = await acts.walk(PIN, start=wrong)

    assert done.screen == "sent"
    assert [run["text"] for run in acts.runs] == ["hello"]
    assert not SESSION_BOUND_FACTS & done.facts.keys(), "nothing of the proof is stored"


async def test_a_fresh_proof_serves_one_act():
    acts = Acts(FRESH_PIN)
    done = await acts.walk("1", "1", "hello", PIN)
    assert (await acts.walk("1", start=done)).screen == f"ask {Proof.PIN}"
    assert len(acts.runs) == 1


@pytest.mark.parametrize("leaving", ["0", "00"])
async def test_an_act_that_is_abandoned_is_not_done_later(leaving):
    acts = Acts(FRESH_PIN)
    left = await acts.walk("1", "1", "hello", leaving)
    assert "pending_act" not in left.facts
    assert "pending_input" not in left.facts
    elsewhere = replace(left, screen=f"ask {Proof.PIN}")
    assert (await acts.walk(PIN, start=elsewhere)).screen == "main"
    assert acts.runs == []


@pytest.mark.parametrize("needs", KINDS, ids=str)
@pytest.mark.parametrize("vouched", [True, False])
async def test_without_a_proof_only_what_anyone_may_do_is_done(needs, vouched):
    acts = Acts(needs)
    reached = await acts.walk("1", "1", "hello", vouched=vouched)
    is_free = needs.select(vouched=vouched, is_operator=False) in (
        {Proof.NONE, Proof.NUMBER, Proof.WALLET} if vouched else {Proof.NONE}
    )
    assert (len(acts.runs) == 1) == is_free == (reached.screen == "sent")


@pytest.mark.parametrize("needs", KINDS, ids=str)
async def test_where_the_sender_can_be_forged_nothing_that_was_proved_before_is_enough_to_act(needs):
    """An owner who is signed in, has typed a code and answered the questions, and then a forged message."""
    acts = Acts(needs)
    facts = {"account": 7, "proved": ["code", "PIN", "answers", "PIN or code"]}
    await acts.walk("1", "1", "hello", vouched=False, start=Position("main", "en", facts=facts))
    allowed = {Proof.NONE, Proof.SESSION}
    assert bool(acts.runs) == (needs.unvouched in allowed)


async def test_a_code_serves_a_whole_flow_only_where_the_network_vouches():
    for vouched in (True, False):
        acts = Acts(RECOVERY)
        asked = await acts.walk("1", "1", "hello", vouched=vouched)
        assert asked.screen == f"ask {Proof.ANSWERS}"
        coded = await acts.walk(PIN, vouched=vouched, start=asked)
        assert coded.screen == f"ask {Proof.CODE}"
        assert (await acts.walk(PIN, vouched=vouched, start=coded)).screen == "sent"
        done = await acts.walk(PIN, "1", vouched=vouched, start=coded)
        assert (done.screen == "sent") == vouched


@pytest.mark.parametrize("needs", [FRESH_PIN, ANYONE, NUMBER_OR_CODE, SESSION_OR_PIN, PAYER], ids=str)
async def test_an_operator_who_acts_for_a_citizen_types_their_own_pin(needs):
    acts = Acts(needs)
    facts = {"account": 7, "consent": 3, "operator": 2, "citizen": "+8801700000009"}
    asked = await acts.walk("2", start=Position("main", "en", facts=facts))
    assert asked.screen == f"ask {Proof.OPERATOR_PIN}"
    assert (await acts.walk(PIN, start=asked)).screen == "sent"


@pytest.mark.parametrize("needs", [FRESH_PIN_AND_SIM, PAYER, DOCUMENT_HOLDER, RECOVERY], ids=str)
async def test_a_replaced_sim_refuses_the_act_after_the_proof(needs):
    acts = Acts(needs, sim="replaced")
    facts = {"account": 7, "documents_sign_in": 5, "proved": ["answers", "code"]}
    reached = await acts.walk("1", "1", "hello", start=Position("main", "en", facts=facts))
    if reached.screen != "replaced":
        reached = await acts.walk(PIN, start=reached)
    assert (reached.screen, acts.runs) == ("replaced", [])


def test_every_component_of_a_proof_can_be_missing():
    for proof in Proof:
        missing = find_missing_proof(Needs(proof, proof), {}, frozenset(), vouched=False)
        assert (missing is None) == (proof is Proof.NONE), proof


async def test_whose_session_ended_is_signed_out_before_anything_runs():
    acts = Acts(SIGNED_IN)
    reason = "changed"

    async def find_end(context: StepContext) -> str:
        return reason if context.facts["epoch"] < 2 else ""

    acts.menu.session_policy = SessionPolicy(
        find_end=find_end,
        error=LookupError,
        screens={"changed": "sent"},
        forgotten_facts=frozenset({"account", "epoch"}),
    )
    valid = Position("main", "en", facts={"account": 7, "epoch": 2})
    assert (await acts.walk("2", start=valid)).facts["account"] == 7
    ended = await acts.walk("2", start=replace(valid, facts={"account": 7, "epoch": 1}))
    assert (ended.screen, ended.facts, len(acts.runs)) == ("sent", {}, 1)


SECRETS = dict.fromkeys(SESSION_BOUND_FACTS, "x")


@pytest.mark.parametrize(
    "screen", ["confirm", "ask_pin", "prove_pin", "prove_code", "new_pin", "recovery_2", "documents_list"]
)
def test_no_fact_of_a_session_is_resumed(screen):
    """Whatever the dropped session knew of its caller, the next one starts without it."""
    left = Position(
        screen, "en", history=(("main", 0), ("confirm", 0)), facts={**SECRETS, "service": "birth", "form": {}}
    )
    for facts in (left.facts, {**left.facts, "operator": 0, "consent": 0}):
        interrupted = replace(left, facts=dict(facts))
        if is_resumable(interrupted):
            offered = resume_position(interrupted, "s")
            kept = {"pending_act", "pending_input", "pending_intention"} if screen == "prove_code" else set()
            assert not SESSION_BOUND_FACTS & offered.facts.keys()
            place = msgspec.convert(offered.facts["interrupted"], Position)
            assert SESSION_BOUND_FACTS & place.facts.keys() == kept
        else:
            assert facts["operator"] or facts["consent"] or screen in {"new_pin", "recovery_2"}


@pytest.mark.parametrize("screen", ["ask_pin", "prove_pin"])
def test_a_pin_that_was_being_chosen_is_not_resumed_at_the_pin_that_confirms_it(screen):
    history = (("main", 0), ("new_pin", 0), ("confirm_pin", 0))
    assert not is_resumable(Position(screen, "en", history=history, facts={"pin_for": "change", "pin_hash": "x"}))
    registering = Position(screen, "en", history=history, facts={"pin_for": "register", "pin_hash": "x"})
    assert msgspec.convert(resume_position(registering, "s").facts["interrupted"], Position).screen == "ask_name"


def test_a_call_that_drops_at_the_offer_is_offered_again():
    interrupted = Position("ask_number", "en", history=(("main", 0),))
    offer = resume_position(interrupted, "s")
    assert is_resumable(offer)
    assert resume_position(offer, "s2") == offer
