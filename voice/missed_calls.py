"""What a missed call brings its caller: the answer that the number they rang has, once in the cool-down."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

import structlog

from failures import told
from services.missed_calls import CoolDown
from services.registrants import Registrants
from voice.allowance import Allowance
from voice.callback import Ring
from voice.first_sight import FirstSight

Action: TypeAlias = Literal["download_link", "latest_status", "call_back_menu"]
TakenFor: TypeAlias = Literal[
    "answered", "cooling", "spent", "repeated", "outbound", "client", "not_ours", "hidden", "abroad", "failed"
]
Answer: TypeAlias = Callable[[str, str, str], Awaitable[object]]
"""Sends a caller what they rang for: number, language, effect. The same effect again sends nothing again."""

CAME_BY: Final = "missed_call"
ABROAD: Final = "abroad"
DEADLINE: Final = 4.0  # seconds: the caller's phone rings for as long as this takes

log = structlog.get_logger()


class Line(NamedTuple):
    """What a number of ours answers with, and how that is given."""

    action: Action
    give: Answer


class Refusing(NamedTuple):
    """How a caller from a country that is not served is told so: what says it, how often, and to how many in a day."""

    say: Answer
    cool_down: CoolDown
    allowance: Allowance


class Menus(Protocol):
    """Who sends the numeric menu by SMS and hears the replies."""

    async def menu(self, number: str, effect: str) -> None:
        """Begin a conversation with this number at the main menu."""


class MissedCalls:
    """Every call to one of our `lines`; all numbers are E.164."""

    def __init__(
        self,
        lines: Mapping[str, Line],
        served: Callable[[str], bool],
        registrants: Registrants,
        *,
        cool_down: CoolDown,
        first_sight: FirstSight,
        allowance: Allowance,
        refusing: Refusing,
        deadline: float = DEADLINE,
    ) -> None:
        self._lines = lines
        self._served = served
        self._registrants = registrants
        self._cool_down = cool_down
        self._first_sight = first_sight
        self._allowance = allowance
        self._refusing = refusing
        self._deadline = deadline

    async def heard(self, ring: Ring) -> TakenFor:
        """Do about this call what is to be done, at the first callback that tells of it; a failure of ours is told too."""
        if not await self._first_sight.of(ring.session):
            return "repeated"
        if ignored := self._ignored(ring):
            return ignored
        try:
            async with asyncio.timeout(self._deadline):
                return await self._answered(ring)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the call is rejected all the same
            log.error("missed call not answered", action=self._lines[ring.dialled].action, **told(error))
            await self._first_sight.forget(ring.session)  # the callback that ends the call may find us well again
            return "failed"

    def _ignored(self, ring: Ring) -> TakenFor | None:
        """Why nothing is sent about this call; None where something is."""
        reasons: tuple[tuple[TakenFor, bool], ...] = (
            ("outbound", not ring.inbound),
            ("client", ring.by_client),
            ("not_ours", ring.dialled not in self._lines),
            ("hidden", not ring.caller),
        )
        return next((why for why, holds in reasons if holds), None)

    async def _answered(self, ring: Ring) -> TakenFor:
        if not self._served(ring.caller):
            return await self._refused(ring)
        line = self._lines[ring.dialled]
        language = await self._registrants.record(ring.caller, CAME_BY)
        begun = await self._cool_down.begin(ring.caller, line.action)
        if begun is None:
            return "cooling"
        if not await self._allowance.take():
            return "spent"
        await line.give(ring.caller, language, begun.effect)
        await self._cool_down.answered(begun)
        return "answered"

    async def _refused(self, ring: Ring) -> TakenFor:
        """Tell them once, of whom nothing is recorded but that; what it costs has a limit of its own."""
        begun = await self._refusing.cool_down.begin(ring.caller, ABROAD)
        if begun is not None and await self._refusing.allowance.take():
            language = await self._registrants.language(ring.caller)
            await self._refusing.say(ring.caller, language, begun.effect)
            await self._refusing.cool_down.answered(begun)
        return "abroad"
