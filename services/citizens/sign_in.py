"""Sign-in to a citizen's account, by PIN or by the answers to the security questions.

Every attempt is recorded under its idempotency key: a repeated key gets the recorded result. A wrong answer counts as a
wrong PIN as well. Answers are accepted while the PIN is locked, since they unlock the account; MAX_ATTEMPTS wrong answers
lock them too. Right answers leave the PIN locked until a new PIN is chosen. See `services.citizens.lockout` for the classes
of channels: `vouched` says whether the network vouches for the caller's number.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import CursorResult, Executable, Row, or_, select, update

from core.types import UtcClock
from db.database import Database, Transaction
from db.tables import account_events, accounts, security_answers
from services.audit.audit import AuditLog, build_audit_entry, citizen_actor
from services.citizens.account_notices import AccountNotices
from services.citizens.guessing_alarm import GuessingAlarm
from services.citizens.lockout import (
    LOCKOUT_PERIODS,
    UNVOUCHED_LOCKOUT_PERIODS,
    FailedAttempts,
    Judgement,
    judge_attempt,
)
from services.citizens.models import SignInResult
from services.citizens.pending_pin import NO_PENDING_PIN, effective_pin_hash, is_pin_due
from services.citizens.pending_registrations import PendingRegistrations
from services.citizens.pins import SecretHasher
from services.citizens.secret_renewal import renew_hashes
from services.citizens.session_epoch import SessionEpoch, raised_epoch_columns

QUESTION_COUNT: Final = 2
NOTICE_TRIES_LEFT: Final = 2
"""Wrong tries over a channel that does not vouch for the number are told from the third on: one may be a slip."""

_Execute: TypeAlias = Callable[[Executable], Awaitable[CursorResult[Any]]]
_Method: TypeAlias = Literal["pin", "answers"]


class _Tally(NamedTuple):
    """The failed attempts by each method, on one class of channels."""

    pin: FailedAttempts = FailedAttempts()
    answers: FailedAttempts = FailedAttempts()

    def of_method(self, method: _Method) -> FailedAttempts:
        return self.pin if method == "pin" else self.answers


class _Attempt(NamedTuple):
    """One attempt: its method, the number in whose name it is made, and its class of channels."""

    method: _Method
    msisdn: str
    idempotency_key: str
    vouched: bool


class _State(NamedTuple):
    """What decides on an attempt besides the secret: the failed attempts of both classes, and the account's epoch."""

    vouched: _Tally = _Tally()
    unvouched: _Tally = _Tally()
    is_frozen: bool = False
    epoch: SessionEpoch = SessionEpoch(0, 0)
    last_used_at: datetime | None = None
    pin_hash: str = ""
    pending_pin_at: datetime | None = None

    def has_same_secrets(self, other: "_State") -> bool:
        """Whether neither the PIN nor the answers were replaced between the two states."""
        return (self.epoch.changes, self.pending_pin_at) == (other.epoch.changes, other.pending_pin_at)

    def relevant_attempts(self, attempt: _Attempt, now: datetime) -> FailedAttempts:
        """The failed attempts of the attempt's class; those of the vouched class where they lock both."""
        vouched = self.vouched.of_method(attempt.method)
        is_theirs = attempt.vouched or vouched.is_locked(now)
        return vouched if is_theirs else self.unvouched.of_method(attempt.method)


class _Credentials(NamedTuple):
    """The account of a number, or 0, and the hashes that its secrets must match."""

    account: int
    state: _State
    hashes: Sequence[str]


