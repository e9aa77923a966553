"""The sandbox keeps the newest messages of each number in memory, and the simulator shows them live."""

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from core.phone_numbers import is_e164
from services.messaging.provider import Accepted, OutgoingMessage, Rejected, SendOutcome


@dataclass(frozen=True, slots=True)
class SandboxSms:
    """One message in a simulated inbox; `sent_at` is in UTC."""

    id: str
    to: str
    text: str
    sent_at: datetime
    sender: str


class SandboxSmsProvider:
    """Keeps the last `max_messages` messages of the `max_inboxes` numbers that received one last, in this process."""

    name: Final = "sandbox"
    send_deadline: Final = 1.0
    receives_replies: Final = True

    def __init__(
        self,
        *,
        sender: str = "EKDIAL",
        max_messages: int = 200,
        max_inboxes: int = 1000,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: f"sandbox_{secrets.token_hex(16)}",
    ) -> None:
        self._sender = sender
        self._max_messages = max_messages
        self._max_inboxes = max_inboxes
        self._clock = clock
        self._new_id = new_id
        self._inboxes: OrderedDict[str, deque[SandboxSms]] = OrderedDict()
        self._listeners: dict[str, set[asyncio.Queue[SandboxSms]]] = {}

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        """Deliver at once. A number that a real provider rejects is rejected here too."""
        to = message.to
        if not is_e164(to):
            return Rejected("InvalidPhoneNumber")
        sms = SandboxSms(self._new_id(), to, message.text, self._clock(), message.sender or self._sender)
        self._inbox(to).append(sms)
        for queue in self._listeners.get(to, ()):
            _put_dropping_oldest(queue, sms)
        return Accepted(sms.id)

    def messages_to(self, msisdn: str) -> tuple[SandboxSms, ...]:
        """The inbox of a number, oldest first."""
        return tuple(self._inboxes.get(msisdn, ()))

    @asynccontextmanager
    async def listen(self, msisdn: str) -> AsyncIterator[asyncio.Queue[SandboxSms]]:
        """A queue of the messages that arrive from now on. A full queue of `max_messages` drops its oldest message.

        Call `messages_to` inside the context before the first await: then no message is missed or seen twice.
        """
        queue: asyncio.Queue[SandboxSms] = asyncio.Queue(self._max_messages)
        self._listeners.setdefault(msisdn, set()).add(queue)
        try:
            yield queue
        finally:
            self._remove_listener(msisdn, queue)

    def _inbox(self, msisdn: str) -> deque[SandboxSms]:
        inbox = self._inboxes.setdefault(msisdn, deque(maxlen=self._max_messages))
        self._inboxes.move_to_end(msisdn)
        if len(self._inboxes) > self._max_inboxes:
            self._inboxes.popitem(last=False)
        return inbox

    def _remove_listener(self, msisdn: str, queue: asyncio.Queue[SandboxSms]) -> None:
        self._listeners[msisdn].discard(queue)
        if not self._listeners[msisdn]:
            del self._listeners[msisdn]


def _put_dropping_oldest(queue: asyncio.Queue[SandboxSms], sms: SandboxSms) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(sms)
