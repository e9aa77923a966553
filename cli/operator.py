"""`server.py operator`: operators at village centres, who act for citizens: add, suspend, report."""

import argparse
import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cli.arguments import act_parser, build_act, line_parser, parse_count, parse_day, period_start
from cli.command import common_parser
from config.settings import Settings
from core.errors import CommandError
from core.phone_numbers import PhoneNumberError, parse_msisdn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.cli import OperatorCommands

MAX_NAME_LENGTH: Final = 60


def run_operator(settings: Settings, args: argparse.Namespace) -> int:
    """Add, list, suspend and resume operators at village centres, reset their PIN, and report what they did."""
    return asyncio.run(_run_action(settings, args))


async def _run_action(settings: Settings, args: argparse.Namespace) -> int:
    from app.cli import open_operator_commands

    async with open_operator_commands(settings) as commands:
        await ACTIONS[args.action](commands, args)
    return 0


async def _add_operator(commands: "OperatorCommands", args: argparse.Namespace) -> None:
    from services.assisted.models import NewOperator
    from services.assisted.operators import NumberEnrolledError

    number = _parse_msisdn(args.number, commands.is_supported_number)
    commands.check_centre(args.centre)
    limits = (args.consents_a_day, args.applications_a_day)
    language = await commands.find_language(number)
    new_operator = NewOperator(number, args.name, args.centre, language, *limits)
    try:
        operator, pin = await commands.operators.add(new_operator, build_act(args))
    except NumberEnrolledError as there:
        raise CommandError(str(there)) from None
    print(f"Operator {operator} is added; the PIN is sent to their number by SMS")
    _print_pin_in_sandbox(commands, pin)


async def _list_operators(commands: "OperatorCommands", _: argparse.Namespace) -> None:
    rows: list[tuple[str, ...]] = [("operator", "number", "centre", "added", "name", "a day", "")]
    for one in await commands.operators.list_all():
        state = "suspended" if one.suspended_at else "" if one.pin_chosen else "has not signed in yet"
        limits = f"{one.consents_a_day or '-'}/{one.applications_a_day or '-'}"
        added = f"{one.created_at.astimezone(commands.zone):%Y-%m-%d}"
        rows.append((str(one.id), one.msisdn, one.centre, added, one.name, limits, state))
    for row in _align_columns(rows):
        print(row)
    print("a day: limits of consents and applications; - is that of the settings")


async def _suspend(commands: "OperatorCommands", args: argparse.Namespace) -> None:
    if not await commands.operators.suspend(args.id, build_act(args)):
        raise CommandError(f"There is no operator {args.id} who is not suspended; operator list lists them")


async def _resume(commands: "OperatorCommands", args: argparse.Namespace) -> None:
    if not await commands.operators.resume(args.id, build_act(args)):
        raise CommandError(f"There is no operator {args.id} who is suspended; operator list lists them")


async def _reset_pin(commands: "OperatorCommands", args: argparse.Namespace) -> None:
    known = {one.id: one for one in await commands.operators.list_all()}
    if args.id not in known:
        raise CommandError(f"There is no operator {args.id}; operator list lists them")
    language = await commands.find_language(known[args.id].msisdn)
    pin = await commands.operators.reset_pin(args.id, language, build_act(args))
    print("A new PIN is sent to their number by SMS")
    _print_pin_in_sandbox(commands, pin or "")


async def _print_report(commands: "OperatorCommands", args: argparse.Namespace) -> None:
    from services.assisted.activity_report import COUNTERS

    lines = await commands.activity.reports_since(period_start(args.since, commands.zone))
    rows: list[tuple[str, ...]] = [("operator", "centre", *COUNTERS, "")]
    for line in lines:
        counts = (f"{line.counts[what]}{'!' * (what in line.unusual)}" for what in COUNTERS)
        notes = ["suspended"] * line.is_suspended + ["limit reached"] * line.limit_reached
        rows.append((str(line.operator), line.centre, *counts, ", ".join(notes)))
    for row in _align_columns(rows):
        print(row)
    print("! marks a count far above that of most operators")


ACTIONS: "Mapping[str, Callable[[OperatorCommands, argparse.Namespace], Awaitable[None]]]" = {
    "add": _add_operator,
    "list": _list_operators,
    "suspend": _suspend,
    "resume": _resume,
    "reset-pin": _reset_pin,
    "report": _print_report,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `operator` and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    add = actions.add_parser(
        "add", help="add an operator; the PIN is sent by SMS", parents=[common_parser(), act_parser()]
    )
    add.add_argument("--number", required=True, help="phone number of the operator, such as +8801700000001")
    add.add_argument("--centre", required=True, help="code of the centre in the catalogue")
    add.add_argument("--name", type=line_parser(MAX_NAME_LENGTH), default="", help="name that citizens see")
    add.add_argument(
        "--consents-a-day",
        type=parse_count,
        metavar="N",
        help="limit for this operator instead of that of the settings",
    )
    add.add_argument(
        "--applications-a-day",
        type=parse_count,
        metavar="N",
        help="limit for this operator instead of that of the settings",
    )
    actions.add_parser("list", help="list every operator, suspended ones too", parents=[common_parser()])
    for name, told in _SINGLE_OPERATOR_ACTIONS.items():
        action = actions.add_parser(name, help=told, parents=[common_parser(), act_parser()])
        action.add_argument("id", type=parse_count, help="the operator's number")
    report = actions.add_parser(
        "report", help="count what each operator did, and mark unusual counts", parents=[common_parser()]
    )
    report.add_argument(
        "--since", type=parse_day, metavar="DAY", help="first day, such as 2026-11-21 (default: 30 days ago)"
    )


_SINGLE_OPERATOR_ACTIONS: Final[Mapping[str, str]] = {
    "suspend": "keep one operator from signing in",
    "resume": "let a suspended operator sign in again",
    "reset-pin": "send one operator a new PIN by SMS",
}


def _parse_msisdn(text: str, is_supported: "Callable[[str], bool]") -> str:
    try:
        number = parse_msisdn(text)
    except PhoneNumberError:
        raise CommandError(
            f"{text!r} is not a phone number; write it with a plus and its country, such as +8801700000001"
        ) from None
    if not is_supported(number):
        raise CommandError(
            f"{number} belongs to a country that is not supported; countries.allowed lists those that are"
        )
    return number


def _print_pin_in_sandbox(commands: "OperatorCommands", pin: str) -> None:
    """Print the PIN where the sandbox sends no SMS; anywhere else only the operator sees it."""
    if commands.is_sandbox:
        print(f"The sandbox sends no SMS; the PIN is {pin}")


def _align_columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
