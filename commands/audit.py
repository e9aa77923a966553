"""`server.py audit`: who did what to whose record, as a file."""

import argparse
import asyncio
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from commands.arguments import begins, day
from commands.verb import common
from settings import Settings

if TYPE_CHECKING:
    from services.audit_lines import Wanted


def audit(settings: Settings, given: argparse.Namespace) -> int:
    """Who did what to whose record: export writes it to standard output, in the order in which it was written."""
    try:
        return asyncio.run(_export(settings, given))
    except BrokenPipeError:  # who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    verbs = parser.add_subparsers(dest="do", metavar="VERB", title="verbs", required=True)
    export = verbs.add_parser("export", help="every act, a line each", parents=[common()])
    export.add_argument("--since", type=day, metavar="DAY", help="the first day, such as 2026-11-21")
    export.add_argument("--until", type=day, metavar="DAY", help="the last day")
    export.add_argument(
        "--subject", default="", metavar="NUMBER", help="only what was done to one record: its number or its id"
    )
    export.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="(default: csv)")


async def _export(settings: Settings, given: argparse.Namespace) -> int:
    from services.audit_lines import WRITTEN, acts, heading
    from services.records.database import Records
    from services.records.migrate import ready

    database = settings.database.url.get_secret_value()
    await ready(database)
    sys.stdout.writelines(heading(given.format))
    async with Records(database) as records:
        async for act in acts(records, _wanted(settings, given)):
            sys.stdout.write(WRITTEN[given.format](act))
    sys.stdout.flush()
    return 0


def _wanted(settings: Settings, given: argparse.Namespace) -> "Wanted":
    """Days are days where the gateway stands."""
    from services.audit_lines import Wanted

    zone = ZoneInfo(settings.countries.time_zone)
    since = begins(given.since, zone) if given.since else None
    until = begins(given.until + timedelta(days=1), zone) if given.until else None
    return Wanted(since, until, given.subject)
