"""One bound connection to an SMSC: requests of ours and their answers, its requests and ours to them.

`on_deliver` is awaited before a `deliver_sm` is acknowledged, so that what was delivered is committed first. Of one
source, one is worked on after the other, in the order in which they came.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

import structlog

from core.claim_worker import TaskSet
from core.logging import LogThrottle, error_facts
from core.timeouts import Timeout
from providers.smpp import pdus, statuses
from providers.smpp.pdus import Deliver, Pdu, PduError, PduStream, Submit

READ_OCTETS: Final = 65_536
MAX_DELIVERIES: Final = 200  # deliver_sm in work on one connection; the SMSC repeats what comes beyond
MAX_UNSENT: Final = 1_000_000  # octets that the SMSC does not read, until the connection is dropped
DELIVER_TIMEOUT: Final = 20.0  # seconds to commit one deliver_sm
UNBIND_TIMEOUT: Final = 3.0  # seconds

OnDeliver = Callable[[Deliver], Awaitable[int]]
"""Works on what was delivered, and returns the `command_status` of the answer; 0 where it is committed."""

log = structlog.get_logger()


def may_always_submit() -> bool:
    """True: nobody else holds the bind."""
    return True


class LinkDownError(Exception):
    """No bind is there to submit on. Nothing was sent; a later attempt may succeed."""


class LinkSuspendedError(LinkDownError):
    """The SMSC refuses the account. Nothing was sent; a person must mend the settings or the account."""


class AnswerLostError(Exception):
    """The SMSC did not answer, or the connection ended before it did. It may have the message."""


class SubmitResult(NamedTuple):
    """The answer to a `submit_sm`; `message_id` is empty where `status` is not 0, and where the SMSC gives none."""

    status: int
    message_id: str


class Session:
    """One connection, from binding to unbinding."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        name: str,
        on_deliver: OnDeliver,
        window: int,
        response_timeout: float,
        enquire_link: float,
        log_throttle: LogThrottle,
        may_submit: Callable[[], bool] = may_always_submit,
    ) -> None:
        """`response_timeout` and `enquire_link` are in seconds: to wait for an answer, and without a sign of life.

        `may_submit` is asked right before each submit is written.
        """
        self._reader = reader
        self._writer = writer
        self._name = name
        self._on_deliver = on_deliver
        self._response_timeout = response_timeout
        self._enquire_interval = enquire_link
        self._log_throttle = log_throttle
        self._may_submit = may_submit
        self._places = asyncio.Semaphore(window)
        self._waiting: dict[int, tuple[int, asyncio.Future[Pdu]]] = {}
        self._sequence = 0
        self._opened_at = self._heard_at = asyncio.get_running_loop().time()
        self._deliveries = TaskSet()
        self._newest_from: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return not self._closed

    async def bind(self, command: int, *, system_id: str, password: str, system_type: str) -> int:
        """Bind, and return the status of the answer. `run` must be running.

        Raises:
            AnswerLostError: there was no answer.
        """

        def encode(sequence: int) -> bytes:
            return pdus.encode_bind(command, sequence, system_id=system_id, password=password, system_type=system_type)

        return (await self._request(command, encode)).status

    async def submit(self, submit: Submit) -> SubmitResult:
        """Wait for a place in the window, submit, and return the answer.

        Raises:
            LinkDownError: no place became free in time, or the connection or the right to it ended before: nothing was sent.
            AnswerLostError: there was no answer.
        """
        try:
            async with Timeout(self._response_timeout):
                await self._places.acquire()
        except TimeoutError:
            raise LinkDownError from None
        try:
            if self._closed or not self._may_submit():
                raise LinkDownError
            answer = await self._request(pdus.SUBMIT_SM, submit.encode)
        finally:
            self._places.release()
        return SubmitResult(answer.status, "" if answer.status else pdus.read_message_id(answer))

    async def run(self) -> str:
        """Read until the connection ends; return why, in one word."""
        enquiries = asyncio.create_task(self._enquire())
        try:
            return await self._read()
        finally:
            enquiries.cancel()
            self._end()

    async def close(self) -> None:
        """Finish: wait for answers and for what is in work, unbind, and close the connection. `run` returns then."""
        if self._waiting:
            await asyncio.wait([future for _, future in self._waiting.values()], timeout=self._response_timeout)
        await self._deliveries.finish(self._response_timeout)
        with suppress(AnswerLostError, TimeoutError):
            async with Timeout(UNBIND_TIMEOUT):
                await self._request(pdus.UNBIND, partial(pdus.encode_pdu, pdus.UNBIND))
        self._end()

    def drop(self) -> None:
        """Close the connection at once."""
        self._end()

    def abort(self) -> None:
        """Close the connection at once, and drop what is not on its way yet."""
        self._end()
        self._writer.transport.abort()

    async def _read(self) -> str:
        stream = PduStream()
        while not self._closed:
            try:
                octets = await self._reader.read(READ_OCTETS)
                if not octets:
                    return "closed"
                self._heard_at = asyncio.get_running_loop().time()
                for pdu in stream.feed(octets):
                    self._receive(pdu)
            except PduError:
                self._log_unreadable("unknown")
                self._write(pdus.encode_pdu(pdus.GENERIC_NACK, 0, status=statuses.RINVCMDLEN))
                return "garbled"
            except OSError:
                return "reset"
        return "dropped"

    def _receive(self, pdu: Pdu) -> None:
        if pdu.is_response:
            self._settle(pdu)
        elif pdu.command in {pdus.DELIVER_SM, pdus.DATA_SM}:
            self._accept(pdu)
        elif pdu.command == pdus.ENQUIRE_LINK:
            self._answer(pdu)
        elif pdu.command == pdus.UNBIND:
            self._answer(pdu)
            self._closed = True
        elif pdu.command != pdus.ALERT_NOTIFICATION:
            self._log_unreadable(pdus.name_command(pdu.command))
            self._refuse(pdu, statuses.RINVCMDID)

    def _settle(self, pdu: Pdu) -> None:
        """Give an answer to the request that has its sequence number and its command."""
        command, future = self._waiting.get(pdu.sequence, (0, None))
        if future is not None and not future.done() and pdu.command in {command | pdus.RESPONSE, pdus.GENERIC_NACK}:
            future.set_result(pdu)
        elif (left_out := self._log_throttle.admit("late")) is not None:
            log.warning("smpp_answer_unexpected", bind=self._name, command=pdus.name_command(pdu.command), **left_out)

    def _accept(self, pdu: Pdu) -> None:
        """Start to work on a delivery, after the one before of the same source."""
        try:
            deliver = pdus.read_deliver(pdu, asyncio.get_running_loop().time() - self._opened_at, self._can_answer)
        except PduError:
            self._log_unreadable(pdus.name_command(pdu.command))
            self._refuse(pdu, statuses.RINVMSGLEN)
            return
        if len(self._deliveries) >= MAX_DELIVERIES:
            self._answer(pdu, statuses.RX_T_APPN)
            return
        task = self._deliveries.start(self._deliver(pdu, deliver, self._newest_from.get(deliver.source)))
        self._newest_from[deliver.source] = task
        task.add_done_callback(lambda done: self._forget(deliver.source, done))

    def _can_answer(self) -> bool:
        return not self._closed

    def _forget(self, source: str, task: asyncio.Task[None]) -> None:
        if self._newest_from.get(source) is task:
            del self._newest_from[source]

    async def _deliver(self, pdu: Pdu, deliver: Deliver, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await asyncio.wait({earlier})
        status = statuses.RX_T_APPN
        try:
            async with Timeout(DELIVER_TIMEOUT):
                status = await self._on_deliver(deliver)
        except Exception as error:  # noqa: BLE001 - the SMSC is asked to repeat, whatever failed
            log.error("smpp_deliver_failed", bind=self._name, **error_facts(error))
        self._answer(pdu, status)

    async def _enquire(self) -> None:
        """Ask for a sign of life where there was none; drop the connection where there is no answer."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(0.01, self._heard_at + self._enquire_interval - loop.time()))
            if loop.time() - self._heard_at < self._enquire_interval:
                continue
            try:
                await self._request(pdus.ENQUIRE_LINK, partial(pdus.encode_pdu, pdus.ENQUIRE_LINK))
            except AnswerLostError:
                log.warning("smpp_connection_silent", bind=self._name)
                self._end()
                return

    async def _request(self, command: int, encode: Callable[[int], bytes]) -> Pdu:
        sequence = self._next_sequence()
        octets = encode(sequence)
        if self._closed:
            raise AnswerLostError
        future: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = command, future
        try:
            self._write(octets)
            async with Timeout(self._response_timeout):
                return await future
        except TimeoutError:
            raise AnswerLostError from None
        finally:
            self._waiting.pop(sequence, None)

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % pdus.MAX_SEQUENCE + 1
        return self._sequence

    def _answer(self, pdu: Pdu, status: int = statuses.ROK) -> None:
        has_id = pdu.command in {pdus.DELIVER_SM, pdus.DATA_SM}
        body = b"\0" if has_id else b""  # its message_id is not used
        self._write(pdus.encode_pdu(pdu.command | pdus.RESPONSE, pdu.sequence, status=status, body=body))

    def _refuse(self, pdu: Pdu, status: int) -> None:
        self._write(pdus.encode_pdu(pdus.GENERIC_NACK, pdu.sequence, status=status))

    def _write(self, octets: bytes) -> None:
        """Write without waiting; the connection to an SMSC that does not read is dropped."""
        if self._writer.is_closing():
            return
        self._writer.write(octets)
        if self._writer.transport.get_write_buffer_size() > MAX_UNSENT:
            log.warning("smpp_connection_stuck", bind=self._name)
            self._writer.transport.abort()

    def _end(self) -> None:
        self._closed = True
        for _, future in self._waiting.values():
            if not future.done():
                future.set_exception(AnswerLostError())
                future.exception()  # it may be that nobody waits any more
        self._waiting.clear()
        self._writer.close()

    def _log_unreadable(self, command: str) -> None:
        if (left_out := self._log_throttle.admit("unreadable")) is not None:
            log.warning("smpp_pdu_unreadable", bind=self._name, command=command, **left_out)
