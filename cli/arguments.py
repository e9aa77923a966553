"""Parse the arguments that several commands take: days, whole numbers, short texts, the person who acts."""

import argparse
import getpass
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from typing import Final

from core.errors import CommandError
from services.audit.models import Actor
from services.audit.staff_acts import ReasonError, StaffAct, parse_reason

DEFAULT_PERIOD: Final = timedelta(days=30)
"""Period of a report without `--since`."""
VALID_YEARS: Final = range(1970, 9999)
"""Years in which every day has a day before and after it in each time zone."""
MAX_ACTOR_LENGTH: Final = 64
MAX_ID: Final = 2**63 - 1
"""The largest number that a database column holds."""


def parse_day(text: str) -> date:
    """Return the day written as 2026-11-21.

    Raises:
        ArgumentTypeError: The text is not a day in the range of `VALID_YEARS`.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.year not in VALID_YEARS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write one such as 2026-11-21")
    return day


def parse_network(text: str) -> str:
    """Return the name of a network: small letters, digits and underscores.

    Raises:
        ArgumentTypeError: The text is not such a name.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", text):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not the name of a network; write one such as grameenphone")
    return text


def add_period(parser: argparse.ArgumentParser, default: str) -> None:
    """Add `--since DAY` and `--until DAY`, both within the period; `default` says what holds without them."""
    parser.add_argument("--since", type=parse_day, metavar="DAY", help=f"first day, such as 2026-11-21 ({default})")
    parser.add_argument("--until", type=parse_day, metavar="DAY", help="last day")


def find_period(args: argparse.Namespace, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Return when the period of `add_period` begins and ends, in the time zone; None where a day is not given.

    Raises:
        CommandError: The first day is after the last.
    """
    if args.since and args.until and args.since > args.until:
        raise CommandError(f"--since {args.since} is after --until {args.until}; swap the two days")
    since = start_of_day(args.since, zone) if args.since else None
    return since, start_of_day(args.until + timedelta(days=1), zone) if args.until else None


def parse_count(text: str) -> int:
    """Return a whole number from 1 to `MAX_ID`, such as the id of a row.

    Raises:
        ArgumentTypeError: The text is not such a number.
    """
    if not text.isascii() or not text.isdigit() or len(text) > len(str(MAX_ID)) or not 1 <= int(text) <= MAX_ID:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def check_department(code: str, known: Collection[str]) -> None:
    """Check that the catalogue has a department with this code.

    Raises:
        CommandError: it has none; the message names the one with the most similar code, or all of them.
    """
    if code not in known:
        close = get_close_matches(code, known, n=1)
        fix = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(known))}"
        raise CommandError(f"There is no department {code!r}; {fix}")


def line_parser(max_length: int) -> Callable[[str], str]:
    """Return a parser of one line of text, which joins words by single spaces and rejects more than `max_length` characters."""

    def parse_line(text: str) -> str:
        line = " ".join(text.split())
        if len(line) > max_length:
            raise argparse.ArgumentTypeError(f"these are {len(line)} characters; write {max_length} at most")
        return line

    return parse_line


def actor_parser() -> argparse.ArgumentParser:
    """Return a parent parser with `--by`: the name of the person who acts, for the audit log."""
    parser = argparse.ArgumentParser(add_help=False)
    login = _find_login()
    text = "name of the person who does this, for the audit log" + (" (default: your login)" if login else "")
    parser.add_argument("--by", type=_parse_actor, default=login, required=login is None, metavar="NAME", help=text)
    return parser


def act_parser(reasons: Mapping[str, str] | None = None) -> argparse.ArgumentParser:
    """Return a parent parser with `--by` and `--why`, for a verb that changes something; `build_act` reads them.

    `--reason` is another spelling of `--why`. `reasons` are the only ones that the verb takes, each with its meaning.
    """
    parser = argparse.ArgumentParser(add_help=False, parents=[actor_parser()])
    meanings = "; ".join(f"{code}: {meaning}" for code, meaning in (reasons or {}).items())
    parser.add_argument(
        "--why",
        "--reason",
        dest="why",
        type=_parse_reason,
        choices=list(reasons) if reasons else None,
        required=True,
        metavar=None if reasons else "TEXT",
        help=meanings or "reason, for the audit log: a ticket or a cause, and no name and no number of a person",
    )
    return parser


def build_act(args: argparse.Namespace) -> StaffAct:
    """Return the act of the person whom `act_parser` names; each has an idempotency key of its own."""
    return StaffAct(Actor("staff", args.by, "terminal"), args.why, f"terminal:{secrets.token_hex(8)}")


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the moment at which the day begins in the time zone."""
    return datetime.combine(day, time(), zone)


def period_start(first_day: date | None, zone: tzinfo) -> datetime:
    """Return when the period of a report begins: with its first day, or `DEFAULT_PERIOD` ago."""
    return start_of_day(first_day, zone) if first_day else datetime.now(UTC) - DEFAULT_PERIOD


def _find_login() -> str | None:
    """The login of whoever runs the program; None where the machine has no name for them, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def _parse_actor(text: str) -> str:
    name = line_parser(MAX_ACTOR_LENGTH)(text)
    if not name or not name.isprintable():
        raise argparse.ArgumentTypeError("this is no name; write that of the person who does this")
    return name


def _parse_reason(text: str) -> str:
    try:
        return parse_reason(text)
    except ReasonError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
