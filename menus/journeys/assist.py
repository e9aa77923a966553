"""An operator at a village centre acts for a citizen: signs in, asks, is told the code that came to the citizen's phone.

From then on the facts `citizen`, `consent` and `account` are the citizen's, and the journeys of everybody run for them.
What an operator never reaches, and what wants a consent for something else, is in the tables here; see `Acting`.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, Literal, NamedTuple, Protocol

from menus import checks
from menus.journeys.main import DOORS
from menus.journeys.sign_in import Clock
from menus.model import (
    Accepted,
    Acting,
    Choice,
    Facts,
    Goodbye,
    Journey,
    Option,
    Outcome,
    Question,
    Refused,
    Step,
    Visit,
)

Purpose = Literal["apply", "follow", "pay", "complain", "profile"]
PURPOSES: Final[tuple[Purpose, ...]] = ("apply", "follow", "pay", "complain", "profile")
Enrolled = Literal["known", "suspended", "unknown"]
Tried = Literal["in", "first", "wrong", "locked", "unknown"]
Asked = Literal["sent", "too_many", "spent"]
Checked = Literal["right", "wrong", "gone", "spent"]

OF_CITIZEN: Final = frozenset({"account", "citizen", "citizen_language", "consent", "consent_for"})
"""Facts that are known while an operator acts, and forgotten when the visit is over."""
NOBODY: Final[Facts] = {"account": 0, "citizen": "", "citizen_language": "", "consent": 0, "consent_for": ""}
OPEN_TO_OPERATORS: Final[Mapping[str, str]] = {**DOORS, "account": "profile"}
"""Where the doors of the main menu lead an operator: not to an account's own menu, which is about its PIN."""
CLOSED: Final = frozenset({"documents", "app", "language"})
"""Doors that an operator's menu lacks; the others are under the same keys."""
END_KEYS: Final = "834567912"
"""Where a visit is ended: under 8, unless a deployment has one of these doors there."""
CITIZENS_ALONE: Final = (
    *("ask_pin", "pin_wrong", "send_pin", "send_pin_wrong", "offer_register", "register", "texted_register"),
    *("account", "sign_out", "change_pin", "new_pin", "confirm_pin", "recover", "email"),
    *("languages", "texted_language", "documents_start", "documents_aadhaar"),
    *("own_data", "own_data_send", "delete_pin", "delete", "texted_refusal"),
)
"""What nobody does for a citizen: their PIN, their way back in, their addresses, their language, their documents, what is
kept of them, and saying no to what somebody else applied for."""
ONLY_FOR: Final[Mapping[str, frozenset[str]]] = {
    "start_form": frozenset({"apply"}),
    "take_up_draft": frozenset({"apply"}),
    "submit": frozenset({"apply"}),
    "withdraw": frozenset({"apply"}),
    "own": frozenset({"apply", "follow", "pay", "complain"}),
    "bills": frozenset({"pay"}),
    "pay_bill": frozenset({"pay"}),
    "pay_fee": frozenset({"apply", "pay"}),
    "complaint_start": frozenset({"complain"}),
    "complaint": frozenset({"complain"}),
    "complaint_own": frozenset({"complain"}),
    "settle_complaint": frozenset({"complain"}),
    "raise_complaint": frozenset({"complain"}),
    "feedback": frozenset({"complain"}),
    "texted_complaint": frozenset({"complain"}),
    "texted_feedback": frozenset({"complain"}),
    "profile": frozenset({"profile"}),
}
"""What wants a consent for one of these purposes."""


class SignedIn(Protocol):
    """What became of an operator's PIN. `first`: it is right, and one of their own is to be chosen now."""

    @property
    def outcome(self) -> Tried:
        """One of the five."""

    @property
    def operator(self) -> int:
        """The operator's number, else 0."""

    @property
    def left(self) -> int:
        """How many tries are left before they are locked out."""

    @property
    def until(self) -> datetime | None:
        """When they are heard again."""


class Wish(NamedTuple):
    """What an operator asks a citizen for, on which channel."""

    operator: int
    number: str
    purpose: Purpose
    channel: str


class Asking(Protocol):
    """What became of asking."""

    @property
    def outcome(self) -> Asked:
        """`too_many`: this citizen was asked too often; `spent`: this operator asked too often."""

    @property
    def consent(self) -> int:
        """The consent that a code is now to be checked for."""


