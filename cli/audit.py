"""`server.py audit`: export the audit log."""

import argparse
import asyncio
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cli.arguments import parse_day, start_of_day
from cli.command import common_parser
from config.settings import Settings

if TYPE_CHECKING:
    from services.audit.export import AuditFilter


def run_audit(settings: Settings, args: argparse.Namespace) -> int:
    """Export who did what to which record, to standard output and in the order of recording."""
    try:
        return asyncio.run(_export(settings, args))
    except BrokenPipeError:  # the reader, such as head, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `audit` and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    export = actions.add_parser("export", help="write one line for each act", parents=[common_parser()])
    export.add_argument("--since", type=parse_day, metavar="DAY", help="the first day, such as 2026-11-21")
    export.add_argument("--until", type=parse_day, metavar="DAY", help="the last day")
    export.add_argument("--subject", default="", metavar="NUMBER", help="acts on one record only, by its number or id")
    export.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="(default: csv)")


async def _export(settings: Settings, args: argparse.Namespace) -> int:
    from app.keys import open_cipher
    from db.database import Database
    from services.audit.export import FORMATTERS, header_lines, read_entries

    database = settings.database.url.get_secret_value()
    await open_cipher(settings)
    sys.stdout.writelines(header_lines(args.format))
    async with Database(database) as records:
        async for act in read_entries(records, _build_filter(settings, args)):
            sys.stdout.write(FORMATTERS[args.format](act))
    sys.stdout.flush()
    return 0


def _build_filter(settings: Settings, args: argparse.Namespace) -> "AuditFilter":
    """Days begin and end in the time zone of `countries.time_zone`."""
    from services.audit.export import AuditFilter

    zone = ZoneInfo(settings.countries.time_zone)
    since = start_of_day(args.since, zone) if args.since else None
    until = start_of_day(args.until + timedelta(days=1), zone) if args.until else None
    return AuditFilter(since, until, args.subject)
