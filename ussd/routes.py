"""The routes that a provider calls for USSD: one for each key press, one for each session that has ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, TypeAlias

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from core.deadline import CURRENT_DEADLINE, Deadline
from core.hop_metrics import HopCounts
from core.http.fast_response import build_text_response
from core.http.provider_webhooks import FIELD_READERS, WEBHOOK_METHODS, build_webhook_route
from core.http.server_protocol import arrival_time
from core.http.webhooks import BadWebhookError, WebhookGuard, log_malformed
from core.logging import error_facts
from core.used_code import using_code
from core.verified_caller import unverified_caller
from sessions.live_sessions import LiveSessions
from sessions.path_turns import UssdReply, UssdSessionHandler
from ussd.admission import Admission
from ussd.hidden_numbers import HiddenNumberHandler
from ussd.metrics import UssdMetrics
from ussd.newest_input import NewestInputHandler
from ussd.provider import (
    CHANNEL,
    AnyUssdRequest,
    EndEventParser,
    EndReport,
    PushUssdProvider,
    ReplyNotShownError,
    ReplySender,
    ResponseUssdProvider,
    UssdEndEvent,
    UssdInput,
)
from ussd.refusals import BusyReplies

STOP_TIMEOUT: Final = 10.0  # seconds at a stop for replies that are being pushed

CallEnded: TypeAlias = Callable[[str], Awaitable[object]]
"""Told the id of a session that has ended."""

NoteNetwork: TypeAlias = Callable[[str, str], None]
"""Told the number of a caller and the code of the network that they call from."""

log = structlog.get_logger()


async def ignore_end(_session_id: str) -> None:
    """Do nothing at the end of a session."""


class UssdHandler:
    """Answers the requests of every provider, counts them, and pushes replies where a provider wants that."""

    def __init__(
        self,
        *,
        path_sessions: UssdSessionHandler,
        inputs: NewestInputHandler,
        hidden_numbers: HiddenNumberHandler,
        admission: Admission,
        busy_replies: BusyReplies,
        deadline: float,
        metrics: UssdMetrics,
        live_sessions: LiveSessions,
        on_call_ended: CallEnded = ignore_end,
        note_network: NoteNetwork = lambda _msisdn, _network: None,
    ) -> None:
        """`note_network` learns the network of a caller whose number is verified.

        `deadline` are the seconds from the arrival of a request to its reply.
        """
        self.metrics = metrics
        self._live_sessions = live_sessions
        live_sessions.open(CHANNEL)
        self._on_call_ended = on_call_ended
        self._note_network = note_network
        self._path_sessions = path_sessions
        self.inputs = inputs
        self._hidden = hidden_numbers
        self._admission = admission
        self._busy_replies = busy_replies
        self._deadline = deadline
        self._pushes: set[asyncio.Task[None]] = set()
        self._log = log.bind()  # bound once, and not in every request
        self._logs_requests = self._log.is_enabled_for(logging.DEBUG)

    async def handle(self, request: AnyUssdRequest, started: float, hops: HopCounts) -> UssdReply:
        """The reply to a request that arrived at `started`, in seconds of `time.monotonic`; it is counted in `hops`."""
        admission, starts_session = self._admission, request.starts_session
        if not admission.enter(starts_session=starts_session):
            hops.count("shed")
            return self._busy_replies.find(request.caller, request.budget, starts_session=starts_session)
        # Before it arrived here, it waited in the system for an event loop that was late.
        token = CURRENT_DEADLINE.set(Deadline(started - admission.loop_delay, self._deadline))
        try:
            if request.caller_number_verified:
                reply = await self._answer(request)
            else:
                with unverified_caller():
                    reply = await self._answer(request)
        finally:
            CURRENT_DEADLINE.reset(token)
            seconds = monotonic() - started
            admission.leave(seconds)
        if reply.handled_as == "shed":
            admission.count_refusal("database", starts_session=starts_session)
        hops.record(reply.handled_as, seconds)
        self._live_sessions.note(CHANNEL, request.session_id, ended=reply.reply.ends)
        if self._logs_requests:
            self._log.debug("hop", handled_as=reply.handled_as, ends=reply.reply.ends, ms=round(seconds * 1000, 1))
        return reply

    async def _answer(self, request: AnyUssdRequest) -> UssdReply:
        if request.network and request.caller_number_verified:
            self._note_network(request.caller, request.network)
        with using_code(request.used_code):
            return await self._dispatch(request)

    async def _dispatch(self, request: AnyUssdRequest) -> UssdReply:
        if isinstance(request, UssdInput):
            if request.hidden is not None:
                return await self._hidden.handle(request, request.hidden)
            return await self.inputs.handle(request)
        return await self._path_sessions.handle(request)

    def start_push(self, sender: ReplySender, request: AnyUssdRequest, started: float) -> asyncio.Task[None]:
        """Answer a request that arrived at `started`, in seconds of `time.monotonic`, in a task that sends the reply.

        The task raises nothing: a reply that is not sent is logged. `finish_pushes` waits for it.
        """
        task = asyncio.create_task(self._push(sender, request, started))
        self._pushes.add(task)
        task.add_done_callback(self._pushes.discard)
        return task

    async def record_end(self, event: UssdEndEvent) -> None:
        """Count the end of a session, and start what waits for it. A failure delays that and is logged."""
        self.metrics.call_ends.labels(event.status).inc()
        log.info(
            "ussd_session_ended",
            status=event.status,
            hops=event.hop_count,
            ms=event.duration_ms,
            error=event.has_error,
        )
        if event.session_id:
            self._live_sessions.note(CHANNEL, event.session_id, ended=True)
            try:
                await self._on_call_ended(event.session_id)
            except Exception as error:  # noqa: BLE001 - what waits for the end of the call starts a few seconds later
                log.warning("ussd_session_end_not_recorded", **error_facts(error))

    async def finish_pushes(self) -> None:
        """Wait for replies that are being pushed, at most STOP_TIMEOUT seconds, then cancel them. Then write the calls."""
        if self._pushes:
            await asyncio.wait(self._pushes, timeout=STOP_TIMEOUT)
        for task in self._pushes:
            task.cancel()
        await self.inputs.finish_writes()

    async def _push(self, sender: ReplySender, request: AnyUssdRequest, started: float) -> None:
        reply = await self.handle(request, started, self.metrics.open_hops(sender.name))
        try:
            await sender.push_reply(request, reply)
        except ReplyNotShownError as refused:
            write = log.info if refused.is_usual else log.error
            write("ussd_push_failed", provider=sender.name, **refused.facts)
        except Exception as error:  # noqa: BLE001 - the caller sees no screen, and dials again
            log.error("ussd_push_failed", provider=sender.name, **error_facts(error))


def webhook_path(provider: ResponseUssdProvider | PushUssdProvider) -> str:
    """The path that a provider posts key presses to."""
    return f"/ussd/{provider.name}"


def routes(
    provider: ResponseUssdProvider | PushUssdProvider, handler: UssdHandler, guard: WebhookGuard
) -> list[web.RouteDef]:
    """`/ussd/<provider>`, by the method of the provider's format, and `POST /ussd/<provider>/events` where it reports ends."""
    path = webhook_path(provider)
    if isinstance(provider, PushUssdProvider):
        handle_key_press = _build_push_handler(provider, handler, guard)
    else:
        handle_key_press = _build_response_handler(provider, handler, guard)
    found = [build_webhook_route(provider.body_format, path, handle_key_press)]
    if isinstance(provider, EndEventParser):
        found.append(web.post(f"{path}/events", _build_events_handler(provider, f"{path}/events", handler, guard)))
    return found


