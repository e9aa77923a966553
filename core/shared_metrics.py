"""Add up the metrics of the worker processes of one server: each writes its own to a file, and any of them reads all.

Counters and histograms are added up, those of ended processes too: Prometheus takes a count that falls for a restart. Of a
gauge the highest value of the running processes is taken, because most are read from the database that all of them share.
"""

import asyncio
import fcntl
import json
import operator
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from core.periodic import PeriodicJob, run_periodically

WRITE_INTERVAL: Final = 1.0
"""Seconds between two writes of a process's metrics: a scrape sees the other processes as they were then."""
LOCK_TIMEOUT: Final = 1.0
"""Seconds for which one scrape waits for another."""
ENDED_FILE: Final = "ended.json"
"""The counts of all processes that have ended."""

Snapshot: TypeAlias = Mapping[str, Any]
"""Metrics as JSON: `{name: {"type": …, "help": …, "samples": [[name, labels, value], …]}}`."""


class SharedMetrics:
    """The metrics of every process that uses the same folder. A process is running while it holds the lock of its file."""

    def __init__(self, registry: CollectorRegistry, folder: Path, *, lowest: frozenset[str] = frozenset()) -> None:
        """`registry` has the metrics of this process; `lowest` are the gauges of which the lowest value is taken."""
        self._registry = registry
        self._folder = folder
        self._lowest = lowest
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"

    @asynccontextmanager
    async def share(self) -> AsyncIterator[None]:
        """Write the metrics of this process while the block lasts, and a last time at its end.

        Raises:
            OSError: the folder is not writable.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._running(), ThreadPoolExecutor(max_workers=1) as writer:
            write = partial(self._write, writer)
            await write()
            try:
                async with run_periodically(WRITE_INTERVAL, PeriodicJob(write, "metrics_not_written")):
                    yield
            finally:
                await write()

    async def render(self) -> bytes:
        """Return the metrics of all processes, those of this one as they are now."""
        own = _take_snapshot(self._registry)
        return await asyncio.to_thread(self._render_with, own)

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Hold the lock of this process. It is taken before the file gets its name, so no scrape sees it without."""
        unnamed = self._folder / f"{self._name}.new-lock"
        with unnamed.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unnamed.replace(self._folder / f"{self._name}.lock")
            yield

    async def _write(self, writer: Executor) -> None:
        """Write a snapshot in the one thread of `writer`: a write that was cancelled goes on there, and ends before the next."""
        file, snapshot = self._folder / f"{self._name}.json", _take_snapshot(self._registry)
        await asyncio.get_running_loop().run_in_executor(writer, _write_atomically, file, snapshot)

    def _render_with(self, own: Snapshot) -> bytes:
        total = _Total(self._lowest)
        total.add(own)
        with _exclusive(self._folder):
            self._merge_ended_processes()
            total.add(_read(self._folder / ENDED_FILE), with_gauges=False)
            for file in self._folder.glob("*-*.json"):
                if file.stem != self._name:
                    total.add(_read(file))
        return generate_latest(total)

    def _merge_ended_processes(self) -> None:
        """Move the counts of processes that have ended to one file."""
        ended = [file for file in _files_of_ended_processes(self._folder) if file.stem != self._name]
        if not ended:
            return
        total = _Total(self._lowest)
        for file in (self._folder / ENDED_FILE, *ended):
            total.add(_read(file), with_gauges=False)
        _write_atomically(self._folder / ENDED_FILE, total.to_snapshot())
        for file in ended:
            _remove(file)


def remove_ended(folder: Path) -> None:
    """Forget the processes that have ended: the counts of a new server begin at zero.

    Raises:
        OSError: the folder is not writable.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _exclusive(folder):
        for file in _files_of_ended_processes(folder):
            _remove(file)
        (folder / ENDED_FILE).unlink(missing_ok=True)


class _Total(Collector):
    """A sum of snapshots."""

    def __init__(self, lowest: frozenset[str]) -> None:
        self._lowest = lowest
        self._families: dict[str, tuple[str, str]] = {}
        self._samples: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}

    def add(self, snapshot: Snapshot, *, with_gauges: bool = True) -> None:
        for name, family in snapshot.items():
            kind = family["type"]
            if kind == "gauge" and not with_gauges:
                continue
            self._families[name] = (kind, family["help"])
            samples = self._samples.setdefault(name, {})
            combine = self._combine(name, kind)
            for sample, labels, value in family["samples"]:
                key = sample, tuple(labels.items())
                samples[key] = combine(samples[key], value) if key in samples else value

    def _combine(self, name: str, kind: str) -> Callable[[float, float], float]:
        if kind != "gauge":
            return operator.add
        return min if name in self._lowest else max

    def collect(self) -> Iterator[Metric]:
        for name, (kind, description) in self._families.items():
            metric = Metric(name, description, kind)
            for (sample, labels), value in self._samples[name].items():
                metric.add_sample(sample, dict(labels), value)
            yield metric

    def to_snapshot(self) -> Snapshot:
        return _take_snapshot(self)


def _files_of_ended_processes(folder: Path) -> Iterator[Path]:
    for lock in folder.glob("*-*.lock"):
        if not _is_locked(lock):
            yield lock.with_suffix(".json")


def _take_snapshot(metrics: Collector | CollectorRegistry) -> Snapshot:
    return {
        family.name: {
            "type": family.type,
            "help": family.documentation,
            "samples": [[sample.name, sample.labels, sample.value] for sample in family.samples],
        }
        for family in metrics.collect()
    }


def _read(file: Path) -> Snapshot:
    """The snapshot in a file; empty where there is none, as of a process that was killed before its first write."""
    try:
        snapshot: Snapshot = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return snapshot


def _write_atomically(file: Path, snapshot: Snapshot) -> None:
    new = file.with_suffix(".new")
    new.write_text(json.dumps(snapshot), encoding="utf-8")
    new.replace(file)


def _remove(file: Path) -> None:
    """Remove a process's snapshot and then its lock, so that what is left over is found again."""
    file.unlink(missing_ok=True)
    file.with_suffix(".lock").unlink(missing_ok=True)


def _is_locked(file: Path) -> bool:
    try:
        with file.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Let one process at a time merge files. After `LOCK_TIMEOUT` go on without: another process may be stopped."""
    with (folder / "scrape").open("w") as lock:
        _wait_for_lock(lock)
        yield


def _wait_for_lock(lock: IO[str]) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT
    while time.monotonic() < deadline:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.01)
