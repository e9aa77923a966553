"""What the embedded defaults make for themselves: a lock, so that there is one process, and a key, kept for next time."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from faults import CannotRun
from settings import SHORTEST_SECRET, Settings

LOCK = "embedded.lock"
SECRET = "secret"  # noqa: S105 (a file's name)
OCTETS = 32


class NotAlone(CannotRun):
    """The embedded store cannot be had; the message is one line that says why and what to do."""


@contextmanager
def alone(var: Path) -> Iterator[None]:
    """Holds the embedded store for this process: what lives in its memory, another would not see.

    Raises:
        NotAlone: another process holds it, or nothing can be kept in `var`.
    """
    with _opened(var) as lock:
        _hold(lock, var)
        yield


def _opened(var: Path) -> IO[str]:
    try:
        var.mkdir(parents=True, exist_ok=True)
        return (var / LOCK).open("w")
    except OSError as refused:
        raise _cannot_keep(var, refused) from None


def _hold(lock: IO[str], var: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not on Windows, where the port is the only lock
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise NotAlone(
            f"Another gateway with the embedded store runs in {var}; end it, or set redis.url to a Redis that both can see"
        ) from None


def secret_of(settings: Settings) -> str:
    """The key that is set, else the one that was made on first start and kept for its owner's eyes only.

    Raises:
        NotAlone: none can be kept, or what was kept is damaged.
    """
    given = settings.keys.secret.get_secret_value()
    try:
        return given or _kept(settings.server.var / SECRET)
    except OSError as refused:
        raise _cannot_keep(settings.server.var, refused) from None


def _kept(file: Path) -> str:
    if not file.exists():
        _make(file, secrets.token_urlsafe(OCTETS))
    secret = file.read_text(errors="replace").strip()
    if len(secret) < SHORTEST_SECRET:
        raise NotAlone(f"The key in {file} is damaged; put it back, or give what was in it as keys.secret")
    return secret


def _make(file: Path, text: str) -> None:
    """The file, there with all of its text or not at all, whenever the power goes."""
    new = file.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(descriptor)
    new.replace(file)


def _cannot_keep(var: Path, refused: OSError) -> NotAlone:
    return NotAlone(f"Nothing can be kept in {var}: {refused.strerror}; name a folder of one's own as server.var")
