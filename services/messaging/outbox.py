"""The outbox: claims queued messages, sends them through a provider and records each result.

No message is lost and none is sent twice by itself: a message is claimed, and the claim committed, before it is sent. A
send with an unclear result is recorded as *unknown*.
"""

import asyncio
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from core.claim_worker import ClaimWorker, result_or_log
from core.clock_watch import ClockWatch
from core.retry import Backoff
from core.types import Template
from services.messaging.dlt import DltRegistry, check_dlt
from services.messaging.kinds import Medium
from services.messaging.messages import Messages
from services.messaging.metrics import OutboxMetrics
from services.messaging.models import ClaimedMessage, OutgoingMessage, Refusal, SendResult
from services.messaging.outcomes import Accepted, Rejected, Retry, SendOutcome, Suspended, Unknown
from services.messaging.provider import MessageProvider
from services.messaging.throttle import Throttle

BACKOFF: Final = Backoff(initial=2.0, maximum=3600.0)
PAUSE_BACKOFF: Final = Backoff(initial=2.0, maximum=60.0)  # of all messages, where the provider does not say how long
MAX_UNCLEAR: Final = 5
"""Unclear results in a row after which one message at a time tries whether the provider works again.

An unclear message is not sent again, so a provider that fails for an hour must not use up the queue.
"""
SUSPENSION_RETRY_INTERVAL: Final = timedelta(minutes=1)  # between attempts while the provider account is suspended
MAX_SUSPENSION_FACTOR: Final = 10  # a message suspended this often waits ten intervals at most
ABANDONED_AFTER: Final = timedelta(minutes=5)  # far longer than sending a message and recording the result takes
RECOVERY_INTERVAL: Final = 60.0  # seconds
MOVE_INTERVAL: Final = 5.0  # seconds between moves of messages to the fallback of a suspended provider
METRICS_INTERVAL: Final = 15.0  # seconds; as often as Prometheus scrapes
# How many results may wait to be recorded, as a multiple of the concurrency. A crash leaves that many unknown.
MAX_UNSETTLED_FACTOR: Final = 4
REFERENCE_PREFIX: Final = "ekdial"  # an account may be shared with other programs
SETTLE_RETRY_DELAYS: Final = (0.1, 0.5, 1.0, 2.0, 4.0)  # seconds between attempts to record a result

log = structlog.get_logger()


