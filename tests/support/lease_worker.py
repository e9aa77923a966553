"""A process that holds a lease, for tests that kill or stop it. It appends a line when its lease begins and ends."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Final, Self

from db.database import Database
from db.leases import Leases, LeaseTimes
from tests.support.forked_program import fork
from tests.support.sms_phone import wait_until

FAST: Final = LeaseTimes(ttl=1.2, margin=0.4, renew_interval=0.1, poll_interval=0.05)
"""So short that a takeover takes a second."""
NAME: Final = "smpp/operator"


class LeaseWorker:
    """A process that waits for the lease, writes `held <fence>`, and `lost` once it holds it no more, and waits again."""

    def __init__(self, url: str, log: Path) -> None:
        self._process = fork(_run, url, str(log))
        self._log = log

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.send(signal.SIGKILL)
        self._process.join()
        self._process.close()

    def send(self, signum: signal.Signals) -> None:
        """Send a signal, if the process runs."""
        if self._process.exitcode is None and self._process.pid:
            os.kill(self._process.pid, signum)

    @property
    def lines(self) -> list[str]:
        """What the process has written."""
        return self._log.read_text().split("\n")[:-1] if self._log.exists() else []

    async def wait_for(self, *lines: str) -> None:
        """Return when the process has written exactly these lines."""

        async def has_written() -> bool:
            return self.lines == list(lines)

        await wait_until(has_written)


def _run(url: str, log: str) -> None:
    asyncio.run(_hold_again_and_again(url, Path(log)))


async def _hold_again_and_again(url: str, log: Path) -> None:
    async with Database(url, pool_size=4) as database:
        leases = Leases(database=database, holder=f"worker:{os.getpid()}", times=FAST)
        while True:
            async with leases.hold(NAME) as lease:
                _write(log, f"held {lease.fence}")
                await lease.wait_until_lost()
                _write(log, "lost")


def _write(log: Path, line: str) -> None:
    with log.open("a") as file:
        file.write(f"{line}\n")
