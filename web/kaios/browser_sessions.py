"""Sign-ins of browsers. Only the session store has them: when it is emptied, everybody signs in again.

The browser has a token in its cookie, the store a keyed hash of it. A token that is issued before the sign-in is replaced
afterwards. A sign-in ends a while after the last key press; to look at a page is none.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from core.types import UtcClock, utc_now
from sessions.store import SessionStore

PENDING_TTL: Final = timedelta(minutes=10)
"""How long a code or a PIN is waited for: as long as the code works."""
MAX_AGE: Final = timedelta(hours=2)
"""A sign-in ends after this time, however busy it is."""
TOKEN_BYTES: Final = 24
SIGNED_IN_PREFIX: Final = "in."
"""How the token of somebody who signed in begins: a browser that still has it is told that the sign-in is over."""

Stage: TypeAlias = Literal["code", "pin", "in"]
"""What is waited for: the code, the PIN, or nothing any more."""


class BrowserSession(msgspec.Struct, frozen=True):
    """A sign-in, or one that has begun; `msisdn` is the number that was typed.

    `has_phone`: a code that was sent to the number was typed, so the person has the phone. Of a sign-in that has only begun,
    `requester` names whoever asked for its code.
    """

    id: str
    stage: Stage
    msisdn: str
    language: str
    opened_at: datetime
    seen_at: datetime
    has_phone: bool = False
    requester: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSessions:
    """All sign-ins. `lifetime` is the time from the last key press to the end."""

    store: SessionStore
    keyed_hash: Callable[[str, str], str]
    lifetime: timedelta
    clock: UtcClock = utc_now

    async def find(self, token: str) -> BrowserSession | None:
        """The sign-in of this token; None where there is none, or where it is over.

        Raises:
            StoreUnavailableError: the store is down.
        """
        stored = await self.store.load(self._name(token)) if token else None
        if stored is None:
            return None
        try:
            session = _decode(stored.data)
        except msgspec.MsgspecError:  # a different version of the program wrote it
            return None
        return None if self._is_over(session) else session

    def left(self, session: BrowserSession) -> timedelta:
        """The time until the sign-in ends if nothing is pressed."""
        return session.seen_at + self._lifetime(session) - self.clock()

    async def open(self, token: str, session: BrowserSession) -> str:
        """Put a sign-in in the place of that of `token`; its own new token.

        Raises:
            StoreUnavailableError: the store is down.
        """
        await self.end(token)
        new_token = f"{SIGNED_IN_PREFIX if session.stage == 'in' else ''}{create_token()}"
        await self._save(new_token, session, version=0)
        return new_token

    async def touch(self, token: str, session: BrowserSession) -> None:
        """Note a key press, unless the sign-in has ended meanwhile.

        Raises:
            StoreUnavailableError: the store is down.
        """
        stored = await self.store.load(self._name(token))
        if stored is not None:
            await self._save(token, replace(session, seen_at=self.clock()), stored.version)

    async def end(self, token: str) -> None:
        """Delete the sign-in of this token.

        Raises:
            StoreUnavailableError: the store is down.
        """
        if token:
            await self.store.forget(self._name(token))

    async def _save(self, token: str, session: BrowserSession, version: int) -> None:
        """Save; of two requests of one browser at a time the first one, since they differ in the time alone."""
        ttl = max(1, int(self._lifetime(session).total_seconds()))
        await self.store.save(self._name(token), _encode(session), expected_version=version, ttl=ttl)

    def _lifetime(self, session: BrowserSession) -> timedelta:
        return self.lifetime if session.stage == "in" else PENDING_TTL

    def _is_over(self, session: BrowserSession) -> bool:
        return self.left(session) <= timedelta() or self.clock() - session.opened_at >= MAX_AGE

    def _name(self, token: str) -> str:
        return f"kaios browser {self.keyed_hash('kaios token', token)}"


def create_token() -> str:
    """A new token for a cookie."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def was_signed_in(token: str) -> bool:
    """Whether the token was that of somebody who signed in."""
    return token.startswith(SIGNED_IN_PREFIX)


def create_id() -> str:
    """A new id for a sign-in, or for a post: it is in idempotency keys and opens nothing."""
    return secrets.token_hex(8)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(BrowserSession).decode
