"""Where a page ended, as its reader keeps it: sealed, so that it can neither be made up nor used for another question."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Final

from services.given import Sealing
from services.pages import Position

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
FORM: Final = struct.Struct(">qq")  # microseconds since 1970, and an id


class CursorRefused(ValueError):
    """It is none of ours, or one of another query or key."""


class Cursors:
    """The cursors of every list."""

    def __init__(self, seal: Sealing) -> None:
        self._seal = seal

    def write(self, position: Position, about: str) -> str:
        """A cursor to go on from there with a question; `about` says which question of whom."""
        packed = FORM.pack((position.at - EPOCH) // MICROSECOND, position.id)
        return urlsafe_b64encode(self._seal.close(packed, _about(about))).decode().rstrip("=")

    def read(self, cursor: str, about: str) -> Position:
        """Where it was written; CursorRefused unless it was, about the same."""
        try:
            sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            moment, number = FORM.unpack(self._seal.open(sealed, _about(about)))
        except Exception:  # noqa: BLE001 (whatever is wrong with it, it is not ours, and a seal's errors are its own)
            raise CursorRefused from None
        return Position(EPOCH + moment * MICROSECOND, number)


def _about(about: str) -> str:
    return f"cursor:{about}"
