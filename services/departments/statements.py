"""The statements that couriers run all day, each built once."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    ScalarSelect,
    Select,
    TextClause,
    Update,
    bindparam,
    delete,
    exists,
    func,
    literal,
    null,
    select,
    union_all,
    update,
)

from services.applications import FINAL
from services.records.tables import (
    DELIVERING,
    LOOKED_AT,
    PUT_UP,
    TO_DELIVER,
    UNDELIVERED,
    applications,
    deliveries,
)

PILED_UP: Final = 3  # that have waited too long: one or two may be the fault of what they say
_NOW: BindParameter[Any] = bindparam("now")
_ONE = deliveries.c.id == bindparam("delivery")
_CONTENTS = (
    *("id", "tracking_number", "number", "beneficiary", "service", "office", "form", "on_file"),
    *("fee_minor", "currency", "promised", "language", "channel", "status", "note", "created_at"),
)


def _some(of: TextClause, *conditions: ColumnElement[bool], by: ColumnElement[Any]) -> CTE:
    """So many rows that nobody else holds; PostgreSQL passes over held ones, on SQLite nobody else is writing."""
    free = select(deliveries.c.id).where(of, *conditions).order_by(by, deliveries.c.id).limit(bindparam("most"))
    return free.with_for_update(skip_locked=True).cte("free")


def _claim() -> Update:
    mine = deliveries.c.department == bindparam("of")
    free = _some(TO_DELIVER, mine, deliveries.c.due_at <= _NOW, by=deliveries.c.due_at)
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(select(free.c.id)))
        .values(state="sending", worker=bindparam("claimer"), attempts=deliveries.c.attempts + 1, updated_at=_NOW)
        .returning(deliveries.c.id, deliveries.c.application, deliveries.c.attempts, deliveries.c.effect)
    )


def _look() -> Update:
    """Whose status is asked for now; each is put off before it is asked for."""
    mine = deliveries.c.department == bindparam("of")
    free = _some(LOOKED_AT, mine, deliveries.c.look_at <= _NOW, by=deliveries.c.look_at)
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(select(free.c.id)))
        .values(look_at=bindparam("next_at"))
        .returning(deliveries.c.id, deliveries.c.application)
    )


def _look_no_more() -> Update:
    """What has come to its end, or has not moved for so long that it will not, is asked for no more."""
    at_an_end = applications.c.status.in_(sorted(FINAL)) | (applications.c.changed_at < bindparam("stale"))
    mine = deliveries.c.department == bindparam("of")
    ended = deliveries.c.application.in_(select(applications.c.id).where(at_an_end))
    return update(deliveries).where(LOOKED_AT, mine, deliveries.c.look_at <= _NOW, ended).values(look_at=null())


def _newest() -> ScalarSelect[int]:
    others = deliveries.alias()
    newest = select(func.max(others.c.id)).where(others.c.application == applications.c.id)
    return newest.correlate(applications).scalar_subquery()


def due(departments: Collection[str]) -> CompoundSelect[Any] | None:
    """Those of the departments for which something is due: for each one short look at the index."""
    each = (
        select(literal(code).label("department")).where(
            exists().where(TO_DELIVER, deliveries.c.department == code, deliveries.c.due_at <= _NOW)
        )
        for code in departments
    )
    return union_all(*each) if departments else None


def _abandoned() -> Update:
    free = _some(DELIVERING, deliveries.c.updated_at < bindparam("before"), by=deliveries.c.updated_at)
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(select(free.c.id)))
        .values(state="queued", error="worker gone", due_at=_NOW, updated_at=_NOW)
        .returning(deliveries.c.department)
    )


def _hasten() -> Update:
    """Rows that another process holds are being looked after; two that waited for each other's would wait for ever."""
    mine = select(deliveries.c.id).where(
        TO_DELIVER, deliveries.c.department == bindparam("of"), deliveries.c.due_at > _NOW
    )
    free = mine.with_for_update(skip_locked=True).cte("free")
    return update(deliveries).where(deliveries.c.id.in_(select(free.c.id))).values(due_at=_NOW)


def _settled(*conditions: ColumnElement[bool] | TextClause, **values: Any) -> Update:
    return update(deliveries).where(_ONE, *conditions).values(updated_at=_NOW, **values).returning(deliveries.c.id)


CLAIM: Final = _claim()
CONTENTS: Final[Select[Any]] = select(*(applications.c[name] for name in _CONTENTS)).where(
    applications.c.id.in_(bindparam("ids", expanding=True))
)
# That it was delivered is true whoever says it and whenever; that it is to be tried again, only for the latest try.
DELIVERED: Final = _settled(
    deliveries.c.state != "delivered",
    state="delivered",
    reference=bindparam("under"),
    look_at=bindparam("next_at"),
    error=null(),
    answer=null(),
)
REFUSED: Final = _settled(UNDELIVERED, state="refused", error=bindparam("reason"), answer=bindparam("said"))
LATER: Final = _settled(
    DELIVERING,
    deliveries.c.attempts == bindparam("attempt"),
    state=bindparam("becomes"),
    error=bindparam("reason"),
    due_at=bindparam("again_at"),
)
DROP: Final = delete(deliveries).where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
ABANDONED: Final = _abandoned()
LOOK: Final = _look()
LOOK_NO_MORE: Final = _look_no_more()
HASTEN: Final = _hasten()
NEWEST: Final = tuple(
    select(deliveries.c[name]).where(deliveries.c.id == _newest()).correlate(applications).scalar_subquery().label(name)
    for name in ("state", "department", "created_at")
)
"""Of an application, what its newest delivery stands at; empty where it has none."""
STATE: Final[Select[Any]] = select(*NEWEST).where(applications.c.tracking_number == bindparam("number"))
OLD_ONES: Final = (
    select(deliveries.c.id)
    .where(UNDELIVERED, deliveries.c.department == bindparam("of"), deliveries.c.created_at < bindparam("before"))
    .limit(PILED_UP)
)
DEPTH: Final = tuple(
    select(
        deliveries.c.department,
        deliveries.c.state,
        func.count().label("rows"),
        func.min(deliveries.c.created_at).label("oldest"),
    )
    .where(of)
    .group_by(deliveries.c.department, deliveries.c.state)
    for of in (UNDELIVERED, PUT_UP)
)
PUT_UP_ONES: Final = (
    select(deliveries, applications.c.tracking_number)
    .join(applications, deliveries.c.application == applications.c.id)
    .where(PUT_UP)
    .order_by(deliveries.c.updated_at)
    .limit(bindparam("most"))
)
AGAIN: Final = (
    update(deliveries)
    .where(
        PUT_UP,
        deliveries.c.application.in_(
            select(applications.c.id).where(applications.c.tracking_number == bindparam("number"))
        ),
    )
    .values(state="queued", attempts=0, due_at=_NOW, updated_at=_NOW)
    .returning(deliveries.c.id, deliveries.c.department)
)
