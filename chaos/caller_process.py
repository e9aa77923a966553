"""A process of callers: reads its orders as one line of JSON, calls until a line `stop` comes, and writes its tally to a file."""

import asyncio
import itertools
import json
import random
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import uvloop

from chaos.callers import Load, Tally, run_callers
from chaos.carrier import LoadBalancer
from chaos.deliveries import DELIVERIES
from chaos.scripts import RecordedScript


def main() -> None:
    """Run the callers of one process."""
    orders = json.loads(sys.stdin.readline())
    random.seed(orders["seed"])
    tally = uvloop.run(_run(orders))
    Path(orders["result"]).write_text(json.dumps(tally.to_json()), encoding="utf-8")


async def _run(orders: Mapping[str, Any]) -> Tally:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stopped.set)  # `stop`, or the end of whoever started us
    balancer = LoadBalancer(orders["ports"], orders["token"])
    tally = await run_callers(
        scripts=[RecordedScript.from_json(script) for script in orders["scripts"]],
        load=Load(**orders["load"]),
        delivery=DELIVERIES[orders["delivery"]](balancer),
        registered=iter(orders["registered"]),
        strangers=generate_numbers(orders["first_stranger"]),
        tracking_numbers=orders["tracking_numbers"],
        stopped=stopped,
    )
    balancer.close()
    tally.failures = dict(balancer.failures)
    return tally


def generate_numbers(first: int) -> Iterator[str]:
    """Numbers of Bangladesh that nobody has used, from `first` on."""
    return (f"+88018{number:08}" for number in itertools.count(first))


if __name__ == "__main__":
    main()
