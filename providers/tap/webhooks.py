"""hSenid TAP: webhooks about SMS: inbound messages and delivery reports.

A report names no application, so ids of messages are taken to be unique at all platforms together. Its time, of ten digits or
of fourteen, is not used: reports are ranked by their status.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

import structlog

from core.http.provider_webhooks import BodyFormat, Fields, WebhookReply, read_msisdn
from providers.tap.applications import (
    ACKNOWLEDGEMENT,
    ADDRESS_SCHEME,
    UNKNOWN_APPLICATION,
    Applications,
    name_hidden_caller,
    read_text,
)
from providers.tap.sms import ID_PREFIX, build_id
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus
from services.messaging.inbound import InboundSms
from sms.provider import KeyedHash

log = structlog.get_logger()

BINARY_ENCODING: Final = "245"
MAX_TEXT: Final = 255 * 153  # characters of the longest SMS
MAX_SENDER: Final = 16

DELIVERY_STATUSES: Final[Mapping[str, DeliveryStatus]] = {
    "DELIVERED": DeliveryStatus.DELIVERED,
    "EXPIRED": DeliveryStatus.EXPIRED,
    "DELETED": DeliveryStatus.FAILED,
    "UNDELIVERABLE": DeliveryStatus.FAILED,
    "ACCEPTED": DeliveryStatus.SUBMITTED,
    "UNKNOWN": DeliveryStatus.UNRECOGNIZED,
    "REJECTED": DeliveryStatus.REJECTED,
    "DELIVRD": DeliveryStatus.DELIVERED,
    "UNDELIV": DeliveryStatus.FAILED,
    "ACCEPTD": DeliveryStatus.SUBMITTED,
    "REJECTD": DeliveryStatus.REJECTED,
}
"""Statuses in the platform's spelling and in that of SMPP, which some gateways behind it pass on."""

_is_status: Final = re.compile(r"[A-Za-z]{1,40}").fullmatch


class TapSmsWebhooks:
    """Parses the two kinds of webhooks about SMS."""

    name: Final = "tap"
    body_format: Final[BodyFormat] = "json"

    def __init__(self, applications: Applications, *, short_code: str) -> None:
        """`short_code` is the number that takes SMS where an application has no sender of its own."""
        self._applications = applications
        self._short_code = short_code

    def parse_inbound_sms(self, fields: Fields, keyed_hash: KeyedHash) -> InboundSms | None:
        """The SMS that a webhook describes; None for an unknown application, or without a sender or a text."""
        application = self._applications.find_by_fields(fields)
        if application is None:
            log.warning("tap_application_unknown", problem=UNKNOWN_APPLICATION)
            return None
        address, text = read_text(fields, "sourceAddress"), _read_message(fields)
        if not address or text is None:
            return None
        sender = address.removeprefix(ADDRESS_SCHEME)
        msisdn = read_msisdn(sender)
        is_machine = not msisdn and len(sender) <= MAX_SENDER
        hidden_as = "" if msisdn or is_machine else name_hidden_caller(application, address)
        if not (msisdn or is_machine or hidden_as):
            return None
        return InboundSms(
            provider_id=build_id(read_text(fields, "requestId")) or _build_missing_id(fields, keyed_hash),
            msisdn=msisdn or ("" if hidden_as else sender),
            sent_to=application.sender or self._short_code,
            text=strip_keyword(text, application.keyword),
            network=application.dialect.network,
            hidden_as=hidden_as,
        )

    def parse_delivery_report(self, fields: Fields) -> DeliveryReport | None:
        """The report that a webhook holds; None without an id and a status that is one word."""
        provider_id, word = build_id(read_text(fields, "requestId")), read_text(fields, "deliveryStatus")
        if not provider_id or not _is_status(word):
            return None
        msisdn = read_msisdn(read_text(fields, "destinationAddress").removeprefix(ADDRESS_SCHEME))
        status = DELIVERY_STATUSES.get(word.upper(), DeliveryStatus.UNRECOGNIZED)
        return DeliveryReport(provider_id, status, word, msisdn=msisdn)

    def render_acknowledgement(self) -> WebhookReply:
        """The response to every webhook that needs no repeat."""
        return WebhookReply(json.dumps(ACKNOWLEDGEMENT), content_type="application/json")


def strip_keyword(text: str, keyword: str) -> str:
    """The text without the word that routed it to the application; the text of a plain number is left as it is."""
    first, _, rest = text.strip().partition(" ")
    return rest.strip() if keyword and first.casefold() == keyword.casefold() else text


def _read_message(fields: Fields) -> str | None:
    """The text of an SMS; None where there is none, or where hexadecimal octets are no UTF-16."""
    message = fields.get("message")
    if not isinstance(message, str) or len(message) > MAX_TEXT:
        return None
    if read_text(fields, "encoding") != BINARY_ENCODING:
        return message
    try:
        return bytes.fromhex(message).decode("utf-16-be")
    except ValueError:
        return None


def _build_missing_id(fields: Fields, keyed_hash: KeyedHash) -> str:
    names = ("applicationId", "sourceAddress", "message")
    return f"{ID_PREFIX}without-id-{keyed_hash('sms in', chr(0).join(str(fields.get(name, '')) for name in names))}"
