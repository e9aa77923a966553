"""Answer missed calls by SMS: each number has one action, done once per caller and cooldown."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

import structlog

from core.logging import error_facts
from core.rate_limit import DailyQuota
from core.timeouts import Timeout
from core.types import UtcClock, utc_now
from services.citizens.contacts import Contacts
from services.messaging.missed_calls import AnswerCooldown
from voice.deduplication import MAX_CALL_AGE, CallDeduplicator
from voice.provider import IncomingCall

Action: TypeAlias = Literal["download_link", "latest_status", "call_back_menu"]
CallOutcome: TypeAlias = Literal[
    "answered",
    "cooling",
    "spent",
    "limited",
    "repeated",
    "late",
    "outbound",
    "client",
    "not_ours",
    "hidden",
    "abroad",
    "failed",
]
SendAnswer: TypeAlias = Callable[[str, str, str], Awaitable[object]]
"""Sends an answer: MSISDN, language, idempotency key. A second call with the same key sends nothing."""

CONTACT_SOURCE: Final = "missed_call"
UNSUPPORTED_COUNTRY: Final = "abroad"
ANSWERED_CALLS_KEY: Final = "ekdial:calls:answered"
UNSUPPORTED_COUNTRY_KEY: Final = "ekdial:calls:refused"
DEADLINE: Final = 4.0  # seconds during which the caller's phone still rings

log = structlog.get_logger()


class MissedCallNumber(NamedTuple):
    """The action that answers a missed call to one of our numbers."""

    action: Action
    send_answer: SendAnswer


class UnsupportedCountryReply(NamedTuple):
    """The SMS to callers from countries that are not served, its cooldown, and its daily quota."""

    send_reply: SendAnswer
    cooldown: AnswerCooldown
    quota: DailyQuota


class MenuSender(Protocol):
    """Sends the numeric menu by SMS."""

    async def send_main_menu(self, msisdn: str, idempotency_key: str) -> None:
        """Start a conversation with this number at the main menu."""


class MissedCallHandler:
    """Handles calls to our `numbers`, which are E.164. `deadline` is in seconds."""

    def __init__(
        self,
        numbers: Mapping[str, MissedCallNumber],
        is_supported_number: Callable[[str], bool],
        contacts: Contacts,
        *,
        cooldown: AnswerCooldown,
        deduplicator: CallDeduplicator,
        quota: DailyQuota,
        try_take_sms: Callable[[str], Awaitable[bool]],
        unsupported_country_reply: UnsupportedCountryReply,
        deadline: float = DEADLINE,
        clock: UtcClock = utc_now,
    ) -> None:
        """`try_take_sms` counts an SMS to a caller, whose number can be forged; False where a limit is reached."""
        self._numbers = numbers
        self._is_supported_number = is_supported_number
        self._contacts = contacts
        self._cooldown = cooldown
        self._deduplicator = deduplicator
        self._quota = quota
        self._try_take_sms = try_take_sms
        self._unsupported_country_reply = unsupported_country_reply
        self._deadline = deadline
        self._clock = clock

    async def handle(self, call: IncomingCall) -> CallOutcome:
        """Answer the call on its first webhook; the outcome. A failure of ours is an outcome too, and nothing is raised."""
        if not await self._deduplicator.is_first(call.session_id):
            return "repeated"
        if ignored := self._reason_to_ignore(call):
            return ignored
        try:
            async with Timeout(self._deadline):
                return await self._answer(call)
        except Exception as error:  # noqa: BLE001 - after any failure the call is still rejected
            log.error("missed_call_not_answered", action=self._numbers[call.called_number].action, **error_facts(error))
            await self._deduplicator.forget(call.session_id)  # the webhook at the end of the call tries again
            return "failed"

    async def find_cooldown_end(self, call: IncomingCall) -> datetime | None:
        """When a caller whose call was `cooling` is answered again; None where that is not known."""
        number = self._numbers.get(call.called_number)
        if number is None:
            return None
        try:
            async with Timeout(self._deadline):
                return await self._cooldown.find_end(call.caller_msisdn, number.action)
        except Exception as error:  # noqa: BLE001 - the call is handled; this is told to whoever tests
            log.warning("cooldown_end_unknown", **error_facts(error))
            return None

    def _reason_to_ignore(self, call: IncomingCall) -> CallOutcome | None:
        """The outcome of a call that is not answered; None for a call that is."""
        reasons: tuple[tuple[CallOutcome, bool], ...] = (
            ("late", call.began_at is not None and self._clock() - call.began_at > MAX_CALL_AGE),
            ("outbound", not call.is_inbound),
            ("client", call.is_from_client),
            ("not_ours", call.called_number not in self._numbers),
            ("hidden", not call.caller_msisdn),
        )
        return next((outcome for outcome, applies in reasons if applies), None)

    async def _answer(self, call: IncomingCall) -> CallOutcome:
        if not self._is_supported_number(call.caller_msisdn):
            return await self._reject_unsupported_country(call)
        number = self._numbers[call.called_number]
        language = await self._contacts.record(call.caller_msisdn, CONTACT_SOURCE)
        started = await self._cooldown.begin(call.caller_msisdn, number.action)
        if started is None:
            return "cooling"
        if not await self._try_take_sms(call.caller_msisdn):
            return "limited"
        if not await self._quota.try_consume():
            return "spent"
        await number.send_answer(call.caller_msisdn, language, started.idempotency_key)
        await self._cooldown.mark_answered(started)
        return "answered"

    async def _reject_unsupported_country(self, call: IncomingCall) -> CallOutcome:
        """Reply once per cooldown and within a quota of its own; nothing else is recorded about the caller."""
        started = await self._unsupported_country_reply.cooldown.begin(call.caller_msisdn, UNSUPPORTED_COUNTRY)
        if started is None or not await self._try_take_sms(call.caller_msisdn):
            return "abroad"
        if await self._unsupported_country_reply.quota.try_consume():
            language = await self._contacts.get_language(call.caller_msisdn)
            await self._unsupported_country_reply.send_reply(call.caller_msisdn, language, started.idempotency_key)
            await self._unsupported_country_reply.cooldown.mark_answered(started)
        return "abroad"
