"""`server.py keys status`, `rotate` and `retire`: the master secret, `keys.secret`, and those that were it before."""

import argparse
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cli.arguments import act_parser, build_act
from cli.command import common_parser
from config.settings import Settings
from core.errors import CommandError

if TYPE_CHECKING:
    from app.keys import MasterKeys
    from services.keys.rotation import ColumnProgress
    from services.keys.usage import KeyUsage


def add_master_key_arguments(actions: Any) -> None:
    """Add the actions about the master secret."""
    actions.add_parser("status", help="show which secrets the database still needs", parents=[common_parser()])
    actions.add_parser(
        "rotate",
        help="encrypt everything again with keys.secret, beside the running gateway",
        parents=[common_parser(), act_parser()],
    )
    retire = actions.add_parser(
        "retire",
        help="give up what a former secret still verifies, and start without it",
        parents=[common_parser(), act_parser()],
    )
    retire.add_argument("id", help="id of the former key, as keys status shows it")


async def _show_status(settings: Settings, _: argparse.Namespace) -> int:
    from app.keys import open_master_keys

    async with open_master_keys(settings) as keys:
        _print_usage(keys, await keys.count_usage())
    return 0


async def _rotate(settings: Settings, args: argparse.Namespace) -> int:
    from app.keys import open_master_keys

    act = build_act(args)
    async with open_master_keys(settings) as keys:
        await keys.record_rotation(act)
        results = await keys.rotation.rotate(_print_progress)
        await keys.label_oldest_hashes()
        for result in results:
            _print_result(result)
        usages = await keys.count_usage()
        await keys.forget_unused(usages, act)
        _print_usage(keys, usages)
    return 0


async def _retire(settings: Settings, args: argparse.Namespace) -> int:
    from app.keys import open_master_keys

    async with open_master_keys(settings) as keys:
        if args.id == keys.cipher.key_id:
            raise CommandError(f"{args.id} is the key of keys.secret; give the id of a former one")
        usage = next((it for it in await keys.count_usage() if it.key_id == args.id), None)
        if usage is None or args.id not in keys.cipher.key_ids:
            raise CommandError(f"No former secret has the key id {args.id!r}; keys status shows the ids")
        if usage.encrypted:
            raise CommandError(
                f"{usage.encrypted.total()} values are encrypted with key {args.id}; run: python server.py keys rotate --why TEXT"
            )
        await keys.forget(args.id, build_act(args))
        print(f"Key {args.id} is retired: take its secret out of keys.former and restart every gateway")
        print("\n".join(_losses(usage)) or "Nothing is lost")
    return 0


def _print_progress(progress: "ColumnProgress") -> None:
    print(f"{progress.name}: {progress.rotated} encrypted again", flush=True)


def _print_result(result: "ColumnProgress") -> None:
    if result.locked:
        print(f"{result.name}: {result.locked} were in use or written with a former key meanwhile; run this again")
    if result.unreadable:
        print(f"{result.name}: {result.unreadable} cannot be read with any secret that is given", file=sys.stderr)


def _print_usage(keys: "MasterKeys", usages: "Sequence[KeyUsage]") -> None:
    for usage in usages:
        print(f"{_describe_key(keys, usage)}: {_describe_counts(usage)}")
        if usage.key_id in keys.cipher.key_ids[1:]:
            for line in _advice(usage):
                print(f"  {line}")


def _describe_key(keys: "MasterKeys", usage: "KeyUsage") -> str:
    if not usage.key_id:
        return "Without a key id, from before key ids or of a lost key"
    if usage.key_id == keys.cipher.key_id:
        return f"Key {usage.key_id}, the current one"
    return f"Key {usage.key_id}, a former one" + ("" if usage.key_id in keys.cipher.key_ids else " that is not given")


def _describe_counts(usage: "KeyUsage") -> str:
    counts = (usage.encrypted.total(), usage.secret_hashes.total(), usage.keyed_hashes.total())
    return "{} encrypted values, {} hashes of PINs and answers, {} keyed hashes".format(*counts)


def _advice(usage: "KeyUsage") -> Sequence[str]:
    if usage.encrypted:
        return [f"still needed for {_list_columns(usage.encrypted)}; run: python server.py keys rotate --why TEXT"]
    if usage.is_unused:
        return ["no longer needed in the database: a day from now its secret can be taken out of keys.former"]
    command = f"python server.py keys retire {usage.key_id} --why TEXT"
    return [*_losses(usage), f"keep its secret in keys.former, or give that up: {command}"]


def _losses(usage: "KeyUsage") -> Sequence[str]:
    """What no longer works without the key, one line each."""
    lines = [f"without it: {loss} ({usage.keyed_hashes[name]} in {name})" for name, loss in usage.lost_without.items()]
    if hashes := usage.secret_hashes:
        hashed_again = "a PIN is hashed again at the next sign-in, an answer when it is next typed"
        lines.insert(0, f"without it: these are never right again: {_list_columns(hashes)}; {hashed_again}")
    return lines


def _list_columns(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} in {name}" for name, count in counts.items())


MASTER_KEY_ACTIONS: Mapping[str, Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, int]]] = {
    "status": _show_status,
    "rotate": _rotate,
    "retire": _retire,
}
