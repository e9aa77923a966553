"""Operators: staff of a village centre who act for citizens. An administrator enrols them; they sign in with their own PIN.

Every sign-in carries an idempotency key: a repeated key gets the recorded result.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import Executable, Row, select, update

from core.crypto import Cipher
from core.idempotency import channel_from_key, session_of_key
from core.pin_policy import generate_pin
from core.types import TextRenderer, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import operator_events, operators
from services.assisted.models import (
    EnrolmentStatus,
    NewOperator,
    Operator,
    OperatorPage,
    OperatorSessionEnd,
    OperatorSignInResult,
)
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.models import AuditEntry
from services.audit.staff_acts import StaffAct
from services.citizens.lockout import FailedAttempts, Judgement, judge_attempt
from services.citizens.pins import SecretHasher
from services.citizens.secret_renewal import renew_hashes
from services.citizens.session_epoch import SessionEpoch, find_epoch_end, raised_epoch_columns
from services.messaging.messages import Messages
from services.messaging.models import Message

_Execute: TypeAlias = Callable[[Executable], Awaitable[Any]]
_SESSION_COLUMNS: Final = tuple(
    operators.c[name] for name in ("epoch", "epoch_session", "epoch_session_from", "lockouts", "suspended_at")
)
_UNLOCKED: Final = {"pin_failures": 0, "pin_locked_until": None}


PAGE_SIZE: Final = 50
"""Operators on a page of a list."""


class NumberEnrolledError(Exception):
    """The MSISDN belongs to an operator already."""

    def __init__(self, operator: int) -> None:
        self.operator = operator
        super().__init__(f"Operator {operator} has this number already; operator list shows it")


class Operators:
    """Enrolment and sign-in of operators. Their names are encrypted."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        hasher: SecretHasher,
        cipher: Cipher,
        render_text: TextRenderer,
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._messages = messages
        self._hasher = hasher
        self._cipher = cipher
        self._render_text = render_text
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)
        self._find_session_row = database.fast_lookup(operators.c.id, _SESSION_COLUMNS, lambda row: row)

    async def add(self, new_operator: NewOperator, act: StaffAct) -> tuple[int, str]:
        """Enrol an operator and send the first PIN by SMS; the operator's id and the PIN.

        Raises:
            NumberEnrolledError: an operator has this MSISDN.
        """
        pin = generate_pin()
        row = {
            "msisdn": new_operator.msisdn,
            "name": self._cipher.encrypt(new_operator.name.encode(), _associated_data(new_operator.msisdn)),
            "centre": new_operator.centre,
            "pin_hash": await self._hasher.hash(pin),
            "pin_chosen": False,
            "consents_a_day": new_operator.consents_a_day,
            "applications_a_day": new_operator.applications_a_day,
            "created_at": self._clock(),
        }
        insert = self._database.insert_or_ignore(operators).returning(operators.c.id)
        async with self._database.transaction() as transaction:
            operator = (await transaction.execute(insert, row)).scalar_one_or_none()
            if operator is not None:
                await self._audit.record(transaction, _staff_entry("operator_added", operator, act))
                await self._send_pin(transaction, operator, new_operator, pin)
        if operator is None:
            raise NumberEnrolledError(await self._find_id(new_operator.msisdn))
        return operator, pin

    async def list_all(self) -> tuple[Operator, ...]:
        """All operators, suspended ones included, oldest first."""
        rows = await self._database.fetch(select(operators).order_by(operators.c.id))
        return tuple(map(self._operator_from_row, rows))

    async def list_page(self, before: int = 0, limit: int = PAGE_SIZE) -> OperatorPage:
        """At most `limit` operators, newest first: those enrolled before the operator `before`, or from the newest on."""
        query = select(operators).order_by(operators.c.id.desc()).limit(limit + 1)
        if before:
            query = query.where(operators.c.id < before)
        rows = (await self._database.fetch(query)).all()
        listed = tuple(map(self._operator_from_row, rows[:limit]))
        return OperatorPage(listed, listed[-1].id if len(rows) > limit else None)

    async def find(self, operator: int) -> Operator | None:
        """The operator with this id, suspended or not."""
        row = (await self._database.fetch(select(operators).where(operators.c.id == operator))).one_or_none()
        return self._operator_from_row(row) if row else None

    async def find_by_msisdn(self, msisdn: str) -> Operator | None:
        """The operator with this MSISDN, suspended or not."""
        row = (await self._database.fetch(select(operators).where(operators.c.msisdn == msisdn))).one_or_none()
        return self._operator_from_row(row) if row else None

    async def enrolment_status(self, msisdn: str) -> EnrolmentStatus:
        """Whether this MSISDN is enrolled, and whether its operator may sign in."""
        operator = await self.find_by_msisdn(msisdn)
        if operator is None:
            return "unknown"
        return "suspended" if operator.suspended_at else "known"

    async def suspend(self, operator: int, act: StaffAct) -> bool:
        """Refuse the operator from now on; False where there is none, or they are suspended already."""
        return await self._set_suspended(operator, self._clock(), act)

    async def resume(self, operator: int, act: StaffAct) -> bool:
        """Let the operator sign in again; False where there is none, or they are not suspended."""
        return await self._set_suspended(operator, None, act)

    async def reset_pin(self, operator: int, language: str, act: StaffAct) -> str | None:
        """Send the operator a new PIN and unlock their account; the PIN, or None where there is no such operator."""
        pin = generate_pin()
        values = {"pin_hash": await self._hasher.hash(pin), "pin_chosen": False, **_UNLOCKED}
        values |= raised_epoch_columns(operators, "")
        change = update(operators).where(operators.c.id == operator).values(values).returning(operators)
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(change)).one_or_none()
            if row is None:
                return None
            await self._audit.record(transaction, _staff_entry("operator_pin_reset", operator, act))
            known = self._operator_from_row(row)
            recipient = NewOperator(known.msisdn, known.name, known.centre, language)
            await self._send_pin(transaction, operator, recipient, pin, f"/{act.idempotency_key}")
        return pin

    async def find_session_end(self, operator: int, epoch: int, session: str) -> OperatorSessionEnd:
        """Why an operator's sign-in is over; "" while it is valid.

        Raises:
            ReadError: the database did not answer; nobody knows whether the sign-in is valid.
        """
        row = await self._find_session_row(operator)
        if row is None:
            return "closed"
        return "suspended" if row.suspended_at else find_epoch_end(row, epoch, session, row.lockouts)

    async def sign_in(self, msisdn: str, pin: str, idempotency_key: str, *, vouched: bool) -> OperatorSignInResult:
        """Sign in with a PIN from the enrolled MSISDN; see `services.citizens.lockout` for wrong PINs.

        A channel that does not vouch for the MSISDN is refused before the PIN is looked at, and counts nothing.
        """
        if not vouched:
            return OperatorSignInResult("unvouched")
        if earlier := await _find_earlier_attempt(self._database.fetch, msisdn, idempotency_key):
            return earlier
        row = (await self._database.fetch(select(operators).where(operators.c.msisdn == msisdn))).one_or_none()
        is_right = await self._hasher.verify(pin, row.pin_hash if row else "")
        if row is None or row.suspended_at:
            return OperatorSignInResult("unknown")
        query = select(operators).where(operators.c.id == row.id).with_for_update()
        async with self._database.transaction() as transaction:
            locked_row = (await transaction.execute(query)).one()  # concurrent attempts wait here
            if earlier := await _find_earlier_attempt(transaction.execute, msisdn, idempotency_key):
                return earlier
            attempts = FailedAttempts(locked_row.pin_failures, locked_row.pin_locked_until)
            judgement = judge_attempt(attempts, is_right=is_right, now=self._clock())
            result = _build_result(row, judgement)  # holds the epoch of the PIN that was compared
            await self._insert_event(transaction, row.id, "pin", idempotency_key, result)
            after = judgement.attempts
            values: dict[str, Any] = {"pin_failures": after.failures, "pin_locked_until": after.locked_until}
            if judgement.outcome == "locked" and after != attempts:
                values["lockouts"] = operators.c.lockouts + 1
            await transaction.execute(update(operators).where(operators.c.id == row.id).values(values))
        if result.outcome in {"in", "first"}:
            is_theirs = operators.c.id == row.id
            await renew_hashes(self._database, self._hasher, operators.c.pin_hash, is_theirs, [(pin, row.pin_hash)])
        return result

    async def choose_pin(self, operator: int, pin_hash: str, idempotency_key: str) -> int:
        """Store the PIN that the operator chooses, and end every other sign-in.

        The epoch that this session holds from now on; a repeated key returns the first one.
        """
        raised = raised_epoch_columns(operators, session_of_key(idempotency_key))
        values = {"pin_hash": pin_hash, "pin_chosen": True, **_UNLOCKED, **raised}
        async with self._database.transaction() as transaction:
            query = select(operators).where(operators.c.id == operator).with_for_update()
            msisdn = (await transaction.execute(query)).one().msisdn
            earlier = await _find_earlier_attempt(transaction.execute, msisdn, idempotency_key, "pin_chosen")
            if earlier:
                return earlier.epoch
            change = update(operators).where(operators.c.id == operator).values(values).returning(operators)
            epoch = _epoch_from_row(row := (await transaction.execute(change)).one())
            result = OperatorSignInResult("in", row.id, epoch=epoch)
            await self._insert_event(transaction, operator, "pin_chosen", idempotency_key, result)
            entry = _operator_entry("operator_pin_chosen", operator, idempotency_key)
            await self._audit.record(transaction, entry)
        return epoch

    async def _insert_event(
        self, transaction: Transaction, operator: int, kind: str, idempotency_key: str, result: OperatorSignInResult
    ) -> bool:
        """Record an event; False where one of this kind is recorded under this key already."""
        row = {
            "operator": operator,
            "kind": kind,
            "outcome": result.outcome,
            "tries_left": result.tries_left,
            "locked_until": result.locked_until,
            "epoch": result.epoch,
            "idempotency_key": idempotency_key,
            "created_at": self._clock(),
        }
        insert = self._database.insert_or_ignore(operator_events).returning(operator_events.c.id)
        return (await transaction.execute(insert, row)).scalar_one_or_none() is not None

    async def _set_suspended(self, operator: int, since: datetime | None, act: StaffAct) -> bool:
        name = "operator_suspended" if since else "operator_resumed"
        would_change = operators.c.suspended_at.is_(None) if since else operators.c.suspended_at.is_not(None)
        change = update(operators).where(operators.c.id == operator, would_change)
        change = change.values(suspended_at=since, **raised_epoch_columns(operators, ""))
        async with self._database.transaction() as transaction:
            if not (await transaction.execute(change)).rowcount:
                return False
            await self._audit.record(transaction, _staff_entry(name, operator, act))
        return True

    async def _send_pin(
        self, transaction: Transaction, operator: int, recipient: NewOperator, pin: str, key_suffix: str = ""
    ) -> None:
        facts = {"pin": pin, "operator": operator, "centre": recipient.centre}
        text = self._render_text(recipient.language, "operator_pin", facts)
        message = Message(recipient.msisdn, text, "pin", f"operator:{operator}{key_suffix}/pin")
        await self._messages.enqueue(transaction, message)

    async def _find_id(self, msisdn: str) -> int:
        result = await self._database.fetch(select(operators.c.id).where(operators.c.msisdn == msisdn))
        return int(result.scalar_one())

    def _operator_from_row(self, row: Row[Any]) -> Operator:
        return Operator(
            id=row.id,
            msisdn=row.msisdn,
            name=self._cipher.decrypt(row.name, _associated_data(row.msisdn)).decode(),
            centre=row.centre,
            pin_chosen=row.pin_chosen,
            created_at=row.created_at,
            suspended_at=row.suspended_at,
            consents_a_day=row.consents_a_day,
            applications_a_day=row.applications_a_day,
        )


