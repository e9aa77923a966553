"""`server.py citizen`: what the helpdesk sees of a citizen, and what it may do for one. See docs/helpdesk.md."""

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.arguments import act_parser, actor_parser, build_act, parse_count
from cli.citizen_record import RecordPrinter, print_json
from cli.command import common_parser
from config.settings import Settings
from core.errors import CommandError
from core.phone_numbers import PhoneNumberError, is_detached, parse_msisdn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from app.citizen_commands import CitizenCommands
    from services.audit.staff_acts import StaffAct
    from services.helpdesk.models import Reference

MAX_FILE_BYTES: Final = 10_000_000
MAX_LISTED: Final = 200
LOOKS: Final = ("show", "messages")
"""Actions that change nothing and show nothing whole; they need no reason."""
WHAT: Final = (
    "a phone number with a plus, the number of an application or a complaint, or the id or receipt of a payment"
)
RESEND_ERRORS: Final = {
    "no_message": "There is no message {id}; citizen messages lists those of a citizen",
    "confidential": "Message {id} had a code, a PIN or a document, which is never sent twice; instead: {instead}",
    "outdated": "What message {id} says may not be true any more; instead: {instead}",
    "on_its_way": "Message {id} is on its way; wait for its result",
    "opted_out": "The citizen sent STOP: no news is sent until they send START. What they ask for they get: {instead}",
    "no_number": "The number of message {id} was taken from its holder",
    "no_text": "The text of message {id} is deleted; instead: {instead}",
    "too_many": "Enough messages were sent again to this recipient today; try again tomorrow",
    "not_citizens": "Message {id} went to a department, not to a citizen",
}
PIN_ERRORS: Final = {
    "frozen": "The account of this number is frozen, and no PIN opens it: check who asks, citizen unfreeze, then reset the PIN",
    "sim_swapped": "The SIM of this number was replaced lately: whoever has it may not be the holder. No PIN is sent; "
    "check who asks, with an identity document, and freeze the account where in doubt",
    "sim_unknown": "The network did not say whether the SIM of this number was replaced lately; try again in a minute",
}
PIN_RESULTS: Final = {
    "changed": "A new PIN goes to the number by SMS, and to nobody else. The old one is void, every sign-in is ended",
    "pending": "A new PIN goes to the number by SMS. It works in {hours} hours, because the account was not used for long; "
    "until then the holder can stop it by STOP",
    "registering": "The number has no account yet: a registration waits for its PIN. A new one goes to it by SMS",
}


def run_citizen(settings: Settings, args: argparse.Namespace) -> int:
    """Help a citizen who calls: look up, send again, reset, freeze, release. Every look and act is in the audit log."""
    return asyncio.run(_run_action(settings, args))


async def _run_action(settings: Settings, args: argparse.Namespace) -> int:
    from app.cli import open_citizen_commands

    act = build_act(args)
    async with open_citizen_commands(settings) as commands:
        await ACTIONS[args.action](commands, args, act)
    return 0


