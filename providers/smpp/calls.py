"""The calls of one bind: which session of a number is running, and how many screens it has seen.

A key press has no id in SMPP. What identifies it is the number of screens that the caller has seen: nobody can answer a
screen before it is shown, so a key press that comes before our screen was accepted is the one before it once more. The
process that holds the bind has its calls in memory; the store has them for the process that takes over.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec
import structlog

from sessions.store import SessionStore, StoreUnavailableError

MAX_CALLS: Final = 50_000  # calls in memory; the oldest are only in the store then

log = structlog.get_logger()


class _StoredCall(msgspec.Struct, frozen=True, array_like=True):
    """A call as the store has it."""

    session_id: str
    reference: str
    screens: int
    sequence: str
    counts: bool
    used_code: str = ""


@dataclass(slots=True)
class Call:
    """A running call. `session_id` is ours and never used again; `reference` is that of the network, which it uses again.

    `screens` were submitted. `sequence` is that of the key press whose screen is the newest of them; `counts` says
    whether it ever changed. `used_code` is our short code that was dialled. `submitted_at` is when the newest screen was, in seconds of `time.monotonic`.
    """

    caller: str = field(repr=False)
    session_id: str
    reference: str
    screens: int = 0
    sequence: str = ""
    counts: bool = False
    is_open: bool = True
    version: int = 0
    submitted_at: float = 0.0
    used_code: str = ""

    def is_repeat(self, sequence: str, arrived_at: float) -> bool:
        """Whether a key press came before the newest screen was submitted, or the SMSC counts and has counted it before."""
        return arrived_at < self.submitted_at or (self.counts and sequence == self.sequence)

    def count_screen(self, sequence: str, submitted_at: float) -> "Shown":
        """Count a screen that is submitted, with the sequence of its key press; what was before."""
        before = Shown(self.screens, self.sequence, self.submitted_at)
        self.counts = self.counts or bool(self.screens and sequence != self.sequence)
        self.screens, self.sequence, self.submitted_at = self.screens + 1, sequence, submitted_at
        return before

    def uncount_screen(self, before: "Shown") -> None:
        """Count it no more, where it is still the newest one."""
        if self.screens == before.screens + 1:
            self.screens, self.sequence, self.submitted_at = before


class Shown(NamedTuple):
    """The screens of a call, and what is known of the newest one."""

    screens: int
    sequence: str
    submitted_at: float


class Calls:
    """The calls of one bind, kept for `ttl` seconds after their newest screen."""

    def __init__(
        self, *, bind: str, store: SessionStore, ttl: int, new_id: Callable[[], str] = lambda: secrets.token_hex(8)
    ) -> None:
        self._bind = bind
        self._store = store
        self._ttl = ttl
        self._new_id = new_id
        self._calls: OrderedDict[str, Call] = OrderedDict()

    def forget_all(self) -> None:
        """Empty the memory: another process may have gone on with these calls."""
        self._calls.clear()

    def begin(self, caller: str, reference: str) -> Call:
        """A new call, which replaces another one of the caller; the store has it once it is saved."""
        before = self._calls.get(caller)
        call = Call(caller, f"smpp/{self._bind}/{self._new_id()}", reference, version=before.version if before else 0)
        if before:
            before.is_open = False
        self._remember(call)
        return call

    async def find(self, caller: str, reference: str) -> Call | None:
        """The running call of a number, here or in the store; None where there is none with this reference."""
        call = self._calls.get(caller) or await self._load(caller)
        return call if call and call.is_open and call.reference == reference else None

    async def save(self, call: Call) -> None:
        """Keep a call for the process that takes over. While the store is down, only this process knows it."""
        data = msgspec.msgpack.encode(
            _StoredCall(call.session_id, call.reference, call.screens, call.sequence, call.counts, call.used_code)
        )
        try:
            if not await self._save_version(call, data):
                stored = await self._store.load(self._key(call.caller))
                call.version = stored.version if stored else 0
                await self._save_version(call, data)
        except StoreUnavailableError:
            log.warning("ussd_call_not_stored", bind=self._bind)

    async def end(self, call: Call) -> None:
        """Forget a call that is over."""
        call.is_open = False
        if self._calls.get(call.caller) is call:
            del self._calls[call.caller]
        try:
            await self._store.forget(self._key(call.caller))
        except StoreUnavailableError:
            log.warning("ussd_call_not_stored", bind=self._bind)

    def is_current(self, call: Call) -> bool:
        """Whether no other call of this number has begun, and this one has not ended."""
        return call.is_open and self._calls.get(call.caller) is call

    async def _save_version(self, call: Call, data: bytes) -> bool:
        key, version = self._key(call.caller), call.version
        if not await self._store.save(key, data, expected_version=version, ttl=self._ttl):
            return False
        call.version = version + 1
        return True

    async def _load(self, caller: str) -> Call | None:
        try:
            stored = await self._store.load(self._key(caller))
            one = msgspec.msgpack.decode(stored.data, type=_StoredCall) if stored else None
        except (StoreUnavailableError, msgspec.MsgspecError):
            return None
        if stored is None or one is None:
            return None
        call = Call(
            caller,
            one.session_id,
            one.reference,
            one.screens,
            one.sequence,
            one.counts,
            version=stored.version,
            used_code=one.used_code,
        )
        self._remember(call)
        return call

    def _remember(self, call: Call) -> None:
        self._calls[call.caller] = call
        self._calls.move_to_end(call.caller)
        while len(self._calls) > MAX_CALLS:
            self._calls.popitem(last=False)

    def _key(self, caller: str) -> str:
        """The caller under which a call is stored: no number, so it differs from the keys of sessions."""
        return f"smpp {self._bind} {caller}"
