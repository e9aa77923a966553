"""Forms that were begun and not handed in: kept answer by answer, for whoever goes on with one another day.

A path that is heard again must find a form as it was when it was heard first. So it is noted by which key press somebody
went on with it, with the answers it had then, and by which it was ended.
"""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from failures import told
from services.closed import AccountClosed, still_open
from services.given import Clock, Sealing, utc_now
from services.records.database import Records, Transaction
from services.records.tables import accounts, drafts
from services.records.upsert import NotWritten
from together import Together

KEPT: Final = timedelta(days=30)
KEPT_ENDED: Final = timedelta(days=1)  # as long as a path may be heard again
TURNS: Final = 8  # of the loop in which answers come together: a commit costs many times what one does
PATIENCE: Final = 1.0  # seconds that a caller waits for it: the next answer keeps this one as well
_WRITTEN: Final = tuple(drafts.c[name] for name in ("effect", "account", "service", "begun", "answers", "ends_at"))

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as far as it was filled in; `effect` is that under which it was opened, and will be one application.

    `beneficiary` is the number of the other person whom it is for, empty where it is for whoever fills it in.
    """

    effect: str
    account: int
    service: str
    begun: date
    form: Mapping[str, str] = field(repr=False)
    beneficiary: str = field(default="", repr=False)


class Drafts:
    """The unfinished forms of every account."""

    def __init__(self, records: Records, seal: Sealing, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._seal = seal
        self._clock = clock
        self._write = records.upsert(drafts, _WRITTEN)
        self._together = Together(self._write_all, turns=TURNS)

    async def keep(self, draft: Draft) -> None:
        """Keep it as it stands: for good when this returns, unless the database cannot; the form goes on all the same.

        Raises:
            AccountClosed: whose it is was deleted meanwhile.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                await self._together(self._row(draft))
        except (NotWritten, SQLAlchemyError, OSError) as failure:
            log.warning("a draft was not kept", **told(failure))
        except AccountClosed:
            await self._take_away(draft)

    async def found(self, account: int, service: str, effect: str) -> Draft | None:
        """The newest form of this service that was left unfinished before the key press `effect`."""
        asked = select(drafts).where(drafts.c.account == account, drafts.c.service == service)
        alive = asked.where(drafts.c.ends_at > self._clock()).order_by(drafts.c.ends_at.desc())
        rows = await self._records.read(alive)
        return next((self._opened(row, row.answers) for row in rows if _unfinished(row, effect)), None)

    async def take_up(self, account: int, draft: str, effect: str) -> Draft | None:
        """The form that was opened under `draft`, to go on with; None where it was forgotten meanwhile."""
        its = (drafts.c.effect == draft, drafts.c.account == account)
        noted = {"taken_up_by": effect, "taken_up": drafts.c.answers}
        first = drafts.c.taken_up_by.is_distinct_from(effect)
        async with self._records.transaction() as transaction:
            await transaction.execute(update(drafts).where(*its, first).values(noted))
            row = (await transaction.execute(select(drafts).where(*its))).one_or_none()
        return None if row is None else self._opened(row, row.taken_up)

    async def set_aside(self, account: int, draft: str, effect: str) -> None:
        """Begin another one in its place."""
        async with self._records.transaction() as transaction:
            await self.end(transaction, account, draft, effect)

    async def end(self, transaction: Transaction, account: int, draft: str, effect: str) -> None:
        """Within `transaction`, note that nobody will go on with it from the key press `effect` on."""
        its = (drafts.c.effect == draft, drafts.c.account == account, drafts.c.ended_by.is_(None))
        ended = {"ended_by": effect, "ends_at": self._clock() + KEPT_ENDED}
        await transaction.execute(update(drafts).where(*its).values(ended))

    async def _write_all(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[BaseException | None]:
        """Whose account is closed is seen after it was written: a row waits for whoever deletes its account just then."""
        written = await self._written(rows)
        whose = {row["account"] for row in rows}
        closed = set((await self._records.read(_CLOSED, {"whose": sorted(whose)})).scalars())
        return [
            AccountClosed() if row["account"] in closed else failed for row, failed in zip(rows, written, strict=True)
        ]

    async def _written(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[BaseException | None]:
        try:
            await self._write(rows)
        except NotWritten:
            if len(rows) == 1:
                raise
            # One of them cannot be written, and the others are not to suffer for it.
            return await asyncio.gather(*(self._write([row]) for row in rows), return_exceptions=True)
        return [None] * len(rows)

    async def _take_away(self, draft: Draft) -> None:
        """Nothing is left of it; who did not close the account in this very session is told that it is closed."""
        async with self._records.transaction() as transaction:
            await transaction.execute(delete(drafts).where(drafts.c.effect == draft.effect))
        async with self._records.transaction() as transaction:
            await still_open(transaction, draft.account, draft.effect)

    def _row(self, draft: Draft) -> Mapping[str, Any]:
        answers = json.dumps([dict(draft.form), draft.beneficiary]).encode()
        return {
            "effect": draft.effect,
            "account": draft.account,
            "service": draft.service,
            "begun": draft.begun,
            "answers": b64encode(self._seal.close(answers, _about(draft.effect))).decode(),
            "ends_at": self._clock() + KEPT,
        }

    def _opened(self, row: Row[Any], answers: str) -> Draft:
        form, beneficiary = json.loads(self._seal.open(b64decode(answers), _about(row.effect)))
        return Draft(row.effect, row.account, row.service, row.begun, form, beneficiary)


_CLOSED: Final = select(accounts.c.id).where(
    accounts.c.id.in_(bindparam("whose", expanding=True)), accounts.c.closed_at.is_not(None)
)


def _unfinished(row: Row[Any], effect: str) -> bool:
    """Whether somebody could go on with it when the key press `effect` was heard first."""
    return not _since(row.effect, effect) and (row.ended_by is None or _since(row.ended_by, effect))


def _since(other: str, effect: str) -> bool:
    """Whether the key press `other` is `effect` itself or came after it in the same session."""
    session, _, length = effect.rpartition(":")
    its_session, _, its_length = other.rpartition(":")
    return session == its_session and int(its_length) >= int(length)


def _about(effect: str) -> str:
    return f"draft:{effect}"
