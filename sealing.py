"""Names that tell nothing and values that only we can read: what leaves the process for a store is sealed here."""

import hashlib
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LEAST_SECRET: Final = 32  # octets
NONCE: Final = 12  # octets, as NIST SP 800-38D recommends for GCM
TAG: Final = 16  # octets
NAME: Final = 16  # octets of a keyed hash: two of 2**40 numbers share one with a chance below 2**-48


class SealBroken(Exception):
    """It was sealed with another secret, stored under another name, or has been changed since."""


class Seal:
    """One master secret, and from it one key for names and one for values (HKDF-SHA256)."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < LEAST_SECRET:
            raise ValueError(f"a master secret has at least {LEAST_SECRET} octets; this one has {len(secret)}")
        self._namer = hashlib.blake2b(key=_derived(secret, b"ekdial names"), digest_size=NAME)
        self._cipher = AESGCM(_derived(secret, b"ekdial values"))

    def name(self, purpose: str, value: str) -> str:
        """32 URL-safe characters: always the same for the same two, and without the secret no way back or forth."""
        namer = self._namer.copy()
        namer.update(f"{len(purpose)} {purpose}{value}".encode())  # with its length, no purpose passes for another
        return namer.hexdigest()

    def close(self, plain: bytes, about: str) -> bytes:
        """Seal with AES-256-GCM; `about` is where the value belongs and is not stored. 28 octets longer than `plain`."""
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """The plain octets; SealBroken unless they were closed with this secret `about` the same."""
        if len(sealed) < NONCE + TAG:
            raise SealBroken("too short to have been sealed")
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], about.encode())
        except InvalidTag:
            raise SealBroken("sealed with another secret, moved or damaged") from None


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret)
