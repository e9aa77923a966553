"""`server.py keys`: the keys of departments' systems, and a fresh keys.secret."""

import argparse
import asyncio
import secrets
from base64 import b64encode
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from commands.arguments import day
from commands.verb import common
from faults import CannotRun
from settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from services.keys import Keys


def keys(settings: Settings, given: argparse.Namespace) -> int:
    """Keys of departments' systems: add (shown once), list, revoke; and fresh secrets."""
    if given.do in FRESH:
        print(FRESH[given.do]())
        return 0
    if given.do == "add":
        _known_department(settings, given.department)
    return asyncio.run(_done(settings, given))


def options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    verbs = parser.add_subparsers(dest="do", metavar="VERB", title="verbs", required=True)
    add = verbs.add_parser("add", help="a new key, shown once", parents=[common()])
    add.add_argument(
        "--department", required=True, help="whose system it is for: its code in the catalogue, such as dncc"
    )
    add.add_argument("--label", default="", help="what it is for, to tell it from the department's others")
    add.add_argument("--until", type=day, metavar="DAY", help="the last day on which it is good, such as 2027-12-31")
    verbs.add_parser("list", help="every key, without its secret", parents=[common()])
    revoke = verbs.add_parser("revoke", help="refuse a key from now on", parents=[common()])
    revoke.add_argument("id", help="the first of what keys list shows")
    secret = verbs.add_parser("secret", help="a fresh value for keys.secret", parents=[common()])
    webhook = verbs.add_parser("webhook", help="a fresh secret to sign with for a department", parents=[common()])
    for fresh in (secret, webhook):
        fresh.set_defaults(configured=False)  # it is asked for where the settings want one and are refused


def _webhook() -> str:
    """As Standard Webhooks writes a secret."""
    return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"


def _known_department(settings: Settings, department: str) -> None:
    from pathlib import Path

    from services.catalogue.load import load

    departments = load(Path(__file__).parents[1] / settings.catalogue.folder).departments
    if department not in departments:
        raise CannotRun(f"There is no department {department!r}; there are {', '.join(sorted(departments))}")


async def _done(settings: Settings, given: argparse.Namespace) -> int:
    from services.keys import Keys
    from services.records.database import Records
    from services.records.migrate import ready

    database = settings.database.url.get_secret_value()
    await ready(database)
    async with Records(database) as records:
        await DONE[given.do](Keys(records, zone=ZoneInfo(settings.countries.time_zone)), given)
    return 0


async def _add(issued: "Keys", given: argparse.Namespace) -> None:
    from services.keys import LONGEST_LABEL

    if len(given.label) > LONGEST_LABEL or not given.label.isprintable():
        raise CannotRun(f"A label is one line of at most {LONGEST_LABEL} characters")
    print(await issued.add(given.department, label=given.label, last_day=given.until))


async def _list(issued: "Keys", _: argparse.Namespace) -> None:
    for key in await issued.listed():
        used = [f"used {key.used}"] if key.used else []
        until = [f"until {key.last_day}"] if key.last_day else []
        label, revoked = [key.label] if key.label else [], ["revoked"] if key.revoked else []
        print(key.id, key.department, f"{key.created:%Y-%m-%d}", *used, *until, *label, *revoked)


async def _revoke(issued: "Keys", given: argparse.Namespace) -> None:
    if not await issued.revoke(given.id):
        raise CannotRun(f"There is no key {given.id!r} that is not revoked; keys list shows them")


FRESH: "Mapping[str, Callable[[], str]]" = {"secret": lambda: secrets.token_urlsafe(48), "webhook": _webhook}
DONE: "Mapping[str, Callable[[Keys, argparse.Namespace], Awaitable[None]]]" = {
    "add": _add,
    "list": _list,
    "revoke": _revoke,
}