class Giving(Protocol):
    """What became of a code."""

    @property
    def outcome(self) -> Checked:
        """`spent`: this operator typed too many wrong ones."""

    @property
    def account(self) -> int:
        """The citizen's account; 0 where they have none yet."""

    @property
    def language(self) -> str:
        """The language in which the citizen is written to."""


class Assisting(NamedTuple):
    """The calls that this journey makes, most of them with the effect last.

    reach: what was typed, and the operator's own number, to the citizen's. register: a consent, the citizen's name.
    over: why a consent is over. acting: an operator, an account, a consent.
    """

    enrolled: Callable[[str], Awaitable[Enrolled]]
    sign_in: Callable[[str, str, str], Awaitable[SignedIn]]
    choose_pin: Callable[[int, str, str], Awaitable[None]]
    reach: Callable[[str, str], Accepted | Refused]
    ask: Callable[[Wish, str], Awaitable[Asking]]
    check: Callable[[int, str, str], Awaitable[Giving]]
    register: Callable[[int, str, str], Awaitable[int]]
    end: Callable[[int, str], Awaitable[None]]
    over: Callable[[int, str], Awaitable[str]]
    acting: Callable[[int, int, int], AbstractContextManager[None]]
    time_of_day: Clock


def assist(calls: Assisting, order: Mapping[str, str]) -> Journey:
    """All of it; `order` is that of the main menu."""
    return (*_signing_in(calls), *_asking(calls), *_answering(calls), *_visiting(calls, order))


def acting(calls: Assisting) -> Acting:
    """How every other journey is walked by an operator."""

    async def over(visit: Visit) -> str:
        return await calls.over(visit.assisted, visit.effect)

    def during(visit: Visit) -> AbstractContextManager[None]:
        return calls.acting(visit.facts["operator"], visit.facts["account"], visit.assisted)

    instead = {"main": "assist_menu", "operator": "assist_menu", **dict.fromkeys(CITIZENS_ALONE, "assist_refused")}
    return Acting(instead, ONLY_FOR, "assist_unasked", over, during, "assist_over", OF_CITIZEN)


def _signing_in(calls: Assisting) -> Journey:
    async def start(visit: Visit) -> Outcome[Literal["in", "known", "suspended", "unknown"]]:
        enrolled = await calls.enrolled(visit.caller)
        return Outcome("in" if enrolled == "known" and visit.facts.get("operator") else enrolled)

    async def check_pin(visit: Visit) -> Outcome[Tried]:
        tried = await calls.sign_in(visit.caller, visit.facts["pin"], visit.effect)
        facts: dict[str, object] = {"operator": tried.operator, "left": tried.left, "pin_for": "operator"}
        if tried.until:
            facts["until"] = calls.time_of_day(tried.until, visit.caller)
        return Outcome(tried.outcome, facts)

    async def change_pin(_: Visit) -> Outcome[Literal["on"]]:
        return Outcome("on", {"pin_for": "operator"})

    async def keep_pin(visit: Visit) -> Outcome[Literal["kept"]]:
        await calls.choose_pin(visit.facts["operator"], visit.facts["pin_hash"], visit.effect)
        return Outcome("kept", {"pin_hash": ""})

    async def sign_out(_: Visit) -> Outcome[Literal["out"]]:
        return Outcome("out", {"operator": 0})

    known = {"known": "operator_pin", "suspended": "operator_suspended", "unknown": "not_operator"}
    tried = {"in": "operator_menu", "first": "new_pin", "wrong": "operator_pin_wrong", "locked": "locked"}
    menu = (
        Option("citizen", goto="ask_citizen"),
        Option("pin", goto="operator_change_pin"),
        Option("out", goto="operator_out"),
    )
    return (
        Step("operator", start, {**known, "in": "operator_menu"}),
        Choice("not_operator", ()),
        Choice("operator_suspended", (Option("help", goto="get_help", key="7"),)),
        *(
            Question(name, "pin", checks.pin, goto="check_operator_pin", secret=True)
            for name in ("operator_pin", "operator_pin_wrong")
        ),
        Step("check_operator_pin", check_pin, {**tried, "unknown": "not_operator"}),
        Choice("operator_menu", menu),
        Step("operator_change_pin", change_pin, {"on": "new_pin"}),
        Step("keep_operator_pin", keep_pin, {"kept": "operator_menu"}, commits=True),
        Step("operator_out", sign_out, {"out": "operator_left"}, commits=True),
        Goodbye("operator_left"),
    )


