"""One's own data: everything that is kept of a citizen, sent to them as a link; and an account that is deleted.

Deleting asks for the PIN again and says what stays. Nobody does any of it for somebody else; see `menus.journeys.assist`.
"""

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

from menus import checks
from menus.journeys.sign_in import Clock, Tried, TryPin, signed_in
from menus.model import Choice, Goodbye, Journey, Option, Outcome, Question, Step, Visit


class Asked(NamedTuple):
    """Whose data it is, the number they call from, in which language they are told of it, and how it was asked for."""

    account: int
    number: str
    language: str
    channel: str
    effect: str


class OwnData(NamedTuple):
    """The calls that this journey makes. `send`: a link to all of it; `delete`: the account and what hangs on it."""

    send: Callable[[Asked], Awaitable[None]]
    delete: Callable[[Asked], Awaitable[None]]
    try_pin: TryPin
    time_of_day: Clock


def own_data(calls: OwnData) -> Journey:
    """From the profile's menu to a link, or to an account that is no more. It is entered where somebody is signed in.

    `account_closed` is where whoever is still signed in elsewhere learns of it.
    """

    async def send(visit: Visit) -> Outcome[Literal["sent"]]:
        await calls.send(_asked(visit))
        return Outcome("sent")

    async def check_pin(visit: Visit) -> Outcome[Tried]:
        tried = await calls.try_pin(visit.citizen, visit.facts["pin"], visit.effect)
        learned = signed_in(tried, visit, calls.time_of_day)
        return Outcome(learned.name, {**learned.facts, "account": visit.facts["account"]})

    async def delete(visit: Visit) -> Outcome[Literal["deleted"]]:
        await calls.delete(_asked(visit))
        return Outcome("deleted", {"account": 0})

    tried = {"in": "delete_confirm", "wrong": "delete_pin_wrong", "locked": "locked", "unknown": "offer_register"}
    return (
        Choice("own_data", (Option("send", goto="own_data_confirm"), Option("delete", goto="delete_pin"))),
        Choice("own_data_confirm", (Option("send", goto="own_data_send"),)),
        Step("own_data_send", send, {"sent": "own_data_sent"}, commits=True),
        Choice("own_data_sent", (Option("go_on", goto="profile"),)),
        Question("delete_pin", "pin", checks.pin, goto="delete_check_pin", secret=True),
        Question("delete_pin_wrong", "pin", checks.pin, goto="delete_check_pin", secret=True),
        Step("delete_check_pin", check_pin, tried),
        Choice("delete_confirm", (Option("delete", goto="delete"), Option("keep", goto="profile"))),
        Step("delete", delete, {"deleted": "deleted"}, commits=True),
        Goodbye("deleted"),
        Choice("account_closed", (Option("register", goto="register"), Option("go_on", goto="main"))),
    )


def _asked(visit: Visit) -> Asked:
    return Asked(visit.facts["account"], visit.citizen, visit.told_in, visit.channel, visit.effect)
