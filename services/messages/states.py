"""How far a message has come, from the queue to the handset, for whoever looks after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import Row, Select, bindparam, func, select

from services.messages.delivery import Delivery
from services.messages.kinds import Kind, Medium
from services.records.tables import QUEUED, SENDING, UNKNOWN, messages

Stage: TypeAlias = Literal[
    "queued", "sending", "sent", "submitted", "buffered", "expired", "delivered", "failed", "dropped", "unknown"
]

DELIVERED: Final[Mapping[str, Stage]] = {
    Delivery.UNHEARD_OF: "sent",
    Delivery.SENT: "sent",
    Delivery.SUBMITTED: "submitted",
    Delivery.BUFFERED: "buffered",
    Delivery.ABSENT: "buffered",
    Delivery.EXPIRED: "expired",
    Delivery.DELIVERED: "delivered",
    Delivery.FAILED: "failed",
    Delivery.REJECTED: "failed",
}
DROPPED: Final = ("TooLate", "OptedOut")  # what we did not send, though we could have
SHOWN: Final = 3  # digits of a number, enough to tell two apart in a list


@dataclass(frozen=True, slots=True)
class State:
    """One message as a list shows it; `reason` is one word, why it failed, waits or is unknown, or empty."""

    id: int
    kind: Kind
    medium: Medium
    to: str
    stage: Stage
    reason: str
    attempts: int
    segments: int
    cost: str
    provider_id: str
    created: datetime
    updated: datetime


class Depth(NamedTuple):
    """How many messages stand where, and for how long the oldest of those that are due has been due."""

    queued: int
    sending: int
    unknown: int
    oldest: timedelta


ONE: Final = select(messages).where(messages.c.id == bindparam("message"))
UNSETTLED: Final = select(messages).where(UNKNOWN).order_by(messages.c.updated_at).limit(bindparam("most"))


def _depth() -> Select[Any]:
    stands = {"queued": QUEUED, "sending": SENDING, "unknown": UNKNOWN}
    counted = select(func.count()).select_from(messages)
    oldest = select(func.min(messages.c.due_at)).where(QUEUED)
    return select(
        *(counted.where(of).scalar_subquery().label(name) for name, of in stands.items()),
        oldest.scalar_subquery().label("oldest"),
    )


DEPTH: Final = _depth()


def state_of(row: Row[Any]) -> State:
    """A row of the table, in words."""
    stage, reason = _stage(row)
    return State(
        id=row.id,
        kind=row.kind,
        medium=row.medium,
        to=masked(row.recipient),
        stage=stage,
        reason=reason or "",
        attempts=row.attempts,
        segments=row.segments,
        cost=row.cost or "",
        provider_id=row.provider_id or "",
        created=row.created_at,
        updated=row.reported_at or row.updated_at,
    )


def _stage(row: Row[Any]) -> tuple[Stage, str | None]:
    if row.status == "failed":
        return "dropped" if row.error in DROPPED else "failed", row.error
    if row.status == "sent" and row.delivery:
        return DELIVERED[row.delivery], row.delivery_reason
    return row.status, row.error


def masked(recipient: str) -> str:
    """`…001` of a number, `…@example.org` of an e-mail address."""
    name, at, host = recipient.rpartition("@")
    return f"…{at}{host}" if name else f"…{recipient[-SHOWN:]}"


def depth_of(row: Row[Any], now: datetime) -> Depth:
    """What `DEPTH` found at `now`."""
    due = max(now - row.oldest, timedelta()) if row.oldest else timedelta()
    return Depth(row.queued, row.sending, row.unknown, due)
