"""Every SMS that came in: a row before it is acknowledged, answered in order and once, whoever dies in between.

One person's SMS are answered one at a time. Whoever answers one holds it for a while; when they are done they go on with
what that person sent meanwhile, so that nobody else need wait for it. What a dead process held, or never got to, is
found by looking.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Boolean, Row, Select, Update, bindparam, case, func, null, or_, select, update

from sealing import SealBroken
from services.given import Clock, Sealing, utc_now
from services.messages import Message, Messages
from services.records.database import Records
from services.records.tables import NEW, inbound_sms, messages

log = structlog.get_logger()

HELD: Final = timedelta(seconds=30)  # far more than an answer takes; a process that holds one longer is dead
TRIES: Final = 5  # after so many, an SMS is one that processes die of, or an outage that no answer outlives
DUPLICATE: Final = "duplicate"
SAME: Final = timedelta(seconds=5)  # within which the same text from the same person is one message


@dataclass(frozen=True, slots=True)
class Arrived:
    """An SMS as it came in. `number` is who sent it and `sent_to` a short code or number of ours."""

    provider_id: str
    number: str = field(repr=False)
    sent_to: str
    text: str = field(repr=False)
    link_id: str = ""
    network: str = ""
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An SMS that is this caller's to answer, and nobody else's for HELD. `tries` counts this one."""

    id: int
    provider_id: str
    number: str = field(repr=False)
    text: str = field(repr=False)
    tries: int

    @property
    def effect(self) -> str:
        """The key of what it causes: the same however often it is worked on."""
        return effect_of(self.provider_id)

    @property
    def worn_out(self) -> bool:
        """Whether it was tried so often that to try again would only be to fail again."""
        return self.tries > TRIES


