"""The worker that claims rows, processes them and records their results."""

import asyncio
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from core.claim_worker import ClaimWorker, TaskSet, process_batch, result_or_log, running_worker


class CountingWorker(ClaimWorker[int, str]):
    """Processes numbers from a list; `fails` names the calls that fail, one for each entry."""

    record_retry_delays = (0.0,)

    def __init__(self, *items: int, concurrency: int = 2, fails: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.queue, self.concurrency, self.fails = list(items), concurrency, list(fails)
        self.results: dict[int, str] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.most_in_flight = 0
        self.logged: list[tuple[int, bool]] = []

    def _fail_if_told(self, call: str) -> None:
        if call in self.fails:
            self.fails.remove(call)
            raise ConnectionError

    def free_slots(self) -> int:
        return self.concurrency - self.in_flight

    async def may_claim(self) -> bool:
        return True

    async def claim(self, limit: int) -> list[int]:
        self._fail_if_told("claim")
        claimed, self.queue = self.queue[:limit], self.queue[limit:]
        return claimed

    async def process(self, item: int) -> str:
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await self.gate.wait()
        await asyncio.sleep(0)
        return f"result of {item}"

    async def record(self, item: int, result: str) -> bool:
        self._fail_if_told("record")
        self.results[item] = result
        return True

    async def finish(self) -> None:
        await self.tasks.finish(1.0)

    def item_facts(self, item: int) -> dict[str, object]:
        return {"item": item}

    def log_result(self, item: int, result: str, *, recorded: bool) -> None:
        self.logged.append((item, recorded))


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the worker has no event for each of these
            await asyncio.sleep(0.001)


async def wait_for_results(worker: CountingWorker, count: int) -> None:
    await wait_until(lambda: len(worker.results) >= count)


async def test_a_worker_processes_all_rows_and_keeps_to_its_concurrency():
    worker = CountingWorker(*range(10), concurrency=3)
    async with running_worker(worker):
        await wait_for_results(worker, 10)
    assert worker.results == {item: f"result of {item}" for item in range(10)}
    assert worker.most_in_flight == 3


async def test_a_result_is_recorded_again_after_a_failure():
    worker = CountingWorker(1, fails=("record",))
    with capture_logs() as logs:
        async with running_worker(worker):
            await wait_for_results(worker, 1)
    assert worker.logged == [(1, True)]
    assert [(line["event"], line["item"], line["error"]) for line in logs] == [
        ("record_result_failed", 1, "ConnectionError")
    ]


async def test_a_result_that_cannot_be_recorded_leaves_its_row_claimed():
    worker = CountingWorker(1, fails=("record", "record"))
    async with running_worker(worker):
        await wait_until(lambda: not worker.fails and not len(worker.tasks))
    assert (worker.results, worker.queue) == ({}, [])


async def test_a_claim_that_fails_is_made_again_at_the_next_wakeup():
    worker = CountingWorker(1, fails=("claim",))
    async with running_worker(worker):
        await wait_until(lambda: not worker.fails)
        worker.wakeup.set()
        await wait_for_results(worker, 1)


async def test_a_stop_finishes_the_rows_in_flight_and_claims_no_more():
    worker = CountingWorker(1, 2, 3, concurrency=2)
    worker.gate.clear()
    async with running_worker(worker):
        await wait_until(lambda: worker.in_flight >= 2)
        worker.stop()
        worker.gate.set()
    assert sorted(worker.results) == [1, 2]
    assert worker.queue == [3]


async def test_a_worker_that_overruns_its_grace_period_is_cancelled():
    class Endless:
        cancelled = False

        async def run(self) -> None:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                self.cancelled = True
                raise

        def stop(self) -> None:
            return

    worker = Endless()
    async with running_worker(worker, 0.01):
        await asyncio.sleep(0)
    assert worker.cancelled


async def test_a_failure_of_a_worker_reaches_the_block_that_runs_it():
    class Failing:
        async def run(self) -> None:
            raise RuntimeError

        def stop(self) -> None:
            return

    with pytest.raises(RuntimeError):
        async with running_worker(Failing(), 1.0):
            await asyncio.sleep(0)


async def test_tasks_that_outlast_the_grace_period_are_cancelled_and_counted():
    async def stubborn() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0.2)

    tasks = TaskSet()
    task = tasks.start(stubborn())
    await asyncio.sleep(0)
    assert await tasks.finish(0.01, 0.01) == 1
    await task
    assert len(tasks) == 0


async def test_a_failure_is_logged_without_its_text():
    async def fail() -> None:
        raise ValueError("+8801700000001")

    with capture_logs() as logs:
        assert await result_or_log(fail(), "lookup_failed", row=3) is None
    (line,) = logs
    assert (line["event"], line["error"], line["row"]) == ("lookup_failed", "ValueError", 3)
    assert "+880" not in str(logs)


async def test_a_full_batch_says_that_there_may_be_more():
    rows, processed = [1, 2, 3], []

    async def claim(limit: int) -> list[int]:
        claimed, rows[:] = rows[:limit], rows[limit:]
        return claimed

    async def process(row: int) -> None:
        processed.append(row)

    assert await process_batch(claim, process, 2) is True
    assert await process_batch(claim, process, 2) is False
    assert sorted(processed) == [1, 2, 3]
