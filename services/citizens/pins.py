"""Hashes of PINs and of answers to security questions."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import structlog
from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

from core.crypto import Cipher, UnknownKeyError

# OWASP, Password Storage Cheat Sheet, Argon2id: 19 MiB, two passes, one lane.
_ARGON2: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
# The hash of 32 random bytes that were not kept: a comparison takes the same time as with a real hash.
DUMMY_HASH: Final = "$argon2id$v=19$m=19456,t=2,p=1$qMiZsb6T5akWlPGh/hGneg$4Bq72+ndm1on041GD45jdRqxY+Ke6bhLjB2seHrD6cE"
HASH_THREADS: Final = 2
"""Concurrent hashes; each takes a core and 19 MiB for about 20 ms."""
_KEPT_CATEGORIES: Final = frozenset("LMN")  # letters, marks and digits, as Unicode categories

Result = TypeVar("Result")

log = structlog.get_logger()


class SecretHasher:
    """Hashes secrets with Argon2id in threads, over a keyed hash: without the gateway's key no secret can be guessed.

    A hash begins with the id of that key. One without an id is from before the key ids, and any given key may have made it.
    """

    def __init__(
        self, cipher: Cipher, *, threads: int = HASH_THREADS, normalize: Callable[[str], str] | None = None
    ) -> None:
        """`normalize` removes differences that do not count, by default `normalize_secret`."""
        self._cipher = cipher
        self._normalize = normalize or normalize_secret
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="argon2")

    async def hash(self, secret: str) -> str:
        """A new hash of `secret`, with the key's id, its salt and parameters."""
        key_id = self._cipher.key_id
        return key_id + await self._run(lambda: _ARGON2.hash(self._add_pepper(secret, key_id)))

    async def verify(self, secret: str, secret_hash: str) -> bool:
        """Whether `secret` matches the hash. An empty hash matches nothing, in the same time."""
        return await self._run(lambda: self._verify(secret, secret_hash or self._cipher.key_id + DUMMY_HASH))

    def is_outdated(self, secret_hash: str) -> bool:
        """Whether a former key made the hash, so that the secret should be hashed again when it is typed."""
        return not secret_hash.startswith(self._cipher.key_id)

    def close(self) -> None:
        """Stop the threads; hashes that have not started are cancelled."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _verify(self, secret: str, secret_hash: str) -> bool:
        label, _, argon2_hash = secret_hash.partition("$")
        key_ids = (label,) if label else self._cipher.key_ids
        return any(self._matches(secret, key_id, f"${argon2_hash}") for key_id in key_ids)

    def _matches(self, secret: str, key_id: str, argon2_hash: str) -> bool:
        try:
            return _ARGON2.verify(argon2_hash, self._add_pepper(secret, key_id))
        except VerifyMismatchError:
            return False

    def _add_pepper(self, secret: str, key_id: str) -> str:
        """The secret as Argon2 gets it. Where the key is not given any more, nothing matches, in the same time."""
        try:
            return self._cipher.unlabelled_hash("pin", self._normalize(secret), key_id)
        except UnknownKeyError:
            log.error("secret_hash_of_missing_key", key=key_id)
            return ""

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def normalize_secret(secret: str) -> str:
    """A secret without differences of case, spaces, punctuation and script of digits."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", secret).casefold())
    normalized = "".join(map(_normalize_character, folded))
    return normalized or folded


def _normalize_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return character if category[0] in _KEPT_CATEGORIES else ""
