"""What departments' systems tell by themselves: done once each, however often it is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

from sqlalchemy import Select, bindparam, select

from services import complaints
from services.applications import Moved, NotMoved
from services.audit import Who
from services.given import Clock, Texts, utc_now
from services.records.database import Records
from services.records.tables import department_events

Kind: TypeAlias = Literal["application", "complaint"]
Result: TypeAlias = Moved | NotMoved | complaints.Moved | complaints.NotMoved
CHANNEL: Final = "connector"


@dataclass(frozen=True, slots=True)
class Event:
    """An application or a complaint was moved there: to which status, and what the citizen is told with it."""

    kind: Kind
    number: str
    status: str
    note: Texts


class Move(Protocol):
    """Moves what has this number; see `services.applications.Filings` and `services.complaints.Cases`."""

    async def __call__(
        self, department: str, number: str, status: str, note: Texts, key: str, /, *, by: Who | None = None
    ) -> Result:
        """Once for each key."""


class Events:
    """Those of every department, by the ids that it gave them."""

    def __init__(self, records: Records, moves: Mapping[Kind, Move], *, clock: Clock = utc_now) -> None:
        self._records = records
        self._moves = moves
        self._clock = clock

    async def hear(self, department: str, webhook: str, event: Event) -> Result | Literal["again"]:
        """Do what it tells. An event that was done before, under the same id, is not looked into again.

        It is noted as done after it was: who dies between the two is told once more, and the move has its own key.
        """
        told = {"department": department, "webhook": webhook}
        if (await self._records.read(_KNOWN, told)).one_or_none():
            return "again"
        by = Who("department", department, CHANNEL)
        move, key = self._moves[event.kind], f"webhook:{webhook}"
        result = await move(department, event.number, event.status, event.note, key, by=by)
        if isinstance(result, Moved | complaints.Moved):
            await self._note(told)
        return result

    async def _note(self, told: Mapping[str, str]) -> None:
        row = {**told, "heard_at": self._clock()}
        async with self._records.transaction() as transaction:
            await transaction.execute(self._records.insert_once(department_events), row)


_KNOWN: Final[Select[Any]] = select(department_events.c.id).where(
    department_events.c.department == bindparam("department"), department_events.c.webhook == bindparam("webhook")
)
