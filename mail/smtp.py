"""Send e-mail by SMTP over pooled connections. One table maps a server's responses to outcomes."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal, NamedTuple, Self, TypeAlias

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPServerDisconnected

from core.timeouts import Timeout
from mail.message import Digest, EmailTemplate, InvalidAddressError
from services.messaging.models import OutgoingMessage
from services.messaging.outcomes import Accepted, Rejected, Retry, SendOutcome, Suspended, Unknown

Security: TypeAlias = Literal["starttls", "tls", "none"]
SmtpStage: TypeAlias = Literal["connect", "hello", "tls", "login", "sender", "recipient", "data"]
StageResponse: TypeAlias = Literal["later", "never", "nothing", "unsupported", "untrusted", "relay", "login"]
"""A server's response to a stage: a code 4xx; a code 5xx; no readable response in time; a stage that it does not support;
a certificate that is not trusted; and two rejections that concern our account: no relaying, login required."""
StageCall: TypeAlias = Callable[[], Awaitable[object]]

# How long an idle connection is pooled: servers close it after minutes, firewalls drop it sooner.
IDLE_TTL_SECONDS: Final = 20.0
GREYLIST_DELAY: Final = timedelta(minutes=6)  # greylisting servers accept a message after five minutes
LOGIN_REQUIRED_CODE: Final = 530


class StageCase(NamedTuple):
    """An outcome, its reason, and the delay before a retry if the server wants one."""

    build_outcome: Callable[[str], SendOutcome]
    reason: str
    retry_after: timedelta | None = None


RETRY_ALL_LATER: Final = partial(Retry, pauses_all=True)  # the response concerns every message

CASES: Final[Mapping[SmtpStage, Mapping[StageResponse, StageCase]]] = {
    "connect": {
        "nothing": StageCase(RETRY_ALL_LATER, "NotConnected"),
        "later": StageCase(RETRY_ALL_LATER, "ServerBusy"),
        "never": StageCase(Suspended, "ServerRefusesUs"),
        "untrusted": StageCase(Suspended, "CertificateNotTrusted"),
    },
    "hello": {
        "nothing": StageCase(Retry, "NoAnswer"),
        "later": StageCase(RETRY_ALL_LATER, "ServerBusy"),
        "never": StageCase(Suspended, "ServerRefusesUs"),
    },
    "tls": {
        "nothing": StageCase(Retry, "NoAnswer"),
        "later": StageCase(RETRY_ALL_LATER, "NoTlsNow"),
        "never": StageCase(Suspended, "TlsRefused"),
        "unsupported": StageCase(Suspended, "NoTls"),
        "untrusted": StageCase(Suspended, "CertificateNotTrusted"),
    },
    "login": {
        "nothing": StageCase(Retry, "NoAnswer"),
        "later": StageCase(RETRY_ALL_LATER, "NoLoginNow"),
        "never": StageCase(Suspended, "LoginRefused"),
        "unsupported": StageCase(Suspended, "NoLogin"),
    },
    "sender": {
        "nothing": StageCase(Retry, "NoAnswer"),
        "later": StageCase(Retry, "SenderNotNow"),
        "never": StageCase(Suspended, "SenderRefused"),
        "login": StageCase(Suspended, "LoginNeeded"),
    },
    "recipient": {
        "nothing": StageCase(Retry, "NoAnswer"),
        "later": StageCase(Retry, "RecipientNotNow", GREYLIST_DELAY),
        "never": StageCase(Rejected, "RecipientRefused"),
        "relay": StageCase(Suspended, "RelayingDenied"),
        "login": StageCase(Suspended, "LoginNeeded"),
    },
    "data": {
        "nothing": StageCase(Unknown, "NoAnswer"),  # after the final dot the server may have accepted it
        "later": StageCase(Retry, "ContentNotNow", GREYLIST_DELAY),
        "never": StageCase(Rejected, "ContentRefused"),
    },
}
"""The outcome of a send that failed at a stage with a response. `Suspended`: no other message can be sent either until an
operator fixes the configuration."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The server that accepts our mail. `deadline` in seconds covers one message, from connecting to the last response."""

    host: str
    port: int
    security: Security = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    deadline: float = 30.0


class _StageFailedError(Exception):
    """A send failed at this stage, because of the response or of a closed connection."""

    def __init__(self, stage: SmtpStage, error: Exception) -> None:
        super().__init__(stage)
        self.stage = stage
        self.response = classify_error(stage, error)
        self.is_closed = isinstance(error, SMTPServerDisconnected)


