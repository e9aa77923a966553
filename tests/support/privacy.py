"""Read everything that a gateway logs and stores, to search it for personal data."""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final

import redis
import structlog

from core.logging import configure_logging

TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?")


MEASUREMENT: Final = re.compile(r"(?<![\d.])\d+\.\d+(e[+-]?\d+)?(?![\d.])")


class LogCapture(io.StringIO):
    """Everything that was written, without timestamps and measurements: these can contain the digits of a PIN."""

    def getvalue(self) -> str:
        return remove_measurements(TIMESTAMP.sub("", super().getvalue()))


def remove_measurements(text: str) -> str:
    """The text without decimal numbers such as 0.00195465: by chance a duration contains the digits of a PIN."""
    return MEASUREMENT.sub("", text)


@contextmanager
def capture_all_logs() -> Iterator[LogCapture]:
    """Capture all output of the program at log level debug."""
    said = LogCapture()
    handler = logging.StreamHandler(said)
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        with redirect_stderr(said), redirect_stdout(said):
            configure_logging("debug")
            structlog.configure(cache_logger_on_first_use=False)  # or what logs once here logs here for ever
            yield said
    finally:
        logging.getLogger().setLevel(level)
        logging.getLogger().removeHandler(handler)
        structlog.reset_defaults()


def redis_contents(url: str) -> bytes:
    """Every key and every value of a Redis, of any type."""
    with redis.Redis.from_url(url) as client:
        found = []
        for key in client.scan_iter(count=1000):
            found += [key, client.dump(key)]
            if client.type(key) == b"string":
                found.append(client.get(key))
            if client.type(key) == b"hash":
                found += [part for pair in client.hgetall(key).items() for part in pair]
        return b"\n".join(found)


def stored_bytes(folder: Path) -> bytes:
    """The bytes of the SQLite database on the disk, its write-ahead log included."""
    return b"".join(path.read_bytes() for path in folder.glob("ekdial.db*"))
