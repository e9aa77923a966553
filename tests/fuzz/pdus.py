"""PDUs that no SMSC would send: cut, garbled, repeated, of impossible lengths, as a session of a bind gets them."""

import asyncio
import struct
from collections.abc import Sequence
from random import Random

from smpp34 import DeliverSm, Tlv

from core.logging import LogThrottle
from providers.smpp import pdus
from providers.smpp.pdus import Deliver
from providers.smpp.receipts import MessageIds, is_report, parse_report
from providers.smpp.session import Session
from providers.smpp.sms import build_text_rules
from providers.smpp.sms_inbound import read_part
from providers.smpp.text import UnreadableTextError, decode_part, join_texts
from tests.support.smpp import build_bind

RECEIPT = b"id:0123456789 sub:001 dlvrd:001 submit date:2611301200 done date:2611301201 stat:DELIVRD err:000 text:Hi"
SEEDS: Sequence[bytes] = (
    DeliverSm("8801711000001", "333", b"MENU", source_addr_ton=1, sequence_number=1).encode(),
    DeliverSm("8801711000001", "333", b"\x05\x00\x03\x07\x02\x01" + b"x" * 140, esm_class=0x40).encode(),
    DeliverSm("8801711000001", "333", b"\x06\x24\x01\x04\x25\x01\x04\x15", esm_class=0x40).encode(),
    DeliverSm("8801711000001", "333", "আবেদন".encode("utf-16-be"), data_coding=8).encode(),
    DeliverSm("8801711000001", "333", RECEIPT, esm_class=4, tlvs=[Tlv(0x1E, b"m1\0"), Tlv(0x427, b"\x02")]).encode(),
    DeliverSm("880", "333", b"", tlvs=[Tlv(0x424, b"long " * 90), Tlv(0x20C, b"\0\1"), Tlv(0x20E, b"\3"), Tlv(0x20F, b"\1")]).encode(),
    pdus.encode_pdu(pdus.DATA_SM, 3, body=b"\0\x01\x018801711000001\0\x00\x01333\0\x40\x01\x08\x04\x24\x00\x02\x09\x95"),
    pdus.encode_pdu(pdus.ENQUIRE_LINK, 4),
    pdus.encode_pdu(pdus.UNBIND, 5),
    pdus.encode_pdu(pdus.ALERT_NOTIFICATION, 6, body=b"\x01\x01880\0\x00\x00333\0"),
    pdus.encode_pdu(pdus.SUBMIT_SM | pdus.RESPONSE, 7, body=b"m1\0"),
    pdus.encode_pdu(pdus.BIND_TRANSCEIVER | pdus.RESPONSE, 1, body=b"SMSC\0"),
    pdus.encode_pdu(pdus.GENERIC_NACK, 8, status=3),
)  # fmt: skip
RULES = [build_text_rules(build_bind(1, gsm7=form, shift_tables=("bn", "hi"))) for form in ("unpacked", "packed")]
LOG_THROTTLE = LogThrottle(lines=1)
IDS = MessageIds("robi", "hex")


def random_pdus(random: Random) -> bytes:
    """A stream of PDUs, of which some are changed, some with a length that is right again, and the last may be cut."""
    stream = b"".join(_change(random.choice(SEEDS), random) for _ in range(random.choice((1, 1, 1, 2, 4))))
    return stream[: random.randint(0, len(stream))] if random.random() < 0.2 else stream


def _change(octets: bytes, random: Random) -> bytes:
    changed = bytearray(octets)
    for _ in range(random.choice((0, 1, 1, 2, 5, 20))):
        at = random.randrange(len(changed) + 1)
        changed[at : at + random.choice((0, 1, 1, 1, 3, 30))] = random.randbytes(random.choice((0, 1, 1, 1, 2, 40)))
    if random.random() < 0.8 and len(changed) >= pdus.HEADER_OCTETS:
        struct.pack_into(">I", changed, 0, len(changed))
    return bytes(changed)


class _Writer:
    """A connection of which nobody reads the other end; each answer must be a PDU."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.transport = self

    def write(self, octets: bytes) -> None:
        assert len(octets) == struct.unpack_from(">I", octets)[0]
        self.answers.append(octets)

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        pass


async def check_pdus(octets: bytes) -> object:
    """A session reads the octets to their end, answers with PDUs, and raises nothing; so does what reads a delivery."""
    writer, failures = _Writer(), []
    reader = asyncio.StreamReader()
    reader.feed_data(octets)
    reader.feed_eof()

    async def take(deliver: Deliver) -> int:
        try:
            _read(deliver)
        except Exception as error:  # noqa: BLE001 - the session would hide it
            failures.append(error)
        return 0

    session = Session(
        reader,
        writer,
        name="robi",
        on_deliver=take,
        window=1,
        response_timeout=60,
        enquire_link=60,
        log_throttle=LOG_THROTTLE,
    )
    reason = await session.run()
    await session._deliveries.finish(5)
    if failures:
        raise failures[0]
    return reason, tuple(sorted({pdus.name_command(struct.unpack_from(">I", one, 4)[0]) for one in writer.answers}))


def _read(deliver: Deliver) -> None:
    if is_report(deliver):
        parse_report(deliver, IDS)
        return
    for rules in RULES:
        try:
            decoded = decode_part(deliver.text, deliver.data_coding, rules, has_header=bool(deliver.esm_class & 0x40))
        except UnreadableTextError:
            continue
        part = read_part(deliver, decoded)
        assert 1 <= part.number <= part.total <= 255
        join_texts([part.text]).encode()
