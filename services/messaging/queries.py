"""The SQL statements of messages, each built once."""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import add
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BindParameter,
    Boolean,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    String,
    Text,
    TextClause,
    Update,
    and_,
    bindparam,
    case,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
)

from db.tables import QUEUED, REPORTED_NETWORK, SENDING, UNKNOWN, callers, inbound_sms, messages
from services.messaging.kinds import PRIORITIES, SAFE_TO_REPEAT

RECOVERY_BATCH: Final = 500  # rows that one statement of a recovery changes, so that no lock lasts long
CLAIMED_COLUMNS: Final = (
    "id",
    "recipient",
    "text",
    "template",
    "form",
    "variables",
    "kind",
    "attempts",
    "suspensions",
    "segments",
    "idempotency_key",
    "medium",
    "provider",
    "used_code",
    "priority",
    "due_at",
    "not_after",
)

CONTENT_COLUMNS: Final = ("text", "variables")
"""What a message says; it is erased together."""

_NOW: BindParameter[Any] = bindparam("now")
_UNLESS_SECRET: Final = {name: case((messages.c.secret, null()), else_=messages.c[name]) for name in CONTENT_COLUMNS}


def _select_unlocked(condition: TextClause, *conditions: Any, columns: tuple[str, ...] = ("id",)) -> Select[Any]:
    """Select rows that are not locked. PostgreSQL skips locked rows; SQLite has one writer at a time."""
    return (
        select(*(messages.c[name] for name in columns)).where(condition, *conditions).with_for_update(skip_locked=True)
    )


def _build_drop() -> Update:
    late = _select_unlocked(QUEUED, messages.c.not_after <= _NOW).limit(RECOVERY_BATCH).cte("late")
    return (
        update(messages)
        .where(messages.c.id.in_(select(late.c.id)))
        .values(status="failed", error="TooLate", updated_at=_NOW, **_UNLESS_SECRET)
        .returning(messages.c.id)  # SQLite's driver does not count the rows of a statement that begins with WITH
    )


def _build_claim() -> Update:
    due = union_all(*(select(one) for one in _due_by_priority())).subquery()
    order = (due.c.priority, due.c.due_at, due.c.id)
    before = func.sum(due.c.segments).over(order_by=order) - due.c.segments
    counted = select(due.c.id, before.label("before")).subquery()
    affordable = select(counted.c.id).where(counted.c.before < bindparam("budget", type_=Integer))
    return (
        update(messages)
        .where(messages.c.id.in_(affordable))
        .values(status="sending", worker=bindparam("claimer"), attempts=messages.c.attempts + 1, updated_at=_NOW)
        .returning(*(messages.c[name] for name in CLAIMED_COLUMNS))
    )


def _due_by_priority() -> Iterator[CTE]:
    """Select the due rows of each priority, up to what the priorities before left of the limit: one index range each.

    One ORDER BY over all priorities would read all urgent rows that are due tomorrow at every claim. The rows are locked
    in CTEs, because within IN PostgreSQL may run the LIMIT more than once. Expired rows are not filtered here: PostgreSQL
    would choose the index of the expiry.
    """
    left: ColumnElement[int] = bindparam("most", type_=Integer)
    counts: list[ColumnElement[int]] = []
    for priority in PRIORITIES:
        this = (
            messages.c.medium == bindparam("carried_by"),
            messages.c.provider == bindparam("by"),
            messages.c.priority == literal(priority),
        )
        free = _select_unlocked(
            QUEUED, *this, messages.c.due_at <= _NOW, columns=("id", "priority", "due_at", "segments")
        )
        one = free.order_by(messages.c.due_at, messages.c.id).limit(left).cte(f"priority_{priority}")
        counts.append(select(func.count()).select_from(one).scalar_subquery())
        left = bindparam("most", type_=Integer) - reduce(add, counts)
        yield one


