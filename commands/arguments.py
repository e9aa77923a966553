"""What the verbs are told, and how it is read: days, whole numbers, a few words, who does it."""

import argparse
import getpass
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

PERIOD: Final = timedelta(days=30)  # that a report is about, where nothing else is said
YEARS: Final = range(1970, 9999)  # in which a day has one before and one after it in every zone
MOST: Final = 2**63 - 1  # the largest number that a table holds


def day(written: str) -> date:
    """A day, as 2026-11-21."""
    try:
        read = date.fromisoformat(written)
    except ValueError:
        read = date.min
    if read.year not in YEARS:
        raise argparse.ArgumentTypeError(f"{written!r} is no day; write one such as 2026-11-21")
    return read


def count(written: str) -> int:
    """A whole number from 1 on, such as the id of a row."""
    if not written.isascii() or not written.isdigit() or len(written) > len(str(MOST)) or not 1 <= int(written) <= MOST:
        raise argparse.ArgumentTypeError(f"{written!r} is no whole number from 1 on")
    return int(written)


def words(most: int) -> Callable[[str], str]:
    """One line of at most so many characters."""

    def read(written: str) -> str:
        line = " ".join(written.split())
        if len(line) > most:
            raise argparse.ArgumentTypeError(f"these are {len(line)} characters; write {most} at most")
        return line

    return read


def signed() -> argparse.ArgumentParser:
    """Who does it: for the audit."""
    parser = argparse.ArgumentParser(add_help=False)
    by = "who does this, for the audit (default: your login)"
    parser.add_argument("--by", type=words(64), default=getpass.getuser(), help=by)
    return parser


def begins(on: date, zone: tzinfo) -> datetime:
    """The moment at which a day begins there."""
    return datetime.combine(on, time(), zone)


def since(on: date | None, zone: tzinfo) -> datetime:
    """When the period of a report begins: with a day, or so long before now."""
    return begins(on, zone) if on else datetime.now(UTC) - PERIOD
