"""Taking an application back: by whoever made it, once they are sure, or by the other person whom it is for."""

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple, Protocol

from menus import checks
from menus.model import Accepted, Choice, Goodbye, Journey, Option, Outcome, Step, Visit

Came = Literal["withdrawn", "final", "unknown"]


class TakenBack(Protocol):
    """What came of it."""

    @property
    def outcome(self) -> Came:
        """It is `withdrawn`, its status is `final`, or it is `unknown` to whoever asks."""

    @property
    def service(self) -> str:
        """The service's code; empty where it is unknown."""

    @property
    def status(self) -> str:
        """The status it has now; empty where it is unknown."""


class Withdrawing(NamedTuple):
    """The calls that this journey makes: by whom, with which tracking number, over which channel, under which effect.

    `withdraw` is by the account that applied, `refuse` by the number of the other person whom it is for.
    """

    withdraw: Callable[[int, str, str, str], Awaitable[TakenBack]]
    refuse: Callable[[str, str, str, str], Awaitable[TakenBack]]


def withdraw(calls: Withdrawing) -> Journey:
    """From one's own application, or by the keyword that another person was told."""
    return (*_by_the_applicant(calls), *_by_the_other(calls))


def _by_the_applicant(calls: Withdrawing) -> Journey:
    async def sure(visit: Visit) -> Outcome[Literal["sure", "signed_out"]]:
        return Outcome("sure") if visit.facts.get("account") else Outcome("signed_out", {"then": "own"})

    async def now(visit: Visit) -> Outcome[Came]:
        facts = visit.facts
        return _came(await calls.withdraw(facts["account"], facts["number"], visit.channel, visit.effect))

    own, helped = Option("own", goto="own"), Option("help", goto="get_help", key="7")
    return (
        Step("withdraw", sure, {"sure": "withdraw_sure", "signed_out": "gate"}),
        Choice("withdraw_sure", (Option("yes", goto="withdraw_now"), Option("no", goto="look_up"))),
        Step(
            "withdraw_now",
            now,
            {"withdrawn": "withdraw_done", "final": "withdraw_late", "unknown": "withdraw_not_yours"},
            commits=True,
        ),
        Choice("withdraw_done", (own,)),
        Choice("withdraw_late", (own, helped)),
        Choice("withdraw_not_yours", (own, helped)),
    )


def _by_the_other(calls: Withdrawing) -> Journey:
    async def refuse(visit: Visit) -> Outcome[Came]:
        """One answer for a number that does not exist, one that is mistyped and one of somebody else."""
        number = checks.tracking_number(visit.facts["rest"], visit.today)
        if not isinstance(number, Accepted):
            return Outcome("unknown")
        return _came(await calls.refuse(visit.caller, str(number.value), visit.channel, visit.effect))

    ways = {"withdrawn": "refusal_done", "final": "refusal_late", "unknown": "refusal_unknown"}
    return (
        Step("texted_refusal", refuse, ways, commits=True),
        Goodbye("refusal_done"),
        Goodbye("refusal_late"),
        Goodbye("refusal_unknown"),
    )


def _came(taken: TakenBack) -> Outcome[Came]:
    return Outcome(taken.outcome, {"service": taken.service, "status": taken.status} if taken.service else {})
