"""Compare a catalogue of 10,000 services with one of 10: loading, searching, USSD requests. `python -m bench.catalogue --help`."""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

from bench.callers import TOKEN
from bench.hops import start_gateway
from bench.process import ServerProcess, pin_to_last_processor
from bench.rounds import MeasuredServer, Plan, Round, measure, summarize
from bench.session import USSD_ROUTE, Script, build_sessions, generate_msisdns
from services.catalogue.current import CatalogueSnapshot
from services.catalogue.edition_loader import load_snapshot
from tests.support.catalogues import write_catalogue
from tests.support.servers import real_redis

CATALOGUE_SIZES: Mapping[str, int] = {"10 services": 10, "10,000 services": 10_000}
"""The catalogues by name; the first is the base of the ratios."""
SEARCH_TEXTS = (
    "licence number 7",
    "licens numbr 7",
    "lisens nambar 7",
    "লাইসেন্স নম্বর ৭",
    "5423623",
    "7",
    "qwertyuiop asdfgh",
)
KEY_PRESSES = ("1", "1", "1", "0", "licence", "0", "5423623")
"""The inputs of the call: English, find a service, the first sector, back, a name, back, the keys of a name.

Each screen is equally full with both catalogues: only the way to it can cost more.
"""
SECTOR_COUNT = 1
SEARCHES_PER_TEXT = 200
QUICK = Plan(rounds=1, seconds=0.7, connections=64)


class Measurement(NamedTuple):
    """Processor time: seconds to load a catalogue, microseconds of a search (median and 99th percentile)."""

    read_seconds: float
    search_p50: float
    search_p99: float


MEASUREMENT_COLUMNS: Mapping[str, tuple[Callable[[Measurement], float], str]] = {
    "read, CPU s": (lambda it: it.read_seconds, ".2f"),
    "search p50, CPU µs": (lambda it: it.search_p50, ".0f"),
    "search p99, CPU µs": (lambda it: it.search_p99, ".0f"),
}
ROUND_COLUMNS: Mapping[str, tuple[Callable[[Round], float], str]] = {
    "requests/s": (lambda it: it.per_second, ",.0f"),
    "p50 ms": (lambda it: it.p50, ".1f"),
    "p99 ms": (lambda it: it.p99, ".1f"),
    "CPU µs/request": (lambda it: it.cpu_microseconds, ".0f"),
    "RSS MB": (lambda it: it.megabytes, ".0f"),
}


def main() -> None:
    """Measure, and print both tables."""
    plan, places = _parse_plan(), pin_to_last_processor()
    with tempfile.TemporaryDirectory(prefix="ekdial-bench-") as var:
        folders = {name: _write_catalogue(Path(var) / str(size), size) for name, size in CATALOGUE_SIZES.items()}
        print(f"{_render_table(_measure_in_process(folders, plan.rounds), MEASUREMENT_COLUMNS)}\n")
        with start_gateways(folders) as rows:
            seen = measure(rows, plan)
    print(f"{plan.connections} connections, {plan.rounds} rounds of {plan.seconds:g} s, medians; {places}")
    print(f"{summarize(seen)}\n\n{_render_table(seen, ROUND_COLUMNS)}")


@contextmanager
def start_gateways(folders: Mapping[str, Path]) -> Iterator[Sequence[MeasuredServer]]:
    """Run a gateway for each catalogue on one Redis, and yield each with the call that is played on it."""
    with ExitStack() as stack:
        redis, numbers = stack.enter_context(real_redis()), generate_msisdns()
        rows: list[MeasuredServer] = []
        for name, folder in folders.items():
            var = stack.enter_context(tempfile.TemporaryDirectory(prefix="ekdial-bench-"))
            database = f"sqlite+aiosqlite:///{var}/ekdial.db"
            server = stack.enter_context(start_gateway(redis.url, database, var, CATALOGUE__FOLDER=str(folder)))
            rows.append(MeasuredServer(name, server, build_sessions(numbers, [_record_script(server, next(numbers))])))
        yield rows


def _record_script(server: ServerProcess, msisdn: str) -> Script:
    """The reply to each input of the call, recorded once; all later replies must be the same."""
    pressed = ["*".join(KEY_PRESSES[:many]) for many in range(len(KEY_PRESSES) + 1)]
    (call,) = build_sessions(iter([msisdn]), [[(text, "") for text in pressed]])
    return [(text, _post(server, hop.request_body)) for text, hop in zip(pressed, call, strict=True)]


def _post(server: ServerProcess, form: bytes) -> str:
    connection = HTTPConnection("127.0.0.1", server.port)
    with closing(connection):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"{USSD_ROUTE}?token={TOKEN}", form, kind)
        return connection.getresponse().read().decode()


def _write_catalogue(folder: Path, service_count: int) -> Path:
    folder.mkdir()
    return write_catalogue(folder, service_count, SECTOR_COUNT)


def _measure_in_process(folders: Mapping[str, Path], rounds: int) -> Mapping[str, Sequence[Measurement]]:
    """Load and search the catalogues in turn, so that a busy minute of the machine affects all of them."""
    seen: dict[str, list[Measurement]] = {name: [] for name in folders}
    for _ in range(rounds):
        for name, folder in folders.items():
            seen[name].append(_measure_once(folder))
    return seen


def _measure_once(folder: Path) -> Measurement:
    began = time.process_time()
    edition = load_snapshot(folder, folder / "no centres")
    took = time.process_time() - began
    searches = sorted(_time_search(edition, typed) for typed in SEARCH_TEXTS for _ in range(SEARCHES_PER_TEXT))
    return Measurement(took, median(searches) * 1e6, quantiles(searches, n=100)[-1] * 1e6)


def _time_search(edition: CatalogueSnapshot, text: str) -> float:
    began = time.thread_time()
    edition.service_search(text)
    return time.thread_time() - began


def _render_table(
    results: Mapping[str, Sequence[Any]], columns: Mapping[str, tuple[Callable[[Any], float], str]]
) -> str:
    """A table with each figure and its ratio to the first row: the median of the ratios of each round."""
    titles = ["catalogue", *(title for figure in columns for title in (figure, "ratio"))]
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)]]
    first = next(iter(results.values()))
    for name, rounds in results.items():
        line = [name]
        for of, form in columns.values():
            ratios = [of(one) / of(other) for one, other in zip(rounds, first, strict=True)]
            line += [format(median(map(of, rounds)), form), format(median(ratios), ".2f")]
        lines.append(line)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _parse_plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.catalogue", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each gateway in each round")
    parser.add_argument("--connections", type=int, default=64, help="at the same time, each with one hop out")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that all answers are right")
    asked = parser.parse_args()
    return QUICK if asked.quick else Plan(asked.rounds, asked.seconds, asked.connections)


if __name__ == "__main__":
    main()
