"""`server.py departments`: the health of departments' own systems, the applications that they rejected, and a trial."""

import argparse
import asyncio
from typing import TYPE_CHECKING

from cli.arguments import act_parser, build_act
from cli.command import common_parser
from cli.department_trial import try_department
from config.settings import Settings
from core.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from app.cli import DepartmentCommands


def run_departments(settings: Settings, args: argparse.Namespace) -> int:
    """Show the health of departments' own systems, list and send again what they rejected, and try the API out."""
    if args.action == "try":
        return asyncio.run(try_department(settings, args))
    return asyncio.run(_run_action(settings, args))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `departments` and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    actions.add_parser(
        "list", help="each department: its health, and the deliveries that wait", parents=[common_parser()]
    )
    actions.add_parser(
        "rejected", help="applications that a department rejected, with its reason", parents=[common_parser()]
    )
    again = actions.add_parser(
        "retry", help="send a rejected application again", parents=[common_parser(), act_parser()]
    )
    again.add_argument("number", help="tracking number of the application")
    trial = actions.add_parser(
        "try",
        help="make a key and a sample application, and print requests to try the API with",
        parents=[common_parser(), act_parser()],
    )
    trial.add_argument("department", help="code of the department in the catalogue, such as dncc")


async def _run_action(settings: Settings, args: argparse.Namespace) -> int:
    from app.cli import open_department_commands

    async with open_department_commands(settings) as commands:
        await ACTIONS[args.action](commands, args)
    return 0


async def _list_departments(commands: "DepartmentCommands", _: argparse.Namespace) -> None:
    for one in await commands.check_all():
        waits = ", ".join(f"{count} {state}" for state, count in sorted(one.waiting.items()))
        print(f"{one.code:<20} {one.address:<40} {one.health}", *([f"({waits})"] if waits else []))


async def _list_rejected(commands: "DepartmentCommands", _: argparse.Namespace) -> None:
    for one in await commands.deliveries.list_rejected():
        print(one.tracking_number, one.department, f"{one.since:%Y-%m-%d %H:%M}", one.reason, one.detail)


async def _retry(commands: "DepartmentCommands", args: argparse.Namespace) -> None:
    number = args.number.replace(" ", "")
    if not await commands.deliveries.retry(number, build_act(args)):
        raise CommandError(f"No department has rejected {args.number}; departments rejected lists those it has")
    print("The gateway sends it again with its next deliveries")


ACTIONS: "Mapping[str, Callable[[DepartmentCommands, argparse.Namespace], Awaitable[None]]]" = {
    "list": _list_departments,
    "rejected": _list_rejected,
    "retry": _retry,
}
