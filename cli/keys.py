"""`server.py keys`: the API keys of departments, fresh secrets for the settings, and the rotation of the master secret."""

import argparse
import asyncio
import secrets
from base64 import b64encode
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cli.arguments import act_parser, build_act, check_department, parse_day, parse_network
from cli.command import common_parser
from cli.master_keys import MASTER_KEY_ACTIONS, add_master_key_arguments
from config.settings import Settings
from core.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from services.departments.api_keys import ApiKeys, KeyKind


def run_keys(settings: Settings, args: argparse.Namespace) -> int:
    """Add, list and revoke API keys of departments, print fresh secrets, and rotate the master secret."""
    if args.action in GENERATORS:
        print(GENERATORS[args.action]())
        return 0
    if args.action in MASTER_KEY_ACTIONS:
        return asyncio.run(MASTER_KEY_ACTIONS[args.action](settings, args))
    if args.action == "add" and args.department:
        _check_department(settings, args.department)
    return asyncio.run(_run_action(settings, args))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `keys` and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    add = actions.add_parser("add", help="make a key and show it, once", parents=[common_parser(), act_parser()])
    whose = add.add_mutually_exclusive_group(required=True)
    whose.add_argument("--department", help="code of the department in the catalogue, such as dncc")
    whose.add_argument("--network", type=parse_network, help="name of a network that sends number notices, such as gp")
    add.add_argument("--label", default="", help="text that tells this key from the others of the department")
    add.add_argument(
        "--until", type=parse_day, metavar="DAY", help="last day on which the key is valid, such as 2027-12-31"
    )
    actions.add_parser("list", help="list every key, without its secret", parents=[common_parser()])
    revoke = actions.add_parser("revoke", help="reject a key from now on", parents=[common_parser(), act_parser()])
    revoke.add_argument("id", help="id of the key: the first column of keys list")
    secret = actions.add_parser(
        "generate-secret", help="print a fresh value for keys.secret", parents=[common_parser()]
    )
    webhook = actions.add_parser(
        "generate-webhook-secret", help="print a fresh secret for a department's webhooks", parents=[common_parser()]
    )
    add_master_key_arguments(actions)
    for fresh in (secret, webhook):
        fresh.set_defaults(needs_settings=False)  # the settings can be invalid because this secret is missing


def _generate_webhook_secret() -> str:
    """A secret in the format of Standard Webhooks."""
    return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"


def _check_department(settings: Settings, department: str) -> None:
    from pathlib import Path

    from services.catalogue.loader import load_catalogue

    check_department(department, load_catalogue(Path(__file__).parents[1] / settings.catalogue.folder).departments)


async def _run_action(settings: Settings, args: argparse.Namespace) -> int:
    from app.keys import open_cipher
    from db.database import Database
    from services.departments.api_keys import ApiKeys

    database = settings.database.url.get_secret_value()
    await open_cipher(settings)
    async with Database(database) as records:
        await ACTIONS[args.action](ApiKeys(records, zone=ZoneInfo(settings.countries.time_zone)), args)
    return 0


async def _add_key(api_keys: "ApiKeys", args: argparse.Namespace) -> None:
    from services.departments.api_keys import MAX_LABEL_LENGTH

    if len(args.label) > MAX_LABEL_LENGTH or not args.label.isprintable():
        raise CommandError(f"A label is one line of at most {MAX_LABEL_LENGTH} characters")
    kind: KeyKind = "network" if args.network else "department"
    holder, act = args.network or args.department, build_act(args)
    print(await api_keys.create(holder, act, label=args.label, last_day=args.until, kind=kind))


async def _list_keys(api_keys: "ApiKeys", _: argparse.Namespace) -> None:
    for key in await api_keys.list_all():
        used = [f"used {key.last_used_on}"] if key.last_used_on else []
        until = [f"until {key.last_day}"] if key.last_day else []
        label, revoked = [key.label] if key.label else [], ["revoked"] if key.revoked_at else []
        whose = key.department if key.kind == "department" else f"{key.kind}:{key.department}"
        print(key.id, whose, f"{key.created_at:%Y-%m-%d}", *used, *until, *label, *revoked)


async def _revoke_key(api_keys: "ApiKeys", args: argparse.Namespace) -> None:
    if not await api_keys.revoke(args.id, build_act(args)):
        raise CommandError(f"There is no key {args.id!r} that is not revoked; keys list shows them")


GENERATORS: "Mapping[str, Callable[[], str]]" = {
    "generate-secret": lambda: secrets.token_urlsafe(48),
    "generate-webhook-secret": _generate_webhook_secret,
}
ACTIONS: "Mapping[str, Callable[[ApiKeys, argparse.Namespace], Awaitable[None]]]" = {
    "add": _add_key,
    "list": _list_keys,
    "revoke": _revoke_key,
}
