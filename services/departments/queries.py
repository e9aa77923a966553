"""The SQL statements of deliveries, each built once."""

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

from db.tables import (
    DELIVERABLE,
    DELIVERING,
    REJECTED,
    STATUS_POLLED,
    UNDELIVERED,
    application_answers,
    applications,
    deliveries,
)
from services.applications.models import FINAL_STATUSES

BACKLOG_SIZE: Final = 3  # overdue deliveries that show a system to be down; one or two may be due to their content
_NOW: BindParameter[Any] = bindparam("now")
_BY_ID = deliveries.c.id == bindparam("delivery")
_CLAIMED_COLUMNS = ("id", "application", "citizen_answer", "attempts", "idempotency_key")
_APPLICATION_COLUMNS = (
    *(
        "id",
        "account",
        "operator",
        "tracking_number",
        "msisdn",
        "beneficiary",
        "applied_for",
        "service",
        "office",
        "form",
        "on_file",
    ),
    *("fee_minor", "currency", "promised", "language", "channel", "status", "note", "created_at"),
)


def _select_unlocked(condition: TextClause, *conditions: ColumnElement[bool], order: ColumnElement[Any]) -> CTE:
    """Select rows that are not locked. PostgreSQL skips locked rows; SQLite has one writer at a time."""
    free = (
        select(deliveries.c.id).where(condition, *conditions).order_by(order, deliveries.c.id).limit(bindparam("most"))
    )
    return free.with_for_update(skip_locked=True).cte("free")


def _build_claim() -> Update:
    mine = deliveries.c.department == bindparam("of")
    due = (mine, deliveries.c.due_at <= _NOW, _has_no_earlier_delivery())
    free = _select_unlocked(DELIVERABLE, *due, order=deliveries.c.due_at)
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(select(free.c.id)))
        .values(state="sending", worker=bindparam("claimer"), attempts=deliveries.c.attempts + 1, updated_at=_NOW)
        .returning(*(deliveries.c[name] for name in _CLAIMED_COLUMNS))
    )


def _has_no_earlier_delivery() -> ColumnElement[bool]:
    """An answer waits for its application and for earlier answers."""
    earlier = deliveries.alias()
    is_earlier = (
        earlier.c.application == deliveries.c.application,
        earlier.c.id < deliveries.c.id,
        earlier.c.state.in_(("queued", "held", "sending")),
    )
    return deliveries.c.citizen_answer.is_(None) | ~exists().where(*is_earlier).correlate(deliveries)


def _build_claim_status_queries() -> Update:
    """Postpone the next query of each row before the query is sent."""
    mine = deliveries.c.department == bindparam("of")
    free = _select_unlocked(STATUS_POLLED, mine, deliveries.c.poll_at <= _NOW, order=deliveries.c.poll_at)
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(select(free.c.id)))
        .values(poll_at=bindparam("next_at"))
        .returning(deliveries.c.id, deliveries.c.application)
    )


def _build_stop_polling() -> Update:
    """Stop polling applications that are final or have not changed for a long time."""
    at_an_end = applications.c.status.in_(sorted(FINAL_STATUSES)) | (applications.c.changed_at < bindparam("stale"))
    mine = deliveries.c.department == bindparam("of")
    ended = deliveries.c.application.in_(select(applications.c.id).where(at_an_end))
    return update(deliveries).where(STATUS_POLLED, mine, deliveries.c.poll_at <= _NOW, ended).values(poll_at=null())


def _newest_delivery() -> ScalarSelect[int]:
    others = deliveries.alias()
    is_own = (others.c.application == applications.c.id, others.c.citizen_answer.is_(None))
    newest = select(func.max(others.c.id)).where(*is_own)
    return newest.correlate(applications).scalar_subquery()


def build_due(departments: Collection[str]) -> CompoundSelect[Any] | None:
    """Select the departments that have deliveries due: one index lookup for each."""
    each = (
        select(literal(code).label("department")).where(
            exists().where(DELIVERABLE, deliveries.c.department == code, deliveries.c.due_at <= _NOW)
        )
        for code in departments
    )
    return union_all(*each) if departments else None


def _build_recover_abandoned() -> Update:
    free = _select_unlocked(DELIVERING, deliveries.c.updated_at < bindparam("before"), order=deliveries.c.updated_at)
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(select(free.c.id)))
        .values(state="queued", error="worker gone", due_at=_NOW, updated_at=_NOW)
        .returning(deliveries.c.department)
    )