async def _show(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    reference = _parse_reference(args.what)
    record = await commands.lookup.show(reference, act)
    if record is None:
        raise _nothing_found(reference)
    if record.is_empty:
        raise CommandError("This number has no account, and nothing else is known of it; check it with the citizen")
    if args.json:
        print_json(record)
    else:
        RecordPrinter(commands.zone).print_record(record)


async def _messages(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    reference = _parse_reference(args.what)
    found = await commands.lookup.list_messages(reference, act, before=args.before, count=args.limit)
    if found is None:
        raise _nothing_found(reference)
    if args.json:
        print_json(found)
    else:
        RecordPrinter(commands.zone).print_messages(found)


async def _reveal(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    reference = _parse_reference(args.what)
    identity = await commands.lookup.reveal(reference, act)
    if identity is None:
        raise _nothing_found(reference)
    if args.json:
        print_json(identity)
        return
    print(f"number: {'none' if is_detached(identity.msisdn) else identity.msisdn}")
    print(f"name: {identity.name or 'not known'}")
    print(f"e-mail: {identity.email or 'none'}")


async def _resend(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    from services.helpdesk.explanations import explain_message, suggest_instead

    result = await commands.resends.resend(args.message, act)
    if result.outcome != "sent" or result.former is None:
        instead = suggest_instead(result.former.kind) if result.former else ""
        raise CommandError(RESEND_ERRORS[result.outcome].format(id=args.message, instead=instead or "nothing helps"))
    print(f"Message {args.message} ({result.former.kind}): {explain_message(result.former)}")
    print(f"It is sent again as message {result.message}")


async def _reset_pin(commands: "CitizenCommands", args: argparse.Namespace, act: "StaffAct") -> None:
    number = _parse_number(args.number)
    result = await commands.support.reset_pin(number, act)
    if result.outcome == "no_account":
        raise await _no_account(commands, number)
    if result.outcome in PIN_ERRORS:
        raise CommandError(PIN_ERRORS[result.outcome])
    print(PIN_RESULTS[result.outcome].format(hours=result.hours))


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
    counts = await commands.release_notices(notices, content, act)
    print(f"Released {counts.released} of {len(notices)} numbers; {counts.unknown} were not known here")
    if counts.repeated:
        print(f"{counts.repeated} were in the same file before")


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
    "messages": _messages,
    "resend": _resend,
    "reveal": _reveal,
    "reset-pin": _reset_pin,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "sign-out": _sign_out,
    "reset-questions": _reset_questions,
    "release": _release,
    "attach": _attach,
}
HELP: Final = {
    "show": "show what is known of a citizen, masked",
    "messages": "list the messages to a citizen, what became of each and why",
    "resend": "send a receipt or the latest news again",
    "reveal": "show the whole number, name and e-mail address",
    "reset-pin": "send a new PIN to the citizen's phone, and nowhere else",
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
        is_look = name in LOOKS
        parents = [common_parser(), actor_parser() if is_look else act_parser()]
        action = actions.add_parser(name, help=told, description=told, parents=parents)
        if is_look:
            action.set_defaults(why="")
        ARGUMENTS.get(name, _add_number)(action)


def _add_what(action: argparse.ArgumentParser) -> None:
    action.add_argument("what", nargs="+", metavar="WHAT", help=WHAT)
    action.add_argument("--json", action="store_true", help="print JSON, for a program")


def _add_messages(action: argparse.ArgumentParser) -> None:
    _add_what(action)
    action.add_argument("--before", type=parse_count, default=0, metavar="ID", help="only messages with a smaller id")
    action.add_argument("--limit", type=_parse_limit, default=20, help="lines at most (default: 20)")


def _add_message(action: argparse.ArgumentParser) -> None:
    action.add_argument("message", type=parse_count, help="id of the message, as citizen show prints it")


def _add_number(action: argparse.ArgumentParser) -> None:
    action.add_argument("number", help="such as +8801711000009")


def _add_release(action: argparse.ArgumentParser) -> None:
    action.add_argument("number", nargs="?", help="such as +8801711000009")
    text = "notices of a network: lines such as +8801711000001,2026-11-01 (number, day on which it was taken away)"
    action.add_argument("--file", type=Path, help=text)


def _add_attach(action: argparse.ArgumentParser) -> None:
    action.add_argument("account", type=parse_count, help="id of the account, as citizen show prints it")
    _add_number(action)


ARGUMENTS: "Mapping[str, Callable[[argparse.ArgumentParser], None]]" = {
    "show": _add_what,
    "messages": _add_messages,
    "resend": _add_message,
    "reveal": _add_what,
    "release": _add_release,
    "attach": _add_attach,
}
"""What an action takes besides who acts and why; the others take a number."""


def _parse_limit(text: str) -> int:
    return min(parse_count(text), MAX_LISTED)


def _parse_reference(words: "Sequence[str]") -> "Reference":
    """The reference, which may be typed in groups of digits.

    Raises:
        CommandError: it is none.
    """
    from services.helpdesk.references import parse_reference

    reference = parse_reference(" ".join(words))
    if reference is None:
        raise CommandError(
            "This is no number that citizen can look up, or one of its digits is wrong; write a phone number with a plus, "
            "such as +8801711000009, the twelve digits of an application or a complaint, or the id or receipt of a payment"
        )
    return reference


def _nothing_found(reference: "Reference") -> CommandError:
    what = {
        "case": "no application, complaint or feedback with this number",
        "payment": f"no payment {reference.value}",
        "receipt": "no payment with this receipt",
    }
    return CommandError(f"There is {what[reference.kind]}; check it with the citizen")


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
