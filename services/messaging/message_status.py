"""The status of a message from the queue to the handset, for the people who run the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from sqlalchemy import Row, Select, bindparam, func, select, text, union_all

from core.phone_numbers import mask_number
from db.tables import QUEUED, SENDING, UNKNOWN, messages
from services.messaging.delivery_status import DeliveryStatus
from services.messaging.kinds import PRIORITIES, Medium, MessageKind

Stage: TypeAlias = Literal[
    "queued", "sending", "sent", "submitted", "buffered", "expired", "delivered", "failed", "dropped", "unknown"
]

STAGES_BY_DELIVERY: Final[Mapping[str, Stage]] = {
    DeliveryStatus.UNRECOGNIZED: "sent",
    DeliveryStatus.SENT: "sent",
    DeliveryStatus.SUBMITTED: "submitted",
    DeliveryStatus.BUFFERED: "buffered",
    DeliveryStatus.ABSENT: "buffered",
    DeliveryStatus.EXPIRED: "expired",
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.FAILED: "failed",
    DeliveryStatus.REJECTED: "failed",
}
Status: TypeAlias = Literal["queued", "sending", "sent", "failed", "unknown"]
"""How far we are with a message. What the network does with one that is *sent* is its stage."""
DROP_REASONS: Final = ("TooLate", "OptedOut", "NumberReleased")  # not sent by our own decision


@dataclass(frozen=True, slots=True)
class MessageState:
    """One message in a list; `reason` is one word (why it failed, waits or is unknown), or empty.

    `repeats` counts the sends after one with an unknown result.
    """

    id: int
    kind: MessageKind
    medium: Medium
    to: str
    stage: Stage
    reason: str
    attempts: int
    repeats: int
    segments: int
    cost: str
    provider_id: str
    created_at: datetime
    updated_at: datetime


class Queue(NamedTuple):
    """The messages that wait for a provider: how many are due, counted up to MAX_COUNTED, and for how long the oldest has been.

    E-mail has no name of a provider.
    """

    provider: str
    due: int
    oldest_age: timedelta


class QueueDepth(NamedTuple):
    """The number of messages in each stage, and how long the oldest due message has been due."""

    queued: int
    sending: int
    unknown: int
    oldest_age: timedelta


BY_ID: Final = select(messages).where(messages.c.id == bindparam("message"))
UNRESOLVED: Final = (
    select(messages).where(UNKNOWN, messages.c.id > bindparam("after")).order_by(messages.c.id).limit(bindparam("most"))
)
BY_STATUS: Final[Mapping[Status, Select[Any]]] = {
    status: select(messages)
    .where(text(f"status = '{status}'"), messages.c.id < bindparam("before"))
    .order_by(messages.c.id.desc())
    .limit(bindparam("most"))
    for status in get_args(Status)
}
"""By status, because each has an index of its own."""
MAX_ID: Final = 2**63 - 1
MAX_COUNTED: Final = 1000


def _build_depth() -> Select[Any]:
    conditions = {"queued": QUEUED, "sending": SENDING, "unknown": UNKNOWN}
    counted = select(func.count()).select_from(messages)
    oldest = select(func.min(messages.c.due_at)).where(QUEUED)
    return select(
        *(counted.where(of).scalar_subquery().label(name) for name, of in conditions.items()),
        oldest.scalar_subquery().label("oldest"),
    )


QUEUE_DEPTH: Final = _build_depth()
OLDEST_DUE: Final = select(func.min(messages.c.due_at)).where(
    QUEUED, messages.c.medium == "sms", messages.c.provider == bindparam("by")
)


def _build_due() -> Select[int, Any]:
    """Select how many messages of a provider are due, and since when the oldest is: its index has them in this order."""
    queued = select(messages.c.due_at).where(
        QUEUED,
        messages.c.medium == bindparam("carried_by"),
        messages.c.provider == bindparam("by"),
        messages.c.due_at <= bindparam("now"),
    )
    some = union_all(
        *(
            select(
                queued.where(messages.c.priority == priority).order_by(messages.c.due_at).limit(MAX_COUNTED).subquery()
            )
            for priority in PRIORITIES
        )
    ).subquery()
    return select(func.count().label("due"), func.min(some.c.due_at).label("oldest")).select_from(some)


DUE: Final = _build_due()


def state_from_row(row: Row[Any]) -> MessageState:
    """Return the state of the message in a row."""
    stage, reason = _stage_from_row(row)
    return MessageState(
        id=row.id,
        kind=row.kind,
        medium=row.medium,
        to=mask_recipient(row.recipient),
        stage=stage,
        reason=reason or "",
        attempts=row.attempts,
        repeats=row.repeats,
        segments=row.segments,
        cost=row.cost or "",
        provider_id=row.provider_id or "",
        created_at=row.created_at,
        updated_at=row.reported_at or row.updated_at,
    )


def _stage_from_row(row: Row[Any]) -> tuple[Stage, str | None]:
    if row.status == "failed":
        return "dropped" if row.error in DROP_REASONS else "failed", row.error
    if row.status == "sent" and row.delivery:
        return STAGES_BY_DELIVERY[row.delivery], row.delivery_reason
    return row.status, row.error


def mask_recipient(recipient: str) -> str:
    """Return `…001` for a number and `…@example.org` for an e-mail address."""
    name, at, host = recipient.rpartition("@")
    return f"…{at}{host}" if name else mask_number(recipient)


def depth_from_row(row: Row[Any], now: datetime) -> QueueDepth:
    """Return the depth from the row of `QUEUE_DEPTH` at `now`."""
    due = max(now - row.oldest, timedelta()) if row.oldest else timedelta()
    return QueueDepth(row.queued, row.sending, row.unknown, due)
