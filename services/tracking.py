"""What a number of twelve digits is the number of, and who is told to wait because they ask for numbers that are none's.

A right number costs one look into the database and nothing more: guesses are counted only after a miss, and who must wait
is known to the process that told them. Another process learns it with the first miss that it hears of them.
"""

from asyncio import gather
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Literal, NamedTuple, TypeAlias

from services import complaints
from services.applications import Status
from services.glances import Glance
from services.guesses import Guesses
from services.payments.fees import FeeState

PREFIX: Final = 5  # digits of a number: a hundred thousand prefixes, of which a sweep walks through one or a few

Kind: TypeAlias = Literal["application", "complaint", "feedback", "unknown", "held"]
Find: TypeAlias = Callable[[str], Awaitable[Glance | None]]


class Found(NamedTuple):
    """What a number stands for; `held`: that is not told for ten minutes. `fee` and `waits` are an application's."""

    kind: Kind
    application: Status | None = None
    fee: FeeState = "none"
    waits: bool = False
    complaint: complaints.Status | None = None
    feedback: complaints.Given | None = None


class Tracking:
    """Every number that people hold."""

    def __init__(
        self, application: Find, complained: complaints.Following, callers: Guesses, prefixes: Guesses
    ) -> None:
        """`callers` counts the unknown numbers of each who asks, `prefixes` those of all by their first digits."""
        self._application = application
        self._complained = complained
        self._callers = callers
        self._prefixes = prefixes
        self.asked: Counter[str] = Counter()
        """How often a number was asked for, by what it was the number of."""

    async def find(self, number: str, who: str, *, own: bool = False) -> Found:
        """What has this number; `own`: it was picked from a list of one's own, and is no guess."""
        found = await self._find(number, who, own=own)
        self.asked[found.kind] += 1
        return found

    async def _find(self, number: str, who: str, *, own: bool) -> Found:
        if not own and (self._callers.held(who) or self._prefixes.held(number[:PREFIX])):
            return Found("held")
        if application := await self._application(number):
            return Found("application", *application)
        if complaint := await self._complained.complaint(number):
            return Found("complaint", complaint=complaint)
        if feedback := await self._complained.feedback(number):
            return Found("feedback", feedback=feedback)
        return Found("held" if await self._guessed(number, who) else "unknown")

    async def _guessed(self, number: str, who: str) -> bool:
        counted = (self._callers.count(who, number), self._prefixes.count(number[:PREFIX], number))
        return any(await gather(*counted))