def _build_make_future_due() -> Update:
    free = _select_unlocked(DELIVERABLE, deliveries.c.updated_at > bindparam("after"), order=deliveries.c.updated_at)
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(select(free.c.id)))
        .values(due_at=_NOW, updated_at=_NOW)
        .returning(deliveries.c.department)
    )


def _build_retry_now() -> Update:
    """Skip rows that another process has locked, because two processes waiting for each other would deadlock."""
    mine = select(deliveries.c.id).where(
        DELIVERABLE, deliveries.c.department == bindparam("of"), deliveries.c.due_at > _NOW
    )
    free = mine.with_for_update(skip_locked=True).cte("free")
    return update(deliveries).where(deliveries.c.id.in_(select(free.c.id))).values(due_at=_NOW)


def _build_record(*conditions: ColumnElement[bool] | TextClause, **values: Any) -> Update:
    return update(deliveries).where(_BY_ID, *conditions).values(updated_at=_NOW, **values).returning(deliveries.c.id)


CLAIM: Final = _build_claim()
APPLICATIONS: Final[Select[Any]] = select(*(applications.c[name] for name in _APPLICATION_COLUMNS)).where(
    applications.c.id.in_(bindparam("ids", expanding=True))
)
ANSWERS: Final[Select[Any]] = select(application_answers).where(
    application_answers.c.id.in_(bindparam("ids", expanding=True))
)
WAS_SENT: Final = select(deliveries.c.id).where(
    deliveries.c.application == bindparam("application"), deliveries.c.citizen_answer.is_(None)
)
"""The delivery of an application itself: without one, the department's system does not know it."""
# Any attempt may record that the application was delivered; only the latest attempt may record a retry.
RECORD_ACCEPTED: Final = _build_record(
    deliveries.c.state != "delivered",
    state="delivered",
    reference=bindparam("under"),
    poll_at=bindparam("next_at"),
    error=null(),
    answer=null(),
)
RECORD_REJECTED: Final = _build_record(
    UNDELIVERED, state="refused", error=bindparam("reason"), answer=bindparam("said")
)
RECORD_RETRY: Final = _build_record(
    DELIVERING,
    deliveries.c.attempts == bindparam("attempt"),
    state=bindparam("becomes"),
    error=bindparam("reason"),
    due_at=bindparam("again_at"),
)
DROP: Final = delete(deliveries).where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
RECOVER_ABANDONED: Final = _build_recover_abandoned()
MAKE_FUTURE_DUE: Final = _build_make_future_due()
CLAIM_STATUS_QUERIES: Final = _build_claim_status_queries()
STOP_POLLING: Final = _build_stop_polling()
RETRY_NOW: Final = _build_retry_now()
STATE_COLUMNS: Final = tuple(
    select(deliveries.c[name])
    .where(deliveries.c.id == _newest_delivery())
    .correlate(applications)
    .scalar_subquery()
    .label(f"delivery_{name}")
    for name in ("state", "department", "created_at")
)
"""The newest delivery of an application, as columns of the application; null where it has none."""
STATE: Final[Select[Any]] = select(*STATE_COLUMNS).where(applications.c.tracking_number == bindparam("number"))
OVERDUE: Final = (
    select(deliveries.c.id)
    .where(UNDELIVERED, deliveries.c.department == bindparam("of"), deliveries.c.created_at < bindparam("before"))
    .limit(BACKLOG_SIZE)
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
    for of in (UNDELIVERED, REJECTED)
)
LIST_REJECTED: Final = (
    select(deliveries, applications.c.tracking_number)
    .join(applications, deliveries.c.application == applications.c.id)
    .where(REJECTED)
    .order_by(deliveries.c.updated_at)
    .limit(bindparam("most"))
)
LIST_REJECTED_OF: Final = LIST_REJECTED.where(deliveries.c.department == bindparam("of"))
RETRY: Final = (
    update(deliveries)
    .where(
        REJECTED,
        deliveries.c.application.in_(
            select(applications.c.id).where(applications.c.tracking_number == bindparam("number"))
        ),
    )
    .values(state="queued", attempts=0, due_at=_NOW, updated_at=_NOW)
    .returning(deliveries.c.id, deliveries.c.department)
)
