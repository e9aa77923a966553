"""The audit log: actor, act, subject and channel. An entry is written in the transaction of the act itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from sqlalchemy import select

from core.acting_channel import find_acting_channel
from core.idempotency import channel_from_key
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import audit
from services.audit.models import ActingOperator, Actor, AuditEntry, SubjectKind
from services.audit.staff_acts import StaffAct

_acting_operator: ContextVar[ActingOperator | None] = ContextVar("acting_operator", default=None)


@contextmanager
def act_as_operator(operator: ActingOperator) -> Iterator[None]:
    """Attribute every act of the citizen within the block to `operator`, so that no journey can forget to."""
    token = _acting_operator.set(operator)
    try:
        yield
    finally:
        _acting_operator.reset(token)


def find_acting_operator() -> int | None:
    """The operator to whom acts are attributed now; None where the citizen acts."""
    operator = _acting_operator.get()
    return operator.operator if operator else None


class AuditLog:
    """The append-only log of acts."""

    def __init__(self, database: Database, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def record(self, transaction: Transaction, entry: AuditEntry) -> None:
        """Write `entry` within `transaction`; once for an idempotency key and an act."""
        entry = _with_operator(entry, _acting_operator.get())
        row = {
            "at": self._clock(),
            **{name: getattr(entry, name) for name in _COPIED_FIELDS},
            "on_behalf_of": entry.on_behalf_of or None,
            "details": dict(entry.details),
            "idempotency_key": f"{entry.idempotency_key}/{entry.act}",
        }
        await transaction.execute(self._database.insert_or_ignore(audit), row)

    async def is_recorded(self, transaction: Transaction, idempotency_key: str, act: str) -> bool:
        """Whether an act with this idempotency key is in the log."""
        known = select(audit.c.id).where(audit.c.idempotency_key == f"{idempotency_key}/{act}")
        return (await transaction.execute(known)).first() is not None


def build_audit_entry(
    actor: Actor, act: str, subject_kind: SubjectKind, subject: str, idempotency_key: str, **details: str
) -> AuditEntry:
    """An entry for an act of `actor`; its details are the actor's and these."""
    all_details = {**actor.details, **details}
    return AuditEntry(
        actor.kind, actor.id, act, subject_kind, subject, actor.channel, idempotency_key, details=all_details
    )


def build_staff_entry(act: StaffAct, name: str, subject_kind: SubjectKind, subject: str, **details: str) -> AuditEntry:
    """An entry for an act of staff, with its reason."""
    return build_audit_entry(act.actor, name, subject_kind, subject, act.idempotency_key, reason=act.reason, **details)


def citizen_actor(account: int, idempotency_key: str) -> Actor:
    """The actor for a citizen, over the channel on which they act: mostly the one that the idempotency key names."""
    return Actor("citizen", str(account), find_acting_channel() or channel_from_key(idempotency_key))


def _with_operator(entry: AuditEntry, operator: ActingOperator | None) -> AuditEntry:
    if operator is None or entry.actor_kind not in {"citizen", "operator"}:
        return entry
    details = {**entry.details, "consent": str(operator.consent)}
    # an account that is registered in this act is its own actor
    citizen = str(operator.account) if operator.account else entry.actor
    return replace(entry, actor_kind="operator", actor=str(operator.operator), on_behalf_of=citizen, details=details)


_COPIED_FIELDS = ("actor_kind", "actor", "act", "subject_kind", "subject", "channel")
