"""SMS and delivery reports that an SMSC delivers: each is committed before it is acknowledged."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakValueDictionary

import structlog

from core.logging import LogThrottle
from core.types import UtcClock, utc_now
from providers.smpp import statuses
from providers.smpp.addresses import read_source
from providers.smpp.pdus import Deliver
from providers.smpp.receipts import MessageIds, is_report, parse_report
from providers.smpp.settings import BindSettings
from providers.smpp.sms import SAR_NUMBER, SAR_REFERENCE, SAR_TOTAL, UDHI, build_text_rules
from providers.smpp.text import ReceivedPart, UnreadableTextError, decode_part, join_texts
from services.messaging.delivery_status import DeliveryReport
from services.messaging.inbound import InboundSms, InboundSmsRepository
from services.messaging.inbound_parts import CollectedParts, InboundPart, InboundParts
from services.messaging.unparsed_webhooks import UnparsedWebhooks

MAX_ADDRESS: Final = 16  # characters of a sender or of a short code that are stored
REPEATS_AFTER_BIND: Final = 300.0  # seconds after a bind in which an SMSC repeats what it saw no answer to
REPEATS_OF: Final = timedelta(minutes=15)  # how long ago it may have delivered that
UNANSWERED_FOR: Final = timedelta(seconds=15)  # an SMSC waits no longer for an answer
CLOCK_MARGIN: Final = timedelta(seconds=1)
INCOMPLETE_AFTER: Final = timedelta(minutes=10)  # without a further part, until an SMS is passed on as far as it came
MAX_UNCERTAIN: Final = 10_000
MISSING_PART: Final = " … "

log = structlog.get_logger()


class SmppInbound:
    """Takes what one bind delivers, and says how it is acknowledged.

    Parts of a long SMS are stored and acknowledged one by one: an SMSC may send the next part only then. An SMS has no id
    of its own in SMPP. One that is the same as an earlier one of its sender is taken for a repeat only where the SMSC may
    not know that we have that: soon after a bind, of the last seconds before, or after an answer that was an error.
    """

    def __init__(
        self,
        *,
        name: str,
        bind: BindSettings,
        receive: Callable[[InboundSms], Awaitable[None]],
        record_report: Callable[[DeliveryReport], Awaitable[object]],
        repository: InboundSmsRepository,
        parts: InboundParts,
        unparsed: UnparsedWebhooks,
        new_id: Callable[[], str] = lambda: secrets.token_hex(12),
        clock: UtcClock = utc_now,
    ) -> None:
        """`receive` and `record_report` have committed when they return."""
        self._name = name
        self._bind = bind
        self._account = bind.account or name
        self._rules = build_text_rules(bind)
        self._ids = MessageIds(self._account, bind.report_ids)
        self._receive = receive
        self._record_report = record_report
        self._repository = repository
        self._parts = parts
        self._unparsed = unparsed
        self._new_id = new_id
        self._clock = clock
        self._uncertain: dict[tuple[str, str], datetime] = {}  # by sender and text: when one began that failed
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._repeated_on: dict[int, object] = {}  # by SMS: the connection that repeated it last
        self._log_throttle = LogThrottle()

    async def on_deliver(self, deliver: Deliver) -> int:
        """Commit an SMS, a part of one, or a report, and return the status of the answer.

        Raises:
            Exception: it could not be committed; the SMSC is to repeat it.
        """
        if is_report(deliver):
            return await self._take_report(deliver)
        try:
            part = read_part(deliver, self._decode(deliver))
        except UnreadableTextError:
            return await self._take_unreadable(deliver, "unreadable text")
        await (self._take_whole(deliver, part) if part.total == 1 else self._take_part(deliver, part))
        return statuses.ROK

    async def pass_on_incomplete(self) -> int:
        """Pass on the SMS of which a part has not come for INCOMPLETE_AFTER; return how many."""
        overdue = await self._parts.list_overdue(INCOMPLETE_AFTER)
        for parts in overdue:
            await self._pass_on(parts)
        if overdue:
            log.warning("inbound_sms_incomplete", bind=self._name, count=len(overdue))
        return len(overdue)

    async def _take_report(self, deliver: Deliver) -> int:
        report = parse_report(deliver, self._ids)
        if report is None:
            return await self._take_unreadable(deliver, "delivery report without an id or a status")
        await self._record_report(report)
        return statuses.ROK

    async def _take_whole(self, deliver: Deliver, part: ReceivedPart) -> None:
        sms = InboundSms(
            provider_id=f"smpp/{self._account}/{self._new_id()}",
            msisdn=self._read_sender(deliver),
            sent_to=deliver.destination[:MAX_ADDRESS],
            text=join_texts([part.text]),
            network=self._bind.network,
        )
        async with self._locks.setdefault(
            sms.msisdn, asyncio.Lock()
        ):  # what a lost connection delivered may be in work
            await self._receive_once(deliver, sms)

    async def _receive_once(self, deliver: Deliver, sms: InboundSms) -> None:
        if await self._is_repeat(deliver, sms):
            return
        fingerprint = (sms.msisdn, sms.text)
        if len(self._uncertain) >= MAX_UNCERTAIN:
            self._uncertain.clear()
        self._uncertain[fingerprint] = self._clock()
        await self._receive(sms)
        if deliver.can_answer():
            del self._uncertain[fingerprint]

    async def _is_repeat(self, deliver: Deliver, sms: InboundSms) -> bool:
        """Whether the SMSC repeats an SMS that we have and that it saw no answer to; once on a connection."""
        now = self._clock()
        failed_at = self._uncertain.pop((sms.msisdn, sms.text), None)
        if failed_at is not None:
            after, before = failed_at - CLOCK_MARGIN, now
        elif deliver.bound_for <= REPEATS_AFTER_BIND:
            before = now - timedelta(seconds=deliver.bound_for)
            newest = await self._repository.find_newest_time(before)
            if newest is None or newest < now - REPEATS_OF:
                return False
            after = newest - UNANSWERED_FOR
        else:
            return False
        same = await self._repository.find_same(sms, after=after, before=before)
        connection = deliver.can_answer  # each connection has one of its own
        known = [row for row in same if self._repeated_on.get(row) != connection]
        self._repeated_on.update(dict.fromkeys(known[:1], connection))
        return bool(known)

    async def _take_part(self, deliver: Deliver, part: ReceivedPart) -> None:
        stored = InboundPart(
            source=self._account,
            reference=part.reference,
            number=part.number,
            total=part.total,
            msisdn=self._read_sender(deliver),
            sent_to=deliver.destination[:MAX_ADDRESS],
            text=part.text,
        )
        whole = await self._parts.add(stored)
        if whole is not None:
            await self._pass_on(whole)

    async def _pass_on(self, parts: CollectedParts) -> None:
        """Receive parts as one SMS. Its id follows from them: passed on again, after a crash, it is a duplicate."""
        texts = [MISSING_PART if text is None else text for text in parts.texts]
        provider_id = f"smpp/{self._account}/{parts.key}"
        await self._receive(
            InboundSms(provider_id, parts.msisdn, parts.sent_to, join_texts(texts), network=self._bind.network)
        )
        await self._parts.finish(parts)

    async def _take_unreadable(self, deliver: Deliver, reason: str) -> int:
        """Store what a person must look at; the SMSC would only repeat it."""
        fields = {
            "source": deliver.source,
            "destination": deliver.destination,
            "data_coding": str(deliver.data_coding),
            "esm_class": str(deliver.esm_class),
            "text": deliver.text.hex(),
        }
        await self._unparsed.record(f"smpp/{self._name}", reason, fields)
        if (left_out := self._log_throttle.admit("unreadable")) is not None:
            log.warning("smpp_deliver_unreadable", bind=self._name, reason=reason, **left_out)
        return statuses.ROK

    def _decode(self, deliver: Deliver) -> ReceivedPart:
        has_header = bool(deliver.esm_class & UDHI)
        return decode_part(deliver.text, deliver.data_coding, self._rules, has_header=has_header)

    def _read_sender(self, deliver: Deliver) -> str:
        """Return the MSISDN of the sender; its address as it is where it is a name or a short code."""
        return read_source(deliver, self._bind.country_code) or deliver.source.strip()[:MAX_ADDRESS]


def read_part(deliver: Deliver, part: ReceivedPart) -> ReceivedPart:
    """Return the part with its place from the optional parameters, where its own header says none."""
    reference, total, number = (deliver.tlvs.get(tag, b"") for tag in (SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER))
    if part.total > 1 or len(total) != 1 or len(number) != 1 or not 1 <= number[0] <= total[0]:
        return part
    return part._replace(reference=f"sar.{reference.hex()}", number=number[0], total=total[0])
