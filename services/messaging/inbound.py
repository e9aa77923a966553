"""Inbound SMS: each is stored before it is acknowledged, and answered once, in the order of its sender.

The SMS of one sender are answered one at a time. A worker claims one for a limited time, and then goes on with the next SMS
of the same sender. SMS that a dead process claimed, or never reached, are found by a periodic query.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Boolean, Row, Select, Update, bindparam, case, func, null, or_, select, update

from core.clock_watch import FUTURE_MARGIN
from core.crypto import Cipher, DecryptionError
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import UNPROCESSED, inbound_sms, messages
from services.messaging.messages import Messages
from services.messaging.models import Message

log = structlog.get_logger()

CLAIM_DURATION: Final = timedelta(
    seconds=30
)  # far longer than an answer takes; a process that holds a claim longer is dead
MAX_ATTEMPTS: Final = 5  # an SMS with more attempts crashes its process, or meets an outage
DUPLICATE: Final = "duplicate"
REPEAT_WINDOW: Final = timedelta(seconds=5)  # the same text from the same sender within this time is one message


@dataclass(frozen=True, slots=True)
class InboundSms:
    """An inbound SMS: its sender, the short code or number it was sent to, and its text.

    Of a sender whose network hides the number `msisdn` is empty, and `hidden_as` is what the network calls them.
    """

    provider_id: str
    msisdn: str = field(repr=False)
    sent_to: str
    text: str = field(repr=False)
    link_id: str = ""
    network: str = ""
    sent_at: datetime | None = None
    hidden_as: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ClaimedSms:
    """An SMS that one worker has claimed for CLAIM_DURATION; `attempts` counts this one. `sent_to` is our short code."""

    id: int
    provider_id: str
    msisdn: str = field(repr=False)
    text: str = field(repr=False)
    attempts: int
    sent_to: str = ""

    @property
    def idempotency_key(self) -> str:
        """The idempotency key of the SMS, the same at each attempt."""
        return build_idempotency_key(self.provider_id)

    @property
    def attempts_exhausted(self) -> bool:
        """Whether there were so many attempts that another would only fail again."""
        return self.attempts > MAX_ATTEMPTS


class InboundSmsRepository:
    """The table of inbound SMS. Texts are encrypted."""

    def __init__(self, database: Database, messages: Messages, cipher: Cipher, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._messages = messages
        self._cipher = cipher
        self._clock = clock

    async def record(self, sms: InboundSms, handled_as: str = "") -> bool:
        """Store an SMS; False where it was stored before. With `handled_as` it is done already and not answered.

        An id that another sender has used is made one of this sender's: whoever knows an id cannot suppress another
        person's SMS.
        """
        async with self._database.transaction() as transaction:
            if await self._insert(transaction, sms, handled_as):
                return True
            sender = await transaction.execute(_SENDER, {"provider_id": sms.provider_id})
            if sender.scalar_one_or_none() == sms.msisdn:
                return False
            sender_hash = self._cipher.keyed_hash("sms sender", sms.msisdn)
            own = replace(sms, provider_id=f"{sms.provider_id}/{sender_hash}")
            return await self._insert(transaction, own, handled_as)

    async def _insert(self, transaction: Transaction, sms: InboundSms, handled_as: str) -> bool:
        now = self._clock()
        row = {
            "provider_id": sms.provider_id,
            "msisdn": sms.msisdn,
            "sent_to": sms.sent_to,
            "text": self._cipher.encrypt(sms.text.encode(), _build_associated_data(sms.provider_id)),
            "digest": self._cipher.keyed_hash("sms in", f"{sms.msisdn} {sms.text}"),
            "link_id": sms.link_id or None,
            "network": sms.network or None,
            "state": "done" if handled_as else "new",
            "handled_as": handled_as or None,
            "sent_at": sms.sent_at,
            "received_at": now,
            "done_at": now if handled_as else None,
        }
        insert = self._database.insert_or_ignore(inbound_sms).returning(inbound_sms.c.id)
        return (await transaction.execute(insert, row)).scalar_one_or_none() is not None

    async def claim(self, msisdn: str) -> ClaimedSms | None:
        """Claim the oldest waiting SMS of this sender; None where there is none, or another worker has claimed it."""
        now = self._clock()
        async with self._database.transaction() as transaction:
            facts = {"whose": msisdn, "until": now + CLAIM_DURATION, **_claim_limits(now)}
            claimed = await transaction.execute(_CLAIM, facts)
            row = claimed.one_or_none()
        if row is None:
            return None
        return await self._decrypt(row, msisdn)

    async def finish(
        self, sms: ClaimedSms, handled_as: str, reply: Message | None = None, *, erase_text: bool = False
    ) -> None:
        """Mark an SMS as done and enqueue the reply, both or neither. `erase_text` deletes its text."""
        async with self._database.transaction() as transaction:
            if reply is not None:
                await self._messages.enqueue(transaction, reply)
            facts = {"one": sms.id, "what": handled_as, "forget": erase_text, "now": self._clock()}
            await transaction.execute(_FINISH, facts)

    async def is_repeat(self, sms: ClaimedSms) -> bool:
        """Return whether the sender sent the same text just before, without a reply in between.

        A phone or a network that sends an SMS twice gives each an id of its own. A person who types `1` twice has seen a
        reply to the first, which has been sent by then.
        """
        pair = (await self._database.fetch(_PREVIOUS, {"one": sms.id})).one_or_none()
        if (
            pair is None
            or pair.earlier_digest not in self._digests(sms)
            or pair.received_at - pair.earlier_at > REPEAT_WINDOW
        ):
            return False
        sent = await self._database.fetch(_SENT_REPLY, {"idempotency_key": build_reply_key(pair.earlier_id)})
        return sent.scalar_one_or_none() is None

    def _digests(self, sms: ClaimedSms) -> Sequence[str]:
        return self._cipher.keyed_hashes("sms in", f"{sms.msisdn} {sms.text}")

    async def find_same(self, sms: InboundSms, *, after: datetime, before: datetime) -> Sequence[int]:
        """Return the SMS of this sender with this text that came between the two times, oldest first."""
        digests = self._cipher.keyed_hashes("sms in", f"{sms.msisdn} {sms.text}")
        facts = {"whose": sms.msisdn, "digests": list(digests), "after": after, "before": before}
        return tuple((await self._database.fetch(_SAME, facts)).scalars())

    async def find_newest_time(self, before: datetime) -> datetime | None:
        """Return when the last SMS before a time came, whoever sent it; None where there was none."""
        return (await self._database.fetch(_NEWEST_TIME, {"before": before})).scalar_one_or_none()

    async def list_waiting(self, older_than: timedelta) -> tuple[str, ...]:
        """Return the senders of SMS older than this that nobody has claimed, longest waiting first."""
        now = self._clock()
        facts = {"before": now - older_than, "future": now + FUTURE_MARGIN, **_claim_limits(now)}
        rows = await self._database.fetch(_WAITING, facts)
        return tuple(rows.scalars())

    async def _decrypt(self, row: Row[Any], msisdn: str) -> ClaimedSms | None:
        """Return the decrypted SMS; one that another key encrypted is marked as done, and the next is claimed."""
        try:
            text = self._cipher.decrypt(row.text, _build_associated_data(row.provider_id)).decode()
        except DecryptionError:
            log.error("inbound_sms_unreadable", sms=row.id)
            await self.finish(ClaimedSms(row.id, row.provider_id, msisdn, "", row.attempts), "unreadable")
            return await self.claim(msisdn)
        return ClaimedSms(row.id, row.provider_id, msisdn, text, row.attempts, row.sent_to)


def build_idempotency_key(provider_id: str) -> str:
    """Return the idempotency key of the SMS with this provider id."""
    return f"sms/{provider_id}"


def build_reply_key(provider_id: str) -> str:
    """Return the idempotency key of the reply."""
    return f"{build_idempotency_key(provider_id)}/reply"


def _claim_limits(now: datetime) -> dict[str, datetime]:
    """Return the times between which the end of a claim must be that still counts."""
    return {"now": now, "too_late": now + CLAIM_DURATION + FUTURE_MARGIN}


def _build_associated_data(provider_id: str) -> str:
    return f"sms in:{provider_id}"


# A claim that ends later than one made now can end was made before the clock was set back.
_UNCLAIMED = or_(
    inbound_sms.c.claimed_until.is_(None),
    inbound_sms.c.claimed_until <= bindparam("now"),
    inbound_sms.c.claimed_until > bindparam("too_late"),
)


def _build_claim() -> Update:
    oldest = select(func.min(inbound_sms.c.id)).where(UNPROCESSED, inbound_sms.c.msisdn == bindparam("whose"))
    return (
        update(inbound_sms)
        .where(inbound_sms.c.id == oldest.scalar_subquery(), UNPROCESSED, _UNCLAIMED)
        .values(claimed_until=bindparam("until"), attempts=inbound_sms.c.attempts + 1)
        .returning(*(inbound_sms.c[name] for name in ("id", "provider_id", "text", "attempts", "sent_to")))
    )


def _build_finish() -> Update:
    return (
        update(inbound_sms)
        .where(inbound_sms.c.id == bindparam("one"))
        .values(
            state="done",
            handled_as=bindparam("what"),
            done_at=bindparam("now"),
            text=case((bindparam("forget", type_=Boolean), null()), else_=inbound_sms.c.text),
        )
    )


def _build_previous() -> Select[Any]:
    """Select the SMS of the same sender before this one, leaving out those that were found to be repeats."""
    this, earlier = inbound_sms.alias("this"), inbound_sms.alias("earlier")
    is_first = or_(earlier.c.handled_as.is_(None), earlier.c.handled_as != DUPLICATE)
    labels = {"earlier_id": "provider_id", "earlier_digest": "digest", "earlier_at": "received_at"}
    return (
        select(this.c.digest, this.c.received_at, *(earlier.c[name].label(label) for label, name in labels.items()))
        .join(earlier, earlier.c.msisdn == this.c.msisdn)
        .where(this.c.id == bindparam("one"), earlier.c.id < this.c.id, is_first)
        .order_by(earlier.c.id.desc())
        .limit(1)
    )


def _build_waiting() -> Select[Any]:
    arrived = or_(inbound_sms.c.received_at <= bindparam("before"), inbound_sms.c.received_at > bindparam("future"))
    waiting = select(inbound_sms.c.msisdn).where(UNPROCESSED, _UNCLAIMED, arrived)
    return waiting.group_by(inbound_sms.c.msisdn).order_by(func.min(inbound_sms.c.id)).limit(500)


_CLAIM, _FINISH, _PREVIOUS, _WAITING = _build_claim(), _build_finish(), _build_previous(), _build_waiting()
_SAME = (
    select(inbound_sms.c.id)
    .where(
        inbound_sms.c.msisdn == bindparam("whose"),
        inbound_sms.c.digest.in_(bindparam("digests", expanding=True)),
        inbound_sms.c.received_at >= bindparam("after"),
        inbound_sms.c.received_at <= bindparam("before"),
    )
    .order_by(inbound_sms.c.id)
)
_NEWEST_TIME = (
    select(inbound_sms.c.received_at)
    .where(inbound_sms.c.received_at <= bindparam("before"))
    .order_by(inbound_sms.c.id.desc())
    .limit(1)
)
_SENDER = select(inbound_sms.c.msisdn).where(inbound_sms.c.provider_id == bindparam("provider_id"))
_SENT_REPLY = select(messages.c.id).where(
    messages.c.idempotency_key == bindparam("idempotency_key"), messages.c.status != "queued"
)