class SmtpProvider:
    """Sends messages; leaving its context closes the pooled connections."""

    name = "smtp"

    def __init__(
        self, server: SmtpServer, template: EmailTemplate, digest: Digest, clock: Callable[[], datetime]
    ) -> None:
        """Raise `OSError` or its subclass `ssl.SSLError` if `ca_file` cannot be read or holds no certificate."""
        self._server = server
        self._template = template
        self._digest = digest
        self._clock = clock
        self._tls = ssl.create_default_context(cafile=server.ca_file or None)
        self._idle_connections: list[tuple[SMTP, float]] = []
        self.send_counts: Counter[str] = Counter()
        """Sends by outcome: `Accepted`, or the reason of the failure."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._idle_connections:
            self._idle_connections.pop()[0].close()

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        """Send one text to one address; its first line is the subject. The outcome; nothing is raised."""
        outcome = await self._send_message(message.to, message.text)
        self.send_counts["Accepted" if isinstance(outcome, Accepted) else outcome.reason] += 1
        return outcome

    async def _send_message(self, to: str, text: str) -> SendOutcome:
        try:
            message = self._template.build_message(to, text, self._clock(), self._digest)
        except InvalidAddressError:
            return Rejected("InvalidAddress")
        try:
            await self._deliver(to, bytes(message))
        except _StageFailedError as failure:
            return outcome_for(failure.stage, failure.response, self._clock())
        return Accepted(message["Message-ID"])

    async def _deliver(self, to: str, message_bytes: bytes) -> None:
        """Use a pooled connection, and a new one if the server has closed that.

        Raises:
            _StageFailedError: a stage failed.
        """
        idle = self._take_idle_client()
        try:
            await self._attempt(idle, to, message_bytes)
        except _StageFailedError as failure:
            if idle is None or failure.stage != "sender" or not failure.is_closed:
                raise
            await self._attempt(None, to, message_bytes)

    async def _attempt(self, idle_client: SMTP | None, to: str, message_bytes: bytes) -> None:
        client = idle_client or self._build_client()
        clock = asyncio.get_running_loop().time
        until = clock() + self._server.deadline
        try:
            for stage, step in (
                *(() if idle_client else self._connection_stages(client)),
                *self._message_stages(client, to, message_bytes),
            ):
                await _run_stage(stage, step, until)
        except BaseException:
            client.close()
            raise
        self._idle_connections.append((client, clock()))

    def _take_idle_client(self) -> SMTP | None:
        """The connection that was used last, or None. Connections that were idle too long are closed."""
        oldest = asyncio.get_running_loop().time() - IDLE_TTL_SECONDS
        while self._idle_connections:
            client, used = self._idle_connections.pop()
            if used >= oldest and client.is_connected:
                return client
            client.close()
        return None

    def _build_client(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=False,  # a stage of its own
            tls_context=self._tls,
            timeout=server.deadline,
            local_hostname=self._template.sender.domain,
        )

    def _connection_stages(self, client: SMTP) -> Iterator[tuple[SmtpStage, StageCall]]:
        server = self._server
        yield "connect", client.connect
        yield "hello", client.ehlo
        if server.security == "starttls":
            yield "tls", client.starttls
            yield "hello", client.ehlo  # capabilities sent in clear text cannot be trusted
        if server.username:
            yield "login", partial(self._log_in, client)

    async def _log_in(self, client: SMTP) -> None:
        """Use one mechanism only, the simplest: after a second attempt a server may close the connection.

        Raises:
            SMTPException: server and client share no mechanism.
        """
        mechanisms = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
        known = [log_in for name, log_in in mechanisms.items() if name in client.server_auth_methods]
        if not known:
            raise SMTPException("The server and this client share no login mechanism")
        await known[0](self._server.username, self._server.password)

    def _message_stages(self, client: SMTP, to: str, message_bytes: bytes) -> Iterator[tuple[SmtpStage, StageCall]]:
        yield "sender", partial(client.mail, self._template.sender.addr_spec)
        yield "recipient", partial(client.rcpt, to)
        yield "data", partial(client.data, message_bytes)


async def _run_stage(stage: SmtpStage, call: StageCall, deadline: float) -> None:
    try:
        async with Timeout(deadline - asyncio.get_running_loop().time()):
            await call()
    except (SMTPException, OSError) as error:  # a TimeoutError is an OSError
        raise _StageFailedError(stage, error) from None


def outcome_for(stage: SmtpStage, response: StageResponse, now: datetime) -> SendOutcome:
    """The outcome of a send that failed at `stage`; an unexpected response counts as none."""
    case = CASES[stage].get(response) or CASES[stage]["nothing"]
    return Retry(case.reason, now + case.retry_after) if case.retry_after else case.build_outcome(case.reason)


def classify_error(stage: SmtpStage, error: Exception) -> StageResponse:
    """The server's response that an error of the library stands for."""
    reason = error.__cause__ or error
    if stage in {"connect", "tls"} and isinstance(reason, ssl.SSLError):
        return _classify_tls_error(reason)
    if isinstance(error, SMTPResponseException):
        return _classify_reply(stage, error)
    return "nothing" if isinstance(error, OSError) else "unsupported"


def _classify_tls_error(error: ssl.SSLError) -> StageResponse:
    """The response of a failed handshake: closed connection, untrusted certificate, or no common encryption."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "nothing"
    return "untrusted" if isinstance(error, ssl.SSLCertVerificationError) else "never"


def _classify_reply(stage: SmtpStage, reply: SMTPResponseException) -> StageResponse:
    if stage == "recipient" and "relay" in reply.message.casefold():
        return "relay"  # it has no code of its own: servers use 550, 551, 554 and 454
    if reply.code == LOGIN_REQUIRED_CODE:
        return "login"
    return _RESPONSE_BY_CODE_CLASS.get(reply.code // 100, "nothing")


_RESPONSE_BY_CODE_CLASS: Final[Mapping[int, StageResponse]] = {4: "later", 5: "never"}
