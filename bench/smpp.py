"""SMS a second over one bind, beside `smpp34` bare; and both ways while processes and connections end at random.

    python -m bench.smpp [--rounds 5] [--messages 5000]
    python -m bench.smpp --fire [--messages 10000] [--postgresql]

The SMSC of the first is the server of the package `smpp34` in a process of its own.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, redirect_stderr
from dataclasses import asdict
from pathlib import Path
from statistics import median

import smpp34
import uvloop

from bench.smpp_scene import FirePlan, FireResult, play_fire
from core.logging import configure_logging
from providers.smpp.link import Submit, open_link
from providers.smpp.sms import SmppSms
from services.messaging.models import OutgoingMessage
from services.messaging.outcomes import Accepted
from tests.support.servers import new_database, real_postgres
from tests.support.smpp import build_bind
from tests.support.smsc_programs import ROOT, run_smsc_program

WINDOW = 20  # submits that wait for an answer at the same time, for every method
TEXT = "Received: birth certificate. Tracking number KA7F-2M9Q. Answer by 12 December. Dial *123# and choose 2."
Method = Callable[[int, int], Awaitable[None]]
"""Sends so many SMS to the SMSC at the port; raises where one is not accepted."""


async def send_bare(port: int, count: int) -> None:
    """The client of smpp34, which acknowledges deliveries by itself."""
    client = smpp34.Client("127.0.0.1", port, "ekdial", "s3cret", window_size=WINDOW)
    bound = await client.connect()

    async def send_one() -> bool:
        return (await bound.submit_sm("8801711000001", TEXT.encode(), source_addr="333")).is_success

    await _send_all(send_one, count)
    await client.stop()


async def send_by_link(port: int, count: int) -> None:
    """Our session, with the codec of smpp34."""
    submit = Submit("333", "8801711000001", TEXT.encode())
    async with open_link(build_bind(port, window=WINDOW), _refuse) as link:
        await link.wait_bound()

        async def send_one() -> bool:
            return (await link.submit(submit)).status == 0

        await _send_all(send_one, count)


async def send_by_provider(port: int, count: int) -> None:
    """What the outbox calls: alphabet, segments, fields, outcome."""
    message = OutgoingMessage("+8801711000001", TEXT, "receipt", "ekdial7")
    async with open_link(build_bind(port, window=WINDOW), _refuse) as link:
        await link.wait_bound()
        sms = SmppSms(link)

        async def send_one() -> bool:
            return isinstance(await sms.send(message), Accepted)

        await _send_all(send_one, count)


async def _refuse(_: object) -> int:
    return 0x64


async def _send_all(send_one: Callable[[], Awaitable[bool]], count: int) -> None:
    left = iter(range(count))

    async def send_each() -> None:
        for _ in left:
            assert await send_one()

    async with asyncio.TaskGroup() as group:
        for _ in range(WINDOW):
            group.create_task(send_each())


METHODS: Mapping[str, Method] = {
    "smpp34 bare": send_bare,
    "link": send_by_link,
    "provider": send_by_provider,
}


async def measure(rounds: int, count: int) -> Mapping[str, tuple[list[float], list[float]]]:
    """Return SMS a second, and CPU microseconds of this process for each, of each method in each round."""
    seen: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in METHODS}
    async with run_smsc_program(sys.executable, str(ROOT / "bench/smpp_server.py")) as server:
        for number in range(rounds + 1):
            for name, method in METHODS.items():
                began, used = time.perf_counter(), time.process_time()
                await method(server.port, count)
                if number:  # the first round warms up
                    seen[name][0].append(count / (time.perf_counter() - began))
                    seen[name][1].append((time.process_time() - used) / count * 1e6)
    return seen


def render(seen: Mapping[str, tuple[list[float], list[float]]]) -> str:
    """Return the table of medians; a ratio is the median of the ratios of each round."""
    bare = seen["smpp34 bare"][0]
    lines = ["| | SMS/s | of bare | CPU µs/SMS |", "|---|---:|---:|---:|"]
    for name, (rates, costs) in seen.items():
        ratio = median(rate / other for rate, other in zip(rates, bare, strict=True))
        lines.append(f"| {name} | {median(rates):,.0f} | {ratio:.2f} | {median(costs):.0f} |")
    return "\n".join(lines)


def main() -> int:
    """Measure, or play with fire; 1 where an SMS was lost or sent twice."""
    parser = argparse.ArgumentParser(prog="python -m bench.smpp", description=__doc__)
    parser.add_argument("--fire", action="store_true", help="kill processes and connections meanwhile")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=0, help="a round (5,000), or each way with --fire (10,000)")
    parser.add_argument("--postgresql", action="store_true", help="over PostgreSQL instead of a SQLite file")
    parser.add_argument("--seed", type=int, default=1, help="of the kills")
    args = parser.parse_args()
    configure_logging("critical")
    if not args.fire:
        print(f"{WINDOW} in flight, {args.rounds} rounds of {args.messages or 5000} SMS, medians")
        print(render(uvloop.run(measure(args.rounds, args.messages or 5000))))
        return 0
    result = _play(FirePlan(args.messages or 10_000, seed=args.seed), postgresql=args.postgresql)
    for name, value in asdict(result).items():
        print(f"{name:<22} {value:.1f}" if isinstance(value, float) else f"{name:<22} {value}")
    return 0 if result.holds else 1


def _play(plan: FirePlan, *, postgresql: bool) -> FireResult:
    with ExitStack() as stack:
        stack.enter_context(redirect_stderr(stack.enter_context(Path("/dev/null").open("w"))))
        if postgresql:
            postgres = stack.enter_context(real_postgres())
            url = stack.enter_context(new_database(postgres))
        else:
            url = f"sqlite+aiosqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/fire.db"
        return uvloop.run(play_fire(plan, url))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the client of smpp34 now and then ends the process with an error when the interpreter stops
