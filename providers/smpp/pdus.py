"""SMPP 3.4 on the wire: split a stream into PDUs, read what comes, write what goes.

The bodies of `submit_sm` and `deliver_sm`, with their optional parameters, are read and written by the codec of the package
`smpp34`. What is left is a header of 16 octets and C-strings.
"""

import math
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from smpp34 import DeliverSm, SmppError, SubmitSm, Tlv, decode

MAX_PDU: Final = 70_000  # octets: message_payload holds 64 KiB at most
MAX_SEQUENCE: Final = 0x7FFFFFFF
RESPONSE: Final = 0x80000000  # the bit that makes a command the response to it

GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER: Final = 0x01
BIND_TRANSMITTER: Final = 0x02
SUBMIT_SM: Final = 0x04
DELIVER_SM: Final = 0x05
UNBIND: Final = 0x06
BIND_TRANSCEIVER: Final = 0x09
ENQUIRE_LINK: Final = 0x15
ALERT_NOTIFICATION: Final = 0x102
DATA_SM: Final = 0x103

COMMAND_NAMES: Final[Mapping[int, str]] = {
    GENERIC_NACK: "generic_nack",
    BIND_RECEIVER: "bind_receiver",
    BIND_TRANSMITTER: "bind_transmitter",
    0x03: "query_sm",
    SUBMIT_SM: "submit_sm",
    DELIVER_SM: "deliver_sm",
    UNBIND: "unbind",
    0x07: "replace_sm",
    0x08: "cancel_sm",
    BIND_TRANSCEIVER: "bind_transceiver",
    0x0B: "outbind",
    ENQUIRE_LINK: "enquire_link",
    0x21: "submit_multi",
    ALERT_NOTIFICATION: "alert_notification",
    DATA_SM: "data_sm",
}
MESSAGE_PAYLOAD: Final = 0x0424
INTERFACE_VERSION: Final = 0x34

_HEADER: Final = struct.Struct(">IIII")
HEADER_OCTETS: Final = _HEADER.size
_DELIVER_SM_DEFAULTS: Final = (
    b"\x00\x00\x00\x00"  # protocol, priority, and two empty times, which data_sm does not have
)


class PduError(Exception):
    """Octets that are not a PDU of SMPP 3.4; the text has no value of theirs."""


class Pdu(NamedTuple):
    """One PDU with its header read."""

    command: int
    status: int
    sequence: int
    octets: bytes

    @property
    def is_response(self) -> bool:
        """Whether it answers a request of ours."""
        return bool(self.command & RESPONSE)

    @property
    def body(self) -> bytes:
        """What follows the header."""
        return self.octets[HEADER_OCTETS:]


