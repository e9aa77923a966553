"""Ten thousand services beside ten: reading, finding and answering, in turn; `python -m bench.catalogue --help`."""

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
from bench.hops import gateway
from bench.process import Server, keep_off
from bench.rounds import Plan, Round, Row, counted, measured
from bench.session import ROUTE, Script, callers, sessions
from services.catalogue.reading import read
from services.catalogue.shelf import Edition
from tests.catalogues import write_catalogue
from tests.servers import real_redis

SIZES: Mapping[str, int] = {"10 services": 10, "10,000 services": 10_000}
"""Each catalogue that is made; what the others are compared with comes first."""
TYPED = ("licence number 7", "licens numbr 7", "lisens nambar 7", "লাইসেন্স নম্বর ৭", "5423623", "7", "qwertyuiop asdfgh")
KEYS = ("1", "1", "1", "0", "licence", "0", "5423623")
"""What is pressed in a call: English, find a service, the first sector, back, a name, back, the keys of a name.

Each leads to a screen that is as full of whichever catalogue: it is the way there that may cost more, not what is shown.
"""
SECTORS = 1
TIMES = 200
QUICK = Plan(rounds=1, seconds=0.7, connections=64)


class Figures(NamedTuple):
    """Of processor time: seconds to read an edition, microseconds for a search, and for nearly the slowest one."""

    read: float
    p50: float
    p99: float


FIGURES: Mapping[str, tuple[Callable[[Figures], float], str]] = {
    "read, CPU s": (lambda it: it.read, ".2f"),
    "search p50, CPU µs": (lambda it: it.p50, ".0f"),
    "search p99, CPU µs": (lambda it: it.p99, ".0f"),
}
HOPS: Mapping[str, tuple[Callable[[Round], float], str]] = {
    "hops/s": (lambda it: it.a_second, ",.0f"),
    "p50 ms": (lambda it: it.p50, ".1f"),
    "p99 ms": (lambda it: it.p99, ".1f"),
    "CPU µs/hop": (lambda it: it.cpu, ".0f"),
    "RSS MB": (lambda it: it.megabytes, ".0f"),
}


def main() -> None:
    """Measure, and print both tables."""
    plan, places = _asked(), keep_off()
    with tempfile.TemporaryDirectory(prefix="ekdial-bench-") as var:
        folders = {name: _written(Path(var) / str(size), size) for name, size in SIZES.items()}
        print(f"{_table(_in_process(folders, plan.rounds), FIGURES)}\n")
        with servers(folders) as rows:
            seen = measured(rows, plan)
    print(f"{plan.connections} connections, {plan.rounds} rounds of {plan.seconds:g} s, medians; {places}")
    print(f"{counted(seen)}\n\n{_table(seen, HOPS)}")


@contextmanager
def servers(folders: Mapping[str, Path]) -> Iterator[Sequence[Row]]:
    """A gateway on each catalogue, all on one Redis, with the call that is played on it."""
    with ExitStack() as stack:
        redis, numbers = stack.enter_context(real_redis()), callers()
        rows: list[Row] = []
        for name, folder in folders.items():
            var = stack.enter_context(tempfile.TemporaryDirectory(prefix="ekdial-bench-"))
            database = f"sqlite+aiosqlite:///{var}/ekdial.db"
            server = stack.enter_context(gateway(redis.url, database, var, CATALOGUE__FOLDER=str(folder)))
            rows.append(Row(name, server, sessions(numbers, [_recorded(server, next(numbers))])))
        yield rows


def _recorded(server: Server, number: str) -> Script:
    """What each key press of the call is answered, which is what it must be answered ever after."""
    pressed = ["*".join(KEYS[:many]) for many in range(len(KEYS) + 1)]
    (call,) = sessions(iter([number]), [[(text, "") for text in pressed]])
    return [(text, _posted(server, hop.asks)) for text, hop in zip(pressed, call, strict=True)]


def _posted(server: Server, form: bytes) -> str:
    connection = HTTPConnection("127.0.0.1", server.port)
    with closing(connection):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"{ROUTE}?token={TOKEN}", form, kind)
        return connection.getresponse().read().decode()


def _written(folder: Path, services: int) -> Path:
    folder.mkdir()
    return write_catalogue(folder, services, SECTORS)


def _in_process(folders: Mapping[str, Path], rounds: int) -> Mapping[str, Sequence[Figures]]:
    """Read and search each in turn, so that a busy minute of the machine falls on all of them."""
    seen: dict[str, list[Figures]] = {name: [] for name in folders}
    for _ in range(rounds):
        for name, folder in folders.items():
            seen[name].append(_figures(folder))
    return seen


def _figures(folder: Path) -> Figures:
    began = time.process_time()
    edition = read(folder, folder / "no centres")
    took = time.process_time() - began
    searches = sorted(_search(edition, typed) for typed in TYPED for _ in range(TIMES))
    return Figures(took, median(searches) * 1e6, quantiles(searches, n=100)[-1] * 1e6)


def _search(edition: Edition, typed: str) -> float:
    began = time.thread_time()
    edition.search(typed)
    return time.thread_time() - began


def _table(seen: Mapping[str, Sequence[Any]], figures: Mapping[str, tuple[Callable[[Any], float], str]]) -> str:
    """Each figure, and beside it how many times that of the first it is: the median of the ratios in each round."""
    titles = ["catalogue", *(title for figure in figures for title in (figure, "ratio"))]
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)]]
    first = next(iter(seen.values()))
    for name, rounds in seen.items():
        line = [name]
        for of, form in figures.values():
            ratios = [of(one) / of(other) for one, other in zip(rounds, first, strict=True)]
            line += [format(median(map(of, rounds)), form), format(median(ratios), ".2f")]
        lines.append(line)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _asked() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.catalogue", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each gateway in each round")
    parser.add_argument("--connections", type=int, default=64, help="at the same time, each with one hop out")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that all answers are right")
    asked = parser.parse_args()
    return QUICK if asked.quick else Plan(asked.rounds, asked.seconds, asked.connections)


if __name__ == "__main__":
    main()
