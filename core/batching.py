"""Batch concurrent calls: everything requested in one event-loop iteration goes to `run` as one list."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

from core.deadline import Deadline, NotRecordedError, OverloadedError, current_deadline, running_until

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Call it with one item; `run` gets the items of one event-loop iteration and returns their results in order.

    One batch runs at a time. Items that arrive meanwhile go into the next batch, so batches grow with the load; `run`
    needs a deadline of its own. The batch runs in a context of its own: a caller that is cancelled does not disturb the
    others, and log lines of the batch do not carry the context of the first caller. An exception that `run` raises goes
    to every caller of the batch; an exception among the results goes to its caller only.

    Where a batch costs far more than an item, as a database commit does, waiting for more items saves work: `linger`
    waits that number of seconds, `loop_turns` that number of event-loop iterations, which take long under load only.
    A batch has at most `max_batch_size` items.

    Items whose caller has gone, or has too little time left, are dropped before the work. The batch has the latest deadline
    of its callers. Where `commits`, it counts in each deadline as a commit from its beginning.
    """

    def __init__(
        self,
        run: Callable[[list[Item]], Awaitable[Sequence[Result | BaseException]]],
        *,
        max_batch_size: int = 500,
        linger: float = 0.0,
        loop_turns: int = 0,
        commits: bool = False,
    ) -> None:
        self._run = run
        self._max_batch_size = max_batch_size
        self._linger = linger
        self._loop_turns = loop_turns
        self._commits = commits
        self._queue: list[_Waiter[Item, Result]] = []
        self._task: asyncio.Task[None] | None = None

    def __call__(self, item: Item) -> Awaitable[Result]:
        """Return an awaitable of the result of this item. It raises what `run` raised, or returned in place of the result."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._queue.append(_Waiter(item, future, current_deadline()))
        if self._task is None or self._task.done():  # it starts after the other calls of this iteration
            self._task = loop.create_task(self._run_until_empty(), context=Context())
        return future

    async def _run_until_empty(self) -> None:
        while self._queue:
            if self._linger:
                await asyncio.sleep(self._linger)
            for _ in range(self._loop_turns):
                await asyncio.sleep(0)
            batch, self._queue = self._queue[: self._max_batch_size], self._queue[self._max_batch_size :]
            await self._run_batch([waiter for waiter in batch if self._is_in_time(waiter)])

    def _is_in_time(self, waiter: "_Waiter[Item, Result]") -> bool:
        """Whether somebody still waits, with enough time left; who waits without it gets an error."""
        deadline, future = waiter.deadline, waiter.future
        if future.done():
            return False
        if deadline is None or monotonic() < (deadline.begin_by if self._commits else deadline.answer_by):
            return True
        future.set_exception(OverloadedError("too little time is left for a batch"))
        return False

    async def _run_batch(self, batch: "list[_Waiter[Item, Result]]") -> None:
        if not batch:
            return
        items = [waiter.item for waiter in batch]
        if self._commits:
            _count_commits(batch)
        try:
            with running_until(_find_latest(batch)):
                results = await self._run(items)
            if len(results) != len(items):
                raise RuntimeError(f"a batch of {len(items)} items has {len(results)} results")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - the callers get it
            results = [error] * len(items)
        if self._commits:
            _count_failures(batch, results)
        _resolve_futures((waiter.future for waiter in batch), results)


class _Waiter(NamedTuple, Generic[Item, Result]):
    """An item, the future of its result, and the deadline of whoever waits for it."""

    item: Item
    future: asyncio.Future[Result]
    deadline: Deadline | None


def _find_latest(batch: Iterable[_Waiter[Item, Result]]) -> Deadline | None:
    """The deadline that is over last; None where somebody has none."""
    latest: Deadline | None = None
    for waiter in batch:
        if waiter.deadline is None:
            return None
        if latest is None or waiter.deadline.answer_by > latest.answer_by:
            latest = waiter.deadline
    return latest


def _count_commits(batch: Iterable[_Waiter[Item, Result]]) -> None:
    for waiter in batch:
        if waiter.deadline is not None:
            waiter.deadline.commits += 1


def _count_failures(batch: Iterable[_Waiter[Item, Result]], results: Sequence[Result | BaseException]) -> None:
    """Take back the commits that certainly failed."""
    for waiter, result in zip(batch, results, strict=True):
        if waiter.deadline is not None and isinstance(result, NotRecordedError):
            waiter.deadline.commits -= 1


def _resolve_futures(futures: Iterable[asyncio.Future[Result]], results: Sequence[Result | BaseException]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue  # cancelled while the batch ran
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
