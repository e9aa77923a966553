"""A bind that is kept alive: connected, bound, and again after a back-off, until it is closed.

`submit` sends on it within the window, the rate and the pauses that the SMSC asks for.
"""

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Literal

import structlog

from core.logging import LogThrottle, error_facts
from core.periodic import cancel_and_wait
from core.retry import Backoff
from core.timeouts import Timeout
from providers.smpp import pdus, statuses
from providers.smpp.pdus import Deliver, Submit
from providers.smpp.session import (
    AnswerLostError,
    LinkDownError,
    LinkSuspendedError,
    OnDeliver,
    Session,
    SubmitResult,
    may_always_submit,
)
from providers.smpp.settings import BindMode, BindSettings

__all__ = [
    "AnswerLostError",
    "Deliver",
    "LinkDownError",
    "LinkSuspendedError",
    "OnDeliver",
    "SmppLink",
    "Submit",
    "SubmitResult",
    "open_link",
]

LinkState = Literal["connecting", "bound", "suspended", "closed"]

CONNECT_TIMEOUT: Final = 10.0  # seconds
FIRST_DELAY: Final = 0.5  # seconds until the first attempt to connect again
MAX_PAUSE: Final = 30.0  # seconds without a submit after the SMSC was busy several times in a row
BUSY: Final = frozenset({statuses.RTHROTTLED, statuses.RMSGQFUL})
ACCOUNT_REFUSED: Final = frozenset({statuses.RINVPASWD, statuses.RINVSYSID, statuses.RINVSYSTYP})
BIND_COMMANDS: Final[dict[BindMode, tuple[int, ...]]] = {
    "transceiver": (pdus.BIND_TRANSCEIVER,),
    "transmitter": (pdus.BIND_TRANSMITTER,),
    "receiver": (pdus.BIND_RECEIVER,),
    "pair": (pdus.BIND_TRANSMITTER, pdus.BIND_RECEIVER),
}
"""The connections of each mode; the first one submits."""

log = structlog.get_logger()


