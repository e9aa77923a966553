"""What the embedded defaults make for themselves: a lock, so that there is one process, and a key, kept for next time."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from settings import Settings

LOCK = "embedded.lock"
SECRET = "secret"  # noqa: S105 (a file's name)
OCTETS = 32


class AlreadyRunning(Exception):
    """Another process has the embedded store; the message is one line that says what to do."""


@contextmanager
def alone(var: Path) -> Iterator[None]:
    """Holds the embedded store for this process: what lives in its memory, another would not see.

    Raises:
        AlreadyRunning: another process holds it.
    """
    var.mkdir(parents=True, exist_ok=True)
    with (var / LOCK).open("w") as lock:
        _hold(lock, var)
        yield


def _hold(lock: IO[str], var: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not on Windows, where the port is the only lock
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise AlreadyRunning(
            f"Another gateway with the embedded store runs in {var}; end it, or set redis.url to a Redis that both can see."
        ) from None


def secret_of(settings: Settings) -> str:
    """The key that is set, else the one that was made on first start and kept for its owner's eyes only."""
    return settings.keys.secret.get_secret_value() or _kept(settings.server.var / SECRET)


def _kept(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as new:
            new.write(secrets.token_urlsafe(OCTETS))
    return file.read_text()
