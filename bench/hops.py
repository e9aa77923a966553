"""Hops a second of the gateway, beside those of a bare handler that touches nothing; `python -m bench.hops --help`."""

import argparse
import asyncio
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from bench.applications import put_into
from bench.callers import TOKEN
from bench.process import Server, keep_off, running
from bench.rounds import Plan, Row, counted, measured, table
from bench.session import callers, greeted, sessions
from tests.servers import free_port, new_database, real_postgres, real_redis

NOTE = """\
of bare: hops in the time in which the bare handler does one; × bare: what one of its hops costs, beside one of that.
CPU had: where it is far below 100 %, the machine does other things too; then × bare is the figure to go by."""
QUICK = Plan(rounds=1, seconds=0.7, connections=64)


def main() -> None:
    """Measure, and print the table."""
    plan, places = _asked(), keep_off()
    with servers() as (rows, stores):
        seen = measured(rows, plan)
    print(f"{plan.connections} connections, {plan.rounds} rounds of {plan.seconds:g} s, medians; {places}")
    print(f"{stores}; {counted(seen)}\n\n{table(seen)}\n\n{NOTE}")


@contextmanager
def servers() -> Iterator[tuple[Sequence[Row], str]]:
    """The bare handler, and the gateway with each kind of records; and in words, which stores it has."""
    with ExitStack() as stack:
        redis, postgres = stack.enter_context(real_redis()), stack.enter_context(real_postgres())
        var = stack.enter_context(tempfile.TemporaryDirectory(prefix="ekdial-bench-"))
        databases = {
            "SQLite": f"sqlite+aiosqlite:///{var}/ekdial.db",
            "PostgreSQL": stack.enter_context(new_database(postgres)),
        }
        numbers = callers()
        rows = [Row("bare aiohttp handler", stack.enter_context(bare()), sessions(numbers, [greeted()]))]
        for name, database in databases.items():
            scripts = asyncio.run(put_into(database))
            server = stack.enter_context(gateway(redis.url, database, var))
            rows.append(Row(f"Ekdial, records in {name}", server, sessions(numbers, scripts)))
        yield rows, f"Redis: {redis.described}; PostgreSQL: {postgres.described}"


def bare() -> AbstractContextManager[Server]:
    """A handler that reads the form and says hello, on aiohttp and uvloop as the gateway is."""
    port = free_port()
    return running(["-m", "bench.bare", str(port)], {}, port)


def gateway(redis: str, database: str, var: str, **more: str) -> AbstractContextManager[Server]:
    """The gateway with the settings of production: stores of its own, a token on its callbacks, no phone on the desk.

    `more` settings as `CATALOGUE__FOLDER="…"`.
    """
    port = free_port()
    settings = {
        "SERVER__PORT": str(port),
        "SERVER__VAR": var,
        "KEYS__SECRET": secrets.token_hex(),
        "REDIS__URL": redis,
        "DATABASE__URL": database,
        "AFRICASTALKING__CALLBACK_TOKEN": TOKEN,
        "SIMULATOR__ENABLED": "false",
        **more,
    }
    return running(["server.py", "serve"], {f"EKDIAL_{key}": value for key, value in settings.items()}, port)


def _asked() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.hops", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each server in each round")
    parser.add_argument("--connections", type=int, default=64, help="at the same time, each with one hop out")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that all answers are right")
    asked = parser.parse_args()
    return QUICK if asked.quick else Plan(asked.rounds, asked.seconds, asked.connections)


if __name__ == "__main__":
    main()
