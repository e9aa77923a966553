"""A real SMTP server on loopback that says what a test has it say, with a certificate of its own making."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as ON_THE_WIRE
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = "127.0.0.1"
NAME, PASSWORD = "ekdial", "hunter2"
HANGS_UP = "hangs up"
KEEPS_SILENT = "keeps silent"


@dataclass
class Office:
    """What it was sent, and what it answers instead of `250 OK`: `answers["RCPT"] = "550 no such user"`."""

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    letters: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    connections: int = 0
    lines: list[asyncio.Transport] = field(default_factory=list)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def settings(self) -> dict[str, str]:
        """A gateway's, that has its mail taken here; as nobody asks for a login or a certificate."""
        return {
            "MAIL__HOST": HERE,
            "MAIL__PORT": str(self.port),
            "MAIL__SECURITY": "none",
            "MAIL__SENDER": "Ekdial <no-reply@ekdial.example>",
        }

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802 - as it is called
        envelope.mail_from = address
        return await self._answer("MAIL", server, session)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802 - as it is called
        answer = await self._answer("RCPT", server, session)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as it is called
        answer = await self._answer("DATA", server, session)
        if answer.startswith("250"):
            self.envelopes.append(envelope)
            self.letters.append(message_from_bytes(envelope.content, policy=ON_THE_WIRE))
            self.stirred.set()
        return answer

    async def _answer(self, command: str, server: SMTP, session: Session) -> str:
        self.heard.append(command)
        self.stirred.set()
        answer = self.answers.get(command, "250 OK")
        if answer == HANGS_UP:
            server.transport.abort()
        if answer == KEEPS_SILENT:
            self.silent.set()
            await self.closing.wait()
        return answer

    async def letter(self, containing: str) -> EmailMessage:
        """The newest letter with this in its subject or its text; it is awaited for a few seconds."""

        def found() -> EmailMessage | None:
            said = ((letter, f"{letter['Subject']}\n{letter.get_content()}") for letter in reversed(self.letters))
            return next((letter for letter, text in said if containing in text), None)

        await self.until(lambda: found() is not None)
        letter = found()
        assert letter is not None
        return letter

    async def until(self, something: Callable[[], bool]) -> None:
        """Return when this is so, which is asked whenever something was heard."""
        async with asyncio.timeout(10):
            while not something():
                self.stirred.clear()
                await self.stirred.wait()

    def hang_up(self) -> None:
        """On everybody who is connected, below whatever is encrypted."""
        while self.lines:
            self.lines.pop().abort()


class Desk(SMTP):
    """The server's side of one connection, in an office that knows all of them."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """The first time is the connection's own; a second one is what STARTTLS has put on it."""
        if self.transport is None:
            self.event_handler.connections += 1
            self.event_handler.lines.append(transport)
        super().connection_made(transport)


def may_come_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
    """Whoever knows the one name and the one password."""
    known = (data.login, data.password) == (NAME.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


@asynccontextmanager
async def open_office(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, **more: Any
) -> AsyncIterator[Office]:
    """An office at `HERE` and its `port`; `tls` from the first octet, or `starttls` when it is asked for."""
    loop, office = asyncio.get_running_loop(), Office()

    def desk() -> Desk:
        return Desk(office, hostname="post.example", loop=loop, tls_context=starttls, **more)

    own_log = logging.getLogger("mail.log")
    own_log.propagate = False  # what an office writes down is not of our making
    server = await loop.create_server(desk, HERE, 0, ssl=tls)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        own_log.propagate = True
        office.closing.set()
        office.hang_up()
        server.close()
        await server.wait_closed()
        for _ in range(5):  # before Python 3.12 nothing waits for the connections themselves
            await asyncio.sleep(0)


@asynccontextmanager
async def scripted(*lines: str) -> AsyncIterator[int]:
    """The port of what is no mail server: the n-th thing it says, whatever it hears; then it hangs up."""

    talks: set[asyncio.Task[None]] = set()

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        for line in lines:
            writer.write(line.encode() + b"\r\n")
            if not await reader.readline():
                break
        writer.close()

    server = await asyncio.start_server(says, HERE, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*talks)


def certificate(folder: Path, name: str = HERE) -> Path:
    """A self-made certificate for `name` and its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Post office of the tests")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(issuer_name=whose, subject_name=whose, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / f"{name}.pem"
    file.write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, *private)
    )
    return file


def serves_with(file: Path) -> ssl.SSLContext:
    """How a server shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
