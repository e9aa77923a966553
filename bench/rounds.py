"""Measure servers in turn, round after round, and render the table of results."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple, TypeAlias

import uvloop

from bench.callers import run_callers
from bench.process import ServerProcess
from bench.session import Exchange

WARM_UP_SECONDS = 1.0  # for each server, before the first round


class Plan(NamedTuple):
    """The number of rounds, the seconds for each server in a round, and the number of connections."""

    rounds: int
    seconds: float
    connections: int


class MeasuredServer(NamedTuple):
    """A server and the sessions that are played on it."""

    name: str
    server: ServerProcess
    sessions: Iterator[Sequence[Exchange]]


class Round(NamedTuple):
    """The result of one server in one round; nan is unknown."""

    request_count: int
    per_second: float
    p50: float  # milliseconds
    p99: float
    cpu_microseconds: float  # of the server, for each request
    cpu_share: float  # part of a processor that the server used
    megabytes: float
    callers_busy: float  # part of the time in which the callers worked instead of waiting


Metric: TypeAlias = Callable[[Round], float]
Results: TypeAlias = Mapping[str, Sequence[Round]]
"""The rounds of each server by name; the first is the base of the ratios."""


class Column(NamedTuple):
    """A column: title, figure, format, and whether it is relative to the first server."""

    title: str
    metric: Metric
    format_spec: str
    is_relative: bool = False


COLUMNS = (
    Column("requests/s", lambda one: one.per_second, ",.0f"),
    Column("of bare", lambda one: one.per_second, ".2f", is_relative=True),
    Column("p50 ms", lambda one: one.p50, ".1f"),
    Column("p99 ms", lambda one: one.p99, ".1f"),
    Column("CPU µs/request", lambda one: one.cpu_microseconds, ".0f"),
    Column("× bare", lambda one: one.cpu_microseconds, ".2f", is_relative=True),
    Column("CPU share", lambda one: one.cpu_share, ".0%"),
    Column("RSS MB", lambda one: one.megabytes, ".0f"),
)


def measure(servers: Sequence[MeasuredServer], plan: Plan) -> Results:
    """Return the rounds of each server, measured in turn, so that a busy minute of the machine affects all of them.

    Raises:
        WrongReplyError: A server sent a wrong reply.
    """
    for row in servers:
        _run_row(row, plan._replace(seconds=min(WARM_UP_SECONDS, plan.seconds)))
    rounds = [[_measure_round(row, plan) for row in servers] for _ in range(plan.rounds)]
    return {row.name: seen for row, seen in zip(servers, zip(*rounds, strict=True), strict=True)}


def _measure_round(server: MeasuredServer, plan: Plan) -> Round:
    began, worked, used = time.perf_counter(), time.process_time(), server.server.cpu_seconds()
    took = sorted(_run_row(server, plan))
    lasted, used = time.perf_counter() - began, server.server.cpu_seconds() - used
    return Round(
        request_count=len(took),
        per_second=len(took) / lasted,
        p50=took[len(took) // 2] * 1e3,
        p99=took[len(took) * 99 // 100] * 1e3,
        cpu_microseconds=used / len(took) * 1e6,
        cpu_share=used / lasted,
        megabytes=server.server.resident_megabytes(),
        callers_busy=(time.process_time() - worked) / lasted,
    )


def _run_row(server: MeasuredServer, plan: Plan) -> Sequence[float]:
    return uvloop.run(run_callers(server.server.port, server.sessions, plan.connections, plan.seconds))


def render_table(results: Results) -> str:
    """Return a table of medians over the rounds. A ratio is the median of the ratios of each round, because rounds drift together."""
    bare = next(iter(results.values()))
    titles = [["server", *(column.title for column in COLUMNS)], ["---", *["---:"] * len(COLUMNS)]]
    cells = [[name, *(_render_cell(column, rounds, bare) for column in COLUMNS)] for name, rounds in results.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in (*titles, *cells))


def _render_cell(column: Column, rounds: Sequence[Round], bare: Sequence[Round]) -> str:
    figures = map(column.metric, rounds)
    if column.is_relative:
        figures = (one / other for one, other in zip(figures, map(column.metric, bare), strict=True))
    return format(median(figures), column.format_spec)


def summarize(results: Results) -> str:
    """Return a line with the number of checked replies, and how busy the callers were."""
    rounds = [one for rounds in results.values() for one in rounds]
    hops, busy = sum(one.request_count for one in rounds), max(one.callers_busy for one in rounds)
    return f"{hops:,} answers, every one the right one; the callers were busy {busy:.0%} of the time at most"
