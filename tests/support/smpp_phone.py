"""A phone on the network of an operator whose SMSC a bind of ours is bound to. It dials and types, and reads the screens.

The dialects are written down here once more, octet by octet, and not taken from the program.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from aiohttp import web
from smpp34 import SubmitSm

from app.smpp import open_bind
from config.settings import Settings
from core.gsm7 import BASIC_CHARACTERS
from db.leases import LeaseTimes
from tests.fakes.smsc import PASSWORD, SYSTEM_ID, Smsc
from tests.support.phone import MSISDN, PUBLIC_SETTINGS
from tests.support.startup_cache import equal_inputs_read_once

OP, INFO, REFERENCE, PAYLOAD = 0x0501, 0x1383, 0x0204, 0x0424
SEPTETS: Final = f"{BASIC_CHARACTERS[:0x1B]}\x1b{BASIC_CHARACTERS[0x1B:]}"
EXTENSIONS: Final = dict(zip(b"\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65", "\f^{}\\[~]|€", strict=True))
MAX_SCREEN_OCTETS: Final = 182
SHORT_CODE: Final = "123"
BIND: Final = "operator"
FAST: Final = LeaseTimes(ttl=1.2, margin=0.4, renew_interval=0.1, poll_interval=0.05)
DEADLINE: Final = 20.0  # seconds for a screen or an SMS


@dataclass(frozen=True)
class Wire:
    """How one network writes and reads USSD."""

    dial: int = 1
    answer: int = 18
    abort: int | None = None
    go_on: int = 2
    end: int = 17
    counts: bool = False
    code_in_destination: bool = False

    def name_session(self, number: int, sequence: int) -> dict[int, bytes]:
        """The parameters that name a session; none where the number of the phone does."""
        return {}

    def read_end(self, tlvs: Mapping[int, bytes]) -> bool:
        """Whether a screen is the last one."""
        assert tlvs[OP][0] in {self.go_on, self.end}
        return tlvs[OP][0] == self.end


class StandardWire(Wire):
    """The first octet is the session, seven bits count, the last bit ends."""

    def name_session(self, number: int, sequence: int) -> dict[int, bytes]:
        return {INFO: bytes([number % 256, sequence % 128 << 1])}

    def read_end(self, tlvs: Mapping[int, bytes]) -> bool:
        ends = super().read_end(tlvs)
        assert bool(tlvs[INFO][1] & 1) == ends
        return ends


class SixdeeWire(StandardWire):
    """Fifteen bits are the session, the last bit ends."""

    def name_session(self, number: int, sequence: int) -> dict[int, bytes]:
        return {INFO: (number % 0x8000 << 1).to_bytes(2)}


class MicaWire(Wire):
    """The session is the reference of the message."""

    def name_session(self, number: int, sequence: int) -> dict[int, bytes]:
        return {REFERENCE: (number % 0x10000).to_bytes(2)}


WIRES: Final[Mapping[str, Wire]] = {
    "standard": StandardWire(counts=True),
    "mica": MicaWire(abort=0x81),
    "sixdee": SixdeeWire(abort=0x81, code_in_destination=True),
    "huawei": Wire(),
    "vendor32": Wire(end=32),
}


class Network(Protocol):
    """What delivers to us and has what we submit: `tests.fakes.smsc.Smsc`, or an SMSC of other people."""

    async def deliver(self, source: str, text: bytes, *, tlvs: Mapping[int, bytes], **fields: int | str) -> int:
        """Deliver, and return the status of the answer."""

    def list_submitted(self) -> Sequence[SubmitSm]:
        """What was submitted, oldest first."""

    async def wait_for_change(self) -> None:
        """Return when something may have been submitted."""


class StrictNetwork:
    """The network of the strict SMSC of the tests."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc

    async def deliver(self, source: str, text: bytes, *, tlvs: Mapping[int, bytes], **fields: int | str) -> int:
        await self._smsc.wait_for(lambda: any(esme.mode in {"receiver", "transceiver"} for esme in self._smsc.esmes))
        return await self._smsc.deliver(source, text, tlvs=tlvs, **fields)

    def list_submitted(self) -> Sequence[SubmitSm]:
        return [one.pdu for one in self._smsc.submitted if one.message_id]

    async def wait_for_change(self) -> None:
        await asyncio.sleep(0.005)


