"""Delivery reports in a `deliver_sm`: by optional parameters, or by the text that SMPP 3.4 shows in its appendix B."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from core.http.provider_webhooks import read_msisdn
from providers.smpp.pdus import Deliver
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus

ReportIds = Literal["same", "hex", "decimal"]

RECEIPTED_MESSAGE_ID: Final = 0x001E
NETWORK_ERROR_CODE: Final = 0x0423
MESSAGE_STATE: Final = 0x0427
MESSAGE_TYPE: Final = 0x3C  # the bits of esm_class that tell an SMS from a report
RECEIPT: Final = 0x04
INTERMEDIATE: Final = 0x20
DELIVERED_WITHOUT_ERROR: Final = frozenset({"000", "0"})
MAX_ID: Final = 64  # SMPP 3.4 has 65 octets

STATES: Final[Mapping[int, tuple[str, DeliveryStatus]]] = {
    0: ("SCHEDLD", DeliveryStatus.SENT),
    1: ("ENROUTE", DeliveryStatus.SUBMITTED),
    2: ("DELIVRD", DeliveryStatus.DELIVERED),
    3: ("EXPIRED", DeliveryStatus.EXPIRED),
    4: ("DELETED", DeliveryStatus.FAILED),
    5: ("UNDELIV", DeliveryStatus.FAILED),
    6: ("ACCEPTD", DeliveryStatus.SUBMITTED),
    7: ("UNKNOWN", DeliveryStatus.UNRECOGNIZED),
    8: ("REJECTD", DeliveryStatus.REJECTED),
    9: ("SKIPPED", DeliveryStatus.FAILED),
}
"""`message_state` by its number: SMPP 3.4, 5.2.28, and 0 and 9 of SMPP 5.0."""
STATUSES: Final = {
    **dict(STATES.values()),
    "DELIVERED": DeliveryStatus.DELIVERED,
    "UNDELIVERABLE": DeliveryStatus.FAILED,
    "FAILED": DeliveryStatus.FAILED,
    "REJECTED": DeliveryStatus.REJECTED,
    "ACCEPTED": DeliveryStatus.SUBMITTED,
    "BUFFERED": DeliveryStatus.BUFFERED,
    "BUFFRED": DeliveryStatus.BUFFERED,
}
"""`stat` in the text; some SMSCs write the whole word."""

_find_id: Final = re.compile(r"\bid:\s*([^\s]{1,64})", re.IGNORECASE).search
_find_stat: Final = re.compile(r"\bstat:\s*([A-Za-z_]{1,16})", re.IGNORECASE).search
_find_err: Final = re.compile(r"\berr:\s*([0-9A-Za-z]{1,6})", re.IGNORECASE).search
_is_id: Final = re.compile(r"[!-~]{1,64}").fullmatch


@dataclass(frozen=True, slots=True)
class MessageIds:
    """The ids of one account's messages.

    `reports` is the form of an id in a report where the answer to the submit has the other one: `hex` means decimal in
    the answer and hexadecimal in the report.
    """

    account: str
    reports: ReportIds = "same"

    def from_answer(self, message_id: str) -> str:
        """Return our id of a message by the id in the answer to its submit."""
        base = {"same": 0, "hex": 10, "decimal": 16}[self.reports]
        return self._build(message_id, base)

    def from_report(self, message_id: str) -> str:
        """Return our id of a message by the id in a report."""
        base = {"same": 0, "hex": 16, "decimal": 10}[self.reports]
        return self._build(message_id, base)

    def _build(self, message_id: str, base: int) -> str:
        return f"smpp/{self.account}/{_as_decimal(message_id, base) if base else message_id}"


def _as_decimal(message_id: str, base: int) -> str:
    """Return the number that an id is; an id that is no number in this base as it is."""
    allowed = "0123456789abcdef"[:base]
    return str(int(message_id, base)) if set(message_id.lower()) <= set(allowed) else message_id


def is_report(deliver: Deliver) -> bool:
    """Whether this is a delivery report, and not an SMS of a person."""
    kind = deliver.esm_class & MESSAGE_TYPE
    return kind in {RECEIPT, INTERMEDIATE} or (RECEIPTED_MESSAGE_ID in deliver.tlvs and MESSAGE_STATE in deliver.tlvs)


def parse_report(deliver: Deliver, ids: MessageIds) -> DeliveryReport | None:
    """Return the report; None where it has no id or no status. An optional parameter counts more than the text."""
    text = deliver.text.decode("latin-1")
    message_id = _read_id(deliver) or _first(_find_id(text))
    word = _read_state(deliver) or _first(_find_stat(text)).upper()
    if not _is_id(message_id) or not word:
        return None
    status = STATUSES.get(word, DeliveryStatus.UNRECOGNIZED)
    return DeliveryReport(
        ids.from_report(message_id), status, word, _read_reason(deliver, text), read_msisdn(deliver.source)
    )


def _read_id(deliver: Deliver) -> str:
    return deliver.tlvs.get(RECEIPTED_MESSAGE_ID, b"").partition(b"\0")[0].decode("latin-1")


def _read_state(deliver: Deliver) -> str:
    state = deliver.tlvs.get(MESSAGE_STATE, b"")
    return STATES.get(state[0], ("RESERVED", DeliveryStatus.UNRECOGNIZED))[0] if len(state) == 1 else ""


def _read_reason(deliver: Deliver, text: str) -> str:
    """Return the network's own error: its kind and number, or the three letters of the text; empty without an error."""
    error = deliver.tlvs.get(NETWORK_ERROR_CODE, b"")
    if len(error) == 3:  # noqa: PLR2004 - the kind of network, and two octets
        return f"{error[0]}/{int.from_bytes(error[1:])}" if any(error[1:]) else ""
    code = _first(_find_err(text))
    return "" if code in DELIVERED_WITHOUT_ERROR else code


def _first(match: re.Match[str] | None) -> str:
    return match[1] if match else ""
