"""`server.py citizen`: what the helpdesk sees of an account, and what it may do to it."""

import argparse
import asyncio
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.arguments import act_parser, actor_parser, build_act, parse_count
from cli.command import common_parser
from config.settings import Settings
from core.errors import CommandError
from core.phone_numbers import PhoneNumberError, parse_msisdn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from app.cli import CitizenCommands
    from services.audit.staff_acts import StaffAct

MAX_FILE_BYTES: Final = 10_000_000


def run_citizen(settings: Settings, args: argparse.Namespace) -> int:
    """Help a citizen who lost a phone, or whose number somebody else has now. Every act is in the audit log."""
    return asyncio.run(_run_action(settings, args))


async def _run_action(settings: Settings, args: argparse.Namespace) -> int:
    from app.cli import open_citizen_commands

    act = build_act(args)
    async with open_citizen_commands(settings) as commands:
        await ACTIONS[args.action](commands, args, act)
    return 0


async def _show(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    number = _parse_number(args.number)
    account = await commands.support.show(number, act)
    if account is None:
        raise await _no_account(commands, number)
    lines = {
        "account": account.account,
        "number": account.number,
        "name": account.name,
        "state": account.state,
        "language": account.language,
        "registered": f"{account.registered_at:%Y-%m-%d}",
        "last used": f"{account.last_used_at:%Y-%m-%d}" if account.last_used_at else "never",
        "PIN locked until": f"{account.locked_until.astimezone(commands.zone):%Y-%m-%d %H:%M}"
        if account.locked_until
        else "not locked",
        "security questions": account.questions,
        "verified e-mail": "yes" if account.has_email else "no",
        "applications": account.applications,
        "unfinished forms": account.open_drafts,
        "complaints": account.complaints,
        "operator": "yes" if account.is_operator else "no",
    }
    for label, value in lines.items():
        print(f"{label}: {value}")


async def _freeze(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    number = _parse_number(args.number)
    if not await commands.support.freeze(number, act):
        raise await _not_done(commands, number, "is frozen already")
    print("Nobody can sign in to the account until citizen unfreeze; every sign-in is ended")


async def _unfreeze(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    number = _parse_number(args.number)
    if not await commands.support.unfreeze(number, act):
        raise await _not_done(commands, number, "is not frozen")
    print("The holder can sign in again, and is told by SMS")


async def _sign_out(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    number = _parse_number(args.number)
    if not await commands.support.sign_out(number, act):
        raise await _no_account(commands, number)
    print("Every sign-in is ended, and the holder is told by SMS")


async def _reset_questions(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    number = _parse_number(args.number)
    if not await commands.support.reset_questions(number, act):
        raise await _no_account(commands, number)
    print("The security questions are removed, and the holder is told by SMS")


async def _release(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    if (args.number is None) == (args.file is None):
        raise CommandError("citizen release: name one number, or a file of notices with --file")
    if args.file is not None:
        await _release_file(commands, args.file, act)
        return
    number = _parse_number(args.number)
    result = await commands.support.release(number, act)
    if result.outcome == "nothing":
        raise await _no_account(commands, number)
    if not result.account:
        print("The number had no account; nothing of its former holder reaches it any more")
        return
    print(f"Account {result.account} has no number any more, and nothing of it reaches the number")
    print(f"When its holder comes with a new number: citizen attach {result.account} NUMBER --why TEXT")


async def _release_file(commands: "CitizenCommands", file: Path, act: "StaffAct") -> None:
    """Release every number of a file, or none where a line is wrong. The same file a second time changes nothing."""
    content = _read_file(file)
    notices = commands.parse_notices(_decode(content, file), str(file))
    digest, released, repeated = sha256(content).hexdigest()[:32], 0, 0
    for notice in notices:
        result = await commands.release_notice(notice, act, f"notices:{digest}:{notice.line}")
        released += result.outcome == "released" and not result.is_repeat
        repeated += result.is_repeat
    print(f"Released {released} of {len(notices)} numbers; {len(notices) - released - repeated} were not known here")
    if repeated:
        print(f"{repeated} were in the same file before")


async def _attach(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    number = _parse_number(args.number)
    if not commands.is_supported_number(number):
        raise CommandError("This number belongs to a country that is not supported; countries.allowed lists those")
    match await commands.support.attach(args.account, number, act):
        case "not_released":
            raise CommandError(f"Account {args.account} is none without a number; citizen show NUMBER finds it")
        case "taken":
            raise CommandError("This number has an account already; its holder deletes that one first, or keeps it")
        case "attached":
            print(f"Account {args.account} has this number now, and its holder is told by SMS")


ACTIONS: "Mapping[str, Callable[[CitizenCommands, argparse.Namespace, StaffAct], Awaitable[None]]]" = {
    "show": _show,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "sign-out": _sign_out,
    "reset-questions": _reset_questions,
    "release": _release,
    "attach": _attach,
}
HELP: Final = {
    "show": "show the account of a number, masked",
    "freeze": "let nobody sign in, for a phone that is lost",
    "unfreeze": "let the holder of a frozen account sign in again",
    "sign-out": "end every sign-in",
    "reset-questions": "remove the security questions",
    "release": "take a number from its former holder, for a number that somebody else has now",
    "attach": "give the account of a released number a new number",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `citizen` and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    for name, told in HELP.items():
        parents = [common_parser(), actor_parser() if name == "show" else act_parser()]
        action = actions.add_parser(name, help=told, description=told, parents=parents)
        if name == "show":
            action.set_defaults(why="")
        if name == "attach":
            action.add_argument("account", type=parse_count, help="id of the account, as citizen show prints it")
        action.add_argument("number", nargs="?" if name == "release" else None, help="such as +8801711000009")
        if name == "release":
            text = (
                "notices of a network: lines such as +8801711000001,2026-11-01 (number, day on which it was taken away)"
            )
            action.add_argument("--file", type=Path, help=text)


def _parse_number(text: str) -> str:
    try:
        return parse_msisdn(text)
    except PhoneNumberError:
        raise CommandError("This is not a phone number; write it with a plus, such as +8801711000009") from None


def _read_file(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}; name a file of notices") from None
    if len(content) > MAX_FILE_BYTES:
        raise CommandError(f"{file} has more than {MAX_FILE_BYTES} bytes; split it")
    return content


def _decode(content: bytes, file: Path) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CommandError(f"{file} is not UTF-8; save it as plain text in UTF-8") from None


async def _not_done(commands: "CitizenCommands", number: str, state: str) -> CommandError:
    """The error for an account that is in this state already, or for a number without an account."""
    if await commands.has_account(number):
        return CommandError(f"The account of this number {state}; citizen show shows it")
    return await _no_account(commands, number)


async def _no_account(commands: "CitizenCommands", number: str) -> CommandError:
    """The error for a number without an account. It names the accounts that had the number before."""
    former = await commands.support.find_released(number)
    lines = ["This number has no account; check the number with the citizen"]
    lines += [
        f"Account {one.account} had it until {one.released_at:%Y-%m-%d}; citizen attach {one.account} NUMBER gives it a new one"
        for one in former
    ]
    return CommandError("\n".join(lines))
