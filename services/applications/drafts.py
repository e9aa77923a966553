"""Drafts: unfinished forms, saved answer by answer, so that the citizen can continue on another day.

A replayed path must find a form as it was the first time. Therefore a draft records the key of the input that resumed it,
with the answers it had then, and the key of the input that ended it.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from core.batching import Batcher
from core.crypto import Cipher
from core.deadline import NotRecordedError
from core.idempotency import is_same_or_later_in_session
from core.logging import error_facts
from core.timeouts import Timeout
from core.types import UtcClock, utc_now
from db.bulk_upsert import WriteError
from db.database import Database, Transaction
from db.tables import accounts, drafts
from services.applications.models import Draft
from services.citizens.closed_accounts import ensure_account_open
from services.citizens.models import AccountClosedError

ENDED_RETENTION: Final = timedelta(days=1)
"""How long an ended draft is kept: no path is replayed later."""
# Answers within this number of event-loop iterations are written in one commit, which costs many times more than a row.
BATCH_TURNS: Final = 8
SAVE_TIMEOUT: Final = 1.0
"""Seconds that a caller waits for a save; the next answer saves this one as well."""

_UPSERT_COLUMNS: Final = tuple(
    drafts.c[name] for name in ("idempotency_key", "account", "service", "begun", "answers", "ends_at")
)
_CLOSED_ACCOUNTS_QUERY: Final = select(accounts.c.id).where(
    accounts.c.id.in_(bindparam("accounts", expanding=True)), accounts.c.closed_at.is_not(None)
)

log = structlog.get_logger()


class Drafts:
    """Saves and finds the unfinished forms of accounts; a form ends `retention` after its last answer."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        *,
        retention: timedelta = timedelta(days=30),
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._retention = retention
        self._cipher = cipher
        self._clock = clock
        self._upsert = database.bulk_upsert(drafts, _UPSERT_COLUMNS)
        self._batch_save = Batcher(self._save_batch, loop_turns=BATCH_TURNS, commits=True)

    async def save(self, draft: Draft) -> None:
        """Save a draft. A database that fails or does not answer is logged, and the form continues.

        Raises:
            AccountClosedError: the account was deleted in another session.
        """
        try:
            async with Timeout(SAVE_TIMEOUT):
                await self._batch_save(self._draft_to_row(draft))
        except (NotRecordedError, WriteError, SQLAlchemyError, OSError) as error:
            log.warning("draft_not_saved", **error_facts(error))
        except AccountClosedError:
            await self._delete(draft)

    async def find_unfinished(self, account: int, service: str, idempotency_key: str) -> Draft | None:
        """The newest draft of this service that was unfinished before the input with this key."""
        query = select(drafts).where(drafts.c.account == account, drafts.c.service == service)
        newest_first = query.where(drafts.c.ends_at > self._clock()).order_by(drafts.c.ends_at.desc())
        rows = await self._database.fetch(newest_first)
        row = next((row for row in rows if _was_unfinished(row, idempotency_key)), None)
        return None if row is None else self._draft_from_row(row, row.answers)

    async def resume(self, account: int, draft_key: str, idempotency_key: str) -> Draft | None:
        """The draft as it was when the input with this key resumed it; None where it is deleted."""
        draft = (drafts.c.idempotency_key == draft_key, drafts.c.account == account)
        is_first = drafts.c.resumed_by.is_distinct_from(idempotency_key)
        values = {"resumed_by": idempotency_key, "resumed_answers": drafts.c.answers}
        async with self._database.transaction() as transaction:
            await transaction.execute(update(drafts).where(*draft, is_first).values(values))
            row = (await transaction.execute(select(drafts).where(*draft))).one_or_none()
        return None if row is None else self._draft_from_row(row, row.resumed_answers)

    async def discard(self, account: int, draft_key: str, idempotency_key: str) -> None:
        """End a draft that the citizen does not continue."""
        async with self._database.transaction() as transaction:
            await self.finish(transaction, account, draft_key, idempotency_key)

    async def finish(self, transaction: Transaction, account: int, draft_key: str, idempotency_key: str) -> None:
        """End a draft within `transaction`, from the input with this key on."""
        draft = (drafts.c.idempotency_key == draft_key, drafts.c.account == account, drafts.c.ended_by.is_(None))
        values = {"ended_by": idempotency_key, "ends_at": self._clock() + ENDED_RETENTION}
        await transaction.execute(update(drafts).where(*draft).values(values))

    async def _save_batch(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[BaseException | None]:
        """Write the rows, then look for closed accounts: a row waits for the transaction that deletes its account."""
        errors = await self._upsert.write_each(rows)
        ids = sorted({row["account"] for row in rows})
        closed = set((await self._database.fetch(_CLOSED_ACCOUNTS_QUERY, {"accounts": ids})).scalars())
        return [
            AccountClosedError() if row["account"] in closed else error for row, error in zip(rows, errors, strict=True)
        ]

    async def _delete(self, draft: Draft) -> None:
        """Delete a draft of a closed account; raise AccountClosedError unless this session closed it."""
        async with self._database.transaction() as transaction:
            await transaction.execute(delete(drafts).where(drafts.c.idempotency_key == draft.idempotency_key))
        async with self._database.transaction() as transaction:
            await ensure_account_open(transaction, draft.account, draft.idempotency_key)

    def _draft_to_row(self, draft: Draft) -> Mapping[str, Any]:
        answers = json.dumps([dict(draft.form), draft.beneficiary, draft.applied_for]).encode()
        return {
            "idempotency_key": draft.idempotency_key,
            "account": draft.account,
            "service": draft.service,
            "begun": draft.started_on,
            "answers": b64encode(self._cipher.encrypt(answers, _associated_data(draft.idempotency_key))).decode(),
            "ends_at": self._clock() + self._retention,
        }

    def _draft_from_row(self, row: Row[Any], answers: str) -> Draft:
        form, beneficiary, *rest = json.loads(
            self._cipher.decrypt(b64decode(answers), _associated_data(row.idempotency_key))
        )
        [applied_for] = rest or ["another" if beneficiary else "self"]  # a draft of an earlier version does not say it
        return Draft(row.idempotency_key, row.account, row.service, row.begun, form, beneficiary, applied_for)


def _was_unfinished(row: Row[Any], idempotency_key: str) -> bool:
    """Whether the draft existed, and was not ended, before the input with this key."""
    return not is_same_or_later_in_session(row.idempotency_key, idempotency_key) and (
        row.ended_by is None or is_same_or_later_in_session(row.ended_by, idempotency_key)
    )


def _associated_data(idempotency_key: str) -> str:
    return f"draft:{idempotency_key}"