def _build_record_result() -> Update:
    spent = and_(messages.c.secret, bindparam("ended", type_=String) != "queued")
    return (
        update(messages)
        .where(messages.c.id == bindparam("settled"))
        .values(
            status=bindparam("ended", type_=String),
            provider_id=func.coalesce(bindparam("under", type_=Text), messages.c.provider_id),
            cost=bindparam("paid"),
            error=bindparam("reason"),
            due_at=case(
                (bindparam("is_held", type_=Boolean), messages.c.not_after),
                else_=func.coalesce(bindparam("again_at", type_=messages.c.due_at.type), messages.c.due_at),
            ),
            attempts=messages.c.attempts - bindparam("uncounted", type_=Integer),
            suspensions=messages.c.suspensions + bindparam("uncounted", type_=Integer),
            updated_at=_NOW,
            **{name: case((spent, null()), else_=messages.c[name]) for name in CONTENT_COLUMNS},
        )
    )


def _build_recover_abandoned() -> Update:
    left = _select_unlocked(SENDING, messages.c.updated_at < bindparam("before")).limit(RECOVERY_BATCH).cte("abandoned")
    return (
        update(messages)
        .where(messages.c.id.in_(select(left.c.id)))
        .values(status="unknown", error="WorkerGone", updated_at=_NOW, **_UNLESS_SECRET)
        .returning(messages.c.id)
    )


def _build_make_future_due() -> Update:
    early = _select_unlocked(QUEUED, messages.c.updated_at > bindparam("after")).limit(RECOVERY_BATCH).cte("early")
    return (
        update(messages)
        .where(messages.c.id.in_(select(early.c.id)))
        .values(due_at=_NOW, updated_at=_NOW)
        .returning(messages.c.id)
    )


def _build_repeat() -> Update:
    once = (messages.c.repeats == 0, messages.c.text.is_not(None), messages.c.not_after > _NOW)
    safe = (messages.c.kind.in_(SAFE_TO_REPEAT), messages.c.provider_id.is_(None))
    again = (
        _select_unlocked(UNKNOWN, messages.c.updated_at < bindparam("before"), *safe, *once)
        .limit(RECOVERY_BATCH)
        .cte("again")
    )
    return (
        update(messages)
        .where(messages.c.id.in_(select(again.c.id)))
        .values(status="queued", repeats=messages.c.repeats + 1, attempts=0, due_at=_NOW, updated_at=_NOW)
        .returning(messages.c.id)
    )


def _build_defer() -> Update:
    return (
        update(messages)
        .where(messages.c.id == bindparam("put_back"))
        .values(status="queued", due_at=bindparam("opens"), attempts=messages.c.attempts - 1, worker=None)
    )


def _build_reject() -> Update:
    return (
        update(messages)
        .where(messages.c.id.in_(bindparam("refused", expanding=True)))
        .values(
            status="failed",
            error=bindparam("why", type_=String),
            attempts=messages.c.attempts - 1,  # it was claimed and not tried
            **_UNLESS_SECRET,
        )
    )


def _build_adopt() -> Update:
    """Give the default provider what names none, and what waits long for one that no route names any more.

    A process with newer settings may have queued it a moment ago.
    """
    left_behind = and_(
        messages.c.provider.not_in(bindparam("in_use", expanding=True)), messages.c.due_at < bindparam("before")
    )
    orphaned = or_(messages.c.provider == "", left_behind)
    found = _select_unlocked(QUEUED, messages.c.medium == "sms", orphaned).limit(RECOVERY_BATCH).cte("orphaned")
    return (
        update(messages)
        .where(messages.c.id.in_(select(found.c.id)))
        .values(provider=bindparam("default"))
        .returning(messages.c.id)
    )


