"""What has ended is forgotten now and then, whatever goes wrong in between."""

import asyncio

from assembly.documents import swept


class Paperwork:
    """Sweeps, or fails to, and counts."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.swept = 0
        self.again = asyncio.Event()

    async def sweep(self):
        self.swept += 1
        if self.swept > len(self.errors):
            self.again.set()
            return
        raise self.errors[self.swept - 1]


async def test_it_sweeps_at_once_and_goes_on_after_a_failure(monkeypatch):
    monkeypatch.setattr("assembly.documents.EVERY", 0)
    paperwork = Paperwork(ConnectionResetError(), TimeoutError())
    async with swept(paperwork), asyncio.timeout(5):
        await paperwork.again.wait()
    assert paperwork.swept >= 3


async def test_it_ends_with_the_block():
    async with swept(Paperwork()):
        pass
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