class SmppLink:
    """The connections of one bind, and what is submitted on them."""

    def __init__(
        self,
        bind: BindSettings,
        on_deliver: OnDeliver,
        *,
        name: str,
        password: str,
        may_submit: Callable[[], bool] = may_always_submit,
        random_fraction: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.bind = bind
        self._pace = Pace(bind.per_second, monotonic)
        self._connections = [
            _Connection(
                command,
                bind,
                on_deliver,
                name=name,
                password=password,
                may_submit=may_submit,
                random_fraction=random_fraction,
            )
            for command in BIND_COMMANDS[bind.mode]
        ]

    @property
    def state(self) -> LinkState:
        """The state of the connection that is worst off."""
        states = {connection.state for connection in self._connections}
        for state in ("closed", "suspended", "connecting"):
            if state in states:
                return state
        return "bound"

    async def submit(self, submit: Submit) -> SubmitResult:
        """Submit once the rate, the pause and the window allow it, and return the SMSC's answer.

        Raises:
            LinkSuspendedError: the SMSC refuses the account. Nothing was sent.
            LinkDownError: it is not bound, or the window stays full. Nothing was sent.
            AnswerLostError: there was no answer. It may have been sent.
        """
        self._transmitter()
        await self._pace.wait()
        result = await self._transmitter().submit(submit)
        self._pace.learn(result.status)
        if result.status in BUSY:
            log.warning("smpp_throttled", bind=self.name, status=statuses.name_status(result.status))
        return result

    async def wait_bound(self) -> None:
        """Return once all connections are bound."""
        for connection in self._connections:
            await connection.bound.wait()

    async def run(self) -> None:
        """Keep the connections until cancelled."""
        await asyncio.gather(*(connection.run() for connection in self._connections))

    def abort(self) -> None:
        """Drop the connections at once, without waiting for anything: another process may hold the bind."""
        for connection in self._connections:
            connection.abort()

    async def close(self) -> None:
        """Wait for the answers, unbind, and close."""
        await asyncio.gather(*(connection.close() for connection in self._connections))

    def _transmitter(self) -> Session:
        return self._connections[0].session_for_submit()


class Pace:
    """When the next submit may go: evenly at the rate of the account, and after the pause that a busy SMSC asks for."""

    def __init__(self, per_second: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`per_second` is in PDUs; 0 means no limit."""
        self._interval = 1 / per_second if per_second else 0.0
        self._monotonic = monotonic
        self._next_at = 0.0
        self._paused_until = 0.0
        self._pause = Backoff(initial=1.0, maximum=MAX_PAUSE)
        self._busy_in_a_row = 0

    async def wait(self) -> None:
        """Wait until it is the turn of the caller, who is one after those that wait already."""
        now = self._monotonic()
        turn = max(now, self._next_at)
        self._next_at = turn + self._interval
        if turn > now:
            await asyncio.sleep(turn - now)
        await self._wait_out_pause()

    async def _wait_out_pause(self) -> None:
        if (left := self._paused_until - self._monotonic()) > 0:
            await asyncio.sleep(left)
            await self._wait_out_pause()  # it may be longer by now

    def learn(self, status: int) -> None:
        """Take the status of an answer: a busy SMSC is left alone for a second, twice as long each time in a row."""
        if status not in BUSY:
            self._busy_in_a_row = 0
        elif self._monotonic() >= self._paused_until:  # else the answer is to a submit from before the pause
            self._busy_in_a_row += 1
            self._paused_until = self._monotonic() + self._pause.delay(self._busy_in_a_row).total_seconds()


class _Connection:
    """One connection, bound again and again."""

    def __init__(
        self,
        command: int,
        bind: BindSettings,
        on_deliver: OnDeliver,
        *,
        name: str,
        password: str,
        may_submit: Callable[[], bool],
        random_fraction: Callable[[], float],
    ) -> None:
        self._may_submit = may_submit
        self._command = command
        self._bind = bind
        self._on_deliver = on_deliver
        self._name = name
        self._password = password
        self._random_fraction = random_fraction
        self._backoff = Backoff(initial=min(FIRST_DELAY, bind.reconnect_after), maximum=bind.reconnect_after)
        self._log_throttle = LogThrottle()
        self._session: Session | None = None
        self._failures = 0
        self._closing = False
        self.state: LinkState = "connecting"
        self.bound = asyncio.Event()

    def session_for_submit(self) -> Session:
        """Return the bound session.

        Raises:
            LinkSuspendedError: the SMSC refuses the account.
            LinkDownError: it is not bound.
        """
        if self.state == "suspended":
            raise LinkSuspendedError
        if self._session is None or self.state != "bound" or not self._session.is_open:
            raise LinkDownError
        return self._session

    async def run(self) -> None:
        while not self._closing:
            try:
                await self._connect_once()
            except Exception as error:  # noqa: BLE001 - whatever ended the connection, it is made again
                log.error("smpp_connection_failed", bind=self._name, **error_facts(error))
            await asyncio.sleep(self._delay())

    async def close(self) -> None:
        session, was_bound = self._session, self.state == "bound"
        self.state, self._closing = "closed", True
        if session is None:
            return
        if was_bound:
            await session.close()
        session.drop()

    def abort(self) -> None:
        self.state, self._closing = "closed", True
        if self._session is not None:
            self._session.abort()

    def _delay(self) -> float:
        """Return the seconds until the next attempt."""
        if self._closing:
            return 0.0
        if self.state == "suspended":
            return self._bind.refused_again_after
        return self._backoff.delay(max(1, self._failures), self._random_fraction()).total_seconds()

    async def _connect_once(self) -> None:
        self._failures += 1
        try:
            async with Timeout(CONNECT_TIMEOUT):
                reader, writer = await self._open()
        except (OSError, TimeoutError) as error:
            self._log("smpp_not_connected", error=type(error).__name__)
            return
        session = self._session = Session(
            reader,
            writer,
            name=self._name,
            on_deliver=self._on_deliver,
            window=self._bind.window,
            response_timeout=self._bind.response_timeout,
            enquire_link=self._bind.enquire_link,
            log_throttle=self._log_throttle,
            may_submit=self._may_submit,
        )
        running = asyncio.create_task(session.run())
        try:
            await self._bind_and_wait(session, running)
        finally:
            session.drop()
            await cancel_and_wait(running)
            self._session = None
            self.bound.clear()
            if self.state == "bound":
                self.state = "connecting"

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if not self._bind.tls:
            return await asyncio.open_connection(self._bind.host, self._bind.port)
        context = ssl.create_default_context(cafile=self._bind.tls_ca)
        return await asyncio.open_connection(self._bind.host, self._bind.port, ssl=context)

    async def _bind_and_wait(self, session: Session, running: asyncio.Task[str]) -> None:
        try:
            status = await session.bind(
                self._command,
                system_id=self._bind.system_id,
                password=self._password,
                system_type=self._bind.system_type,
            )
        except AnswerLostError as error:
            self._log("smpp_bind_unanswered", **error_facts(error))
            return
        if status != statuses.ROK:
            self._take_refusal(status)
            return
        if self._closing:
            return
        self._failures, self.state = 0, "bound"
        self.bound.set()
        log.info("smpp_bound", bind=self._name, command=pdus.name_command(self._command))
        reason = await running
        if not self._closing:
            self.state = "connecting"
            self._log("smpp_connection_lost", reason=reason)

    def _take_refusal(self, status: int) -> None:
        """Suspend where the account is refused; the attempts go on slowly, since it may be mended at the operator."""
        facts = {"bind": self._name, "status": statuses.name_status(status)}
        if status not in ACCOUNT_REFUSED:
            self._log("smpp_bind_refused", status=facts["status"])
            if self.state == "suspended":
                self.state = "connecting"
            return
        if not self._closing:
            self.state = "suspended"
        fix = "correct system_id, password or system_type, here or at the operator"
        log.error("smpp_bind_suspended", **facts, again_after=self._bind.refused_again_after, fix=fix)

    def _log(self, event: str, **facts: str) -> None:
        if (left_out := self._log_throttle.admit(event)) is not None:
            log.warning(event, bind=self._name, **facts, **left_out)


@asynccontextmanager
async def open_link(
    bind: BindSettings,
    on_deliver: OnDeliver,
    *,
    name: str = "smpp",
    password: str | None = None,
    may_submit: Callable[[], bool] = may_always_submit,
) -> AsyncIterator[SmppLink]:
    """Keep a bind alive inside the block; at its end wait for answers and unbind.

    `on_deliver` is awaited before a delivery is acknowledged. `password` replaces that of `bind`.
    `may_submit` is asked right before each submit.
    """
    secret = bind.password.get_secret_value() if password is None else password
    link = SmppLink(bind, on_deliver, name=name, password=secret, may_submit=may_submit)
    running = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        await link.close()
        running.cancel()
        await asyncio.wait({running})
