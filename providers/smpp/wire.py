"""The simulator as the SMSC of a bind with `simulated = true`: `server.py smpp` binds to it as to an operator's.

It takes every account, delivers key presses in the dialect of the bind, and reads the screens that are submitted.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final, NamedTuple

from aiohttp import web
from smpp34 import DeliverSm, SmppError, SubmitSm, Tlv, decode

from menus.rendering.paging import ScreenBudget
from providers.smpp.dialects import Dialect, SessionField
from providers.smpp.pdus import (
    BIND_RECEIVER,
    BIND_TRANSCEIVER,
    BIND_TRANSMITTER,
    ENQUIRE_LINK,
    GENERIC_NACK,
    MESSAGE_PAYLOAD,
    RESPONSE,
    SUBMIT_SM,
    UNBIND,
    Pdu,
    PduError,
    PduStream,
    encode_pdu,
)
from providers.smpp.settings import BindSettings
from providers.smpp.text import UCS2, TextRules, UnreadableTextError, decode_part, encode_text
from providers.smpp.ussd_pdus import END_BIT, ITS_SESSION_INFO, USER_MESSAGE_REFERENCE, USSD_SERVICE_OP
from web.simulator.network import SimulatedNetwork
from web.simulator.wires import ANSWER_TIMEOUT, KeyPress, WireError, WireScreen

READ_SIZE: Final = 65_536  # octets
INVALID_COMMAND: Final = 0x03
RECEIVES: Final = frozenset({BIND_RECEIVER, BIND_TRANSCEIVER})
BINDS: Final = RECEIVES | {BIND_TRANSMITTER}
TYPE_OF_NUMBER, NUMBERING_PLAN = 1, 1  # international, E.164
SESSION_NUMBERS: Final = 0x80  # of the sessions that the field of every dialect can tell apart


class SimulatedBind(NamedTuple):
    """A bind whose SMSC is the simulator, and its dialect."""

    name: str
    settings: BindSettings
    dialect: Dialect
    rules: TextRules


class SmppWire:
    """Delivers key presses to whoever is bound, and waits for the screens. It listens inside `connections`."""

    def __init__(self, binds: Sequence[SimulatedBind], *, budget: ScreenBudget, service_code: str) -> None:
        self._smscs = {f"smpp-{bind.name}": Smsc(bind) for bind in binds}
        self.networks: Sequence[SimulatedNetwork] = tuple(
            SimulatedNetwork(
                code,
                f"SMPP, {smsc.bind.name}",
                budget.unicode,
                budget.septets,
                budget.units,
                replaced={"serviceCode": service_code},
            )
            for code, smsc in self._smscs.items()
        )

    @asynccontextmanager
    async def connections(self) -> AsyncIterator[None]:
        """Listen on the host and the port of each bind."""
        async with AsyncExitStack() as stack:
            for smsc in self._smscs.values():
                await stack.enter_async_context(smsc.listening())
            yield

    def routes(self) -> Sequence[web.RouteDef]:
        """None: the gateway calls no address of an SMSC."""
        return ()

    async def press(self, network: str, press: KeyPress) -> WireScreen:
        """Deliver a key press, and wait for the screen.

        Raises:
            WireError: nobody is bound, or no screen is submitted in time.
        """
        smsc = self._smscs[network]
        text = press.dial_string if press.starts_session else press.text
        return await smsc.exchange(press, smsc.bind.dialect, text)

    async def hang_up(self, network: str, press: KeyPress) -> None:
        """Deliver the end, where the dialect has one."""
        smsc = self._smscs[network]
        if smsc.bind.dialect.aborts or smsc.bind.dialect.end_flag:
            with suppress(WireError):
                smsc.deliver_end(press)


class Smsc:
    """One SMSC: the connections that are bound, and the phones that wait for a screen."""

    def __init__(self, bind: SimulatedBind) -> None:
        self.bind = bind
        self._receivers: list[asyncio.StreamWriter] = []
        self._connections: set[asyncio.StreamWriter] = set()
        self._screens: dict[str, asyncio.Future[WireScreen]] = {}
        self._sessions: dict[str, int] = {}
        self._sequence = 0
        self._message_count = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take connections for the block."""
        server = await asyncio.start_server(self._serve, self.bind.settings.host, self.bind.settings.port)
        try:
            yield
        finally:
            server.close()
            for connection in self._connections:
                connection.transport.abort()

    async def exchange(self, press: KeyPress, dialect: Dialect, text: str) -> WireScreen:
        """The screen after a key press.

        Raises:
            WireError: nobody is bound, or no screen is submitted in time.
        """
        operation = min(dialect.dials if press.starts_session else dialect.answers)
        if press.starts_session:
            self._sessions[press.session_id] = (len(self._sessions) + 1) % SESSION_NUMBERS
        phone = press.msisdn.removeprefix("+")
        screen: asyncio.Future[WireScreen] = asyncio.get_running_loop().create_future()
        self._screens[phone] = screen
        self._deliver(press, operation, text)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                return await screen
        except TimeoutError:
            raise WireError("no screen was submitted in time") from None
        finally:
            self._screens.pop(phone, None)

    def deliver_end(self, press: KeyPress) -> None:
        """Deliver that the caller hung up."""
        dialect = self.bind.dialect
        self._deliver(press, min(dialect.aborts or dialect.answers), "", ends=not dialect.aborts)

    def _deliver(self, press: KeyPress, operation: int, text: str, *, ends: bool = False) -> None:
        if not self._receivers:
            raise WireError(f"nobody is bound; start: python server.py smpp --bind {self.bind.name}")
        self._sequence += 1
        encoded = encode_text(text, self.bind.rules)
        pdu = DeliverSm(
            press.msisdn.removeprefix("+"),
            press.service_code.strip("*#"),
            encoded.segments[0] if text else b"",
            source_addr_ton=TYPE_OF_NUMBER,
            source_addr_npi=NUMBERING_PLAN,
            data_coding=encoded.data_coding,
            service_type="USSD",
            tlvs=[Tlv(tag, value) for tag, value in self._name_session(press, operation, ends=ends).items()],
            sequence_number=self._sequence,
        )
        self._receivers[-1].write(pdu.encode())

    def _name_session(self, press: KeyPress, operation: int, *, ends: bool) -> Mapping[int, bytes]:
        number, flag = self._sessions.get(press.session_id, 0), END_BIT if ends else 0
        fields: Mapping[SessionField, Mapping[int, bytes]] = {
            "session_number": {ITS_SESSION_INFO: bytes([number, press.number % SESSION_NUMBERS << 1 | flag])},
            "session_info": {ITS_SESSION_INFO: (number << 1 | flag).to_bytes(2)},
            "message_reference": {USER_MESSAGE_REFERENCE: number.to_bytes(2)},
            "msisdn": {},
        }
        return {USSD_SERVICE_OP: bytes([operation]), **fields[self.bind.dialect.session]}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = PduStream()
        self._connections.add(writer)
        try:
            while octets := await reader.read(READ_SIZE):
                for pdu in stream.feed(octets):
                    self._answer(writer, pdu)
        except (PduError, ConnectionError):
            pass  # whoever sent that binds again
        finally:
            self._connections.discard(writer)
            self._receivers = [one for one in self._receivers if one is not writer]
            writer.close()

    def _answer(self, writer: asyncio.StreamWriter, pdu: Pdu) -> None:
        if pdu.is_response:
            return
        if pdu.command in BINDS:
            if pdu.command in RECEIVES:
                self._receivers.append(writer)
            writer.write(encode_pdu(pdu.command | RESPONSE, pdu.sequence, body=b"SIMULATOR\0"))
        elif pdu.command in {ENQUIRE_LINK, UNBIND}:
            writer.write(encode_pdu(pdu.command | RESPONSE, pdu.sequence))
        elif pdu.command == SUBMIT_SM:
            self._message_count += 1
            writer.write(encode_pdu(SUBMIT_SM | RESPONSE, pdu.sequence, body=b"%d\0" % self._message_count))
            self._take_submitted(pdu)
        else:
            writer.write(encode_pdu(GENERIC_NACK, pdu.sequence, status=INVALID_COMMAND))

    def _take_submitted(self, pdu: Pdu) -> None:
        with suppress(SmppError, ValueError):
            read = decode(pdu.octets)
            if isinstance(read, SubmitSm):
                self._show(read, {tlv.tag: tlv.value for tlv in read.tlvs})

    def _show(self, submitted: SubmitSm, tlvs: Mapping[int, bytes]) -> None:
        screen = self._screens.get(submitted.destination_addr.removeprefix("+"))
        operation = tlvs.get(USSD_SERVICE_OP, b"")
        if screen is None or screen.done() or not operation:
            return
        octets = submitted.short_message or tlvs.get(MESSAGE_PAYLOAD, b"")
        with suppress(UnreadableTextError):
            text = decode_part(octets, self._read_coding(submitted), self.bind.rules, has_header=False).text
            screen.set_result(WireScreen(text, ends=operation[-1] == self.bind.dialect.ends))

    def _read_coding(self, submitted: SubmitSm) -> int:
        dialect, rules = self.bind.dialect, self.bind.rules
        if submitted.data_coding == rules.ucs2_coding:
            return UCS2
        return 0 if submitted.data_coding == dialect.gsm7_coding else submitted.data_coding