def _build_movable() -> Select[Any]:
    """Select queued SMS of a provider that were surely not sent, by id. What was unknown once never moves."""
    surely_not_sent = (messages.c.repeats == 0, messages.c.moved_from.is_(None))
    is_meant = messages.c.suspensions >= bindparam("least", type_=Integer)
    chosen = _select_unlocked(
        QUEUED,
        messages.c.medium == "sms",
        messages.c.provider == bindparam("by"),
        messages.c.id > bindparam("after"),
        is_meant,
        *surely_not_sent,
        columns=("id", "recipient", "kind", "used_code"),
    )
    return chosen.order_by(messages.c.id).limit(RECOVERY_BATCH)


def _build_move() -> Update:
    return (
        update(messages)
        .where(messages.c.id.in_(bindparam("moved", expanding=True)), QUEUED, messages.c.provider == bindparam("by"))
        .values(
            provider=bindparam("fallback", type_=String),
            moved_from=bindparam("by"),
            attempts=0,
            suspensions=0,
            due_at=case((messages.c.suspensions > 0, _NOW), else_=messages.c.due_at),
            updated_at=_NOW,
        )
    )


def _build_known_networks() -> CompoundSelect[Any]:
    """Select each number with its networks, the surest last: from an SMS, from a report, from a call.

    Whoever forges the sender of an SMS also forges its network; a report and a call come from the number's own network.
    """
    numbers: BindParameter[Any] = bindparam("numbers", expanding=True)
    written = (
        select(inbound_sms.c.msisdn, func.max(inbound_sms.c.id).label("id"))
        .where(inbound_sms.c.network.is_not(None), inbound_sms.c.msisdn.in_(numbers))
        .group_by(inbound_sms.c.msisdn)
        .subquery()
    )
    by_sms = select(inbound_sms.c.msisdn.label("recipient"), inbound_sms.c.network, literal(0).label("rank"))
    by_call = select(callers.c.msisdn, callers.c.network, literal(2)).where(
        callers.c.network.is_not(None), callers.c.msisdn.in_(numbers)
    )
    return union_all(
        by_sms.join(written, inbound_sms.c.id == written.c.id), _select_reported_networks(), by_call
    ).order_by("rank")


def _select_reported_networks() -> Select[Any]:
    """Select each number with the network of its last message whose report named one."""
    last = (
        select(messages.c.recipient, func.max(messages.c.id).label("id"))
        .where(REPORTED_NETWORK, messages.c.recipient.in_(bindparam("numbers", expanding=True)))
        .group_by(messages.c.recipient)
        .subquery()
    )
    return select(messages.c.recipient, messages.c.network, literal(1)).join(last, messages.c.id == last.c.id)


def _build_resolve(**columns: Any) -> Update:
    return update(messages).where(messages.c.id == bindparam("message"), UNKNOWN).values(updated_at=_NOW, **columns)


DROP: Final = _build_drop()
CLAIM: Final = _build_claim()
RECORD_RESULT: Final = _build_record_result()
RECOVER_ABANDONED: Final = _build_recover_abandoned()
REPEAT: Final = _build_repeat()
MAKE_FUTURE_DUE: Final = _build_make_future_due()
ADOPT: Final = _build_adopt()
MOVABLE: Final = _build_movable()
MOVE: Final = _build_move()
DEFER: Final = _build_defer()
REJECT: Final = _build_reject()
KNOWN_NETWORKS: Final = _build_known_networks()
RESOLVE: Final[Mapping[str, Update]] = {
    "sent": _build_resolve(status="sent"),
    "failed": _build_resolve(status="failed", error="SettledByHand"),
    "again": _build_resolve(status="queued", due_at=_NOW).where(
        messages.c.text.is_not(None), messages.c.not_after > _NOW
    ),
}
UNSETTLED: Final = (
    select(messages.c.id, messages.c.text.is_(None).label("forgotten"))
    .where(messages.c.id.in_(bindparam("ids", expanding=True)), messages.c.status.in_(("sending", "unknown")))
    .order_by(messages.c.id)
    .with_for_update()
)
