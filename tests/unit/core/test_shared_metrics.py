"""The metrics of several processes, added up."""

import asyncio
import json
import os
import time

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from core import shared_metrics
from core.shared_metrics import SharedMetrics, remove_ended


class Process:
    """One process with a counter, gauges and a histogram."""

    def __init__(self, folder):
        registry = CollectorRegistry()
        self.calls = Counter("calls", "Calls.", ["kind"], registry=registry)
        self.waiting = Gauge("waiting", "Rows that wait.", registry=registry)
        self.answers = Gauge("answers", "Whether the system answers.", registry=registry)
        self.seconds = Histogram("seconds", "Duration.", buckets=(0.1, 1.0), registry=registry)
        self.metrics = SharedMetrics(registry, folder, lowest=frozenset({"answers"}))

    async def lines(self):
        """The samples that this process shows."""
        text = (await self.metrics.render()).decode()
        return {line for line in text.splitlines() if not line.startswith("#") and "_created" not in line}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Processes write at once, and nobody waits long for a lock."""
    monkeypatch.setattr(shared_metrics, "WRITE_INTERVAL", 0.01)
    monkeypatch.setattr(shared_metrics, "LOCK_TIMEOUT", 0.1)


async def test_a_process_alone_shows_its_own_metrics(tmp_path):
    one = Process(tmp_path)
    one.calls.labels("in").inc(2)
    one.seconds.observe(0.5)
    async with one.metrics.share():
        assert await one.lines() == {
            'calls_total{kind="in"} 2.0',
            "waiting 0.0",
            "answers 0.0",
            'seconds_bucket{le="0.1"} 0.0',
            'seconds_bucket{le="1.0"} 1.0',
            'seconds_bucket{le="+Inf"} 1.0',
            "seconds_count 1.0",
            "seconds_sum 0.5",
        }


async def test_the_last_write_waits_for_one_that_was_cancelled(tmp_path, monkeypatch):
    write, running, most_at_once = shared_metrics._write_atomically, [], []
    loop, started = asyncio.get_running_loop(), asyncio.Event()

    def write_slowly(file, snapshot):
        most_at_once.append(len(running) + 1)
        running.append(file)
        loop.call_soon_threadsafe(started.set)
        time.sleep(0.02)
        write(file, snapshot)
        running.remove(file)

    monkeypatch.setattr(shared_metrics, "_write_atomically", write_slowly)
    one = Process(tmp_path)
    async with one.metrics.share():
        started.clear()
        await started.wait()  # the periodic write; the end of the block cancels it
        one.calls.labels("in").inc(2)
    (file,) = tmp_path.glob("*-*.json")
    assert max(most_at_once) == 1
    assert ["calls_total", {"kind": "in"}, 2.0] in json.loads(file.read_text())["calls"]["samples"]


async def test_counts_are_added_and_of_a_gauge_the_worst_value_is_shown(tmp_path):
    one, other = Process(tmp_path), Process(tmp_path)
    for process, number in ((one, 1), (other, 5)):
        process.calls.labels("in").inc(number)
        process.waiting.set(number)
        process.answers.set(number == 1)
        process.seconds.observe(number)
    other.calls.labels("out").inc()
    async with one.metrics.share(), other.metrics.share():
        lines = await one.lines()
        assert lines == await other.lines()
    assert {
        'calls_total{kind="in"} 6.0',
        'calls_total{kind="out"} 1.0',
        "waiting 5.0",
        "answers 0.0",
        'seconds_bucket{le="1.0"} 1.0',
        "seconds_count 2.0",
    } <= lines


async def test_counts_of_ended_processes_stay_and_their_gauges_go(tmp_path):
    one = Process(tmp_path)
    async with one.metrics.share():
        for _ in range(3):
            ended = Process(tmp_path)
            async with ended.metrics.share():
                ended.calls.labels("in").inc()
                ended.waiting.set(9)
            for _ in range(2):
                lines = await one.lines()
        assert {'calls_total{kind="in"} 3.0', "waiting 0.0"} <= lines
        files = sorted(path.suffix for path in tmp_path.iterdir())
        assert files == ["", ".json", ".json", ".lock"], "one running process, all ended ones, and the lock of scrapes"


async def test_a_new_server_forgets_ended_processes_but_not_running_ones(tmp_path):
    one, ended = Process(tmp_path / "new"), Process(tmp_path / "new")
    remove_ended(tmp_path / "new")
    async with one.metrics.share():
        async with ended.metrics.share():
            ended.calls.labels("in").inc(7)
        await one.lines()
        async with Process(tmp_path / "new").metrics.share():
            one.calls.labels("in").inc()
        remove_ended(tmp_path / "new")
        assert 'calls_total{kind="in"} 1.0' in await one.lines()


async def test_a_damaged_or_missing_file_counts_nothing(tmp_path):
    one = Process(tmp_path)
    async with one.metrics.share():
        one.calls.labels("in").inc()
        (tmp_path / "1-dead.lock").touch()
        (tmp_path / "2-dead.lock").touch()
        (tmp_path / "2-dead.json").write_text('{"calls": ')
        assert 'calls_total{kind="in"} 1.0' in await one.lines()
        assert not (tmp_path / "2-dead.json").exists()


async def test_a_stopped_process_in_the_middle_of_a_scrape_stops_no_other(tmp_path):
    one = Process(tmp_path)
    async with one.metrics.share():
        with shared_metrics._exclusive(tmp_path):
            assert "waiting 0.0" in await one.lines()


async def test_the_last_write_has_everything_and_is_for_the_owner_only(tmp_path):
    former = os.umask(0o077)
    try:
        one = Process(tmp_path / "metrics")
        async with one.metrics.share():
            one.calls.labels("in").inc(4)
    finally:
        os.umask(former)
    (file,) = (tmp_path / "metrics").glob("*.json")
    assert json.loads(file.read_text())["calls"]["samples"][0] == ["calls_total", {"kind": "in"}, 4.0]
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
