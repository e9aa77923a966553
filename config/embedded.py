"""What the embedded defaults store in `server.data_dir`: a lock that allows one process, and the key made on first start."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from config.settings import Settings
from config.types import MIN_SECRET_LENGTH
from config.value_files import read_value_file
from core.errors import CommandError

LOCK_FILE = "embedded.lock"
SECRET_FILE = "secret"  # nosec B105  # noqa: S105 (a file's name)
SECRET_BYTES = 32


class EmbeddedStoreError(CommandError):
    """The embedded store cannot be used. The message is one line *problem; fix*."""


@contextmanager
def exclusive_lock(data_dir: Path) -> Iterator[None]:
    """Hold the lock of the embedded store while the block lasts: other processes do not see what is in its memory.

    Raises:
        EmbeddedStoreError: Another process holds the lock, or `data_dir` is not writable.
    """
    with _open_lock_file(data_dir) as lock:
        _acquire_lock(lock, data_dir)
        yield


def _open_lock_file(data_dir: Path) -> IO[str]:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        return (data_dir / LOCK_FILE).open("w")
    except OSError as error:
        raise _not_writable_error(data_dir, error) from None


def _acquire_lock(lock: IO[str], data_dir: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not on Windows, where the port is the only lock
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise EmbeddedStoreError(
            f"Another gateway with the embedded store runs in {data_dir}; end it, or set redis.url to a Redis that both use"
        ) from None


def secret_file(settings: Settings) -> Path:
    """Return the file with the embedded key, which counts where `keys.secret` is empty."""
    return settings.server.data_dir / SECRET_FILE


def read_secret(settings: Settings) -> str:
    """Return the embedded key of an earlier start; empty where there is none.

    Raises:
        EmbeddedStoreError: The stored key is damaged, or `server.data_dir` is not readable.
    """
    file = secret_file(settings)
    try:
        secret = read_value_file(file) if file.exists() else None
    except OSError as cause:
        error = _not_writable_error(settings.server.data_dir, cause)
        raise error from None
    except UnicodeDecodeError:
        error = _damaged_error(file)
        raise error from None
    if secret is None:
        return ""
    if len(secret) < MIN_SECRET_LENGTH:
        error = _damaged_error(file)
        raise error
    return secret


def create_secret(settings: Settings) -> str:
    """Make the embedded key, stored readable for its owner only, and return it.

    Raises:
        EmbeddedStoreError: `server.data_dir` is not writable.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    try:
        settings.server.data_dir.mkdir(parents=True, exist_ok=True)
        write_private_file(secret_file(settings), secret)
    except OSError as cause:
        error = _not_writable_error(settings.server.data_dir, cause)
        raise error from None
    return secret


def write_private_file(file: Path, text: str) -> None:
    """Create the file, readable for its owner only, with its whole text or not at all, even if the power fails."""
    new = file.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
    new.replace(file)


def _damaged_error(file: Path) -> EmbeddedStoreError:
    return EmbeddedStoreError(f"The key in {file} is damaged; restore the file, or set keys.secret to the former key")


def _not_writable_error(data_dir: Path, error: OSError) -> EmbeddedStoreError:
    return EmbeddedStoreError(
        f"Nothing can be stored in {data_dir}: {error.strerror}; set server.data_dir to a folder that is writable"
    )
