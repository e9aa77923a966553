"""Africa's Talking: webhooks about SMS: inbound messages, delivery reports, opt-outs.

Fields are as captured; see docs/providers/africastalking.md. `linkId`, `networkCode` and `date` may be missing or empty.
This module does not load the provider's SDK.
"""

import re
from collections.abc import Mapping
from typing import Final

from core.http.provider_webhooks import BodyFormat, Fields, read_msisdn
from core.phone_numbers import is_e164
from core.timestamps import parse_timestamp
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus
from services.messaging.inbound import InboundSms
from sms.provider import KeyedHash

DELIVERY_STATUSES: Mapping[str, DeliveryStatus] = {
    "Sent": DeliveryStatus.SENT,
    "Submitted": DeliveryStatus.SUBMITTED,
    "Buffered": DeliveryStatus.BUFFERED,
    "AbsentSubscriber": DeliveryStatus.ABSENT,
    "Expired": DeliveryStatus.EXPIRED,
    "Success": DeliveryStatus.DELIVERED,
    "Failed": DeliveryStatus.FAILED,
    "Rejected": DeliveryStatus.REJECTED,
}
"""Delivery statuses by a report's `status`."""

NO_ID: Final = "None"
MAX_ID_LENGTH: Final = 128
MAX_WORD_LENGTH: Final = 40
MAX_NETWORK_LENGTH: Final = 8
MAX_SENDER_LENGTH: Final = 16  # a plus and fifteen digits; an alphanumeric sender has eleven characters

_is_provider_id = re.compile(rf"[!-~]{{1,{MAX_ID_LENGTH}}}").fullmatch


class AfricasTalkingSmsWebhooks:
    """Parses the three kinds of webhooks about SMS."""

    name: Final = "africastalking"
    body_format: Final[BodyFormat] = "form"

    def parse_inbound_sms(self, fields: Fields, keyed_hash: KeyedHash) -> InboundSms | None:
        """The SMS that a form describes; None where the sender or the text is missing."""
        return parse_inbound_sms(fields, keyed_hash)

    def parse_delivery_report(self, fields: Fields) -> DeliveryReport | None:
        """The report that a form holds; None without an id and a status that is one word."""
        return parse_delivery_report(fields)

    def parse_opt_out(self, fields: Fields) -> str | None:
        """The number that opts out; None where it is missing or malformed."""
        return parse_opt_out(fields)


def parse_inbound_sms(form: Mapping[str, str], keyed_hash: KeyedHash) -> InboundSms | None:
    """The SMS that a form describes; None where the sender or the text is missing.

    A missing or malformed id is replaced by a hash of the form, so that a repeat has the same id.
    """
    number = _read_sender(form.get("from", ""))
    if not number or "text" not in form:
        return None
    return InboundSms(
        provider_id=_build_provider_id(form, number, keyed_hash),
        msisdn=number,
        sent_to=_clean_short_text(form.get("to", "")),
        text=form["text"],
        link_id=form["linkId"] if _is_provider_id(form.get("linkId", "")) else "",
        network=_clean_short_text(form.get("networkCode", "")),
        sent_at=parse_timestamp(
            form.get("date", "")
        ),  # `2017-05-03T06:04:45Z`, `2017-05-03 06:04:45` (UTC), milliseconds
    )


def _read_sender(sender: str) -> str:
    """The MSISDN of the sender, else its short code or its name."""
    if msisdn := read_msisdn(sender):
        return msisdn
    # A sender that is too long for a number is cut, and without its plus is not mistaken for another number.
    return _clean_short_text(sender) if len(sender) <= MAX_SENDER_LENGTH else _clean_short_text(sender.lstrip("+ "))


def _clean_short_text(text: str) -> str:
    """The text as any database can store it in a short column."""
    return "".join(filter(str.isprintable, text)).strip()[:MAX_SENDER_LENGTH].strip()


def _build_provider_id(form: Mapping[str, str], sender: str, keyed_hash: KeyedHash) -> str:
    given = form.get("id", "")
    if _is_provider_id(given):
        return given
    identity = "\0".join((given, sender, *(form.get(field, "") for field in ("to", "date", "text"))))
    return f"without-id-{keyed_hash('sms in', identity)}"


def parse_delivery_report(form: Mapping[str, str]) -> DeliveryReport | None:
    """The report that a form holds; None without an id and a status of one word. Reports carry no time."""
    provider_id, word, reason = form.get("id", ""), form.get("status", ""), form.get("failureReason", "")
    if not (is_message_id(provider_id) and is_word(word)):
        return None
    number, network = read_msisdn(form.get("phoneNumber", "")), form.get("networkCode", "")
    return DeliveryReport(
        provider_id,
        DELIVERY_STATUSES.get(word, DeliveryStatus.UNRECOGNIZED),
        word,
        reason=reason if is_word(reason) else "",
        msisdn=number if is_e164(number) else "",
        network=network if is_network_code(network) else "",
    )


def parse_opt_out(form: Mapping[str, str]) -> str | None:
    """The number that opts out; None where it is missing or malformed. The sender is ignored: we have one."""
    number = read_msisdn(form.get("phoneNumber", ""))
    return number if is_e164(number) else None


def is_network_code(text: str) -> bool:
    """Whether this is a network code, such as 63902: the codes of country and network, joined."""
    return len(text) <= MAX_NETWORK_LENGTH and text.isascii() and text.isdigit()


def is_word(text: str) -> bool:
    """Whether this is one word such as `DeliveryFailure`, which is safe to log, and no sentence or number."""
    return len(text) <= MAX_WORD_LENGTH and text.isascii() and text.isalpha()


def is_message_id(text: str) -> bool:
    """Whether this is a message id: opaque printable text, and not the text `None`."""
    return text != NO_ID and 0 < len(text) <= MAX_ID_LENGTH and text.isascii() and text.isprintable()
