"""`server.py staff`: who may sign in to the console: add, roles, disable, reset passwords and apps, sign out."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from cli.arguments import act_parser, build_act, check_department, line_parser
from cli.command import common_parser
from cli.tables import print_table
from config.settings import Settings
from core.errors import CommandError
from core.types import utc_now
from services.staff.models import LOGIN_PATTERN, MAX_NAME_LENGTH, ROLES

if TYPE_CHECKING:
    from app.staff import StaffCommands
    from services.staff.models import ChangeOutcome, Member

LANGUAGES: Final = ("en", "bn", "hi")


def run_staff(settings: Settings, args: argparse.Namespace) -> int:
    """Add, list and change members of staff, who sign in to the console. `add` makes the first administrator too."""
    return asyncio.run(_run_action(settings, args))


async def _run_action(settings: Settings, args: argparse.Namespace) -> int:
    from app.staff import open_staff_commands

    async with open_staff_commands(settings) as commands:
        await ACTIONS[args.action](commands, args)
    return 0


async def _add(commands: "StaffCommands", args: argparse.Namespace) -> None:
    from services.staff.members import LoginTakenError
    from services.staff.models import NewMember

    department = _find_department(commands, args)
    new = NewMember(login=args.login, name=args.name, role=args.role, department=department, language=args.language)
    try:
        _, password = await commands.members.add(new, build_act(args))
    except LoginTakenError as taken:
        raise CommandError(str(taken)) from None
    print(f"{args.login} is added with the role {args.role}")
    _print_password(password)


async def _list(commands: "StaffCommands", _: argparse.Namespace) -> None:
    rows: list[tuple[str, ...]] = []
    for one in await commands.members.list_all():
        signed_in = f"{one.signed_in_at.astimezone(commands.zone):%Y-%m-%d %H:%M}" if one.signed_in_at else "-"
        app = "enrolled" if one.has_code else "-"
        rows.append((one.login, one.name, one.role, one.department or "-", app, signed_in, _describe_state(one)))
    print_table(("login", "name", "role", "department", "app", "last sign-in", "state"), rows)


async def _set_role(commands: "StaffCommands", args: argparse.Namespace) -> None:
    department = _find_department(commands, args)
    member = await _find(commands, args.login)
    _check(args.login, await commands.changes.set_role(member.id, args.role, department, build_act(args)))
    print(f"{args.login} has the role {args.role} now, and is signed out")


async def _disable(commands: "StaffCommands", args: argparse.Namespace) -> None:
    _check(args.login, await commands.changes.disable((await _find(commands, args.login)).id, build_act(args)))
    print(f"{args.login} is disabled and signed out")


async def _enable(commands: "StaffCommands", args: argparse.Namespace) -> None:
    _check(args.login, await commands.changes.enable((await _find(commands, args.login)).id, build_act(args)))
    print(f"{args.login} can sign in again")


async def _reset_password(commands: "StaffCommands", args: argparse.Namespace) -> None:
    member = await _find(commands, args.login)
    outcome, password = await commands.changes.reset_password(member.id, build_act(args))
    _check(args.login, outcome)
    _print_password(password)


async def _reset_code(commands: "StaffCommands", args: argparse.Namespace) -> None:
    _check(args.login, await commands.changes.reset_code((await _find(commands, args.login)).id, build_act(args)))
    print(f"The app of {args.login} is removed; they enrol another after the next sign-in")


async def _sign_out(commands: "StaffCommands", args: argparse.Namespace) -> None:
    _check(args.login, await commands.changes.sign_out((await _find(commands, args.login)).id, build_act(args)))
    print(f"Every sign-in of {args.login} has ended")


ACTIONS: Final[Mapping[str, Callable[["StaffCommands", argparse.Namespace], Awaitable[None]]]] = {
    "add": _add,
    "list": _list,
    "set-role": _set_role,
    "disable": _disable,
    "enable": _enable,
    "reset-password": _reset_password,
    "reset-code": _reset_code,
    "sign-out": _sign_out,
}
SINGLE_MEMBER_ACTIONS: Final[Mapping[str, str]] = {
    "disable": "sign a member out and keep them from signing in",
    "enable": "let a member sign in again who is disabled, or locked after wrong tries",
    "reset-password": "print a new password, which the member replaces at the next sign-in",
    "reset-code": "remove the authenticator app and the recovery codes of a member who lost them",
    "sign-out": "end every sign-in of a member",
}
PROBLEMS: Final[Mapping["ChangeOutcome", str]] = {
    "unknown": "There is no member of staff {login!r}; staff list shows them",
    "unchanged": "There is nothing to change for {login}; staff list shows how it is",
    "last_admin": "{login} is the last administrator who can sign in; give somebody else the role admin first",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `staff` and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    add = actions.add_parser(
        "add", help="add a member and print the first password, once", parents=[common_parser(), act_parser()]
    )
    add.add_argument("--login", type=_parse_login, required=True, help="what the member signs in with, such as asha")
    add.add_argument("--name", type=_parse_name, required=True, help="name that the console shows; it is encrypted")
    _add_role(add)
    add.add_argument("--language", choices=LANGUAGES, default="en", help="language of the console (default: en)")
    actions.add_parser("list", help="list every member, disabled ones too", parents=[common_parser()])
    role = actions.add_parser(
        "set-role", help="give a member another role, and sign them out", parents=[common_parser(), act_parser()]
    )
    role.add_argument("login", help="login of the member")
    _add_role(role)
    for name, text in SINGLE_MEMBER_ACTIONS.items():
        action = actions.add_parser(name, help=text, parents=[common_parser(), act_parser()])
        action.add_argument("login", help="login of the member")


def _add_role(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", choices=ROLES, required=True, help="what the member may do: docs/console.md")
    parser.add_argument("--department", default="", metavar="CODE", help="department of an officer, such as dncc")


def _find_department(commands: "StaffCommands", args: argparse.Namespace) -> str:
    """The department of an officer; every other role has none.

    Raises:
        CommandError: there is no such department, or the role has none.
    """
    department: str = args.department
    if (args.role == "officer") != bool(department):
        raise CommandError(
            "An officer has a department, and no other role has one; write --role officer --department CODE"
        )
    if department:
        check_department(department, commands.departments)
    return department


async def _find(commands: "StaffCommands", login: str) -> "Member":
    member = await commands.members.find_by_login(login)
    if member is None:
        raise CommandError(PROBLEMS["unknown"].format(login=login))
    return member


def _check(login: str, outcome: "ChangeOutcome") -> None:
    if outcome != "done":
        raise CommandError(PROBLEMS[outcome].format(login=login))


def _describe_state(member: "Member") -> str:
    if member.disabled_at:
        return "disabled"
    if member.locked_until and member.locked_until > utc_now():
        return "locked"
    return "active" if member.password_chosen else "first password"


def _print_password(password: str) -> None:
    print(f"The password is {password}")
    print("Give it to the member and to nobody else; they choose another at the first sign-in")


def _parse_login(text: str) -> str:
    if not LOGIN_PATTERN.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is no login; write 2 to 32 small letters, digits, dots or hyphens, a letter first"
        )
    return text


def _parse_name(text: str) -> str:
    name = line_parser(MAX_NAME_LENGTH)(text)
    if not name or not name.isprintable():
        raise argparse.ArgumentTypeError("this is no name; write that of the member")
    return name
