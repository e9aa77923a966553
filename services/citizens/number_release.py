"""Release a number that a network took from its holder, and attach the holder's account to a new number.

A released account keeps its data under `#<id>`. Nothing is sent to the number any more, and whoever has it now can register
and finds nothing of the former holder. See `services.citizens.number_columns` for every column with a number.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import Row, select, update

from core.crypto import Cipher
from core.phone_numbers import detached_number
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import accounts, number_releases, operators
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor, SubjectKind
from services.audit.staff_acts import StaffAct
from services.citizens.number_columns import NUMBER_COLUMNS, attach_statement, detach_statement
from services.citizens.open_calls import delete_open_call
from services.citizens.pending_registrations import account_associated_data
from services.citizens.session_epoch import raised_epoch_columns

Source: TypeAlias = Literal["staff", "notice", "silence"]
Outcome: TypeAlias = Literal["released", "nothing"]
AttachOutcome: TypeAlias = Literal["attached", "taken", "not_released"]

DAY: Final = timedelta(days=1)
EVERYTHING: Final = timedelta(days=365)
"""Beyond any time in a row, such as the end of a registration that waits."""
HASH_PURPOSE: Final = "released number"


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A request to release a number: who asks, why, and the idempotency key.

    `taken_on` is the day on which the network took the number from its holder. What began later belongs to the next holder
    and stays. Without it, all that is known of the number belongs to the former one.
    """

    msisdn: str = field(repr=False)
    source: Source
    actor: Actor
    idempotency_key: str
    reason: str = ""
    taken_on: date | None = None


class ReleaseResult(NamedTuple):
    """What was done; `account` is the account that was detached, 0 where the number had none."""

    outcome: Outcome
    account: int = 0
    is_repeat: bool = False


class ReleaseConflictError(Exception):
    """The idempotency key came with another number or day before."""

    def __init__(self) -> None:
        super().__init__("This key was used for another number or day; use a new one.")


class ReleasedAccount(NamedTuple):
    """An account that had a number, until the number was released."""

    account: int
    released_at: datetime
    source: Source


