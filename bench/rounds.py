"""Servers measured in turn, round after round, and the table of what was seen."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple, TypeAlias

import uvloop

from bench.callers import call
from bench.process import Server
from bench.session import Hop

WARM_UP = 1.0  # seconds with each server before anything is counted


class Plan(NamedTuple):
    """Rounds, the seconds that each server has in each of them, and connections at once."""

    rounds: int
    seconds: float
    connections: int


class Row(NamedTuple):
    """A server, and the sessions that are played on it."""

    name: str
    server: Server
    sessions: Iterator[Sequence[Hop]]


class Round(NamedTuple):
    """What one server did in one round; nan is what cannot be known here."""

    hops: int
    a_second: float
    p50: float  # milliseconds
    p99: float
    cpu: float  # microseconds of the server's for each hop
    had: float  # the part of a processor that the server had
    megabytes: float
    busy: float  # the part of the time in which the callers were working, rather than waiting for an answer


Of: TypeAlias = Callable[[Round], float]
Seen: TypeAlias = Mapping[str, Sequence[Round]]
"""The rounds of each server, by its name; what the others are compared with comes first."""


class Column(NamedTuple):
    """A figure, how it is written, and whether it is beside the first server's."""

    title: str
    of: Of
    form: str
    beside: bool = False


COLUMNS = (
    Column("hops/s", lambda one: one.a_second, ",.0f"),
    Column("of bare", lambda one: one.a_second, ".2f", beside=True),
    Column("p50 ms", lambda one: one.p50, ".1f"),
    Column("p99 ms", lambda one: one.p99, ".1f"),
    Column("CPU µs/hop", lambda one: one.cpu, ".0f"),
    Column("× bare", lambda one: one.cpu, ".2f", beside=True),
    Column("CPU had", lambda one: one.had, ".0%"),
    Column("RSS MB", lambda one: one.megabytes, ".0f"),
)


def measured(rows: Sequence[Row], plan: Plan) -> Seen:
    """Server after server in each round, so that a busy minute of the machine falls on all of them.

    Raises:
        WrongAnswer: some server did not answer as it must.
    """
    for row in rows:
        _took(row, plan._replace(seconds=min(WARM_UP, plan.seconds)))
    rounds = [[_round(row, plan) for row in rows] for _ in range(plan.rounds)]
    return {row.name: seen for row, seen in zip(rows, zip(*rounds, strict=True), strict=True)}


def _round(row: Row, plan: Plan) -> Round:
    began, worked, used = time.perf_counter(), time.process_time(), row.server.cpu()
    took = sorted(_took(row, plan))
    lasted, used = time.perf_counter() - began, row.server.cpu() - used
    return Round(
        hops=len(took),
        a_second=len(took) / lasted,
        p50=took[len(took) // 2] * 1e3,
        p99=took[len(took) * 99 // 100] * 1e3,
        cpu=used / len(took) * 1e6,
        had=used / lasted,
        megabytes=row.server.megabytes(),
        busy=(time.process_time() - worked) / lasted,
    )


def _took(row: Row, plan: Plan) -> Sequence[float]:
    return uvloop.run(call(row.server.port, row.sessions, plan.connections, plan.seconds))


def table(seen: Seen) -> str:
    """Medians over the rounds. A ratio is the median of what it was in each round, for rounds drift together."""
    bare = next(iter(seen.values()))
    titles = [["server", *(column.title for column in COLUMNS)], ["---", *["---:"] * len(COLUMNS)]]
    cells = [[name, *(_cell(column, rounds, bare) for column in COLUMNS)] for name, rounds in seen.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in (*titles, *cells))


def _cell(column: Column, rounds: Sequence[Round], bare: Sequence[Round]) -> str:
    figures = map(column.of, rounds)
    if column.beside:
        figures = (one / other for one, other in zip(figures, map(column.of, bare), strict=True))
    return format(median(figures), column.form)


def counted(seen: Seen) -> str:
    """How many answers were looked at, and whether those who looked had time to spare."""
    rounds = [one for rounds in seen.values() for one in rounds]
    hops, busy = sum(one.hops for one in rounds), max(one.busy for one in rounds)
    return f"{hops:,} answers, every one the right one; the callers were busy {busy:.0%} of the time at most"
