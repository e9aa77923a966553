"""The statements that workers run all day, each built once."""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import add
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
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
    select,
    union_all,
    update,
)

from services.messages.kinds import PRIORITIES, SAFE_TO_REPEAT
from services.records.tables import QUEUED, REPORTED_NETWORK, SENDING, UNKNOWN, messages

NEEDED: Final = (
    "id",
    "recipient",
    "text",
    "kind",
    "attempts",
    "holds",
    "segments",
    "effect",
    "medium",
    "priority",
    "due_at",
    "not_after",
)

_NOW: BindParameter[Any] = bindparam("now")
_WITHOUT_SECRET = case((messages.c.secret, null()), else_=messages.c.text)


def _free(of: TextClause, *conditions: Any, columns: tuple[str, ...] = ("id",)) -> Select[Any]:
    """Rows that nobody else holds; PostgreSQL passes over held ones, on SQLite nobody else is writing."""
    return select(*(messages.c[name] for name in columns)).where(of, *conditions).with_for_update(skip_locked=True)


def _drop() -> Update:
    late = _free(QUEUED, messages.c.not_after <= _NOW).cte("late")
    return (
        update(messages)
        .where(messages.c.id.in_(select(late.c.id)))
        .values(status="failed", error="TooLate", text=_WITHOUT_SECRET, updated_at=_NOW)
    )


def _claim() -> Update:
    due = union_all(*(select(one) for one in _by_priority())).subquery()
    order = (due.c.priority, due.c.due_at, due.c.id)
    before = func.sum(due.c.segments).over(order_by=order) - due.c.segments
    counted = select(due.c.id, before.label("before")).subquery()
    affordable = select(counted.c.id).where(counted.c.before < bindparam("budget", type_=Integer))
    return (
        update(messages)
        .where(messages.c.id.in_(affordable))
        .values(status="sending", worker=bindparam("claimer"), attempts=messages.c.attempts + 1, updated_at=_NOW)
        .returning(*(messages.c[name] for name in NEEDED))
    )


def _by_priority() -> Iterator[CTE]:
    """The due rows of each priority, each as many as those before it leave: every one a short walk along the index.

    In one ORDER BY over all priorities, what is urgent but due tomorrow would be walked through at every claim. And
    they are locked in CTEs of their own: within IN, PostgreSQL may run the LIMIT more than once. What is too old is not
    asked here: PostgreSQL would think it clever to walk along the index of that.
    """
    left: ColumnElement[int] = bindparam("most", type_=Integer)
    counts: list[ColumnElement[int]] = []
    for priority in PRIORITIES:
        this = (messages.c.medium == bindparam("carried_by"), messages.c.priority == literal(priority))
        free = _free(QUEUED, *this, messages.c.due_at <= _NOW, columns=("id", "priority", "due_at", "segments"))
        one = free.order_by(messages.c.due_at, messages.c.id).limit(left).cte(f"priority_{priority}")
        counts.append(select(func.count()).select_from(one).scalar_subquery())
        left = bindparam("most", type_=Integer) - reduce(add, counts)
        yield one


def _settle() -> Update:
    return (
        update(messages)
        .where(messages.c.id == bindparam("settled"))
        .values(
            status=bindparam("ended", type_=String),
            provider_id=func.coalesce(bindparam("under", type_=Text), messages.c.provider_id),
            cost=bindparam("paid"),
            error=bindparam("reason"),
            due_at=func.coalesce(bindparam("again_at", type_=messages.c.due_at.type), messages.c.due_at),
            attempts=messages.c.attempts - bindparam("uncounted", type_=Integer),
            holds=messages.c.holds + bindparam("uncounted", type_=Integer),
            text=case(
                (and_(messages.c.secret, bindparam("ended", type_=String) != "queued"), null()), else_=messages.c.text
            ),
            updated_at=_NOW,
        )
    )


def _abandoned() -> Update:
    left = _free(SENDING, messages.c.updated_at < bindparam("before")).cte("abandoned")
    return (
        update(messages)
        .where(messages.c.id.in_(select(left.c.id)))
        .values(status="unknown", error="WorkerGone", text=_WITHOUT_SECRET, updated_at=_NOW)
        .returning(messages.c.id)  # for SQLite's driver does not count the rows of a statement that begins with WITH
    )


def _repeat() -> Update:
    once = (messages.c.repeats == 0, messages.c.text.is_not(None), messages.c.not_after > _NOW)
    safe = (messages.c.kind.in_(SAFE_TO_REPEAT), messages.c.provider_id.is_(None))
    again = _free(UNKNOWN, messages.c.updated_at < bindparam("before"), *safe, *once).cte("again")
    return (
        update(messages)
        .where(messages.c.id.in_(select(again.c.id)))
        .values(status="queued", repeats=messages.c.repeats + 1, attempts=0, due_at=_NOW, updated_at=_NOW)
        .returning(messages.c.id)
    )


def _put_back() -> Update:
    return (
        update(messages)
        .where(messages.c.id == bindparam("put_back"))
        .values(status="queued", due_at=bindparam("opens"), attempts=messages.c.attempts - 1, worker=None)
    )


def _refuse() -> Update:
    return (
        update(messages)
        .where(messages.c.id.in_(bindparam("refused", expanding=True)))
        .values(
            status="failed",
            error=bindparam("why", type_=String),
            attempts=messages.c.attempts - 1,  # it was claimed and not tried
            text=_WITHOUT_SECRET,
        )
    )


def _networks() -> Select[Any]:
    """Number and network: of the last message to each number whose report named one."""
    last = (
        select(messages.c.recipient, func.max(messages.c.id).label("id"))
        .where(REPORTED_NETWORK, messages.c.recipient.in_(bindparam("numbers", expanding=True)))
        .group_by(messages.c.recipient)
        .subquery()
    )
    return select(messages.c.recipient, messages.c.network).join(last, messages.c.id == last.c.id)


def _by_hand(**facts: Any) -> Update:
    return update(messages).where(messages.c.id == bindparam("message"), UNKNOWN).values(updated_at=_NOW, **facts)


DROP: Final = _drop()
CLAIM: Final = _claim()
SETTLE: Final = _settle()
ABANDONED: Final = _abandoned()
REPEAT: Final = _repeat()
PUT_BACK: Final = _put_back()
REFUSE: Final = _refuse()
NETWORKS: Final = _networks()
BY_HAND: Final[Mapping[str, Update]] = {
    "sent": _by_hand(status="sent"),
    "failed": _by_hand(status="failed", error="SettledByHand"),
    "again": _by_hand(status="queued", due_at=_NOW).where(messages.c.text.is_not(None), messages.c.not_after > _NOW),
}
OPEN: Final = (
    select(messages.c.id, messages.c.text.is_(None).label("forgotten"))
    .where(messages.c.id.in_(bindparam("ids", expanding=True)), messages.c.status.in_(("sending", "unknown")))
    .order_by(messages.c.id)
    .with_for_update()
)