class Outbox(ClaimWorker[ClaimedMessage, SendResult]):
    """Sends up to `concurrency` messages at a time. Any number of outboxes, in any number of processes, share one queue."""

    record_retry_delays = SETTLE_RETRY_DELAYS
    claim_failed_event = "message_claim_failed"
    record_failed_event = "message_result_not_recorded"

    def __init__(
        self,
        messages: Messages,
        provider: MessageProvider,
        *,
        worker: str,
        medium: Medium = "sms",
        queue: str | None = None,
        throttle: Throttle | None = None,
        metrics: OutboxMetrics | None = None,
        prepare_text: Callable[[str], str] = str,
        prepare_variable: Callable[[str], str] = str,
        dlt: DltRegistry | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        random_fraction: Callable[[], float] = random.random,
        concurrency: int = 16,
        poll_interval: float = 1.0,
        grace_period: float = 15.0,
    ) -> None:
        """`queue` names the provider whose messages it claims; by default those of the default provider.

        `poll_interval` is the time in seconds between looks for messages that other processes queued.

        `grace_period` is the time in seconds that messages in flight get at a stop; it must be longer than the provider's
        deadline. Waits of this process are measured by `monotonic`, which nobody sets. `prepare_text` is applied to each
        text before it is sent, and `prepare_variable` to the variables of each text that this changes. `random_fraction`
        returns 0 to 1. `dlt` has what is registered in India, for a provider that sends there with these ids.
        """
        super().__init__()
        self._messages = messages
        self._provider = provider
        self._worker = worker
        self._medium: Medium = medium
        self._queue = queue
        self._throttle = throttle or Throttle(0)
        self._metrics = metrics
        self._prepare_text = prepare_text
        self._prepare_variable = prepare_variable
        self._dlt = dlt
        self._refusals: set[Refusal] = set()
        self._clock = clock
        self._monotonic = monotonic
        self._clock_watch = ClockWatch(clock=clock, monotonic=monotonic)
        self._random_fraction = random_fraction
        self._concurrency = concurrency
        self._poll_interval = poll_interval
        self._grace_period = grace_period
        self._probing_suspension = False
        self._unclear_count = 0
        self._pause_count = 0
        self._last_alarm = ""
        self._throttle_timer: asyncio.TimerHandle | None = None
        self._next_recovery = self._next_metrics = self._next_move = self._paused_until = -math.inf
        if metrics:
            metrics.set_suspended(provider.name, False)  # so that the label is there before the first alarm
        self.suspension_reason = ""
        """Why no message is sent until a person fixes the provider account; empty while messages are sent."""

    async def run(self) -> None:
        """Send queued messages until `stop` is called or the task is cancelled; then finish the messages in flight."""
        polling = asyncio.create_task(self._wake_when_queued())
        try:
            await super().run()
        finally:
            polling.cancel()

    def free_slots(self) -> int:
        """Return how many messages may be sent now besides those in flight: 0 while paused, 1 to probe."""
        if self._monotonic() < self._paused_until or self._is_throttled():
            return 0
        if len(self.tasks) >= self._concurrency * MAX_UNSETTLED_FACTOR:
            return 0
        is_probing = self._probing_suspension or self._unclear_count >= MAX_UNCLEAR
        return max(0, (1 if is_probing else self._concurrency) - self.in_flight)

    async def may_claim(self) -> bool:
        """Return True, after starting the periodic work that is due."""
        self._start_periodic_work()
        return True

    async def claim(self, limit: int) -> Sequence[ClaimedMessage]:
        """Claim at most `limit` messages, and no more segments than the throttle has left."""
        find_id = self._dlt.find_id if self._dlt else None
        messages = await self._messages.claim(
            self._worker, limit, self._medium, self._throttle.available(), self._queue, find_template_id=find_id
        )
        self._throttle.consume(sum(message.segments for message in messages))
        return messages

    def may_have_more(self, items: Sequence[ClaimedMessage], limit: int) -> bool:
        """Return whether messages may be due that did not fit into the slots or the throttle."""
        return super().may_have_more(items, limit) or (bool(items) and self._throttle.available() == 0)

    async def process(self, item: ClaimedMessage) -> SendResult:
        """Send a message; a send that raises or is cut short has an unknown result."""
        outcome = await self._send(item)
        self._apply_outcome(outcome)
        if isinstance(outcome, Suspended) and outcome.template_only:
            return self._hold(item.template, outcome.reason)
        return build_send_result(outcome, item, self._clock(), self._random_fraction())

    async def record(self, item: ClaimedMessage, result: SendResult) -> bool:
        """Record the result of a send; False where the message had a result before."""
        return await self._messages.record_result(item.id, result)

    async def record_result(self, item: ClaimedMessage, result: SendResult) -> None:
        """Count and record a result; one that cannot be recorded leaves the message *sending*, to be recovered later."""
        if self._metrics:
            self._metrics.record_send(self._provider.name, item.kind, result, item.segments)
        await super().record_result(item, result)
        if result.suspended and self._queue:  # a person may be waiting for this one
            await self._move_to_fallback(tried_only=True)

    async def finish(self) -> None:
        """Give messages in flight the grace period; cut short the rest and give those time to record that."""
        if left := await self.tasks.finish(self._grace_period, sum(SETTLE_RETRY_DELAYS)):
            log.error("messages_unsettled_at_stop", count=left)

    def item_facts(self, item: ClaimedMessage) -> dict[str, object]:
        """Return the id, kind and attempts of a message."""
        return {"message": item.id, "kind": item.kind, "attempts": item.attempts}

    def log_result(self, item: ClaimedMessage, result: SendResult, *, recorded: bool) -> None:
        """Log how a send ended."""
        write = log.info if result.status == "sent" else log.warning
        facts = {"status": result.status, "reason": result.error, "recorded": recorded}
        write("message_processed", medium=self._medium, **self.item_facts(item), **facts)

    async def _wake_when_queued(self) -> None:
        while True:
            await self._messages.wait_for_queued(self._poll_interval, self._medium, self._queue)
            self.wakeup.set()

    def _is_throttled(self) -> bool:
        """Return whether no segment may be sent now; if so, the outbox wakes when one may."""
        if self._throttle.available() != 0:
            return False
        if self._throttle_timer:
            self._throttle_timer.cancel()
        wait = self._throttle.seconds_until_available()
        self._throttle_timer = asyncio.get_running_loop().call_later(wait, self.wakeup.set)
        return True

    async def _send(self, message: ClaimedMessage) -> SendOutcome:
        outgoing = self._build_outgoing(message)
        if self._dlt and (unsendable := check_dlt(self._dlt, outgoing)):
            return unsendable
        try:
            sending = self._provider.send(outgoing)
            outcome = await result_or_log(sending, "provider_raised", message=message.id)
        except asyncio.CancelledError:
            return Unknown("CutShort")
        return outcome or Unknown("ProviderRaised")

    def _build_outgoing(self, message: ClaimedMessage) -> OutgoingMessage:
        """The message as it is sent: where its text is changed for that, the variables are changed alike."""
        text, template = self._prepare_text(message.text), message.template
        if template and text != message.text:
            variables = tuple((name, self._prepare_variable(value)) for name, value in template.variables)
            template = replace(template, variables=variables)
        dlt = self._dlt.find_ids(message.to, template) if self._dlt else None
        return OutgoingMessage(
            message.to,
            text,
            message.kind,
            reference=f"{REFERENCE_PREFIX}{message.id}",
            sender=message.sender or (self._dlt.find_header(message.kind) if self._dlt and dlt else ""),
            template=template,
            dlt=dlt,
        )

    def _hold(self, template: Template | None, reason: str) -> SendResult:
        """The result of a message with a refused text: it waits. Where it is of no text, nothing can be mended."""
        if template is None:
            return SendResult("failed", error=reason)
        template_id = self._dlt.find_id(template.name) if self._dlt else ""
        refusal = Refusal(template.name, template_id, reason)
        self._alarm_refusal(refusal)
        return SendResult("queued", error=reason, suspended=True, refusal=refusal)

    def _alarm_refusal(self, refusal: Refusal) -> None:
        """Log a refused text once; its messages wait, all others are sent."""
        if refusal not in self._refusals:
            facts = {"template": refusal.name, "reason": refusal.reason, "action_required": True}
            log.critical("template_refused", provider=self._provider.name, **facts)
        self._refusals.add(refusal)

    def _apply_outcome(self, outcome: SendOutcome) -> None:
        """Suspend, pause or resume sending. One suspended message may be about its network; a second suspends all."""
        match outcome:
            case Suspended(template_only=True):
                pass  # the provider and its account work
            case Suspended(reason):
                if self._probing_suspension:
                    self._suspend(reason)
                self._probing_suspension = True
            case Retry(not_before=not_before, pauses_all=True):
                self._pause(not_before)
            case Unknown(reason, needs_attention=True):
                self._alarm(reason)
            case Unknown():
                self._count_unclear()
            case Accepted() | Rejected():
                self._probing_suspension, self._unclear_count = False, 0
                self._resume()

    def _pause(self, not_before: datetime | None) -> None:
        """Send nothing for a while. Messages in flight that get the same answer do not prolong the pause."""
        if self._monotonic() >= self._paused_until:
            self._pause_count += 1
            now = self._clock()
            until = not_before or now + PAUSE_BACKOFF.delay(self._pause_count, self._random_fraction())
            self._pause_for(until - now)
            log.warning("outbox_paused", provider=self._provider.name, until=until.isoformat())

    def _count_unclear(self) -> None:
        """Pause after several unclear results in a row, and after each further one."""
        self._unclear_count += 1
        if self._unclear_count >= MAX_UNCLEAR:
            self._pause(None)

    def _alarm(self, reason: str) -> None:
        if reason != self._last_alarm:
            log.critical("provider_holds_messages", provider=self._provider.name, reason=reason, action_required=True)
        self._last_alarm = reason

    def _suspend(self, reason: str) -> None:
        self._pause_for(SUSPENSION_RETRY_INTERVAL)
        if reason != self.suspension_reason:
            log.critical("outbox_suspended", provider=self._provider.name, reason=reason, action_required=True)
        self._set_suspension(reason)

    def _resume(self) -> None:
        self._pause_count, self._last_alarm = 0, ""
        if self.suspension_reason:
            self._pause_for(timedelta())
            log.warning("outbox_resumed", provider=self._provider.name, reason=self.suspension_reason)
            self._set_suspension("")

    def _set_suspension(self, reason: str) -> None:
        self.suspension_reason = reason
        if self._metrics:
            self._metrics.set_suspended(self._provider.name, bool(reason))

    def _pause_for(self, wait: timedelta) -> None:
        self._paused_until = self._monotonic() + wait.total_seconds()

    def _start_periodic_work(self) -> None:
        now = self._monotonic()
        if self._clock_watch.take_jump_back():
            self.tasks.start(self._make_future_due())
        if now >= self._next_recovery:
            self._next_recovery = now + RECOVERY_INTERVAL
            if self._dlt:
                self.tasks.start(self._release_mended(self._dlt))
            if self._clock_watch.is_steady(ABANDONED_AFTER):
                self.tasks.start(self._recover_abandoned())
        if self._is_suspended_now() and now >= self._next_move:
            self._next_move = now + MOVE_INTERVAL
            self.tasks.start(self._move_to_fallback())
        if self._metrics and now >= self._next_metrics:
            self._next_metrics = now + METRICS_INTERVAL
            self.tasks.start(self._record_depth(self._metrics))

    def _is_suspended_now(self) -> bool:
        """Return whether sending is suspended and no probe is due: a message that is moved cannot be the probe."""
        return bool(self._queue and self.suspension_reason) and self._monotonic() < self._paused_until

    async def _move_to_fallback(self, *, tried_only: bool = False) -> None:
        moving = self._messages.move_to_fallback(self._queue or "", tried_only=tried_only)
        if count := await result_or_log(moving, "messages_not_moved", provider=self._provider.name):
            log.warning("messages_moved_to_fallback", provider=self._provider.name, count=count)
            if self._metrics:
                self._metrics.record_moved(self._provider.name, count)

    async def _recover_abandoned(self) -> None:
        recovering = self._messages.recover_abandoned(ABANDONED_AFTER)
        if count := await result_or_log(recovering, "message_recovery_failed"):
            log.error("abandoned_messages_recovered", count=count)
        if adopted := await result_or_log(self._messages.adopt_orphans(), "messages_not_adopted"):
            log.warning("messages_given_to_default_provider", count=adopted)

    async def _release_mended(self, dlt: DltRegistry) -> None:
        await result_or_log(self._messages.holds.release_mended(dlt.find_id), "mended_templates_not_released")

    async def _make_future_due(self) -> None:
        if count := await result_or_log(self._messages.make_future_due(), "messages_not_made_due"):
            log.warning("messages_of_the_future_made_due", count=count)

    async def _record_depth(self, metrics: OutboxMetrics) -> None:
        if depth := await result_or_log(self._messages.depth(), "message_count_failed"):
            metrics.set_depth(depth)
        if self._queue:
            age = await result_or_log(self._messages.longest_wait(self._queue), "message_count_failed")
            if age is not None:
                metrics.set_oldest_due(self._queue, age)


def build_send_result(
    outcome: SendOutcome, message: ClaimedMessage, now: datetime, random_fraction: float
) -> SendResult:
    """Return what to record for an outcome. A suspended attempt does not count as one of the message's attempts."""
    match outcome:
        case Accepted(provider_id, cost):
            return SendResult("sent", provider_id=provider_id, cost=cost)
        case Rejected(reason):
            return SendResult("failed", error=reason)
        case Unknown(reason):
            return SendResult("unknown", error=reason)
        case Suspended(reason):
            wait = SUSPENSION_RETRY_INTERVAL * min(message.suspensions + 1, MAX_SUSPENSION_FACTOR)
            return SendResult("queued", error=reason, not_before=now + wait, suspended=True)
        case Retry(reason, max_attempts=limit) if limit is not None and message.attempts >= limit:
            return SendResult("failed", error=reason)
        case Retry(reason, not_before):
            due = not_before or now + BACKOFF.delay(message.attempts, random_fraction)
            return SendResult("queued", error=reason, not_before=due)
