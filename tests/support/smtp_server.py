"""A real SMTP server on loopback with planned responses and a self-signed certificate."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as ON_THE_WIRE
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.certificates import LOOPBACK

LOGIN_NAME, PASSWORD = "ekdial", "hunter2"
HANG_UP = "hangs up"
KEEP_SILENT = "keeps silent"


@dataclass
class FakeSmtpServer:
    """The messages received, and the responses instead of `250 OK`: `answers["RCPT"] = "550 no such user"`."""

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    received_emails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    received_commands: list[str] = field(default_factory=list)
    connections: int = 0
    transports: list[asyncio.Transport] = field(default_factory=list)
    activity: asyncio.Event = field(default_factory=asyncio.Event)
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a gateway that sends its mail to this server, without login and certificate."""
        return {
            "MAIL__HOST": LOOPBACK,
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
            self.received_emails.append(message_from_bytes(envelope.content, policy=ON_THE_WIRE))
            self.activity.set()
        return answer

    async def _answer(self, command: str, server: SMTP, session: Session) -> str:
        self.received_commands.append(command)
        self.activity.set()
        answer = self.answers.get(command, "250 OK")
        if answer == HANG_UP:
            server.transport.abort()
        if answer == KEEP_SILENT:
            self.silent.set()
            await self.closing.wait()
        return answer

    async def wait_for_email(self, containing: str) -> EmailMessage:
        """Wait a few seconds for a message with this text; the newest one."""

        def found() -> EmailMessage | None:
            said = ((email, f"{email['Subject']}\n{email.get_content()}") for email in reversed(self.received_emails))
            return next((email for email, text in said if containing in text), None)

        await self.wait_until(lambda: found() is not None)
        email = found()
        assert email is not None
        return email

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until the predicate holds; it is evaluated after each command."""
        async with asyncio.timeout(10):
            while not condition():
                self.activity.clear()
                await self.activity.wait()

    def drop_connections(self) -> None:
        """Close every connection below the encryption."""
        while self.transports:
            self.transports.pop().abort()


class SmtpConnection(SMTP):
    """The server's side of one connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Called for the connection, and again for the encryption that STARTTLS adds."""
        if self.transport is None:
            self.event_handler.connections += 1
            self.event_handler.transports.append(transport)
        super().connection_made(transport)


def check_login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
    """Accept the one name with the one password."""
    known = (data.login, data.password) == (LOGIN_NAME.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


@asynccontextmanager
async def run_smtp_server(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, **more: Any
) -> AsyncIterator[FakeSmtpServer]:
    """Run a server at `HERE`: encrypted from the start with `tls`, or on request with `starttls`."""
    loop, smtp_server = asyncio.get_running_loop(), FakeSmtpServer()

    def desk() -> SmtpConnection:
        return SmtpConnection(smtp_server, hostname="post.example", loop=loop, tls_context=starttls, **more)

    own_log = logging.getLogger("mail.log")
    own_log.propagate = False  # what an office writes down is not of our making
    server = await loop.create_server(desk, LOOPBACK, 0, ssl=tls)
    smtp_server.port = server.sockets[0].getsockname()[1]
    try:
        yield smtp_server
    finally:
        own_log.propagate = True
        smtp_server.closing.set()
        smtp_server.drop_connections()
        server.close()
        await server.wait_closed()
        for _ in range(5):  # before Python 3.12 nothing waits for the connections themselves
            await asyncio.sleep(0)


@asynccontextmanager
async def run_scripted_server(*lines: str) -> AsyncIterator[int]:
    """The port of a server that does not speak SMTP: it sends these lines one by one, and then closes."""

    talks: set[asyncio.Task[None]] = set()

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        for line in lines:
            writer.write(line.encode() + b"\r\n")
            if not await reader.readline():
                break
        writer.close()

    server = await asyncio.start_server(says, LOOPBACK, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*talks)