@dataclass(frozen=True, slots=True)
class Deliver:
    """What an SMSC delivers: an SMS, a delivery report, or a key press of USSD.

    `text` is `short_message`, or `message_payload` where that is given. `tlvs` are the optional parameters by tag.
    `bound_for` is the time in seconds since its connection was bound.
    `arrived_at` is when it was read, in seconds of `time.monotonic`. `can_answer` says whether its connection is still there.
    """

    source: str = field(repr=False)
    destination: str
    text: bytes = field(repr=False)
    data_coding: int = 0
    esm_class: int = 0
    tlvs: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    source_ton: int = 0
    source_npi: int = 0
    destination_ton: int = 0
    destination_npi: int = 0
    service_type: str = ""
    protocol_id: int = 0
    bound_for: float = math.inf
    arrived_at: float = field(default_factory=time.monotonic, compare=False)
    can_answer: Callable[[], bool] = field(default=lambda: True, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Submit:
    """What is submitted to an SMSC, field by field. `tlvs` are the optional parameters by tag, in this order."""

    source: str
    destination: str = field(repr=False)
    text: bytes = field(repr=False)
    data_coding: int = 0
    esm_class: int = 0
    tlvs: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    source_ton: int = 0
    source_npi: int = 0
    destination_ton: int = 0
    destination_npi: int = 0
    service_type: str = ""
    protocol_id: int = 0
    registered_delivery: int = 0
    validity_period: str = ""

    def encode(self, sequence: int) -> bytes:
        """Return the `submit_sm` with this sequence number.

        Raises:
            ValueError: `text` has more than 254 octets; more go into the optional parameter `message_payload`.
        """
        return SubmitSm(
            self.source,
            self.destination,
            self.text,
            service_type=self.service_type,
            source_addr_ton=self.source_ton,
            source_addr_npi=self.source_npi,
            dest_addr_ton=self.destination_ton,
            dest_addr_npi=self.destination_npi,
            esm_class=self.esm_class,
            protocol_id=self.protocol_id,
            validity_period=self.validity_period,
            registered_delivery=self.registered_delivery,
            data_coding=self.data_coding,
            tlvs=[Tlv(tag, value) for tag, value in self.tlvs.items()],
            sequence_number=sequence,
        ).encode()


class PduStream:
    """Splits the octets that arrive into PDUs."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, octets: bytes) -> Iterable[Pdu]:
        """Yield the PDUs that are complete.

        Raises:
            PduError: a length is impossible, so that nobody knows where the next PDU begins.
        """
        buffer, start = self._rest + octets if self._rest else octets, 0
        while len(buffer) - start >= HEADER_OCTETS:
            length, command, status, sequence = _HEADER.unpack_from(buffer, start)
            if not HEADER_OCTETS <= length <= MAX_PDU:
                raise PduError("A PDU has an impossible length.")
            if len(buffer) - start < length:
                break
            yield Pdu(command, status, sequence, buffer[start : start + length])
            start += length
        self._rest = buffer[start:]


def name_command(command: int) -> str:
    """Return the name of a command, for logs."""
    if command in COMMAND_NAMES:
        return COMMAND_NAMES[command]
    request = command & ~RESPONSE
    return f"{COMMAND_NAMES[request]}_resp" if request in COMMAND_NAMES else "unknown"


def encode_pdu(command: int, sequence: int, *, status: int = 0, body: bytes = b"") -> bytes:
    """Return a PDU with a body that is encoded already."""
    return _HEADER.pack(HEADER_OCTETS + len(body), command, status, sequence) + body


def encode_bind(command: int, sequence: int, *, system_id: str, password: str, system_type: str) -> bytes:
    """Return one of the three requests to bind. The range of addresses is the SMSC's own."""
    names = b"".join(text.encode() + b"\0" for text in (system_id, password, system_type))
    return encode_pdu(command, sequence, body=names + bytes([INTERFACE_VERSION, 0, 0]) + b"\0")


def read_deliver(pdu: Pdu, bound_for: float = math.inf, can_answer: Callable[[], bool] = lambda: True) -> Deliver:
    """Return what a `deliver_sm` or a `data_sm` delivers, so many seconds after the bind.

    Raises:
        PduError: its body is not one of these.
    """
    octets = _as_deliver_sm(pdu) if pdu.command == DATA_SM else pdu.octets
    try:
        read = decode(octets)
    except (SmppError, ValueError) as error:
        raise PduError("The body of a PDU cannot be read.") from error
    if not isinstance(read, DeliverSm):
        raise PduError("The body of a PDU cannot be read.")
    tlvs = {one.tag: one.value for one in read.tlvs}
    return Deliver(
        source=read.source_addr,
        destination=read.destination_addr,
        text=read.short_message or tlvs.get(MESSAGE_PAYLOAD, b""),
        data_coding=read.data_coding,
        esm_class=read.esm_class,
        tlvs=MappingProxyType(tlvs),
        source_ton=read.source_addr_ton,
        source_npi=read.source_addr_npi,
        destination_ton=read.dest_addr_ton,
        destination_npi=read.dest_addr_npi,
        service_type=read.service_type,
        protocol_id=read.protocol_id,
        bound_for=bound_for,
        can_answer=can_answer,
    )


def read_message_id(pdu: Pdu) -> str:
    """Return the id in the answer to a `submit_sm`; empty where it has none, or one that is not a word of ASCII."""
    text, _, _ = pdu.body.partition(b"\0")
    word = text.decode("ascii", "replace")
    return word if word.isascii() and word.isprintable() and " " not in word else ""


def _as_deliver_sm(pdu: Pdu) -> bytes:
    """Return a `data_sm` as the `deliver_sm` with the same fields and optional parameters.

    Raises:
        PduError: it is cut off.
    """
    body = pdu.body
    try:
        addresses = body.index(0) + 1
        source = body.index(0, addresses + 2) + 1
        destination = body.index(0, source + 2) + 1
        esm_class, registered, coding = body[destination : destination + 3]
    except ValueError as error:
        raise PduError("A data_sm is cut off.") from error
    middle = bytes([esm_class]) + _DELIVER_SM_DEFAULTS + bytes([registered, 0, coding, 0, 0])
    return encode_pdu(DELIVER_SM, pdu.sequence, body=body[:destination] + middle + body[destination + 3 :])
