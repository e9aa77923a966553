"""Reads the webhooks of a provider about SMS, inbound messages and delivery reports, by the tables of a row."""

import re
from collections.abc import Sequence
from typing import Final

from core.http.provider_webhooks import BodyFormat, Fields, read_msisdn
from core.phone_numbers import is_e164
from core.timestamps import parse_timestamp
from providers.json_http.sms_answer import as_text
from providers.json_http.sms_row import Inbound, Report, SmsRow
from providers.json_http.templates import find_field
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus
from services.messaging.inbound import InboundSms
from sms.provider import KeyedHash

MAX_SENDER_LENGTH: Final = 16  # a plus and fifteen digits; an alphanumeric sender has eleven characters
MAX_NETWORK_LENGTH: Final = 8
MAX_ITEMS: Final = 1000  # Infobip sends a hundred reports in one webhook

_is_id = re.compile(r"[!-~]{1,100}").fullmatch
_is_status = re.compile(r"[A-Za-z][A-Za-z _-]{0,39}|[0-9]{1,5}", re.ASCII).fullmatch
_is_network = re.compile(rf"[0-9]{{3,{MAX_NETWORK_LENGTH}}}", re.ASCII).fullmatch


class RowSmsWebhooks:
    """Parses what one provider posts. Ids begin with its name, so that no two providers share one."""

    def __init__(self, name: str, row: SmsRow) -> None:
        self.name: Final = name
        self._inbound = row.inbound
        self._report = row.report
        self.body_format: Final[BodyFormat] = row.inbound.format if row.inbound else "json"
        self.report_format: Final[BodyFormat] = row.report.format if row.report else self.body_format

    def split_inbound(self, fields: Fields) -> Sequence[Fields]:
        """The SMS in a webhook, each with its own fields."""
        return _split(fields, self._inbound.items if self._inbound else None)

    def split_reports(self, fields: Fields) -> Sequence[Fields]:
        """The reports in a webhook, each with its own fields."""
        return _split(fields, self._report.items if self._report else None)

    def parse_inbound_sms(self, fields: Fields, keyed_hash: KeyedHash) -> InboundSms | None:
        """The SMS that a webhook describes; None without a sender or a text, or where the row has no `[sms.inbound]`."""
        table = self._inbound
        if table is None:
            return None
        given, text = _text_at(fields, table.sender), find_field(fields, table.text)
        sender = read_msisdn(given) or given
        if not isinstance(text, str) or not 0 < len(sender) <= MAX_SENDER_LENGTH:
            return None
        return InboundSms(
            provider_id=f"{self.name}/{self._find_id(table, fields, keyed_hash)}",
            msisdn=sender,
            sent_to=_text_at(fields, table.sent_to)[:MAX_SENDER_LENGTH],
            text=text,
            network=_network_at(fields, table.network),
            sent_at=parse_timestamp(_text_at(fields, table.date)),
        )

    def parse_delivery_report(self, fields: Fields) -> DeliveryReport | None:
        """The report that a webhook holds; None without an id and a status, or where the row has no `[sms.report]`."""
        table = self._report
        if table is None:
            return None
        provider_id, (status, delivery) = _text_at(fields, table.id), _read_status(table, fields)
        if not (_is_id(provider_id) and _is_status(status)):
            return None
        number = read_msisdn(_text_at(fields, table.number))
        return DeliveryReport(
            f"{self.name}/{provider_id}",
            delivery,
            status,
            reason=_word_at(fields, table.reason),
            msisdn=number if is_e164(number) else "",
            network=_network_at(fields, table.network),
        )

    def _find_id(self, table: Inbound, fields: Fields, keyed_hash: KeyedHash) -> str:
        given = _text_at(fields, table.id)
        if _is_id(given):
            return given
        identity = "\0".join(_text_at(fields, path) for path in (table.sender, table.sent_to, table.text, table.date))
        return f"without-id-{keyed_hash('sms in', identity)}"


def _read_status(table: Report, fields: Fields) -> tuple[str, DeliveryStatus]:
    """The first word that the table knows, with its status; else the first word that there is."""
    known = {word.casefold(): status for word, status in table.statuses.items()}
    words = [word for path in table.status if (word := _text_at(fields, path))]
    word = next((word for word in words if word.casefold() in known), next(iter(words), ""))
    return word, known.get(word.casefold(), DeliveryStatus.UNRECOGNIZED)


def _split(fields: Fields, path: str | None) -> Sequence[Fields]:
    items = find_field(fields, path) if path else None
    if not isinstance(items, list):
        return [fields]
    return [item for item in items[:MAX_ITEMS] if isinstance(item, dict)]


def _text_at(fields: Fields, path: str | None) -> str:
    return as_text(find_field(fields, path)) if path else ""


def _word_at(fields: Fields, path: str | None) -> str:
    found = _text_at(fields, path)
    return found if _is_status(found) else ""


def _network_at(fields: Fields, path: str | None) -> str:
    found = _text_at(fields, path)
    return found if _is_network(found) else ""
