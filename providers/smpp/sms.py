"""SMS out: a message as one `submit_sm` or several, and what the answers mean."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from core.phone_numbers import is_e164
from providers.smpp import statuses
from providers.smpp.alphabets import IDENTIFIERS, Tables
from providers.smpp.link import AnswerLostError, LinkDownError, LinkSuspendedError, SmppLink, Submit, SubmitResult
from providers.smpp.pdus import MESSAGE_PAYLOAD
from providers.smpp.receipts import MessageIds
from providers.smpp.settings import BindSettings
from providers.smpp.statuses import outcome_from_status
from providers.smpp.text import EncodedText, TextRules, encode_text
from services.messaging.kinds import RULES
from services.messaging.models import DltIds, OutgoingMessage
from services.messaging.outcomes import Accepted, Rejected, Retry, SendOutcome, Suspended, Unknown

UDHI: Final = 0x40
DLT_ENTITY: Final = 0x1400
DLT_TEMPLATE: Final = 0x1401
SAR_REFERENCE: Final = 0x020C
SAR_TOTAL: Final = 0x020E
SAR_NUMBER: Final = 0x020F
SHORT_MESSAGE_OCTETS: Final = 254

SHORT_CODE_DIGITS: Final = 8
TON_INTERNATIONAL, TON_NETWORK, TON_ALPHANUMERIC = 1, 3, 5
NPI_UNKNOWN, NPI_E164 = 0, 1

REST_TIMEOUT: Final = 60.0  # seconds for the later segments of a message whose first one was accepted
REST_RETRY_DELAY: Final = 0.5  # seconds between attempts to submit a later segment


class SmppSms:
    """Sends SMS on one bind."""

    name: Final = "smpp"

    def __init__(self, link: SmppLink, *, random_reference: Callable[[], int] = lambda: secrets.randbelow(256)) -> None:
        bind = link.bind
        self._link = link
        self._bind = bind
        self._rules = build_text_rules(bind)
        self._ids = MessageIds(bind.account or link.name, bind.report_ids)
        self._random_reference = random_reference
        self.send_deadline = 2 * bind.response_timeout + REST_TIMEOUT
        self.receives_replies = bind.receives_replies

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        """Submit every segment. Errors of the connection and of the SMSC are outcomes; nothing is raised.

        The id is that of the last segment, for which alone a delivery report is asked.
        """
        if not is_e164(message.to):
            return Rejected("InvalidPhoneNumber")
        try:
            first, *rest = build_submits(message, self._bind, self._rules, self._reference(message))
        except ValueError:
            return Rejected("TooLong")
        answer = await self._submit(first)
        if not isinstance(answer, SubmitResult):
            return answer
        for submit in rest:
            answer = await self._submit_rest(submit)
            if not isinstance(answer, SubmitResult):
                return Unknown("PartlySent")
        return Accepted(self._ids.from_answer(answer.message_id)) if answer.message_id else Unknown("NoMessageId")

    async def _submit(self, submit: Submit) -> SubmitResult | SendOutcome:
        """Submit one segment; return the answer where it was accepted, and else what became of it."""
        try:
            result = await self._link.submit(submit)
        except LinkSuspendedError:
            return Suspended("BindRefused")
        except LinkDownError:
            return Retry("NotBound", pauses_all=True)
        except AnswerLostError:
            return Unknown("NoAnswer")
        if result.status in self._bind.template_refusals:
            return Suspended(f"TemplateRefused{result.status:X}", template_only=True)
        return outcome_from_status(result.status) if result.status != statuses.ROK else result

    async def _submit_rest(self, submit: Submit) -> SubmitResult | SendOutcome:
        """Submit a later segment, again where it was certainly not sent, so that the message is not left half sent."""
        loop = asyncio.get_running_loop()
        until = loop.time() + REST_TIMEOUT
        outcome = await self._submit(submit)
        while isinstance(outcome, Retry) and loop.time() < until:
            await asyncio.sleep(REST_RETRY_DELAY)
            outcome = await self._submit(submit)
        return outcome

    def _reference(self, message: OutgoingMessage) -> int:
        """Return the number that joins the segments: that of the message, which no other of this hour has."""
        digits = "".join(filter(str.isdecimal, message.reference))
        return int(digits) % 256 if digits else self._random_reference()


def build_text_rules(bind: BindSettings) -> TextRules:
    """Return how texts are written and read on a bind."""
    numbers = [IDENTIFIERS[language] for language in bind.shift_tables]
    tables = {
        "single": [Tables(single=number) for number in numbers],
        "locking": [Tables(locking=number) for number in numbers],
        "both": [Tables(number, number) for number in numbers],
    }
    return TextRules(
        packed=bind.gsm7 == "packed",
        default_alphabet=bind.default_alphabet,
        ucs2_coding=bind.ucs2_coding,
        long_form=bind.long_messages,
        tables=tables[bind.shift],
    )


def build_submits(message: OutgoingMessage, bind: BindSettings, rules: TextRules, reference: int) -> Sequence[Submit]:
    """Return a message as the PDUs that are submitted; a report is asked for the last one.

    Raises:
        ValueError: the text is too long.
    """
    encoded = encode_text(message.text, rules, reference)
    last = len(encoded.segments)
    return [
        _build_submit(message, bind, encoded, number, reference, wants_report=bind.reports and number == last)
        for number in range(1, last + 1)
    ]


def _build_submit(
    message: OutgoingMessage,
    bind: BindSettings,
    encoded: EncodedText,
    number: int,
    reference: int,
    *,
    wants_report: bool,
) -> Submit:
    sender = message.sender or bind.sender
    octets = encoded.segments[number - 1]
    tlvs = _build_dlt(message.dlt, ends_with_zero=bind.vendor_zero)
    if bind.long_messages == "sar" and len(encoded.segments) > 1:
        tlvs |= _build_sar(reference, len(encoded.segments), number)
    fits = len(octets) <= SHORT_MESSAGE_OCTETS
    if not fits:
        tlvs[MESSAGE_PAYLOAD] = octets
    ton, npi = find_sender_type(sender)
    return Submit(
        source=sender.removeprefix("+"),
        destination=message.to if bind.destination_plus else message.to.removeprefix("+"),
        text=octets if fits else b"",
        data_coding=encoded.data_coding,
        esm_class=UDHI if encoded.has_header else 0,
        tlvs=MappingProxyType(tlvs),
        source_ton=ton if bind.source_ton is None else bind.source_ton,
        source_npi=npi if bind.source_npi is None else bind.source_npi,
        destination_ton=bind.destination_ton,
        destination_npi=bind.destination_npi,
        service_type=bind.service_type,
        registered_delivery=1 if wants_report else 0,
        validity_period=format_validity(RULES[message.kind].ttl) if bind.validity else "",
    )


def find_sender_type(sender: str) -> tuple[int, int]:
    """Return TON and NPI of a sender: a short code, an international number, or a name."""
    digits = sender.removeprefix("+")
    if not digits:
        return 0, 0
    if not (digits.isascii() and digits.isdecimal()):
        return TON_ALPHANUMERIC, NPI_UNKNOWN
    is_short = digits == sender and len(digits) <= SHORT_CODE_DIGITS
    return (TON_NETWORK, NPI_UNKNOWN) if is_short else (TON_INTERNATIONAL, NPI_E164)


def format_validity(period: timedelta) -> str:
    """Return a period as SMPP 3.4, 7.1.1, writes one that begins when the SMSC has the message."""
    minutes, seconds = divmod(int(period.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}{seconds:02}000R"


def _build_dlt(dlt: DltIds | None, *, ends_with_zero: bool) -> dict[int, bytes]:
    ids: Mapping[int, str] = {DLT_ENTITY: dlt.entity, DLT_TEMPLATE: dlt.template} if dlt else {}
    end = b"\0" if ends_with_zero else b""
    return {tag: value.encode("ascii") + end for tag, value in ids.items() if value}


def _build_sar(reference: int, total: int, number: int) -> dict[int, bytes]:
    return {SAR_REFERENCE: reference.to_bytes(2), SAR_TOTAL: bytes([total]), SAR_NUMBER: bytes([number])}
