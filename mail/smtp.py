"""E-mail by SMTP: connections that are kept for the next letter, and one table of what a server's answers mean."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal, NamedTuple, Self, TypeAlias

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPServerDisconnected

from mail.letter import Digest, NoAddress, Paper
from services.messages.sends import Accepted, Held, Outcome, Refused, Retry, Unclear

Security: TypeAlias = Literal["starttls", "tls", "none"]
Stage: TypeAlias = Literal["connect", "hello", "tls", "login", "sender", "recipient", "data"]
Said: TypeAlias = Literal["later", "never", "nothing", "unsupported", "untrusted", "relay", "login"]
"""What a server made of a stage: a code 4xx; a code 5xx; nothing in time that could be read; it does not know the
stage; its certificate is not to be trusted; and two answers to a letter that are about us: it does not relay, log in."""
Step: TypeAlias = Callable[[], Awaitable[object]]

KEPT: Final = 20.0  # seconds that a connection is kept unused: servers hang up after minutes, firewalls forget sooner
GREYLISTED: Final = timedelta(minutes=6)  # a server that asks strangers to come again later means five minutes
LOGIN_NEEDED: Final = 530


class Case(NamedTuple):
    """An outcome, its reason, and how long to wait where the server would rather not be asked again soon."""

    ends: Callable[[str], Outcome]
    reason: str
    wait: timedelta | None = None


NOBODY_NOW: Final = partial(Retry, everybody=True)  # what the server says it says to every letter

CASES: Final[Mapping[Stage, Mapping[Said, Case]]] = {
    "connect": {
        "nothing": Case(NOBODY_NOW, "NotConnected"),
        "later": Case(NOBODY_NOW, "ServerBusy"),
        "never": Case(Held, "ServerRefusesUs"),
        "untrusted": Case(Held, "CertificateNotTrusted"),
    },
    "hello": {
        "nothing": Case(Retry, "NoAnswer"),
        "later": Case(NOBODY_NOW, "ServerBusy"),
        "never": Case(Held, "ServerRefusesUs"),
    },
    "tls": {
        "nothing": Case(Retry, "NoAnswer"),
        "later": Case(NOBODY_NOW, "NoTlsNow"),
        "never": Case(Held, "TlsRefused"),
        "unsupported": Case(Held, "NoTls"),
        "untrusted": Case(Held, "CertificateNotTrusted"),
    },
    "login": {
        "nothing": Case(Retry, "NoAnswer"),
        "later": Case(NOBODY_NOW, "NoLoginNow"),
        "never": Case(Held, "LoginRefused"),
        "unsupported": Case(Held, "NoLogin"),
    },
    "sender": {
        "nothing": Case(Retry, "NoAnswer"),
        "later": Case(Retry, "SenderNotNow"),
        "never": Case(Held, "SenderRefused"),
        "login": Case(Held, "LoginNeeded"),
    },
    "recipient": {
        "nothing": Case(Retry, "NoAnswer"),
        "later": Case(Retry, "RecipientNotNow", GREYLISTED),
        "never": Case(Refused, "RecipientRefused"),
        "relay": Case(Held, "RelayingDenied"),
        "login": Case(Held, "LoginNeeded"),
    },
    "data": {
        "nothing": Case(Unclear, "NoAnswer"),  # after the final dot the server may have taken it
        "later": Case(Retry, "ContentNotNow", GREYLISTED),
        "never": Case(Refused, "ContentRefused"),
    },
}
"""How a send ends that came to this stage and was told that. What is `Held` no other letter would pass either, before a
person has mended the configuration."""


@dataclass(frozen=True, slots=True)
class Server:
    """The server that takes our mail; `deadline` in seconds for one letter, from connecting to its last answer."""

    host: str
    port: int
    security: Security = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    deadline: float = 30.0


class _Stopped(Exception):
    """A send that got no further than this stage, for what was said there or because the connection was closed."""

    def __init__(self, stage: Stage, error: Exception) -> None:
        super().__init__(stage)
        self.stage = stage
        self.said = said(stage, error)
        self.closed = isinstance(error, SMTPServerDisconnected)


class Smtp:
    """A way out for letters; leaving it hangs up."""

    name = "smtp"

    def __init__(self, server: Server, paper: Paper, digest: Digest, clock: Callable[[], datetime]) -> None:
        """`OSError` or its `ssl.SSLError` where `ca_file` cannot be read or holds no certificate."""
        self._server = server
        self._paper = paper
        self._digest = digest
        self._clock = clock
        self._tls = ssl.create_default_context(cafile=server.ca_file or None)
        self._idle: list[tuple[SMTP, float]] = []
        self.ended: Counter[str] = Counter()
        """How often a send ended how: `Accepted`, or the reason why not."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._idle:
            self._idle.pop()[0].close()

    async def send(self, to: str, text: str) -> Outcome:
        """Send one text, its first line the subject, to one address."""
        outcome = await self._outcome(to, text)
        self.ended["Accepted" if isinstance(outcome, Accepted) else outcome.reason] += 1
        return outcome

    async def _outcome(self, to: str, text: str) -> Outcome:
        try:
            letter = self._paper.letter(to, text, self._clock(), self._digest)
        except NoAddress:
            return Refused("InvalidAddress")
        try:
            await self._post(to, bytes(letter))
        except _Stopped as stopped:
            return meaning(stopped.stage, stopped.said, self._clock())
        return Accepted(letter["Message-ID"])

    async def _post(self, to: str, letter: bytes) -> None:
        """On a connection that was kept; on a new one where that had been closed meanwhile."""
        kept = self._kept()
        try:
            await self._try(kept, to, letter)
        except _Stopped as stopped:
            if kept is None or stopped.stage != "sender" or not stopped.closed:
                raise
            await self._try(None, to, letter)

    async def _try(self, kept: SMTP | None, to: str, letter: bytes) -> None:
        client = kept or self._client()
        clock = asyncio.get_running_loop().time
        until = clock() + self._server.deadline
        try:
            for stage, step in (*(() if kept else self._opening(client)), *self._passing(client, to, letter)):
                await _reached(stage, step, until)
        except BaseException:
            client.close()
            raise
        self._idle.append((client, clock()))

    def _kept(self) -> SMTP | None:
        """The connection that was used last; those that were kept too long are closed."""
        oldest = asyncio.get_running_loop().time() - KEPT
        while self._idle:
            client, used = self._idle.pop()
            if used >= oldest and client.is_connected:
                return client
            client.close()
        return None

    def _client(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=False,  # it is a stage of its own
            tls_context=self._tls,
            timeout=server.deadline,
            local_hostname=self._paper.sender.domain,
        )

    def _opening(self, client: SMTP) -> Iterator[tuple[Stage, Step]]:
        server = self._server
        yield "connect", client.connect
        yield "hello", client.ehlo
        if server.security == "starttls":
            yield "tls", client.starttls
            yield "hello", client.ehlo  # what it said of itself in clear, anybody could have said
        if server.username:
            yield "login", partial(self._log_in, client)

    async def _log_in(self, client: SMTP) -> None:
        """By one way, the plainest, for it is encrypted already; a server may hang up on who tries a second."""
        ways = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
        known = [way for name, way in ways.items() if name in client.server_auth_methods]
        if not known:
            raise SMTPException("The server knows no way to log in that we know")
        await known[0](self._server.username, self._server.password)

    def _passing(self, client: SMTP, to: str, letter: bytes) -> Iterator[tuple[Stage, Step]]:
        yield "sender", partial(client.mail, self._paper.sender.addr_spec)
        yield "recipient", partial(client.rcpt, to)
        yield "data", partial(client.data, letter)


