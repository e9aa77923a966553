"""USSD requests a second of the gateway, compared with a bare aiohttp handler. `python -m bench.hops --help`."""

import argparse
import asyncio
import json
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from bench.applications import insert_applications
from bench.callers import TOKEN
from bench.process import ServerProcess, pin_to_last_processor, run_server
from bench.rounds import MeasuredServer, Plan, measure, render_table, summarize
from bench.session import build_sessions, generate_msisdns, hello_script
from tests.support.servers import free_port, new_database, real_postgres, real_redis

FOOTNOTE = """\
of bare: requests in the time in which the bare handler serves one; × bare: processor time of one request, relative to it.
CPU share: far below 100 %, the machine does other work too; then × bare is the figure to trust."""
SECRET = secrets.token_hex()
"""Of all gateways of a run: those that share a Redis need the same one. Their callers have different numbers."""
QUICK = Plan(rounds=1, seconds=0.7, connections=64)


def main() -> None:
    """Measure, and print the table."""
    plan, places = _parse_plan(), pin_to_last_processor()
    with start_servers() as (rows, stores):
        seen = measure(rows, plan)
    print(f"{plan.connections} connections, {plan.rounds} rounds of {plan.seconds:g} s, medians; {places}")
    print(f"{stores}; {summarize(seen)}\n\n{render_table(seen)}\n\n{FOOTNOTE}")


@contextmanager
def start_servers() -> Iterator[tuple[Sequence[MeasuredServer], str]]:
    """Run the bare handler, and the gateway on each kind of database; yield them and a description of the stores."""
    with ExitStack() as stack:
        redis, postgres = stack.enter_context(real_redis()), stack.enter_context(real_postgres())
        var = stack.enter_context(tempfile.TemporaryDirectory(prefix="ekdial-bench-"))
        databases = {
            "SQLite": f"sqlite+aiosqlite:///{var}/ekdial.db",
            "PostgreSQL": stack.enter_context(new_database(postgres)),
        }
        numbers = generate_msisdns()
        rows = [
            MeasuredServer(
                "bare aiohttp handler",
                stack.enter_context(start_bare_server()),
                build_sessions(numbers, [hello_script()]),
            )
        ]
        for name, database in databases.items():
            scripts = asyncio.run(insert_applications(database))
            server = stack.enter_context(start_gateway(redis.url, database, var))
            rows.append(MeasuredServer(f"Ekdial, records in {name}", server, build_sessions(numbers, scripts)))
        yield rows, f"Redis: {redis.description}; PostgreSQL: {postgres.description}"


def start_bare_server() -> AbstractContextManager[ServerProcess]:
    """Run the bare handler, on aiohttp and uvloop like the gateway."""
    port = free_port()
    return run_server(["-m", "bench.bare", str(port)], {}, port)


def start_gateway(
    redis_url: str, database_url: str, data_dir: str, **extra_settings: str
) -> AbstractContextManager[ServerProcess]:
    """Run the gateway with production settings: stores of its own, a webhook token, no simulator.

    `extra_settings` are variables such as `CATALOGUE__FOLDER="…"`.
    """
    port = free_port()
    settings = {
        "SERVER__PORT": str(port),
        "SERVER__ADMIN_PORT": "0",
        "SERVER__DATA_DIR": data_dir,
        "KEYS__SECRET": SECRET,
        "REDIS__URL": redis_url,
        "DATABASE__URL": database_url,
        "WEBHOOKS__TOKENS": json.dumps([TOKEN]),
        "SIMULATOR__ENABLED": "false",
        "LANGUAGES__BY_COUNTRY": "{}",  # the expected screens are English
        **extra_settings,
    }
    return run_server(["server.py", "serve"], {f"EKDIAL_{key}": value for key, value in settings.items()}, port)


def _parse_plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.hops", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each server in each round")
    parser.add_argument("--connections", type=int, default=64, help="at the same time, each with one hop out")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that all answers are right")
    asked = parser.parse_args()
    return QUICK if asked.quick else Plan(asked.rounds, asked.seconds, asked.connections)


if __name__ == "__main__":
    main()
