"""Texts that an operator refuses: their messages wait until a person has mended the registration.

One row a text. Its messages stay queued and are due when they expire, so that they are sent only if somebody releases them
before. Whoever reads the row to hold a message locks it, and a release deletes it first: no message is left behind.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import Row, bindparam, delete, func, select, update

from core.types import UtcClock
from db.database import Database, Transaction
from db.tables import QUEUED, messages, refused_templates
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.staff_acts import StaffAct
from services.messaging.models import Refusal

log = structlog.get_logger()

OF_TEMPLATE: Final = (
    QUEUED,
    messages.c.template == bindparam("variant"),
    messages.c.form == bindparam("spoken"),
)
RELEASE: Final = update(messages).where(*OF_TEMPLATE).values(due_at=bindparam("now"))
HOLD: Final = (
    update(messages)
    .where(messages.c.id == bindparam("held"))
    .values(
        status="queued",
        due_at=messages.c.not_after,
        attempts=messages.c.attempts - 1,  # it was claimed and not tried
        error=bindparam("why"),
        worker=None,
    )
)
REFUSED: Final = select(refused_templates.c.name, refused_templates.c.template_id, refused_templates.c.reason)


class RefusedTemplate(NamedTuple):
    """A text whose messages wait: the id that was refused, empty where there was none, and how many wait.

    `expires_at` is when the first of them is dropped; None where none waits.
    """

    name: str
    template_id: str
    reason: str
    refused_at: datetime
    waiting: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class TemplateHolds:
    """The refused texts. `wake` is called after messages have become due."""

    database: Database
    clock: UtcClock
    audit: AuditLog
    wake: Callable[[], None]

    async def record(self, transaction: Transaction, refusals: Collection[Refusal]) -> None:
        """Note that these texts are refused; their messages are not claimed with success from now on."""
        now = self.clock()
        for one in sorted(set(refusals)):
            row = {"name": one.name, "template_id": one.template_id, "reason": one.reason, "refused_at": now}
            insert = self.database.insert(refused_templates)
            newer = {name: insert.excluded[name] for name in ("template_id", "reason", "refused_at")}
            await transaction.execute(insert.on_conflict_do_update(index_elements=["name"], set_=newer), row)

    async def find(self, transaction: Transaction, find_id: Callable[[str], str]) -> Mapping[str, str]:
        """The refused texts whose id is still the refused one, with the reason; they stay so until the transaction ends."""
        rows = await transaction.execute(REFUSED.with_for_update(read=True))
        return {row.name: row.reason for row in rows if row.template_id == find_id(row.name)}

    async def hold(
        self, transaction: Transaction, rows: Sequence[Row[Any]], refused: Mapping[str, str]
    ) -> Sequence[Row[Any]]:
        """Put back the claimed messages with a refused text until they expire; return the others."""
        held = [{"held": row.id, "why": refused[_name(row)]} for row in rows if _name(row) in refused]
        if held:
            await transaction.execute(HOLD, held)
        return [row for row in rows if _name(row) not in refused]

    async def list_refused(self) -> Sequence[RefusedTemplate]:
        """Every refused text by its name."""
        waiting = (QUEUED, messages.c.template + "." + messages.c.form == refused_templates.c.name)
        counted = select(func.count()).where(*waiting).scalar_subquery().label("waiting")
        first = select(func.min(messages.c.not_after)).where(*waiting).scalar_subquery().label("expires_at")
        query = select(refused_templates, counted, first).order_by(refused_templates.c.name)
        return [
            RefusedTemplate(row.name, row.template_id, row.reason, row.refused_at, row.waiting, row.expires_at)
            for row in await self.database.fetch(query)
        ]

    async def release_mended(self, find_id: Callable[[str], str]) -> int:
        """Send the messages of each text whose id is no longer the refused one; return the number of texts."""
        mended = [row.name for row in await self.database.fetch(REFUSED) if row.template_id != find_id(row.name)]
        for name in mended:
            async with self.database.transaction() as transaction:
                await self._release(transaction, name)
            log.warning("refused_template_mended", template=name)
        return len(mended)

    async def release(self, name: str, act: StaffAct) -> bool:
        """Send the messages of a refused text, because a person says that it is mended; False where it is not refused."""
        async with self.database.transaction() as transaction:
            if not await self._release(transaction, name):
                return False
            await self.audit.record(transaction, build_staff_entry(act, "template_released", "template", name))
        return True

    async def _release(self, transaction: Transaction, name: str) -> bool:
        removed = await transaction.execute(delete(refused_templates).where(refused_templates.c.name == name))
        variant, _, spoken = name.rpartition(".")
        await transaction.execute(RELEASE, {"variant": variant, "spoken": spoken, "now": self.clock()})
        transaction.after_transaction(self.wake)
        return bool(removed.rowcount)


def _name(row: Row[Any]) -> str:
    return f"{row.template}.{row.form}"
