"""What a session store promises: one caller's opaque bytes, their version, and who owns a provider's session id."""

from typing import Literal, Protocol

import msgspec

Claim = Literal["new", "ours", "another"]
"""A provider's session id for a caller: never seen, claimed before by this caller, or by another number."""


class StoreDown(Exception):
    """The store could not be reached or did not answer in time; what was asked may or may not have happened.

    Trying again may help. Nothing in its text is personal.
    """


class Kept(msgspec.Struct, frozen=True):
    """What the store remembers for one caller. Versions count from 1; 0 is what was never saved."""

    version: int
    data: bytes


class Begun(msgspec.Struct, frozen=True):
    """What is remembered for a caller, and whose the session id is now.

    `ours` without `kept` means that the store has forgotten a running session; `new` is a first hop.
    """

    kept: Kept | None
    claim: Claim


class Sessions(Protocol):
    """Where sessions are kept; every method raises StoreDown within the store's deadline.

    `caller` is the number in E.164 form, `session` the provider's id, `ttl` whole seconds from now.
    """

    async def load(self, caller: str) -> Kept | None:
        """What is remembered; None where there is nothing, or nothing that can be read any more."""

    async def begin(self, caller: str, session: str, ttl: int) -> Begun:
        """Load, and claim the session id for this caller until `ttl` from now unless another number has it."""

    async def save(self, caller: str, data: bytes, *, read: int, ttl: int) -> bool:
        """Write version `read` + 1 if version `read` is stored (0: nothing is); False when somebody was faster."""

    async def forget(self, caller: str) -> None:
        """Remember nothing more for this caller. A session id stays claimed for its time."""

    async def ping(self) -> None:
        """Return when the store answers, for readiness."""