class SmppPhone:
    """One handset. Each screen that is meant for it must belong to its session and fit its display."""

    _sessions = 0

    def __init__(self, network: Network, msisdn: str = MSISDN, *, dialect: str = "standard") -> None:
        self.network = network
        self.msisdn = msisdn
        self.ended = False
        self._wire = WIRES[dialect]
        self._session = 0
        self._sequence = 0
        self._seen = 0
        self._coding = 0
        self._last: tuple[bytes, dict[int, bytes], str] = (b"", {}, "")

    async def dial(self, service_code: str = "*123#") -> str:
        """Start a call; the first screen."""
        self._begin(service_code)
        return await self._send()

    async def redial(self) -> str:
        """Start a call, and start again where the gateway offers to resume; the first screen."""
        screen = await self.dial()
        return await self.enter("2") if "Start again" in screen else screen

    async def enter(self, *answers: str) -> str:
        """Type answers, each after the screen before it; the last screen."""
        screen = ""
        for answer in answers:
            self.type_without_waiting_for_a_screen(answer)
            screen = await self._send()
        return screen

    async def repeat(self) -> int:
        """Deliver the newest key press once more, as an SMSC does that saw no answer; the status that we answer."""
        return await self._deliver()

    async def press(self, answer: str) -> int:
        """Type an answer, and wait for no screen; the status that we answer."""
        self.type_without_waiting_for_a_screen(answer)
        return await self._deliver()

    async def hang_up(self) -> int:
        """End the session on the phone, where the dialect tells of it."""
        tlvs = self._wire.name_session(self._session, self._sequence)
        if self._wire.abort is None:
            tlvs = {**tlvs, OP: bytes([self._wire.answer]), INFO: bytes([tlvs[INFO][0], tlvs[INFO][1] | 1])}
        else:
            tlvs = {**tlvs, OP: bytes([self._wire.abort])}
        self.ended = True
        return await self.network.deliver(self.msisdn[1:], b"", tlvs=tlvs, destination_addr=SHORT_CODE)

    async def read_screen(self) -> str:
        """The next screen."""
        async with asyncio.timeout(DEADLINE):
            while len(self._screens()) == self._seen:
                await self.network.wait_for_change()
        return self._take_screen()

    async def wait_for_sms(self, containing: str = "") -> str:
        """The newest SMS to this phone that contains the text."""
        async with asyncio.timeout(DEADLINE):
            while True:
                for pdu in reversed(self._mine()):
                    if OP not in _tlvs(pdu) and containing in (text := _decode(pdu)):
                        return text
                await self.network.wait_for_change()

    def count_screens(self) -> int:
        """How many screens this phone was sent."""
        return len(self._screens())

    def _begin(self, service_code: str) -> None:
        SmppPhone._sessions += 1
        self._coding = 0
        self._session, self._sequence, self.ended = SmppPhone._sessions, 0, False
        in_destination = self._wire.code_in_destination
        tlvs = {OP: bytes([self._wire.dial]), **self._wire.name_session(self._session, 0)}
        text, destination = (b"", service_code) if in_destination else (service_code.encode(), SHORT_CODE)
        self._last = text, tlvs, destination

    def type_without_waiting_for_a_screen(self, answer: str) -> None:
        """Make an answer the newest key press."""
        assert not self.ended, f"the call ended before {answer!r}"
        self._sequence += 1
        tlvs = {OP: bytes([self._wire.answer]), **self._wire.name_session(self._session, self._sequence)}
        is_plain = all(one in SEPTETS and SEPTETS.index(one) == ord(one) for one in answer)
        self._coding = 0 if is_plain else 8
        self._last = answer.encode("ascii" if is_plain else "utf-16-be"), tlvs, SHORT_CODE

    async def _send(self) -> str:
        self._seen = len(self._screens())
        assert await self._deliver() == 0
        return await self.read_screen()

    async def _deliver(self) -> int:
        text, tlvs, destination = self._last
        coding = self._coding
        return await self.network.deliver(
            self.msisdn[1:], text, tlvs=tlvs, destination_addr=destination, data_coding=coding, service_type="USSD"
        )

    def _take_screen(self) -> str:
        pdu = self._screens()[self._seen]
        self._seen += 1
        tlvs = _tlvs(pdu)
        self.ended = self._wire.read_end(tlvs)
        self._check_session(tlvs)
        assert (pdu.service_type, pdu.registered_delivery, pdu.esm_class) == ("USSD", 0, 0)
        assert len(pdu.short_message) <= MAX_SCREEN_OCTETS
        return _decode(pdu)

    def _check_session(self, tlvs: Mapping[int, bytes]) -> None:
        """A screen names the session of the newest key press, but for the bit that ends it."""
        for tag, value in self._wire.name_session(self._session, self._sequence).items():
            end = 1 if tag == INFO and self.ended else 0
            assert tlvs[tag] == (int.from_bytes(value) | end).to_bytes(2)

    def _screens(self) -> Sequence[SubmitSm]:
        return [pdu for pdu in self._mine() if OP in _tlvs(pdu)]

    def _mine(self) -> Sequence[SubmitSm]:
        return [pdu for pdu in self.network.list_submitted() if pdu.destination_addr == self.msisdn[1:]]


def smpp_settings(port: int, dialect: str = "standard", **bind: object) -> dict[str, str]:
    """The settings of a gateway with one bind, for `build_settings`: it sends SMS over it, each in one PDU."""
    table = {
        "host": "127.0.0.1",
        "port": port,
        "system_id": SYSTEM_ID,
        "password": PASSWORD,
        "ussd": dialect,
        "sender": "333",
        "long_messages": "payload",
        "reconnect_after": 0.2,
        **bind,
    }
    return {**PUBLIC_SETTINGS, "SMS__PROVIDER": "smpp", "PROVIDERS__SMPP__BINDS": json.dumps({BIND: table})}


@asynccontextmanager
async def run_bind(settings: Settings, *, lease_times: LeaseTimes = FAST) -> AsyncIterator[web.Application]:
    """Hold the bind of `smpp_settings` inside the block, as a process of `server.py smpp` does."""
    with equal_inputs_read_once():
        opening = open_bind(settings, BIND, lease_times=lease_times)
        admin = await opening.__aenter__()
    try:
        yield admin
    finally:
        await opening.__aexit__(None, None, None)


def _tlvs(pdu: SubmitSm) -> Mapping[int, bytes]:
    return {tlv.tag: tlv.value for tlv in pdu.tlvs}


def _decode(pdu: SubmitSm) -> str:
    octets = pdu.short_message or _tlvs(pdu).get(PAYLOAD, b"")
    if pdu.data_coding == 8:
        return octets.decode("utf-16-be")
    assert pdu.data_coding == 0
    pieces = iter(octets)
    return "".join(EXTENSIONS[next(pieces)] if one == 0x1B else SEPTETS[one] for one in pieces)