class AccountSignIn:
    """Verifies secrets, counts failures and locks accounts."""

    def __init__(
        self,
        database: Database,
        hasher: SecretHasher,
        audit: AuditLog,
        notices: AccountNotices,
        registrations: PendingRegistrations,
        *,
        clock: UtcClock,
    ) -> None:
        self._database = database
        self._hasher = hasher
        self._audit = audit
        self._notices = notices
        self._registrations = registrations
        self._clock = clock
        self._guessing_alarm = GuessingAlarm(clock=clock)
        self.guessing_alarms = self._guessing_alarm.counts

    async def attempt(
        self, method: _Method, msisdn: str, secrets: Sequence[str], idempotency_key: str, *, vouched: bool
    ) -> SignInResult:
        """The result of an attempt. A number without an account costs the same time as a wrong secret."""
        attempt = _Attempt(method, msisdn, idempotency_key, vouched)
        if earlier := await _find_earlier_attempt(self._database.fetch, attempt):
            return earlier
        credentials = await self._load_credentials(attempt)
        is_locked = credentials.state.relevant_attempts(attempt, self._clock()).is_locked(self._clock())
        is_right = not is_locked and await self._verify_all(secrets, credentials.hashes)
        async with self._database.transaction() as transaction:
            state = await self._lock_state(transaction, credentials.account, vouched=vouched)  # one attempt at a time
            if earlier := await _find_earlier_attempt(transaction.execute, attempt):
                return earlier
            if not credentials.account:
                pin_hash = credentials.state.pin_hash
                return await self._finish_registration(transaction, attempt, is_right=is_right, pin_hash=pin_hash)
            if state.is_frozen:
                return await self._record_result(transaction, attempt, credentials.account, SignInResult("frozen"))
            is_right = is_right and state.has_same_secrets(credentials.state)
            result = await self._decide(transaction, attempt, credentials.account, state, is_right=is_right)
        if result.outcome == "in":
            await self._renew_hashes(attempt.method, credentials, secrets)
        return result

    async def _renew_hashes(self, method: _Method, credentials: _Credentials, secrets: Sequence[str]) -> None:
        column, owner = (
            (accounts.c.pin_hash, accounts.c.id)
            if method == "pin"
            else (security_answers.c.answer_hash, security_answers.c.account)
        )
        right_secrets = list(zip(secrets, credentials.hashes, strict=True))
        await renew_hashes(self._database, self._hasher, column, owner == credentials.account, right_secrets)

    async def _finish_registration(
        self, transaction: Transaction, attempt: _Attempt, *, is_right: bool, pin_hash: str
    ) -> SignInResult:
        """Create the account of a registration that waits for its PIN, where this is the PIN; count a wrong one."""
        registration = await self._registrations.lock(transaction, attempt.msisdn) if pin_hash else None
        if registration is None:
            return await self._record_result(transaction, attempt, 0, SignInResult("unknown"))
        if is_right and registration.pin_hash == pin_hash:
            account = await self._registrations.create_account(transaction, registration)
            return await self._record_result(transaction, attempt, account, SignInResult("in", account))
        left = await self._registrations.count_failure(transaction, registration)
        result = SignInResult("wrong", tries_left=left) if left else SignInResult("unknown")
        return await self._record_result(transaction, attempt, 0, result)

    async def _record_result(
        self, transaction: Transaction, attempt: _Attempt, account: int, result: SignInResult
    ) -> SignInResult:
        await self._insert_event(transaction, attempt, account, result)
        return result

    async def _decide(
        self, transaction: Transaction, attempt: _Attempt, account: int, state: _State, *, is_right: bool
    ) -> SignInResult:
        now = self._clock()
        before = state.relevant_attempts(attempt, now)
        periods = LOCKOUT_PERIODS if attempt.vouched else UNVOUCHED_LOCKOUT_PERIODS
        judgement = judge_attempt(before, is_right=is_right, now=now, periods=periods)
        replaces_pin = attempt.method == "pin" and is_pin_due(state.pending_pin_at, now)
        epoch = state.epoch._replace(changes=state.epoch.changes + replaces_pin)
        result = _build_result(account, judgement, epoch)
        await self._insert_event(transaction, attempt, account, result)
        # An attempt during a lock-out changes nothing.
        is_counted = judgement.attempts != before or result.outcome == "in"
        if is_counted:
            await self._update_account(transaction, attempt, account, state, judgement)
            await self._tell_failures(transaction, attempt, account, judgement)
        act = _audit_act(attempt.method, result)
        if act and is_counted:
            await self._record_audit(transaction, act, account, attempt.idempotency_key)
        return result

    async def _load_credentials(self, attempt: _Attempt) -> _Credentials:
        row = (await self._database.fetch(select(accounts).where(accounts.c.msisdn == attempt.msisdn))).one_or_none()
        if row is None:  # the empty hash matches nothing, in the time of a real one
            if attempt.method == "answers":
                return _Credentials(0, _State(), ("",) * QUESTION_COUNT)
            registration = await self._registrations.find(attempt.msisdn)
            pin_hash = str(registration.pin_hash) if registration else ""
            return _Credentials(0, _State(pin_hash=pin_hash), (pin_hash,))
        state = _state_from_row(row, self._clock(), vouched=attempt.vouched)
        if attempt.method == "pin":
            return _Credentials(row.id, state, (state.pin_hash,))
        query = select(security_answers.c.answer_hash).where(security_answers.c.account == row.id)
        hashes = (await self._database.fetch(query.order_by(security_answers.c.place))).scalars().all()
        return _Credentials(row.id, state, hashes)

    async def _lock_state(self, transaction: Transaction, account: int, *, vouched: bool) -> _State:
        query = select(accounts).where(accounts.c.id == account).with_for_update()
        row = (await transaction.execute(query)).one_or_none()
        return _state_from_row(row, self._clock(), vouched=vouched) if row else _State()

    async def _verify_all(self, secrets: Sequence[str], hashes: Sequence[str]) -> bool:
        """Verify every secret, so that the time does not tell which one is wrong; no secrets match nothing."""
        if len(secrets) != len(hashes) or not hashes:
            return False
        return all([await self._hasher.verify(secret, one) for secret, one in zip(secrets, hashes, strict=True)])

    async def _insert_event(
        self, transaction: Transaction, attempt: _Attempt, account: int, result: SignInResult
    ) -> None:
        row = {
            "kind": attempt.method,
            "idempotency_key": attempt.idempotency_key,
            "created_at": self._clock(),
            "account": account or None,
            "outcome": result.outcome,
            "tries_left": result.tries_left,
            "locked_until": result.locked_until,
            "epoch": result.epoch,
        }
        await transaction.execute(self._database.insert_or_ignore(account_events), row)

    async def _update_account(
        self, transaction: Transaction, attempt: _Attempt, account: int, state: _State, judgement: Judgement
    ) -> None:
        """Store the failed attempts of the attempt's class, one more lock-out, and the day of a right sign-in."""
        now = self._clock()
        tally = _apply_judgement(attempt, state.vouched if attempt.vouched else state.unvouched, judgement, now)
        values = dict(_tally_to_columns(tally, vouched=attempt.vouched))
        if judgement.outcome == "locked":
            column = accounts.c.lockouts if attempt.vouched else accounts.c.unvouched_lockouts
            values[column.name] = column + 1
        if judgement.outcome == "right" and attempt.method == "pin":
            values |= await self._use_account(transaction, attempt, account, state)
        await transaction.execute(update(accounts).where(accounts.c.id == account).values(values))

    async def _use_account(
        self, transaction: Transaction, attempt: _Attempt, account: int, state: _State
    ) -> Mapping[str, Any]:
        """The columns after a right PIN: the day, and what becomes of a recovered PIN that waits."""
        now = self._clock()
        is_new_day = state.last_used_at is None or state.last_used_at.date() != now.date()
        values: dict[str, Any] = {"last_used_at": now} if is_new_day else {}
        if is_pin_due(state.pending_pin_at, now):
            return {**values, **NO_PENDING_PIN, "pin_hash": state.pin_hash, **raised_epoch_columns(accounts, "")}
        if (
            state.pending_pin_at is not None and attempt.vouched
        ):  # the citizen still has the PIN that was to be replaced
            await self._notices.queue(transaction, account, "pin_kept", attempt.idempotency_key)
            await self._record_audit(transaction, "pin_kept", account, attempt.idempotency_key)
            return {**values, **NO_PENDING_PIN}
        return values

    async def _tell_failures(
        self, transaction: Transaction, attempt: _Attempt, account: int, judgement: Judgement
    ) -> None:
        """Tell the citizen of a lock-out, and of wrong tries in their name; raise the alarm after days of them."""
        if judgement.outcome == "locked":
            await self._notices.queue(transaction, account, "account_locked", attempt.idempotency_key)
            await self._guessing_alarm.check(transaction, account)
        elif judgement.outcome == "wrong" and not attempt.vouched and judgement.tries_left <= NOTICE_TRIES_LEFT:
            await self._notices.queue(transaction, account, "wrong_tries", attempt.idempotency_key)

    async def _record_audit(self, transaction: Transaction, act: str, account: int, idempotency_key: str) -> None:
        actor = citizen_actor(account, idempotency_key)
        entry = build_audit_entry(actor, act, "account", str(account), idempotency_key)
        await self._audit.record(transaction, entry)


