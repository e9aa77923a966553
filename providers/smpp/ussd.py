"""USSD over a bind: a key press is delivered, acknowledged, answered by the menus, and its screen submitted."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, NamedTuple

import structlog

from core.logging import LogThrottle
from providers.smpp import statuses
from providers.smpp.addresses import read_source
from providers.smpp.calls import Call, Calls
from providers.smpp.dialects import Dialect
from providers.smpp.pdus import Deliver, Submit
from providers.smpp.session import LinkDownError, LinkSuspendedError, SubmitResult
from providers.smpp.text import TextRules
from providers.smpp.ussd_pdus import (
    UssdEvent,
    build_submit,
    find_dialled_digits,
    read_dialled,
    read_event,
    read_input,
)
from sessions.path_turns import UssdReply
from ussd.provider import AnyUssdRequest, ShortCodeConfig, UssdEndEvent, UssdInput
from ussd.routes import UssdHandler

PUSH_DEADLINE: Final = (
    8.0  # seconds until the last attempt to submit a screen; a network ends a silent session soon after
)
LINK_PAUSE: Final = 0.1  # seconds between attempts while the bind is down
INVALID_PARAMETER: Final = 0xC4  # ESME_RINVOPTPARAMVAL
MAX_INPUT: Final = 182  # characters; USSD has no longer ones
BUSY: Final = frozenset({statuses.RTHROTTLED, statuses.RMSGQFUL})


class ScreenNotShownError(Exception):
    """The SMSC did not take a screen; the text is the name of its status."""


NOT_SHOWN: Final = (ScreenNotShownError, LinkDownError)
"""What a screen was certainly not shown after. Where the answer is lost, it may have been."""

SubmitScreen = Callable[[Submit], Awaitable[SubmitResult]]
"""Submits on the bind while this process holds it."""

log = structlog.get_logger()


class _OpenPress(NamedTuple):
    """A key press whose screen is not shown yet."""

    call: Call
    sequence: str
    deliver: Deliver


class SmppUssd:
    """The USSD of one bind. A key press that is repeated gets its screen once more, and has its effects once."""

    name: Final = "smpp"

    def __init__(
        self,
        *,
        bind: str,
        dialect: Dialect,
        rules: TextRules,
        country_code: str,
        network: str,
        config: ShortCodeConfig,
        calls: Calls,
        handler: UssdHandler,
        submit: SubmitScreen,
    ) -> None:
        """`country_code` is that of national numbers; `network` the code of the operator's network, whose screens these are."""
        self._bind = bind
        self._dialect = dialect
        self._rules = rules
        self._country_code = country_code
        self._network = network
        self._budget = config.budget_for(network)
        self._config = config
        self._calls = calls
        self._handler = handler
        self._submit = submit
        self._open: dict[str, _OpenPress] = {}
        self._log_throttle = LogThrottle()

    async def on_deliver(self, deliver: Deliver) -> int:
        """Take what was delivered on USSD, and return the status of the answer."""
        event = read_event(self._dialect, deliver)
        caller = read_source(deliver, self._country_code)
        if not caller or event.kind == "unknown":
            return self._refuse("number" if not caller else "operation")
        match event.kind:
            case "abort":
                await self._abort(caller, event)
            case "dial" | "answer":
                await self._take_key_press(caller, event, deliver)
            case _:
                pass  # the phone has shown a notification
        return statuses.ROK

    async def push_reply(self, request: AnyUssdRequest, reply: UssdReply) -> None:
        """Submit a screen.

        Raises:
            ScreenNotShownError: the SMSC refuses it, or is busy.
            LinkDownError: the bind is down.
            AnswerLostError: there was no answer.
        """
        call, sequence, deliver = self._open.pop(request.session_id)
        if not self._calls.is_current(call):
            return  # the session has ended meanwhile, or the caller has dialled again
        ends = reply.reply.ends
        before = call.count_screen(sequence, monotonic())  # who answers while we wait for the SMSC has seen it
        try:
            await self._show(build_submit(self._dialect, deliver, self._rules, reply.reply.text, ends=ends))
        except NOT_SHOWN:
            call.uncount_screen(before)
            raise
        if not ends:
            await self._calls.save(call)
            return
        await self._calls.end(call)
        await self._handler.record_end(UssdEndEvent(call.session_id, "Success", call.screens, 0, has_error=False))

    async def _take_key_press(self, caller: str, event: UssdEvent, deliver: Deliver) -> None:
        call = await self._find_call(caller, event)
        if call.session_id in self._open or call.is_repeat(event.sequence, deliver.arrived_at):
            log.info("ussd_repeat", bind=self._bind)  # its screen is on its way, or was shown
            return
        press = self._open[call.session_id] = _OpenPress(call, event.sequence, deliver)
        task = self._handler.start_push(self, self._build_input(call, event, deliver), deliver.arrived_at)
        task.add_done_callback(lambda _: self._forget(press))
        if not call.version:
            await self._calls.save(call)
        if self._dialect.answers_first:
            await task

    def _forget(self, press: _OpenPress) -> None:
        """Take no later key press for a repeat of this one, which has no screen: the menus failed."""
        if self._open.get(press.call.session_id) is press:
            del self._open[press.call.session_id]

    async def _find_call(self, caller: str, event: UssdEvent) -> Call:
        """The call that a key press belongs to. Who dials begins one, unless their first screen was not shown yet.

        An answer in a call that nobody knows is one in a call whose record was lost.
        """
        call = await self._calls.find(caller, event.reference)
        if call is not None and (event.kind == "answer" or call.screens == 0):
            return call
        return self._calls.begin(caller, event.reference)

    def _build_input(self, call: Call, event: UssdEvent, deliver: Deliver) -> UssdInput:
        starts, text = event.kind == "dial", read_input(deliver, self._rules)
        if starts:
            dialled = read_dialled(self._dialect, deliver, self._rules)
            text = find_dialled_digits(dialled, self._config.service_codes)
            call.used_code = next(filter(None, map(self._config.find_used_code, dialled)), "")
        return UssdInput(
            session_id=call.session_id,
            message_id=str(call.screens),
            caller=call.caller,
            text=text[:MAX_INPUT],
            starts_session=starts,
            budget=self._budget,
            caller_number_verified=self._config.caller_number_verified,
            used_code=call.used_code,
            network=self._network,
        )

    async def _show(self, submit: Submit) -> None:
        """Submit until the bind is there and the SMSC is not busy, for PUSH_DEADLINE seconds at most.

        Raises:
            ScreenNotShownError: the SMSC refuses the screen, or is busy.
            LinkDownError: the bind is down.
            AnswerLostError: there was no answer.
        """
        until = monotonic() + PUSH_DEADLINE
        status = await self._submit_until(until, submit)
        while status in BUSY and monotonic() < until:
            status = await self._submit_until(until, submit)  # the link waits before it
        if status != statuses.ROK:
            log.warning("ussd_screen_refused", bind=self._bind, status=statuses.name_status(status))
            raise ScreenNotShownError(statuses.name_status(status))

    async def _submit_until(self, until: float, submit: Submit) -> int:
        """Submit when the bind is there, and return the status of the answer.

        Raises:
            LinkDownError: it is not there until then.
            LinkSuspendedError: the SMSC refuses the account.
            AnswerLostError: there was no answer.
        """
        while True:
            try:
                return (await self._submit(submit)).status
            except LinkSuspendedError:
                raise
            except LinkDownError:
                if monotonic() >= until:
                    raise
            await asyncio.sleep(LINK_PAUSE)

    async def _abort(self, caller: str, event: UssdEvent) -> None:
        call = await self._calls.find(caller, event.reference)
        if call is None:
            return
        await self._calls.end(call)
        await self._handler.record_end(UssdEndEvent(call.session_id, "Incomplete", call.screens, 0, has_error=False))

    def _refuse(self, what: str) -> int:
        if (left_out := self._log_throttle.admit(what)) is not None:
            log.warning("ussd_delivery_unreadable", bind=self._bind, unreadable=what, **left_out)
        return INVALID_PARAMETER