class NumberReleases:
    """Releases numbers, and attaches released accounts to new ones."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        *,
        forget_sessions: Callable[[str], Awaitable[None]] | None = None,
        clock: UtcClock = utc_now,
    ) -> None:
        """`forget_sessions` deletes what is remembered of the calls and conversations of a number, and raises nothing."""
        self._database = database
        self._forget_sessions = forget_sessions
        self._cipher = cipher
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)

    async def release(self, request: ReleaseRequest) -> ReleaseResult:
        """Detach everything of the former holder from the number, in one transaction; once for an idempotency key.

        Raises:
            ReleaseConflictError: the key came with another number or day before.
        """
        digests = self._cipher.keyed_hashes("number release", f"{request.msisdn} {request.taken_on}")
        async with self._database.transaction() as transaction:
            release = await self._insert_release(transaction, request, digests[0])
            if release is None:
                return await _find_earlier(transaction, request.idempotency_key, digests)
            result = await self._detach(transaction, request)
            if result.outcome == "released":
                await self._record_release(transaction, request, release, result)
        if self._forget_sessions and result.outcome == "released":
            await self._forget_sessions(request.msisdn)
        return result

    async def attach(self, account: int, msisdn: str, act: StaffAct) -> AttachOutcome:
        """Give a released account a number, and end every sign-in to it. `taken`: the number has another account."""
        async with self._database.transaction() as transaction:
            row = await _lock_account(transaction, accounts.c.id == account)
            if row is None or row.released_at is None:
                return "not_released"
            if await _lock_account(transaction, accounts.c.msisdn == msisdn) is not None:
                return "taken"
            await self._move_account(transaction, row, msisdn, {"released_at": None})
            for rule in NUMBER_COLUMNS:
                if rule.fate == "detached":
                    await transaction.execute(attach_statement(rule, account, msisdn))
            entry = build_audit_entry(
                act.actor, "number_attached", "account", str(account), act.idempotency_key, reason=act.reason
            )
            await self._audit.record(transaction, entry)
        return "attached"

    async def find_released(self, msisdn: str) -> Sequence[ReleasedAccount]:
        """The accounts that had this number and have none now, the latest first."""
        hashes = self._cipher.keyed_hashes(HASH_PURPOSE, msisdn)
        query = (
            select(number_releases.c.account, accounts.c.released_at, number_releases.c.source)
            .join(accounts)
            .where(number_releases.c.number_hash.in_(hashes), accounts.c.released_at.is_not(None))
            .order_by(number_releases.c.id.desc())
        )
        latest = {row.account: ReleasedAccount(*row) for row in reversed((await self._database.fetch(query)).all())}
        return sorted(latest.values(), key=lambda one: one.released_at, reverse=True)

    async def _detach(self, transaction: Transaction, request: ReleaseRequest) -> ReleaseResult:
        now = self._clock()
        before = _end_of_day(request.taken_on) if request.taken_on else now + EVERYTHING
        row = await _lock_account(transaction, accounts.c.msisdn == request.msisdn, accounts.c.created_at < before)
        account = 0 if row is None else int(row.id)
        changed = 0
        for rule in NUMBER_COLUMNS:
            statement = detach_statement(rule, request.msisdn, account, before, now)
            changed += (await transaction.execute(statement)).rowcount
        changed += await self._detach_operator(transaction, request, before)
        await delete_open_call(transaction, self._cipher, request.msisdn)
        if row is not None:
            await self._move_account(transaction, row, detached_number(account), {"released_at": now})
        return ReleaseResult("released" if changed or account else "nothing", account)

    async def _move_account(
        self, transaction: Transaction, row: Row[Any], msisdn: str, values: Mapping[str, Any]
    ) -> None:
        """Change the number of an account, under which its name is encrypted, and end every sign-in."""
        name = self._encrypt_again(row.name, account_associated_data(row.msisdn), account_associated_data(msisdn))
        # A recovery that waits for its notice may have been begun by the next holder.
        moved = {
            "msisdn": msisdn,
            "name": name,
            "pending_pin_hash": None,
            "pending_pin_at": None,
            **values,
            **raised_epoch_columns(accounts, ""),
        }
        await transaction.execute(update(accounts).where(accounts.c.id == row.id).values(moved))

    async def _detach_operator(self, transaction: Transaction, request: ReleaseRequest, before: datetime) -> int:
        """Suspend the operator with this number, who must be enrolled again with another; the number of operators."""
        query = select(operators).where(operators.c.msisdn == request.msisdn, operators.c.created_at < before)
        row = (await transaction.execute(query.with_for_update())).one_or_none()
        if row is None:
            return 0
        detached = f"{detached_number(0)}op{row.id}"
        name = self._encrypt_again(row.name, f"operator:{row.msisdn}", f"operator:{detached}")
        moved = {"msisdn": detached, "name": name, "suspended_at": self._clock(), **raised_epoch_columns(operators, "")}
        await transaction.execute(update(operators).where(operators.c.id == row.id).values(moved))
        entry = build_audit_entry(
            request.actor, "suspended", "operator", str(row.id), request.idempotency_key, reason="number_released"
        )
        await self._audit.record(transaction, entry)
        return 1

    def _encrypt_again(self, name: bytes, former_context: str, context: str) -> bytes:
        return self._cipher.encrypt(self._cipher.decrypt(name, former_context), context)

    async def _insert_release(self, transaction: Transaction, request: ReleaseRequest, digest: str) -> int | None:
        """The id of the new row; None where the key is known. Concurrent requests with one key wait here."""
        row = {
            "number_hash": "",
            "source": request.source,
            "outcome": "nothing",
            "taken_on": request.taken_on,
            "digest": digest,
            "idempotency_key": request.idempotency_key,
            "created_at": self._clock(),
        }
        insert = self._database.insert_or_ignore(number_releases).returning(number_releases.c.id)
        return (await transaction.execute(insert, row)).scalar_one_or_none()

    async def _record_release(
        self, transaction: Transaction, request: ReleaseRequest, release: int, result: ReleaseResult
    ) -> None:
        """Record whose number was released, under a keyed hash that finds the account again."""
        values = {
            "outcome": result.outcome,
            "account": result.account or None,
            "number_hash": self._cipher.keyed_hash(HASH_PURPOSE, request.msisdn),
        }
        await transaction.execute(update(number_releases).where(number_releases.c.id == release).values(values))
        kind: SubjectKind = "account" if result.account else "number"
        details = {"source": request.source, **({"reason": request.reason} if request.reason else {})}
        subject = str(result.account or release)
        entry = build_audit_entry(request.actor, "number_released", kind, subject, request.idempotency_key, **details)
        await self._audit.record(transaction, entry)


async def _lock_account(transaction: Transaction, *conditions: Any) -> Row[Any] | None:
    query = select(accounts).where(accounts.c.closed_at.is_(None), *conditions)
    return (await transaction.execute(query.with_for_update())).one_or_none()


async def _find_earlier(transaction: Transaction, idempotency_key: str, digests: Sequence[str]) -> ReleaseResult:
    query = select(number_releases).where(number_releases.c.idempotency_key == idempotency_key)
    row = (await transaction.execute(query)).one()
    if row.digest not in digests:
        raise ReleaseConflictError
    return ReleaseResult(row.outcome, row.account or 0, is_repeat=True)


def _end_of_day(day: date) -> datetime:
    """The end of a day in UTC: what began on the day itself belongs to the former holder."""
    return datetime.combine(day, time(), UTC) + DAY