def _build_result(account: int, judgement: Judgement, epoch: SessionEpoch) -> SignInResult:
    if judgement.outcome == "right":
        return SignInResult("in", account, epoch=epoch.pack())
    return SignInResult(judgement.outcome, tries_left=judgement.tries_left, locked_until=judgement.locked_until)


def _apply_judgement(attempt: _Attempt, tally: _Tally, judgement: Judgement, now: datetime) -> _Tally:
    if judgement.outcome == "right":
        return _Tally() if attempt.method == "pin" else tally._replace(answers=judgement.attempts)
    if attempt.method == "pin":
        return tally._replace(pin=judgement.attempts)
    periods = LOCKOUT_PERIODS if attempt.vouched else UNVOUCHED_LOCKOUT_PERIODS
    return _Tally(tally.pin.add_failure(now, periods), judgement.attempts)


def _audit_act(method: _Method, result: SignInResult) -> str:
    """The act for the audit log; empty where the result is none."""
    if result.outcome == "locked":
        return "locked"
    return "recovered" if method == "answers" and result.outcome == "in" else ""


def unlocked_columns() -> Mapping[str, Any]:
    """The columns of an account without failed attempts."""
    return {**_tally_to_columns(_Tally(), vouched=True), **_tally_to_columns(_Tally(), vouched=False)}


