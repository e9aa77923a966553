"""What only a person knows, kept so that not even a stolen table tells it: PINs, and answers to security questions."""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

from services.given import Sealing

# OWASP, Password Storage Cheat Sheet, Argon2id: 19 MiB, two passes, one lane.
_ARGON2: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
# The hash of 32 octets that nobody kept: comparing with it takes the time that comparing with a real one takes.
NOBODYS: Final = "$argon2id$v=19$m=19456,t=2,p=1$qMiZsb6T5akWlPGh/hGneg$4Bq72+ndm1on041GD45jdRqxY+Ke6bhLjB2seHrD6cE"
THREADS = 2  # hashes at a time; each holds a core and 19 MiB for some 20 ms
PIN_DIGITS = 4
_RUNS = ("0123456789012", "9876543210987")
_SAID = frozenset("LMN")  # letters, the marks on them, digits: the rest of an answer is how it was written down

Result = TypeVar("Result")


class Pins:
    """Hashes with Argon2id, off the event loop, over a keyed hash: without the gateway's key there is nothing to guess at."""

    def __init__(self, seal: Sealing, *, threads: int = THREADS) -> None:
        self._seal = seal
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")

    async def hashed(self, secret: str) -> str:
        """A new hash of `secret`, salt and parameters in it."""
        return await self._run(lambda: _ARGON2.hash(self._peppered(secret)))

    async def matches(self, secret: str, hashed: str) -> bool:
        """Whether `secret` is what was hashed. An empty hash matches nothing, and takes as long to find that out."""
        return await self._run(lambda: self._verified(secret, hashed or NOBODYS))

    def close(self) -> None:
        """Take no more work; hashes that were not begun are given up."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _verified(self, secret: str, hashed: str) -> bool:
        try:
            return _ARGON2.verify(hashed, self._peppered(secret))
        except VerifyMismatchError:
            return False

    def _peppered(self, secret: str) -> str:
        return self._seal.name("pin", plainly(secret))

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def plainly(secret: str) -> str:
    """One form for all the ways of writing the same: case, spaces, punctuation and the script of digits make no difference."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", secret).casefold())
    kept = "".join(map(_plain, folded))
    return kept or folded


def new_pin(draw: Callable[[int], int] = secrets.randbelow) -> str:
    """A PIN that nobody guesses first: neither a run nor one repeated digit."""
    while True:
        pin = f"{draw(10**PIN_DIGITS):0{PIN_DIGITS}}"
        if len(set(pin)) > 1 and not any(pin in run for run in _RUNS):
            return pin


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return character if category[0] in _SAID else ""