def decrypt_operator_name(cipher: Cipher, row: Row[Any]) -> str:
    """The operator's name, from a row with their `name` and `operator_msisdn`."""
    return cipher.decrypt(row.name, _associated_data(row.operator_msisdn)).decode()


def _build_result(row: Row[Any], judgement: Judgement) -> OperatorSignInResult:
    if judgement.outcome == "right":
        return OperatorSignInResult("in" if row.pin_chosen else "first", row.id, epoch=_epoch_from_row(row))
    return OperatorSignInResult(judgement.outcome, tries_left=judgement.tries_left, locked_until=judgement.locked_until)


def _epoch_from_row(row: Row[Any]) -> int:
    return SessionEpoch(row.epoch, row.lockouts).pack()


def _staff_entry(name: str, operator: int, act: StaffAct) -> AuditEntry:
    return build_staff_entry(act, name, "operator", str(operator))


def _operator_entry(act: str, operator: int, idempotency_key: str) -> AuditEntry:
    channel = channel_from_key(idempotency_key)
    return AuditEntry("operator", str(operator), act, "operator", str(operator), channel, idempotency_key)


async def _find_earlier_attempt(
    execute: _Execute, msisdn: str, idempotency_key: str, kind: str = "pin"
) -> OperatorSignInResult | None:
    """The recorded result of this key, where the same number made the attempt."""
    by_key = (operator_events.c.idempotency_key == idempotency_key, operator_events.c.kind == kind)
    query = select(operator_events).join(operators).where(*by_key, operators.c.msisdn == msisdn)
    row = (await execute(query)).one_or_none()
    if row is None:
        return None
    operator = row.operator if row.outcome in {"in", "first"} else 0
    return OperatorSignInResult(row.outcome, operator, row.tries_left, row.locked_until, row.epoch or 0)


def _associated_data(msisdn: str) -> str:
    return f"operator:{msisdn}"
