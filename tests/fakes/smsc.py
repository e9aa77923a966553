"""A strict SMSC on 127.0.0.1 that does as the test says. What breaks SMPP 3.4 is noted, and fails the test at the end.

It writes its own headers and reads submit_sm with the codec of `smpp34`; the other tests of a bind have SMSCs of other people.
"""

import asyncio
import ssl
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from smpp34 import DeliverSm, SubmitSm, Tlv, decode

SYSTEM_ID, PASSWORD = "ekdial", "s3cret"
ROK, RINVBNDSTS, RALYBND, RINVPASWD, RMSGQFUL, RTHROTTLED, RX_T_APPN = 0, 0x04, 0x05, 0x0E, 0x14, 0x58, 0x64
BINDS: Final = {0x01: "receiver", 0x02: "transmitter", 0x09: "transceiver"}
SUBMIT, DELIVER, UNBIND, ENQUIRE, DATA, RESPONSE, NACK = 0x04, 0x05, 0x06, 0x15, 0x103, 0x80000000, 0x80000000
DEADLINE: Final = 20.0  # seconds that a test waits for what must happen


def pack(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    """A PDU."""
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


@dataclass
class Submitted:
    """One submit_sm, as it was read."""

    pdu: SubmitSm
    message_id: str
    octets: bytes

    @property
    def tlvs(self) -> dict[int, bytes]:
        return {tlv.tag: tlv.value for tlv in self.pdu.tlvs}


@dataclass
class Esme:
    """One connection. `in_flight` counts its requests without an answer."""

    writer: asyncio.StreamWriter
    mode: str = ""
    answers: dict[int, asyncio.Future[tuple[int, int]]] = field(default_factory=dict)
    in_flight: int = 0
    sequence: int = 0


class Smsc:
    """The SMSC, while `run_smsc` is open."""

    def __init__(self, *, window: int, password: str) -> None:
        self.port = 0
        self.window = window
        self.password = password
        self.submitted: list[Submitted] = []
        self.problems: list[str] = []
        self.esmes: list[Esme] = []
        self.nacks: list[int] = []
        self.binds = 0
        self.unbinds = 0
        self.enquiries = 0
        self.most_in_flight = 0
        self.bind_statuses: deque[int] = deque()
        self.submit_statuses: deque[int | None] = deque()  # None: no answer
        self.new_id: Callable[[int], str] = lambda number: f"m{number}"
        self.answer_delay = 0.0
        self.is_silent = False
        self.changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def wait_for(self, what: Callable[[], object]) -> None:
        """Return once this is true."""
        async with asyncio.timeout(DEADLINE):
            while not what():
                self.changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), 0.05)

    async def deliver(self, source: str = "8801711000001", text: bytes = b"MENU", *, tlvs: Mapping[int, bytes] | None = None, **fields: object) -> int:  # fmt: skip
        """Deliver a deliver_sm, and return the status of its answer."""
        facts = {"source_addr_ton": 1, "source_addr_npi": 1, **fields}
        parameters = [Tlv(tag, value) for tag, value in (tlvs or {}).items()]
        destination = str(facts.pop("destination_addr", "333"))
        esme = self._receiving()
        esme.sequence += 1
        pdu = DeliverSm(source, destination, text, tlvs=parameters, sequence_number=esme.sequence, **facts)
        return (await self.request(pdu.encode(), esme))[1]

    async def request(self, octets: bytes, esme: Esme | None = None) -> tuple[int, int]:
        """Send octets whose sequence number waits for an answer; return its command and status.

        Raises:
            ConnectionError: the connection ended without an answer.
        """
        esme = esme or self._receiving()
        (sequence,) = struct.unpack_from(">I", octets, 12)
        future = esme.answers[sequence] = asyncio.get_running_loop().create_future()
        esme.writer.write(octets)
        return await asyncio.wait_for(future, DEADLINE)

    def write(self, octets: bytes) -> None:
        """Send octets that nobody answers."""
        self._receiving().writer.write(octets)

    def kill(self) -> None:
        """End every connection at once, without unbinding."""
        for esme in list(self.esmes):
            esme.writer.transport.abort()

    def _receiving(self) -> Esme:
        return next(esme for esme in reversed(self.esmes) if esme.mode in {"receiver", "transceiver"})

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        esme = Esme(writer)
        self.esmes.append(esme)
        try:
            while True:
                head = await reader.readexactly(16)
                length, command, status, sequence = struct.unpack(">IIII", head)
                if not 16 <= length <= 70_000:
                    self.problems.append("a length that is none")
                    return
                self._receive(esme, command, status, sequence, head + await reader.readexactly(length - 16))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.esmes.remove(esme)
            for future in esme.answers.values():
                if not future.done():
                    future.set_exception(ConnectionError("the connection ended"))
                    future.exception()
            writer.close()
            self.changed.set()

    def _receive(self, esme: Esme, command: int, status: int, sequence: int, octets: bytes) -> None:
        if command & RESPONSE:
            if command == NACK:
                self.nacks.append(status)
            future = esme.answers.pop(sequence, None)
            if future and not future.done():
                future.set_result((command, status))
            elif sequence:
                self.problems.append("an answer to no request")
        elif not self.is_silent:
            self._answer(esme, command, sequence, octets)
        self.changed.set()

    def _answer(self, esme: Esme, command: int, sequence: int, octets: bytes) -> None:
        if not 1 <= sequence <= 0x7FFFFFFF:
            self.problems.append("a sequence number that is none")
        if command in BINDS:
            self._bind(esme, command, sequence, octets[16:])
        elif command == ENQUIRE:
            self.enquiries += 1
            esme.writer.write(pack(ENQUIRE | RESPONSE, sequence))
        elif command == UNBIND:
            self.unbinds += 1
            if esme.in_flight:
                self.problems.append("unbound before the window was empty")
            esme.writer.write(pack(UNBIND | RESPONSE, sequence))
        elif command == SUBMIT:
            self._submit(esme, sequence, octets)
        else:
            self.problems.append(f"command {command:#x}")
            esme.writer.write(pack(NACK, sequence, status=3))

    def _bind(self, esme: Esme, command: int, sequence: int, body: bytes) -> None:
        self.binds += 1
        name, password, _, rest = body.split(b"\0", 3)
        if len(rest) < 4 or rest[0] != 0x34:
            self.problems.append("a bind of another version")
        known = name.decode() == SYSTEM_ID and password.decode() == self.password
        status = self.bind_statuses.popleft() if self.bind_statuses else (ROK if known else RINVPASWD)
        if status == ROK:
            esme.mode = BINDS[command]
        esme.writer.write(pack(command | RESPONSE, sequence, b"SMSC\0" if status == ROK else b"\0", status))

    def _submit(self, esme: Esme, sequence: int, octets: bytes) -> None:
        if esme.mode not in {"transmitter", "transceiver"}:
            self.problems.append("a submit on no transmitter")
            esme.writer.write(pack(SUBMIT | RESPONSE, sequence, b"\0", RINVBNDSTS))
            return
        esme.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, esme.in_flight)
        if esme.in_flight > self.window:
            self.problems.append("more than the window")
        pdu = decode(octets)
        self._check(pdu)
        status = self.submit_statuses.popleft() if self.submit_statuses else ROK
        message_id = self.new_id(len(self.submitted) + 1)
        self.submitted.append(Submitted(pdu, message_id if status == ROK else "", octets))
        if status is not None:
            body = message_id.encode() + b"\0" if status == ROK else b""
            self._start(self._reply(esme, pack(SUBMIT | RESPONSE, sequence, body, status)))

    async def _reply(self, esme: Esme, octets: bytes) -> None:
        if self.answer_delay:
            await asyncio.sleep(self.answer_delay)
        esme.in_flight -= 1
        esme.writer.write(octets)

    def _check(self, pdu: SubmitSm) -> None:
        tags = {tlv.tag for tlv in pdu.tlvs}
        rules = {
            "a destination that is no number": pdu.destination_addr.removeprefix("+").isdecimal(),
            "a source longer than its field": len(pdu.source_addr) <= 20,
            "two texts": not (pdu.short_message and 0x0424 in tags),
            "a validity that is no time": not pdu.validity_period or len(pdu.validity_period) == 16,
            "a header longer than the text": not pdu.esm_class & 0x40 or _has_header(pdu),
            "both ways to join": not (pdu.esm_class & 0x40 and pdu.short_message[1:2] == b"\0" and 0x020C in tags),
        }
        self.problems += [problem for problem, holds in rules.items() if not holds]

    def _start(self, coroutine) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _has_header(pdu: SubmitSm) -> bool:
    text = pdu.short_message or next((tlv.value for tlv in pdu.tlvs if tlv.tag == 0x0424), b"")
    return bool(text) and text[0] < len(text)


@asynccontextmanager
async def run_smsc(
    *, window: int = 10, port: int = 0, password: str = PASSWORD, tls: ssl.SSLContext | None = None, strict: bool = True
) -> AsyncIterator[Smsc]:
    """An SMSC; at the end what it noted must be nothing, unless it is not `strict`."""
    smsc = Smsc(window=window, password=password)
    server = await asyncio.start_server(smsc.serve, "127.0.0.1", port, ssl=tls)
    smsc.port = server.sockets[0].getsockname()[1]
    try:
        yield smsc
    finally:
        server.close()
        smsc.kill()
        for task in list(smsc._tasks):
            task.cancel()
    assert not strict or smsc.problems == []
