"""Read and write the PDUs of USSD in a dialect: pure functions between what is delivered and what is submitted."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from providers.smpp.dialects import Dialect
from providers.smpp.pdus import MESSAGE_PAYLOAD, Deliver, Submit
from providers.smpp.sms import SHORT_MESSAGE_OCTETS, UDHI
from providers.smpp.text import UCS2, TextRules, UnreadableTextError, decode_part, encode_text
from ussd.dial_strings import parse_digits_past_code

USER_MESSAGE_REFERENCE: Final = 0x0204
USSD_SERVICE_OP: Final = 0x0501
ITS_SESSION_INFO: Final = 0x1383

REPORT_OR_ACKNOWLEDGEMENT: Final = 0x3C  # bits of esm_class: a delivery report, or what is no message of a person
END_BIT: Final = 0x0001
REFERENCE_BITS: Final = 0xFFFE
UCS2_OF_CELL_BROADCAST: Final = 0x48  # 3GPP TS 23.038, 5: USSD has its own table of codings

EventKind = Literal["dial", "answer", "abort", "confirm", "unknown"]


class UssdEvent(NamedTuple):
    """What a delivered PDU says about a session.

    `reference` tells the sessions of one number apart; empty where the dialect has none. `sequence` counts within the
    session where the SMSC counts; empty elsewhere.
    """

    kind: EventKind
    reference: str = ""
    sequence: str = ""


def is_ussd(deliver: Deliver) -> bool:
    """Whether a PDU is of USSD, in whatever dialect."""
    return bool(deliver.tlvs.get(USSD_SERVICE_OP)) and not deliver.esm_class & REPORT_OR_ACKNOWLEDGEMENT


def read_event(dialect: Dialect, deliver: Deliver) -> UssdEvent:
    """The event of a PDU that `is_ussd`."""
    operation = deliver.tlvs[USSD_SERVICE_OP]
    info = int.from_bytes(deliver.tlvs.get(ITS_SESSION_INFO, b"")[:2])
    has_ended = dialect.end_flag and bool(info & END_BIT)
    kind = "abort" if has_ended else _find_kind(dialect, operation[-1])
    return UssdEvent(kind, _read_reference(dialect, deliver), _read_sequence(dialect, deliver))


def _find_kind(dialect: Dialect, operation: int) -> EventKind:
    kinds: Mapping[EventKind, frozenset[int]] = {
        "dial": dialect.dials,
        "answer": dialect.answers,
        "abort": dialect.aborts,
        "confirm": dialect.confirms,
    }
    return next((kind for kind, operations in kinds.items() if operation in operations), "unknown")


def _read_reference(dialect: Dialect, deliver: Deliver) -> str:
    info = deliver.tlvs.get(ITS_SESSION_INFO, b"")[:2]
    match dialect.session:
        case "session_number":
            return info[:1].hex()
        case "session_info":
            return f"{int.from_bytes(info) & REFERENCE_BITS:04x}" if info else ""
        case "message_reference":
            return deliver.tlvs.get(USER_MESSAGE_REFERENCE, b"").hex()
        case "msisdn":
            return ""


def _read_sequence(dialect: Dialect, deliver: Deliver) -> str:
    info = deliver.tlvs.get(ITS_SESSION_INFO, b"")
    return info[1:2].hex() if dialect.session == "session_number" else ""


def read_input(deliver: Deliver, rules: TextRules) -> str:
    """What a caller typed; empty where it cannot be read.

    A text in the octets of a 7-bit alphabet ends with a carriage return where a packed one had to be filled.
    """
    coding = UCS2 if deliver.data_coding in {UCS2_OF_CELL_BROADCAST, rules.ucs2_coding} else deliver.data_coding
    has_header = bool(deliver.esm_class & UDHI)
    try:
        return decode_part(deliver.text, coding, rules, has_header=has_header).text.strip("\0\r\n ")
    except UnreadableTextError:
        return ""


def read_dialled(dialect: Dialect, deliver: Deliver, rules: TextRules) -> Sequence[str]:
    """What a caller dialled, such as `*123*2#`, as each field has it that may have it; the likeliest is the first."""
    fields = {"text": read_input(deliver, rules), "destination": deliver.destination}
    return [_complete(fields[name]) for name in dialect.dialled_in if fields[name]]


def find_dialled_digits(dialled: Sequence[str], service_codes: Sequence[str]) -> str:
    """The digits dialled past one of our codes; empty where there are none."""
    return next(filter(None, (parse_digits_past_code(one, service_codes) for one in dialled)), "")


def _complete(code: str) -> str:
    """The code as it is dialled: some networks leave out the star before it and the hash behind it."""
    return f"*{code.strip('*#')}#"


def build_submit(dialect: Dialect, deliver: Deliver, rules: TextRules, text: str, *, ends: bool) -> Submit:
    """The screen that answers what was delivered: to where it came from, with the parameters that name its session.

    A screen is never split: one that is too long for `short_message` is in `message_payload`.
    """
    encoded = encode_text(text, TextRules(rules.packed, rules.default_alphabet, rules.ucs2_coding, "payload"))
    octets = encoded.segments[0]
    tlvs = _build_session(dialect, deliver, ends=ends)
    fits = len(octets) <= SHORT_MESSAGE_OCTETS
    if not fits:
        tlvs[MESSAGE_PAYLOAD] = octets
    return Submit(
        source=deliver.destination,
        destination=deliver.source,
        text=octets if fits else b"",
        data_coding=encoded.data_coding or dialect.gsm7_coding,
        tlvs=MappingProxyType(tlvs),
        source_ton=deliver.destination_ton,
        source_npi=deliver.destination_npi,
        destination_ton=deliver.source_ton,
        destination_npi=deliver.source_npi,
        service_type=deliver.service_type,
    )


def _build_session(dialect: Dialect, deliver: Deliver, *, ends: bool) -> dict[int, bytes]:
    tlvs = {USSD_SERVICE_OP: bytes([dialect.ends if ends else dialect.goes_on])}
    if reference := deliver.tlvs.get(USER_MESSAGE_REFERENCE):
        tlvs[USER_MESSAGE_REFERENCE] = reference
    if info := deliver.tlvs.get(ITS_SESSION_INFO, b"")[:2]:
        flag = END_BIT if ends and dialect.end_flag else 0
        tlvs[ITS_SESSION_INFO] = (int.from_bytes(info) & REFERENCE_BITS | flag).to_bytes(2)
    return tlvs
