"""Time of every page of the console on the sample data of its tests, over HTTP, on SQLite in the process.

python -m bench.pages [--rounds 20]

Says which pages take longer than 200 ms.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import structlog

from tests.support.console import StaffBrowser, open_staff_room
from tests.support.console_pages import SAMPLES, Scene, fill, is_whole_page, seed_all
from tests.support.phone import build_settings, run_gateway

LIMIT_MS: Final = 200.0


class Measured(NamedTuple):
    """One page: milliseconds from the request to its last octet, and its size."""

    path: str
    median_ms: float
    longest_ms: float
    size: int


async def measure(rounds: int) -> Sequence[Measured]:
    """Every page that an administrator sees, the slowest first."""
    with TemporaryDirectory() as folder:
        settings = build_settings(Path(folder))
        async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
            names = await seed_all(Scene(url, settings, room))
            browser = await room.open_browser("admin")
            filled = [fill(sample, names) for samples in SAMPLES.values() for sample in samples]
            paths = dict.fromkeys(sample.path for sample in filled if sample.method == "GET")
            measured = [
                await _measure_page(browser, path, rounds) for path in paths if await is_whole_page(browser, path)
            ]
    return sorted(measured, key=lambda one: one.median_ms, reverse=True)


async def _measure_page(browser: StaffBrowser, path: str, rounds: int) -> Measured:
    await browser.open(path)
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        await browser.open(path)
        took.append((time.perf_counter() - began) * 1e3)
    assert browser.status == 200, path  # nosec B101  # a measurement of an error page says nothing
    return Measured(path, median(took), max(took), len(browser.html.encode()))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    measured = asyncio.run(measure(arguments.rounds))
    print("| page | median ms | longest ms | KiB |\n|---|---:|---:|---:|")
    for one in measured:
        print(f"| {one.path} | {one.median_ms:.0f} | {one.longest_ms:.0f} | {one.size / 1024:.0f} |")
    slow = [one.path for one in measured if one.median_ms > LIMIT_MS]
    print(f"{len(measured)} pages, over {LIMIT_MS:.0f} ms: {', '.join(slow) or 'none'}")


if __name__ == "__main__":
    main()
