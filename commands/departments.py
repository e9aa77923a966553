"""`server.py departments`: how departments' own systems stand, and what they refused and a person has to mend."""

import argparse
import asyncio
from typing import TYPE_CHECKING

from commands.arguments import signed
from commands.verb import common
from faults import CannotRun
from settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from assembly.connections import Connections


def departments(settings: Settings, given: argparse.Namespace) -> int:
    """Departments' own systems: who answers and what waits, what was refused, and sending that again."""
    return asyncio.run(_run(settings, given))


def options(parser: argparse.ArgumentParser) -> None:
    """What may be said to it."""
    verbs = parser.add_subparsers(dest="do", metavar="VERB", title="verbs", required=True)
    verbs.add_parser("list", help="each department, whether it answers, and what waits for it", parents=[common()])
    verbs.add_parser("refused", help="applications that a department refused, and what it said", parents=[common()])
    again = verbs.add_parser("again", help="send a refused application once more", parents=[common(), signed()])
    again.add_argument("number", help="its tracking number")


async def _run(settings: Settings, given: argparse.Namespace) -> int:
    from assembly.connections import connections

    async with connections(settings) as connected:
        await DOES[given.do](connected, given)
    return 0


async def _list(connected: "Connections", _: argparse.Namespace) -> None:
    for one in await connected.stand():
        waits = ", ".join(f"{count} {state}" for state, count in sorted(one.waits.items()))
        print(f"{one.code:<20} {one.where:<40} {one.health}", *([f"({waits})"] if waits else []))


async def _refused(connected: "Connections", _: argparse.Namespace) -> None:
    for one in await connected.deliveries.put_up():
        print(one.tracking_number, one.department, f"{one.since:%Y-%m-%d %H:%M}", one.reason, one.said)


async def _again(connected: "Connections", given: argparse.Namespace) -> None:
    number = given.number.replace(" ", "")
    if not await connected.deliveries.again(number, given.by, "terminal"):
        raise CannotRun(f"No department has refused {given.number}; departments refused shows those that were")
    print("It is sent again as soon as the gateway looks")


DOES: "Mapping[str, Callable[[Connections, argparse.Namespace], Awaitable[None]]]" = {
    "list": _list,
    "refused": _refused,
    "again": _again,
}