async def _reached(stage: Stage, step: Step, until: float) -> None:
    try:
        async with asyncio.timeout_at(until):
            await step()
    except (SMTPException, OSError) as error:  # a TimeoutError is an OSError
        raise _Stopped(stage, error) from None


def meaning(stage: Stage, what: Said, now: datetime) -> Outcome:
    """How a send ended; an answer that makes no sense at its stage is as good as none."""
    case = CASES[stage].get(what) or CASES[stage]["nothing"]
    return Retry(case.reason, now + case.wait) if case.wait else case.ends(case.reason)


def said(stage: Stage, error: Exception) -> Said:
    """What an error of the library's tells of the server's answer."""
    reason = error.__cause__ or error
    if stage in {"connect", "tls"} and isinstance(reason, ssl.SSLError):
        return _shaken(reason)
    if isinstance(error, SMTPResponseException):
        return _answered(stage, error)
    return "nothing" if isinstance(error, OSError) else "unsupported"


def _shaken(failed: ssl.SSLError) -> Said:
    """What a handshake that failed tells: the server hung up, is not who it should be, or does not encrypt as we do."""
    if isinstance(failed, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "nothing"
    return "untrusted" if isinstance(failed, ssl.SSLCertVerificationError) else "never"


def _answered(stage: Stage, answer: SMTPResponseException) -> Said:
    if stage == "recipient" and "relay" in answer.message.casefold():
        return "relay"  # there is no code of its own for it: 550, 551, 554 and 454 are all in use
    if answer.code == LOGIN_NEEDED:
        return "login"
    return _CLASSES.get(answer.code // 100, "nothing")


_CLASSES: Final[Mapping[int, Said]] = {4: "later", 5: "never"}
