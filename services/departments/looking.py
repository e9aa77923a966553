"""Asks departments that tell nothing by themselves how their applications stand."""

from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from services.applications import NotMoved
from services.audit import Who
from services.departments.courier import tried
from services.departments.deliveries import Look
from services.departments.events import CHANNEL, Move
from services.departments.line import Line
from services.departments.port import NotNow, Standing
from services.given import Clock, utc_now

AT_ONCE: Final = 20  # one after the other, before others have their turn

log = structlog.get_logger()


class Due(Protocol):
    """Whose status is to be asked for; see `services.departments.deliveries.Deliveries`."""

    async def looks(self, department: str, most: int) -> Sequence[Look]:
        """At most so many, each not again for a while."""


class Looking:
    """One department's: it is asked in turn and never by two requests at once, and not while it does not answer."""

    def __init__(self, line: Line, due: Due, move: Move, *, clock: Clock = utc_now) -> None:
        self._line = line
        self._due = due
        self._move = move
        self._clock = clock

    async def look(self) -> bool:
        """Ask for those that are due, and move what has moved there; whether more may be due at once."""
        if not self._line.answers or self._line.resting:
            return False
        due = await tried(self._due.looks(self._line.code, AT_ONCE), "statuses to ask for could not be found")
        for one in due or ():
            if self._line.answers:
                await tried(self._look_at(one), "a status could not be asked for")
        return due is not None and len(due) == AT_ONCE

    async def _look_at(self, look: Look) -> None:
        try:
            standing = await self._line.ask(self._line.department.status(look.tracking_number))
        except NotNow:
            return  # it is asked again next time
        if standing is None:
            log.error("a department does not know what it took", department=self._line.code, delivery=look.delivery)
        elif standing != Standing(look.status, look.note):
            await self._move_on(look, standing)

    async def _move_on(self, look: Look, standing: Standing) -> None:
        key = f"look:{look.delivery}:{self._clock().isoformat()}"
        by = Who("department", self._line.code, CHANNEL)
        moved = await self._move(self._line.code, look.tracking_number, standing.status, standing.note, key, by=by)
        if isinstance(moved, NotMoved):
            facts = {"department": self._line.code, "delivery": look.delivery}
            log.error("a department's status cannot be taken over", reason=moved.reason, **facts)
