"""What the gateway of a walk has instead of Redis, Argon2, limits, and other people's systems."""

from typing import Any

from core.crypto import Cipher
from core.rate_limit import WindowCount
from services.citizens.number_checks import SimSwapResult
from services.citizens.pins import SecretHasher, normalize_secret
from services.documents.issuers.base import AccessExpiredError, IssuerUnavailableError, NoSuchDocumentError
from sessions.store import BeginResult, StoredSession


class MemorySessionStore:
    """Implements SessionStore in a dictionary. `lose` forgets a caller's session, as a store that was emptied."""

    def __init__(self) -> None:
        self._sessions: dict[str, StoredSession] = {}
        self._claims: dict[str, str] = {}
        self._lost: set[str] = set()

    async def load(self, caller: str) -> StoredSession | None:
        return self._sessions.get(caller)

    async def begin(self, caller: str, session_id: str, ttl: int) -> BeginResult:
        owner = self._claims.get(session_id)
        claim = "new" if owner is None else "ours" if owner == caller else "another"
        self._claims.setdefault(session_id, caller)
        return BeginResult(self._sessions.get(caller), claim)

    async def save(self, caller: str, data: bytes, *, expected_version: int, ttl: int) -> bool:
        stored = self._sessions.get(caller)
        if (stored.version if stored else 0) != expected_version:
            return False
        self._sessions[caller] = StoredSession(expected_version + 1, data)
        return True

    async def forget(self, caller: str) -> None:
        self._sessions.pop(caller, None)

    async def was_emptied_within(self, seconds: int, caller: str) -> bool:
        return caller in self._lost

    async def record_gap(self) -> None:
        """Remember nothing: only `lose` empties this store."""

    async def ping(self) -> None:
        """Answer."""

    def lose(self, caller: str, session_id: str) -> None:
        self._sessions.pop(caller, None)
        self._claims.pop(session_id, None)
        self._lost.add(caller)


class FastHasher(SecretHasher):
    """A hasher without Argon2: a thousand times faster, and as strict about what matches."""

    def __init__(self, cipher: Cipher) -> None:
        super().__init__(cipher, threads=1)

    async def hash(self, secret: str) -> str:
        key_id = self._cipher.key_id
        return f"{key_id}${self._cipher.unlabelled_hash('pin', normalize_secret(secret), key_id)}"

    async def verify(self, secret: str, secret_hash: str) -> bool:
        return secret_hash != "" and await self.hash(secret) == secret_hash


class NoCounter:
    """A counter that never reaches a limit."""

    async def increment(self, key: str, window: object) -> WindowCount:
        return WindowCount(1, 0)

    async def count(self, key: str) -> int:
        return 0


class UnlimitedSms:
    """A limiter that takes every SMS."""

    async def try_take(self, msisdn: str, kind: str = "reply") -> bool:
        return True

    async def release(self, msisdn: str) -> None:
        """Count nothing."""


class FakeSimSwap:
    """A network whose answer about a SIM is what an event made it."""

    name, recent_days, deadline = "fake", 14, 1.0
    state = "unchanged"

    async def request_check(self, msisdn: str) -> SimSwapResult:
        return SimSwapResult(self.state)

    def parse_report(self, body: bytes) -> None:
        """Never report."""


class FlakyIssuer:
    """The issuer of samples, or what an event made of it."""

    def __init__(self, issuer: Any) -> None:
        self.issuer = issuer
        self.state = "up"

    async def challenge(self, citizen: Any) -> Any:
        return await self._ask("challenge", citizen)

    async def grant_access(self, state: Any, code: str) -> Any:
        return await self._ask("grant_access", state, code)

    async def list_documents(self, access: Any) -> Any:
        return [] if self.state == "none" else await self._ask("list_documents", access)

    async def fetch_document(self, access: Any, document: Any) -> Any:
        if self.state == "gone":
            raise NoSuchDocumentError
        return await self._ask("fetch_document", access, document)

    async def _ask(self, method: str, *args: Any) -> Any:
        if self.state == "down":
            raise IssuerUnavailableError
        if self.state == "expired" and method in {"list_documents", "fetch_document"}:
            raise AccessExpiredError
        return await getattr(self.issuer, method)(*args)
