"""The limit of failed sign-ins from one address: against whoever tries one password for every login."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from core.rate_limit import WindowCounter

MAX_FAILURES: Final = 30
"""An office with one address has many members; each login is locked after five failures anyway."""
WINDOW: Final = timedelta(minutes=15)


class AddressLimit:
    """Counts failures by address. Addresses are stored as keyed hashes."""

    def __init__(self, counter: WindowCounter, keyed_hash: Callable[[str, str], str]) -> None:
        """`keyed_hash` is `core.crypto.Cipher.keyed_hash`."""
        self._counter = counter
        self._keyed_hash = keyed_hash

    async def is_reached(self, address: str) -> bool:
        """Whether the address may not try now."""
        return await self._counter.count(self._key(address)) >= MAX_FAILURES

    async def add_failure(self, address: str) -> None:
        """Count a failure of the address; the window begins with its first."""
        await self._counter.increment(self._key(address), WINDOW)

    def _key(self, address: str) -> str:
        return f"ekdial:console-failures:{{{self._keyed_hash('console-address', address)}}}"