class Inbound:
    """The SMS that came in. Texts are sealed in the table."""

    def __init__(self, records: Records, messages: Messages, seal: Sealing, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._messages = messages
        self._seal = seal
        self._clock = clock

    async def keep(self, sms: Arrived, taken_for: str = "") -> bool:
        """Record it; False where it was recorded before. With `taken_for` it is done with, and nobody answers it."""
        now = self._clock()
        row = {
            "provider_id": sms.provider_id,
            "number": sms.number,
            "sent_to": sms.sent_to,
            "text": self._seal.close(sms.text.encode(), _about(sms.provider_id)),
            "digest": self._seal.name("sms in", f"{sms.number} {sms.text}"),
            "link_id": sms.link_id or None,
            "network": sms.network or None,
            "state": "done" if taken_for else "new",
            "taken_for": taken_for or None,
            "sent_at": sms.sent_at,
            "received_at": now,
            "done_at": now if taken_for else None,
        }
        kept = self._records.insert_once(inbound_sms).returning(inbound_sms.c.id)
        async with self._records.transaction() as transaction:
            return (await transaction.execute(kept, row)).scalar_one_or_none() is not None

    async def claim(self, number: str) -> Waiting | None:
        """The oldest SMS of this number that waits, now the caller's to answer; None where none does or another has it."""
        now = self._clock()
        async with self._records.transaction() as transaction:
            claimed = await transaction.execute(_CLAIM, {"whose": number, "now": now, "until": now + HELD})
            row = claimed.one_or_none()
        if row is None:
            return None
        return await self._opened(row, number)

    async def finish(self, sms: Waiting, taken_for: str, reply: Message | None = None, *, forget: bool = False) -> None:
        """Note that it is answered, and queue the answer, both or neither. With `forget` nobody can read it any more."""
        async with self._records.transaction() as transaction:
            if reply is not None:
                await self._messages.queue(transaction, reply)
            facts = {"one": sms.id, "what": taken_for, "forget": forget, "now": self._clock()}
            await transaction.execute(_FINISH, facts)

    async def repeats(self, sms: Waiting) -> bool:
        """Whether the same person sent the same text just before, and has not been answered in between.

        A phone or a network that sends an SMS twice gives each its own id. Whoever types `1` a second time has seen an
        answer to the first, which by then has left.
        """
        before = (await self._records.read(_BEFORE, {"one": sms.id})).one_or_none()
        if before is None or before.digest != before.earlier_digest or before.received_at - before.earlier_at > SAME:
            return False
        left = await self._records.read(_LEFT_US, {"effect": reply_effect(before.earlier_id)})
        return left.scalar_one_or_none() is None

    async def waiting(self, older_than: timedelta) -> tuple[str, ...]:
        """Numbers with an SMS that came before so long and that nobody holds, the longest waiting first."""
        now = self._clock()
        found = await self._records.read(_LEFT, {"now": now, "before": now - older_than})
        return tuple(found.scalars())

    async def _opened(self, row: Row[Any], number: str) -> Waiting | None:
        """The SMS as it was typed; one that was sealed with another key can never be read, and holds up no other."""
        try:
            text = self._seal.open(row.text, _about(row.provider_id)).decode()
        except SealBroken:
            log.error("sms in cannot be read and is not answered", sms=row.id)
            await self.finish(Waiting(row.id, row.provider_id, number, "", row.tries), "unreadable")
            return await self.claim(number)
        return Waiting(row.id, row.provider_id, number, text, row.tries)


def effect_of(provider_id: str) -> str:
    """The key of what an SMS with this id causes."""
    return f"sms/{provider_id}"


def reply_effect(provider_id: str) -> str:
    """The key of the reply to it."""
    return f"{effect_of(provider_id)}/reply"


def _about(provider_id: str) -> str:
    return f"sms in:{provider_id}"


def _claim() -> Update:
    oldest = select(func.min(inbound_sms.c.id)).where(NEW, inbound_sms.c.number == bindparam("whose"))
    free = or_(inbound_sms.c.held_until.is_(None), inbound_sms.c.held_until <= bindparam("now"))
    return (
        update(inbound_sms)
        .where(inbound_sms.c.id == oldest.scalar_subquery(), NEW, free)
        .values(held_until=bindparam("until"), tries=inbound_sms.c.tries + 1)
        .returning(*(inbound_sms.c[name] for name in ("id", "provider_id", "text", "tries")))
    )


def _finish() -> Update:
    return (
        update(inbound_sms)
        .where(inbound_sms.c.id == bindparam("one"))
        .values(
            state="done",
            taken_for=bindparam("what"),
            done_at=bindparam("now"),
            text=case((bindparam("forget", type_=Boolean), null()), else_=inbound_sms.c.text),
        )
    )


def _before() -> Select[Any]:
    """The SMS of the same person before this one; those that were found to repeat another do not count."""
    this, earlier = inbound_sms.alias("this"), inbound_sms.alias("earlier")
    heard = or_(earlier.c.taken_for.is_(None), earlier.c.taken_for != DUPLICATE)
    told = {"earlier_id": "provider_id", "earlier_digest": "digest", "earlier_at": "received_at"}
    return (
        select(this.c.digest, this.c.received_at, *(earlier.c[name].label(label) for label, name in told.items()))
        .join(earlier, earlier.c.number == this.c.number)
        .where(this.c.id == bindparam("one"), earlier.c.id < this.c.id, heard)
        .order_by(earlier.c.id.desc())
        .limit(1)
    )


def _left() -> Select[Any]:
    free = or_(inbound_sms.c.held_until.is_(None), inbound_sms.c.held_until <= bindparam("now"))
    left = select(inbound_sms.c.number).where(NEW, free, inbound_sms.c.received_at <= bindparam("before"))
    return left.group_by(inbound_sms.c.number).order_by(func.min(inbound_sms.c.id)).limit(500)


_CLAIM, _FINISH, _BEFORE, _LEFT = _claim(), _finish(), _before(), _left()
_LEFT_US = select(messages.c.id).where(messages.c.effect == bindparam("effect"), messages.c.status != "queued")