def is_fast_path(provider: ResponseUssdProvider | PushUssdProvider) -> bool:
    """Whether its key presses may be dispatched without the router, which only posted ones are."""
    return WEBHOOK_METHODS[provider.body_format] == hdrs.METH_POST


def _build_events_handler(provider: EndEventParser, path: str, handler: UssdHandler, guard: WebhookGuard) -> Handler:
    read_fields = FIELD_READERS[provider.body_format]

    async def handle_end_event(request: web.Request) -> web.StreamResponse:
        if (rejection := guard.reject_unauthorized(request, path)) is not None:
            return rejection
        try:
            event = provider.parse_end_event(await read_fields(request))
        except BadWebhookError as bad:
            log_malformed(request, path, bad)
            return bad.to_response()
        await handler.record_end(event)
        return web.Response()

    return handle_end_event


def _build_response_handler(provider: ResponseUssdProvider, handler: UssdHandler, guard: WebhookGuard) -> Handler:
    path, read_fields = webhook_path(provider), FIELD_READERS[provider.body_format]
    hops = handler.metrics.open_hops(provider.name)

    async def handle_key_press(request: web.Request) -> web.StreamResponse:
        rejection = guard.reject_unauthorized(request, path)
        if rejection is not None:
            return rejection
        started = arrival_time(request)
        try:
            fields = await read_fields(request)
            ussd_request = provider.parse_request(fields, request.headers)
        except BadWebhookError as bad:
            log_malformed(request, path, bad)
            return bad.to_response()
        if isinstance(ussd_request, EndReport):
            return await _acknowledge_end(request, handler, ussd_request)
        reply = provider.render_reply(await handler.handle(ussd_request, started, hops), fields)
        return build_text_response(request, *reply)

    return handle_key_press


def _build_push_handler(provider: PushUssdProvider, handler: UssdHandler, guard: WebhookGuard) -> Handler:
    path, read_fields = webhook_path(provider), FIELD_READERS[provider.body_format]

    async def handle_key_press(request: web.Request) -> web.StreamResponse:
        rejection = guard.reject_unauthorized(request, path)
        if rejection is not None:
            return rejection
        started = arrival_time(request)
        try:
            ussd_request = provider.parse_request(await read_fields(request), request.headers)
        except BadWebhookError as bad:
            log_malformed(request, path, bad)
            return bad.to_response()
        if isinstance(ussd_request, EndReport):
            return await _acknowledge_end(request, handler, ussd_request)
        handler.start_push(provider, ussd_request, started)
        return build_text_response(request, *provider.render_acknowledgement())

    return handle_key_press


async def _acknowledge_end(request: web.Request, handler: UssdHandler, report: EndReport) -> web.StreamResponse:
    await handler.record_end(report.event)
    return build_text_response(request, *report.acknowledgement)
