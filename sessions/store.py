"""The interface of a session store: the opaque bytes of a caller with a version, and the owner of each session id."""

from typing import Literal, Protocol

import msgspec

Claim = Literal["new", "ours", "another"]
"""A provider's session id is new, claimed before by this caller, or claimed by another number."""


class StoreUnavailableError(Exception):
    """The store did not answer in time. The command may or may not have run; a retry may help.

    The text contains no personal data.
    """


class StoredSession(msgspec.Struct, frozen=True):
    """The stored bytes of a caller and their version, which counts from 1. Version 0 means that nothing is stored."""

    version: int
    data: bytes


class BeginResult(msgspec.Struct, frozen=True):
    """The stored session of a caller, and the claim of the session id.

    A claim `ours` without a stored session means that the store lost the session; `new` means a first request.
    """

    stored: StoredSession | None
    claim: Claim


class SessionStore(Protocol):
    """Stores sessions. Every method raises StoreUnavailableError when the store does not answer within its deadline.

    `caller` is an E.164 number, `session_id` the id of the provider, `ttl` whole seconds from now.
    """

    async def load(self, caller: str) -> StoredSession | None:
        """The stored session; None where there is none, or where it cannot be decrypted."""

    async def begin(self, caller: str, session_id: str, ttl: int) -> BeginResult:
        """Load the session, and claim the session id for this caller for `ttl` seconds unless another number has it."""

    async def save(self, caller: str, data: bytes, *, expected_version: int, ttl: int) -> bool:
        """Save version `expected_version` + 1 if `expected_version` is stored (0: nothing is); return whether it did."""

    async def forget(self, caller: str) -> None:
        """Delete the session of the caller. The claim of a session id stays until it expires."""

    async def was_emptied_within(self, seconds: int, caller: str) -> bool:
        """Whether the caller's server may lack sessions of the last `seconds`: it was emptied, or `record_gap` was called."""

    async def record_gap(self) -> None:
        """Tell all processes that sessions until now may be missing: the store did not answer one of them."""

    async def ping(self) -> None:
        """Return when the store answers. Used by the readiness check."""