def _asking(calls: Assisting) -> Journey:
    async def reach(visit: Visit) -> Outcome[Literal["right", "wrong"]]:
        number = calls.reach(visit.facts["typed_number"], visit.caller)
        if isinstance(number, Refused):
            return Outcome("wrong", refused=number)
        return Outcome("right", {"asked_citizen": number.value, "asked_last": number.value[-4:]})

    async def ask(visit: Visit) -> Outcome[Asked | Literal["suspended"]]:
        if await calls.enrolled(visit.caller) != "known":
            return Outcome("suspended")
        facts = visit.facts
        wish = Wish(facts["operator"], facts["asked_citizen"], facts["asked_for"], visit.channel)
        asking = await calls.ask(wish, visit.effect)
        return Outcome(asking.outcome, {"asked_consent": asking.consent})

    asked = {"sent": "consent_code", "too_many": "citizen_spent", "spent": "operator_spent"}
    return (
        Question("ask_citizen", "typed_number", _digits, goto="reach_citizen", secret=True),
        Step("reach_citizen", reach, {"right": "consent_purpose", "wrong": "ask_citizen"}),
        Choice("consent_purpose", tuple(Option(one, goto="ask_consent") for one in PURPOSES), saves="asked_for"),
        Step("ask_consent", ask, {**asked, "suspended": "operator_suspended"}),
        Choice("citizen_spent", (Option("citizen", goto="ask_citizen"),)),
        Choice("operator_spent", (Option("help", goto="get_help", key="7"),)),
    )


def _answering(calls: Assisting) -> Journey:
    async def check(visit: Visit) -> Outcome[Literal["right", "newcomer", "wrong", "gone", "spent"]]:
        facts = visit.facts
        given = await calls.check(facts["asked_consent"], facts["code"], visit.effect)
        if given.outcome != "right":
            return Outcome(given.outcome)
        if not given.account:
            return Outcome("newcomer", {"asked_language": given.language})
        return Outcome("right", _for_citizen(facts, given.account, given.language))

    async def register(visit: Visit) -> Outcome[Literal["right", "over"]]:
        facts = visit.facts
        if over := await calls.over(facts["asked_consent"], visit.effect):
            return Outcome("over", {"consent_over": over})
        with calls.acting(facts["operator"], 0, facts["asked_consent"]):
            account = await calls.register(facts["asked_consent"], facts["citizen_name"], visit.effect)
        return Outcome("right", _for_citizen(facts, account, facts["asked_language"]))

    again = (Option("again", goto="ask_consent"),)
    checked = {"wrong": "consent_code_wrong", "gone": "consent_code_gone", "spent": "operator_spent"}
    return (
        *(
            Question(name, "code", checks.code, goto="check_consent", secret=True, options=again)
            for name in ("consent_code", "consent_code_wrong")
        ),
        Step("check_consent", check, {**checked, "right": "main", "newcomer": "citizen_name"}),
        Choice("consent_code_gone", (*again, Option("citizen", goto="ask_citizen"))),
        Question("citizen_name", "citizen_name", checks.person, goto="register_citizen"),
        Step("register_citizen", register, {"right": "main", "over": "assist_over"}, commits=True),
    )


def _visiting(calls: Assisting, order: Mapping[str, str]) -> Journey:
    async def end(visit: Visit) -> Outcome[Literal["ended"]]:
        await calls.end(visit.assisted, visit.effect)
        return Outcome("ended", NOBODY)

    doors = {key: door for key, door in order.items() if door not in CLOSED}
    free = next(key for key in END_KEYS if key not in doors)
    options = (
        *(Option(door, goto=OPEN_TO_OPERATORS[door], key=key) for key, door in doors.items()),
        Option("end", goto="assist_end", key=free),
    )
    return (
        Choice("assist_menu", options),
        Step("assist_end", end, {"ended": "assist_ended"}, commits=True),
        Choice("assist_ended", (Option("citizen", goto="ask_citizen"), Option("out", goto="operator_out"))),
        Choice("assist_refused", ()),
        Choice("assist_unasked", ()),
        Goodbye("assist_over"),
    )


def _for_citizen(facts: Facts, account: int, language: str) -> Facts:
    """What is known from now on: whose business it is, and under which consent."""
    return {
        "account": account,
        "citizen": facts["asked_citizen"],
        "citizen_language": language,
        "consent": facts["asked_consent"],
        "consent_for": facts["asked_for"],
    }


def _digits(typed: str, _today: object) -> Accepted | Refused:
    return Accepted(typed) if typed else Refused("empty")
