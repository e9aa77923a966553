"""What many callers ask in one turn of the event loop, asked once for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


class Together(Generic[Ask, Answer]):
    """Call it with one ask; `run` gets those of everybody who asked in the same turn and answers them in order.

    One run is out at a time: what is asked meanwhile goes with the next one, so that batches grow with the load by
    themselves. `run` therefore wants a deadline of its own. It gets at most `most` asks, belongs to none of the
    askers (an asker who is cancelled harms nobody else, and nothing is logged under the first one's name), and
    raises to all of them, or to one of them by giving an exception in place of an answer.

    Where a run costs far more than an ask, as a commit does, it is worth it to wait for more of them before it goes:
    `linger` seconds, or so many `turns` of the loop, which take long while there is much to do and no time while not.
    """

    def __init__(
        self,
        run: Callable[[list[Ask]], Awaitable[Sequence[Answer | BaseException]]],
        *,
        most: int = 500,
        linger: float = 0.0,
        turns: int = 0,
    ) -> None:
        self._run = run
        self._most = most
        self._linger = linger
        self._turns = turns
        self._waiting: list[tuple[Ask, asyncio.Future[Answer]]] = []
        self._runs: asyncio.Task[None] | None = None

    def __call__(self, ask: Ask) -> Awaitable[Answer]:
        """The answer to this ask; whatever `run` raised or gave in its place is raised."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((ask, answer))
        if self._runs is None or self._runs.done():  # its first step comes when everybody in this turn has asked
            self._runs = loop.create_task(self._run_until_nobody_waits(), context=Context())
        return answer

    async def _run_until_nobody_waits(self) -> None:
        while self._waiting:
            if self._linger:
                await asyncio.sleep(self._linger)
            for _ in range(self._turns):
                await asyncio.sleep(0)
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            await self._run_one([(ask, answer) for ask, answer in batch if not answer.done()])

    async def _run_one(self, batch: list[tuple[Ask, asyncio.Future[Answer]]]) -> None:
        if not batch:
            return
        asks, askers = zip(*batch, strict=True)
        try:
            answers = await self._run([*asks])
            if len(answers) != len(asks):
                raise RuntimeError(f"{len(asks)} asked together, {len(answers)} were answered")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - it is the askers', not ours
            answers = [error] * len(asks)
        _settle(askers, answers)


def _settle(askers: Iterable[asyncio.Future[Answer]], answers: Sequence[Answer | BaseException]) -> None:
    for asker, answer in zip(askers, answers, strict=True):
        if asker.done():
            continue  # cancelled while the run was out
        if isinstance(answer, BaseException):
            asker.set_exception(answer)
        else:
            asker.set_result(answer)
