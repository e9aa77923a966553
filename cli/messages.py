"""`server.py messages`: what only a person can settle: unknown results, refused texts; and the texts to register."""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO, get_args

from cli.arguments import act_parser, build_act, parse_count
from cli.command import common_parser
from config.settings import Settings
from core.errors import CommandError
from services.messaging.dlt import COUNTRY
from services.messaging.models import Resolution

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from services.messaging.messages import Messages

DEFAULT_LIMIT: Final = 100  # lines of a list
MAX_LIMIT: Final = 10_000
SETTLE_HELP: Final = "sent: it has arrived; failed: it has not and is not needed; again: it has not, send it again"
REASONS: Final[Mapping[str, str]] = {
    "provider": "its portal or support says so",
    "recipient": "they say so",
    "outage": "nothing was sent then",
    "outdated": "it is of no use any more",
}


def run_messages(settings: Settings, args: argparse.Namespace) -> int:
    """List what waits for a person, with masked recipients, and settle it; the audit log records it.

    `templates` writes the sheet of the texts to register; it opens no database.
    """
    return _write_templates(settings, args) if args.action == "templates" else asyncio.run(_run_action(settings, args))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `messages` and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    listing = actions.add_parser(
        "list",
        help="messages with an unknown result, oldest first, and texts that an operator refuses",
        parents=[common_parser()],
    )
    listing.add_argument("--after", type=parse_count, default=0, metavar="ID", help="only those with a greater id")
    listing.add_argument(
        "--limit", type=parse_limit, default=DEFAULT_LIMIT, help=f"lines at most (default: {DEFAULT_LIMIT})"
    )
    settle = actions.add_parser(
        "settle", help="record what became of a message", parents=[common_parser(), act_parser(REASONS)]
    )
    settle.add_argument("id", type=parse_count, help="id of the message")
    settle.add_argument("resolution", choices=get_args(Resolution), help=SETTLE_HELP)
    release = actions.add_parser(
        "release",
        help="send the messages of a refused text, once it is mended",
        parents=[common_parser(), act_parser()],
    )
    release.add_argument("text", help="name of the text, such as received.hi")
    templates = actions.add_parser(
        "templates", help="the texts to register with a country's operators, as CSV", parents=[common_parser()]
    )
    templates.add_argument("--country", choices=[COUNTRY], required=True, help="two letters of the country")
    templates.add_argument("--output", type=Path, metavar="FILE", help="file to write (default: the terminal)")


def parse_limit(text: str) -> int:
    """Return a whole number from 1 to MAX_LIMIT."""
    return min(parse_count(text), MAX_LIMIT)


async def _run_action(settings: Settings, args: argparse.Namespace) -> int:
    from app.cli import open_messages

    async with open_messages(settings) as messages:
        await ACTIONS[args.action](messages, args)
    return 0


async def _list_unknown(messages: "Messages", args: argparse.Namespace) -> None:
    found = await messages.list_unresolved(args.limit, args.after)
    for one in found:
        provider_id = [one.provider_id] if one.provider_id else []
        print(one.id, one.kind, one.medium, one.to, f"{one.updated_at:%Y-%m-%d %H:%M}", one.reason, *provider_id)
    if len(found) == args.limit:
        print(f"There may be more: messages list --after {found[-1].id}")
    for refused in await messages.holds.list_refused():
        until = f", the first until {refused.expires_at:%Y-%m-%d %H:%M}" if refused.expires_at else ""
        number = f"id {refused.template_id}" if refused.template_id else "no id"
        print(f"refused {refused.name} ({number}) {refused.reason}: {refused.waiting} wait{until}")


async def _release(messages: "Messages", args: argparse.Namespace) -> None:
    if not await messages.holds.release(args.text, build_act(args)):
        raise CommandError(
            f"No messages of {args.text[:80]!r} wait because it is refused; messages list shows those that do"
        )


def _write_templates(settings: Settings, args: argparse.Namespace) -> int:
    """Write the sheet; a file begins with a byte-order mark, by which spreadsheets know UTF-8."""
    from app.bootstrap import build_checked_menu
    from app.registration_sheet import build_rows, list_centre_phones, write_sheet

    checked = asyncio.run(build_checked_menu(settings))
    phones = list_centre_phones(checked.services.current_catalogue, args.country)
    rows = build_rows(settings, checked.locales, phones)
    if args.output is None:
        write_sheet(rows, sys.stdout)
        return 0
    with _open_sheet(args.output) as file:
        count = write_sheet(rows, file)
    print(f"{args.output}: {count} texts")
    return 0


def _open_sheet(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8-sig", newline="")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}; name another file") from None


async def _settle(messages: "Messages", args: argparse.Namespace) -> None:
    if await messages.resolve_unknown(args.id, args.resolution, build_act(args)):
        return
    state = await messages.state(args.id)
    if state is not None and state.stage == "unknown":
        raise CommandError(f"The text of message {args.id} is deleted or too late to send; settle it as sent or failed")
    raise CommandError(f"There is no message {args.id} with an unknown result; messages list lists them")


ACTIONS: "Mapping[str, Callable[[Messages, argparse.Namespace], Awaitable[None]]]" = {
    "list": _list_unknown,
    "settle": _settle,
    "release": _release,
}
