"""What it costs to keep calls without a path in the database. `python -m bench.open_calls --help`.

Key presses of callers at once, from their arrival at the handler to the screen, with the rows and without them: the same
process, the same stores, in turn. A round ends when the last row is written.
"""

import argparse
import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Final, NamedTuple

from app.bootstrap import open_context
from app.channels import build_ussd_handler
from app.settings import load_settings
from db.migrate import upgrade
from menus.rendering.paging import ScreenBudget
from services.citizens.open_calls import OpenCalls
from tests.support.servers import new_database, real_postgres, real_redis
from ussd.admission import Admission
from ussd.newest_input import NewestInputHandler
from ussd.provider import UssdInput

KEYS: Final = ("1", "1", "1", "0", "0", "4", "1", "2")
"""One call: the language, then down and up the menus."""


class Measured(NamedTuple):
    """Key presses a second, and milliseconds of processor time of each."""

    presses: float
    cpu: float


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=100, help="callers at once (default: 100)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each kind (default: 5)")
    options = parser.parse_args()
    with ExitStack() as stack:
        redis, postgres = stack.enter_context(real_redis()), stack.enter_context(real_postgres())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ekdial-bench-"))
        urls = {
            "SQLite": f"sqlite+aiosqlite:///{folder}/ekdial.db",
            "PostgreSQL": stack.enter_context(new_database(postgres)),
        }
        print(f"{options.callers} callers at once, {options.rounds} rounds of {len(KEYS) + 1} key presses, medians")
        for name, url in urls.items():
            print(asyncio.run(_measure(name, url, redis.url, Path(folder), options)))


async def _measure(name: str, database: str, redis: str, folder: Path, plan: argparse.Namespace) -> str:
    await upgrade(database)
    kept, bare = [], []
    async with _open_handler(database, redis, folder) as handler:
        without_rows = replace(handler, open_calls=KeepNothing())
        await _run_round(handler, plan.callers)  # warms up
        for _ in range(plan.rounds):
            kept.append(await _run_round(handler, plan.callers))
            bare.append(await _run_round(without_rows, plan.callers))
    with_rows, without = _take_median(kept), _take_median(bare)
    return (
        f"{name:<11} with rows {with_rows.presses:6.0f}/s {with_rows.cpu:.2f} ms   "
        f"without {without.presses:6.0f}/s {without.cpu:.2f} ms   "
        f"+{with_rows.cpu - without.cpu:.2f} ms of processor time of the gateway a key press"
    )


@asynccontextmanager
async def _open_handler(database: str, redis: str, folder: Path) -> AsyncIterator[NewestInputHandler]:
    values = {
        "SERVER__DATA_DIR": str(folder),
        "DATABASE__URL": database,
        "REDIS__URL": redis,
        "KEYS__SECRET": "a secret for measurements that is long enough",  # nosec B105 # of this benchmark alone
        "USSD__MAX_IN_FLIGHT": "5000",
    }
    settings = load_settings(Path("config.toml"), {f"EKDIAL_{name}": value for name, value in values.items()})
    async with open_context(settings, {}) as context:
        yield build_ussd_handler(context, Admission(5000)).inputs


async def _run_round(handler: NewestInputHandler, callers: int) -> Measured:
    began, used = perf_counter(), process_time()
    await asyncio.gather(*(_call(handler) for _ in range(callers)))
    await handler.finish_writes()
    count = callers * (len(KEYS) + 1)
    return Measured(count / (perf_counter() - began), (process_time() - used) / count * 1000)


async def _call(handler: NewestInputHandler) -> None:
    session, caller = secrets.token_hex(8), f"+88017{secrets.randbelow(10**8):08}"
    for number, text in enumerate(("", *KEYS)):
        request = UssdInput(
            session_id=session,
            message_id=str(number),
            caller=caller,
            text=text,
            starts_session=not number,
            budget=ScreenBudget(),
            caller_number_verified=True,
        )
        reply = await handler.handle(request)
        assert reply.handled_as == "answered", reply.handled_as


class KeepNothing(OpenCalls):
    """Keeps no call."""

    def __init__(self) -> None:
        """There is no database."""

    async def find(self, _: str) -> bytes | None:
        """None: nothing was kept."""

    def keep(self, _: str, __: bytes, *, ttl: int) -> None:
        """Keep nothing."""

    def end(self, _: str) -> None:
        """Delete nothing."""

    async def finish_writes(self) -> None:
        """Return at once."""


def _take_median(rounds: Sequence[Measured]) -> Measured:
    return Measured(median(one.presses for one in rounds), median(one.cpu for one in rounds))


if __name__ == "__main__":
    main()