async def _find_earlier_attempt(execute: _Execute, attempt: _Attempt) -> SignInResult | None:
    """The recorded result of this key, where the same number, or a number without an account, made the attempt.

    A closed account has no number any more. The result then names an account whose data is deleted.
    """
    of_same_number = accounts.c.msisdn == attempt.msisdn
    same_number = (account_events.c.account.is_(None), of_same_number, accounts.c.closed_at.is_not(None))
    by_key = (account_events.c.idempotency_key == attempt.idempotency_key, account_events.c.kind == attempt.method)
    query = select(account_events).outerjoin(accounts).where(*by_key, or_(*same_number))
    row = (await execute(query)).one_or_none()
    if row is None:
        return None
    account = row.account if row.outcome == "in" else 0
    return SignInResult(row.outcome, account, row.tries_left, row.locked_until, row.epoch or 0)


def _state_from_row(row: Row[Any], now: datetime, *, vouched: bool) -> _State:
    pin = FailedAttempts(row.pin_failures, row.pin_locked_until)
    answers = FailedAttempts(row.answer_failures, row.answers_locked_until)
    unvouched_pin = FailedAttempts(row.unvouched_pin_failures, row.unvouched_pin_locked_until)
    unvouched_answers = FailedAttempts(row.unvouched_answer_failures, row.unvouched_answers_locked_until)
    return _State(
        vouched=_Tally(pin, answers),
        unvouched=_Tally(unvouched_pin, unvouched_answers),
        is_frozen=row.frozen_at is not None,
        epoch=SessionEpoch(row.epoch, row.lockouts if vouched else row.unvouched_lockouts),
        last_used_at=row.last_used_at,
        pin_hash=effective_pin_hash(row, now),
        pending_pin_at=row.pending_pin_at,
    )


def _tally_to_columns(tally: _Tally, *, vouched: bool) -> Mapping[str, Any]:
    prefix = "" if vouched else "unvouched_"
    return {
        f"{prefix}pin_failures": tally.pin.failures,
        f"{prefix}pin_locked_until": tally.pin.locked_until,
        f"{prefix}answer_failures": tally.answers.failures,
        f"{prefix}answers_locked_until": tally.answers.locked_until,
    }
