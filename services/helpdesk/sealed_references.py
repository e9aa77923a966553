"""Seal a reference for an address: a log of addresses names no citizen, and nobody can make one up."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Final, cast, get_args

from core.crypto import Cipher, DecryptionError
from services.helpdesk.models import Reference, ReferenceKind

CONTEXT: Final = "helpdesk reference"
PADDING: Final = "=="
"""More than a text can lack; what is too much is ignored."""


@dataclass(frozen=True, slots=True)
class SealedReferences:
    """Seals references, and opens sealed ones. One that a former key sealed is opened while that key is known."""

    cipher: Cipher

    def seal(self, reference: Reference) -> str:
        """Letters, digits, `-` and `_`; not the same twice."""
        sealed = self.cipher.encrypt(f"{reference.kind} {reference.value}".encode(), CONTEXT)
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, text: str) -> Reference | None:
        """The reference; None where the text is no sealed one."""
        try:
            kind, _, value = self.cipher.decrypt(urlsafe_b64decode(text + PADDING), CONTEXT).decode().partition(" ")
        except (Base64Error, DecryptionError, ValueError):
            return None
        return Reference(cast("ReferenceKind", kind), value) if kind in get_args(ReferenceKind) else None
