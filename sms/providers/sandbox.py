"""A provider that delivers to nobody's phone: the last messages of each number, for the simulator to show live."""

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sms.provider import Accepted, Outcome, Refused, is_e164


@dataclass(frozen=True, slots=True)
class SandboxSms:
    """One message in a simulated inbox; `at` is aware and UTC."""

    id: str
    to: str
    text: str
    at: datetime
    sender: str


class Sandbox:
    """Keeps the last `kept` messages of the `numbers` numbers that were last sent one, in this process's memory."""

    name = "sandbox"

    def __init__(
        self,
        *,
        sender: str = "EKDIAL",
        kept: int = 200,
        numbers: int = 1000,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: f"sandbox_{secrets.token_hex(16)}",
    ) -> None:
        self._sender = sender
        self._kept = kept
        self._numbers = numbers
        self._clock = clock
        self._new_id = new_id
        self._inboxes: OrderedDict[str, deque[SandboxSms]] = OrderedDict()
        self._listeners: dict[str, set[asyncio.Queue[SandboxSms]]] = {}

    async def send(self, to: str, text: str) -> Outcome:
        """Deliver at once; refuses what a real provider would, so that it is found before there is one."""
        if not is_e164(to):
            return Refused("InvalidPhoneNumber")
        sms = SandboxSms(self._new_id(), to, text, self._clock(), self._sender)
        self._inbox(to).append(sms)
        for queue in self._listeners.get(to, ()):
            _tell(queue, sms)
        return Accepted(sms.id)

    def messages_to(self, number: str) -> tuple[SandboxSms, ...]:
        """The inbox of a number, oldest first."""
        return tuple(self._inboxes.get(number, ()))

    @asynccontextmanager
    async def listen(self, number: str) -> AsyncIterator[asyncio.Queue[SandboxSms]]:
        """A queue of what arrives from now on; one that nobody reads loses its oldest, and never more than `kept`.

        Read `messages_to` inside, before the first await: then nothing is missed and nothing comes twice.
        """
        queue: asyncio.Queue[SandboxSms] = asyncio.Queue(self._kept)
        self._listeners.setdefault(number, set()).add(queue)
        try:
            yield queue
        finally:
            self._forget(number, queue)

    def _inbox(self, number: str) -> deque[SandboxSms]:
        inbox = self._inboxes.setdefault(number, deque(maxlen=self._kept))
        self._inboxes.move_to_end(number)
        if len(self._inboxes) > self._numbers:
            self._inboxes.popitem(last=False)
        return inbox

    def _forget(self, number: str, queue: asyncio.Queue[SandboxSms]) -> None:
        self._listeners[number].discard(queue)
        if not self._listeners[number]:
            del self._listeners[number]


def _tell(queue: asyncio.Queue[SandboxSms], sms: SandboxSms) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(sms)
