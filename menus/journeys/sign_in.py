"""Signing in with a PIN, and the account screen behind it.

A journey that needs to know who calls goes to `gate` with the fact `then`: where to go on once that is known.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from menus import checks
from menus.model import Choice, Goodbye, Journey, Option, Outcome, Question, Step, Visit

Tried = Literal["in", "wrong", "locked", "unknown"]
Then = Literal["own", "apply", "account", "profile", "complaint"]
THEN: Mapping[str, str] = {
    "own": "own",
    "apply": "start_form",
    "account": "account",
    "profile": "profile",
    "complaint": "complaint_own",
}
"""What `then` may say, and the screen it means."""


class SignIn(Protocol):
    """How a PIN was received: `in`, `wrong`, `locked` or `unknown`."""

    @property
    def outcome(self) -> Tried:
        """One of the four."""

    @property
    def account(self) -> int:
        """The account that is now signed in, else 0."""

    @property
    def left(self) -> int:
        """How many tries are left before the account is locked."""

    @property
    def until(self) -> datetime | None:
        """When a locked account opens again."""


RegisteredBy = Callable[[str], Awaitable[str | None]]
"""Number, to the effect under which its account was made; None when it has none."""
ClosedIn = Callable[[str], Awaitable[str | None]]
"""Session, to the effect under which the account was made that was closed in it; None when none was."""
TryPin = Callable[[str, str, str], Awaitable[SignIn]]
"""Number, PIN, effect."""
Clock = Callable[[datetime, str], str]
"""A moment as the time of day on the clock where a number is at home, such as `14:05`."""


class SigningIn(NamedTuple):
    """The calls that this journey makes."""

    registered_by: RegisteredBy
    closed_in: ClosedIn
    try_pin: TryPin
    time_of_day: Clock


def sign_in(calls: SigningIn, *, by_email: bool) -> Journey:
    """The gate, the PIN, and where to go on; the account's menu has e-mail where `by_email`."""

    async def gate(visit: Visit) -> Outcome[Literal["in", "known", "new"]]:
        if visit.facts.get("account"):
            return Outcome("in")
        made = await calls.registered_by(visit.caller) or await calls.closed_in(visit.session)
        return Outcome("known" if existed(made, visit.effect) else "new")

    async def check_pin(visit: Visit) -> Outcome[Tried]:
        tried = await calls.try_pin(visit.caller, visit.facts["pin"], visit.effect)
        return signed_in(tried, visit, calls.time_of_day)

    async def go_on(visit: Visit) -> Outcome[Then]:
        then: Then = visit.facts.get("then") or "account"
        return Outcome(then, {"then": ""})

    async def account(visit: Visit) -> Outcome[Literal["in", "in_with_email", "out"]]:
        if not visit.facts.get("account"):
            return Outcome("out", {"then": "account"})
        return Outcome("in_with_email" if by_email else "in")

    async def sign_out(_: Visit) -> Outcome[Literal["out"]]:
        return Outcome("out", {"account": 0})

    forgot = (Option("forgot", goto="recover"),)
    menu = (Option("own", goto="own"), Option("pin", goto="change_pin"), Option("out", goto="sign_out"))
    with_profile = Option("profile", goto="profile", key="5")  # 4 is that of e-mail, whether it is there or not
    tried = {"in": "go_on", "wrong": "pin_wrong", "locked": "locked", "unknown": "offer_register"}
    return (
        Step("gate", gate, {"in": "go_on", "known": "ask_pin", "new": "offer_register"}),
        Question("ask_pin", "pin", checks.pin, goto="check_pin", secret=True, options=forgot),
        Question("pin_wrong", "pin", checks.pin, goto="check_pin", secret=True, options=forgot),
        Step("check_pin", check_pin, tried),
        Goodbye("locked"),
        Step("go_on", go_on, THEN),
        Choice("offer_register", (Option("register", goto="register"),)),
        Step("account", account, {"in": "account_menu", "in_with_email": "account_menu_email", "out": "gate"}),
        Choice("account_menu", (*menu, with_profile)),
        Choice("account_menu_email", (*menu, Option("email", goto="email"), with_profile)),
        Step("sign_out", sign_out, {"out": "signed_out"}, commits=True),
        Goodbye("signed_out"),
    )


def existed(made: str | None, effect: str) -> bool:
    """Whether an account made under the effect `made` was there before the key press that `effect` names.

    A path that is heard again walks past the moment of registering once more, and must not find the account there.
    """
    if made is None:
        return False
    session, _, length = effect.rpartition(":")
    made_in, _, made_at = made.rpartition(":")
    return made_in != session or int(made_at) < int(length)


def signed_in(tried: SignIn, visit: Visit, time_of_day: Clock) -> Outcome[Tried]:
    """What the menus learn from an attempt to sign in."""
    facts: dict[str, object] = {"account": tried.account, "left": tried.left}
    if tried.until:
        facts["until"] = time_of_day(tried.until, visit.citizen)
    return Outcome(tried.outcome, facts)
