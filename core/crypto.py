"""Keyed hashing and AES-256-GCM encryption of everything that is stored outside the process.

An encrypted value begins with a label, the format version and the id of its key; a keyed hash begins with the first digits
of that id. So a value says by itself which of the master secrets it needs. Values from before the labels are still read.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_SECRET_BYTES: Final = 32
FORMAT_VERSION: Final = 1
KEY_ID_BYTES: Final = 5
LABEL_BYTES: Final = 1 + KEY_ID_BYTES
"""Length of the label of an encrypted value: a value without a label begins like it with a probability of 2**-48."""
NONCE_BYTES: Final = 12
"""Length of a nonce, as NIST SP 800-38D recommends for GCM."""
TAG_BYTES: Final = 16
_TEXT_START: Final = LABEL_BYTES + NONCE_BYTES
HASH_DIGITS: Final = 32
"""Length of a keyed hash in hexadecimal digits, label included."""
HASH_LABEL_DIGITS: Final = 4
"""Hexadecimal digits of the key id in a keyed hash. The 28 others collide in 2**40 values with a probability below 2**-32."""
_UNLABELLED_DIGITS: Final = HASH_DIGITS - HASH_LABEL_DIGITS


class DecryptionError(Exception):
    """The value was encrypted with another secret or for another context, or it was changed since."""


class UnknownKeyError(Exception):
    """None of the given secrets has this key id."""


class Cipher:
    """Encrypts and hashes with keys derived from a master secret (HKDF-SHA256); reads what former secrets wrote too."""

    def __init__(self, secret: bytes, former: Sequence[bytes] = ()) -> None:
        """Derive the keys of `secret`, which writes, and of `former` secrets, which are only read.

        Raises:
            ValueError: A secret is shorter than `MIN_SECRET_BYTES`, or two have the same key id.
        """
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"a master secret has at least {MIN_SECRET_BYTES} bytes; this one has {len(secret)}")
        self.key_id = derive_key_id(secret)
        """The id of the key that writes: ten hexadecimal digits that say nothing about the secret."""
        self.label = build_label(self.key_id)
        """The bytes that begin every value which this cipher encrypts."""
        self._hash_label = self.key_id[:HASH_LABEL_DIGITS]
        self._hasher = hashlib.blake2b(key=_derive_key(secret, b"ekdial names"), digest_size=HASH_DIGITS // 2)
        self._aead = AESGCM(_derive_key(secret, b"ekdial values"))
        self.former = tuple(map(Cipher, former))
        """A cipher for each former secret."""
        self._by_id = {cipher.key_id: cipher for cipher in (self, *self.former)}
        if len({key_id[:HASH_LABEL_DIGITS] for key_id in self._by_id}) <= len(self.former):
            raise ValueError("two master secrets are the same, or have the same key id")

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all keys, the one that writes first."""
        return tuple(self._by_id)

    def keyed_hash(self, purpose: str, value: str) -> str:
        """Return 32 hexadecimal digits: the same for the same purpose and value, and not computable without the secret."""
        hasher = self._hasher.copy()  # as `_digest` does, without a call: each USSD request hashes a few names
        hasher.update(f"{len(purpose)} {purpose}{value}".encode())
        return self._hash_label + hasher.hexdigest()[:_UNLABELLED_DIGITS]

    def former_hashes(self, purpose: str, value: str) -> Sequence[str]:
        """Return what `keyed_hash` was under each former secret; empty without one."""
        return [cipher.keyed_hash(purpose, value) for cipher in self.former]

    def keyed_hashes(self, purpose: str, value: str) -> Sequence[str]:
        """Return every form in which an earlier hash may be stored, today's first: by each key, with and without its id."""
        digests = {cipher._hash_label: cipher._digest(purpose, value) for cipher in self._by_id.values()}  # noqa: SLF001
        labelled = [label + digest[:_UNLABELLED_DIGITS] for label, digest in digests.items()]
        return [*labelled, *digests.values()]

    def unlabelled_hash(self, purpose: str, value: str, key_id: str) -> str:
        """Return the hash by the key with this id, without the id.

        Raises:
            UnknownKeyError: No secret that was given has this id.
        """
        return self._find(key_id)._digest(purpose, value)  # noqa: SLF001 - a cipher like this one

    def encrypt(self, plaintext: bytes, context: str) -> bytes:
        """Return the encrypted value, 34 bytes longer than `plaintext`.

        `context` says where the value belongs, such as table and row. It is not stored, and decryption needs the same.
        """
        nonce = os.urandom(NONCE_BYTES)
        return self.label + nonce + self._aead.encrypt(nonce, plaintext, context.encode())

    def encrypt_with(self, key_id: str, plaintext: bytes, context: str) -> bytes:
        """Return the value as `encrypt` does, by the key with this id.

        Raises:
            UnknownKeyError: No secret that was given has this id.
        """
        return self._find(key_id).encrypt(plaintext, context)

    def decrypt(self, encrypted: bytes, context: str) -> bytes:
        """Return the plain bytes.

        Raises:
            DecryptionError: The value was encrypted with another secret or for another context, or is damaged.
        """
        if encrypted.startswith(self.label):
            try:
                return self._aead.decrypt(encrypted[LABEL_BYTES:_TEXT_START], encrypted[_TEXT_START:], context.encode())
            except (InvalidTag, ValueError):  # ValueError: too short for a nonce
                pass  # a value without a label can begin like this
        return self._decrypt_former(encrypted, context.encode())

    def find_key_id(self, encrypted: bytes, context: str) -> str:
        """Return the id of the key that decrypts the value; empty where none of the given ones does."""
        found = next(self._decryptions(encrypted, context.encode()), None)
        return found[0] if found else ""

    def _decrypt_former(self, encrypted: bytes, context: bytes) -> bytes:
        """Decrypt a value of a former secret, or one without a label, which any key may have encrypted.

        Raises:
            DecryptionError: No key decrypts it.
        """
        if len(encrypted) < NONCE_BYTES + TAG_BYTES:
            raise DecryptionError("the value is too short to be encrypted")
        for _, plaintext in self._decryptions(encrypted, context):
            return plaintext
        raise DecryptionError(self._describe(encrypted))

    def _decryptions(self, encrypted: bytes, context: bytes) -> Iterator[tuple[str, bytes]]:
        for key_id, cipher in self._by_id.items():
            for start in (LABEL_BYTES, 0) if encrypted.startswith(cipher.label) else (0,):
                nonce_end = start + NONCE_BYTES
                with suppress(InvalidTag, ValueError):  # ValueError: too short for a nonce
                    aead = cipher._aead  # noqa: SLF001 - a cipher like this one
                    yield key_id, aead.decrypt(encrypted[start:nonce_end], encrypted[nonce_end:], context)

    def _digest(self, purpose: str, value: str) -> str:
        hasher = self._hasher.copy()
        hasher.update(f"{len(purpose)} {purpose}{value}".encode())  # the length keeps ("ab", "c") and ("a", "bc") apart
        return hasher.hexdigest()

    def _describe(self, encrypted: bytes) -> str:
        problem, key_id = "the value has another secret or context, or is damaged", read_key_id(encrypted)
        return (
            f"{problem}; it names the key {key_id}, which is not given" if key_id not in ("", *self._by_id) else problem
        )

    def _find(self, key_id: str) -> "Cipher":
        if key_id not in self._by_id:
            raise UnknownKeyError(key_id)
        return self._by_id[key_id]


def derive_key_id(secret: bytes) -> str:
    """Return the id of the key of a master secret: ten hexadecimal digits."""
    return _derive_key(secret, b"ekdial key id", KEY_ID_BYTES).hex()


def build_label(key_id: str) -> bytes:
    """Return the label of the values that the key with this id encrypts."""
    return bytes([FORMAT_VERSION]) + bytes.fromhex(key_id)


def read_key_id(encrypted: bytes) -> str:
    """Return the key id in the label of a value; empty where it has none. One unlabelled value in 256 seems to have one."""
    has_label = len(encrypted) >= LABEL_BYTES + NONCE_BYTES + TAG_BYTES and encrypted[0] == FORMAT_VERSION
    return encrypted[1:LABEL_BYTES].hex() if has_label else ""


def _derive_key(secret: bytes, purpose: bytes, length: int = 32) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(secret)
