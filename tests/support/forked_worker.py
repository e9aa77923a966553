"""A worker of a crash test, in a process forked from one that has loaded it; the test talks to its stdin and stdout."""

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Self

from tests.support.crash_plan import CrashPlan
from tests.support.forked_program import fork


class ForkedWorker:
    """A process that runs a plan: it says when it is ready, begins when it is told to, and ends when its stdin ends."""

    def __init__(
        self, plan: CrashPlan, process: ForkServerProcess, stdout: asyncio.StreamReader, stdin: asyncio.StreamWriter
    ) -> None:
        self.plan = plan
        self._process, self._stdout, self._stdin = process, stdout, stdin

    @classmethod
    async def start(cls, run: Callable[[CrashPlan], Awaitable[None]], plan: CrashPlan) -> Self:
        """Start the process; `run` is a function of a module."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = fork(_run, Connection(os.dup(theirs.fileno())), run, plan)
        return cls(plan, process, *await asyncio.open_connection(sock=ours))

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process.pid
        return self._process.pid

    async def begin(self) -> None:
        """Tell the process to begin, once it is ready."""
        assert await self._stdout.readline() == b"ready\n"
        self._stdin.write(b"go\n")

    async def wait_for_exit(self, timeout: float) -> int:
        """Let the process end; its exit status."""
        self._stdin.write_eof()
        return await self.wait_for_crash(timeout)

    async def wait_for_crash(self, timeout: float) -> int:
        """The exit status, once the process has ended by itself."""
        async with asyncio.timeout(timeout):
            while await self._stdout.read():
                pass
        self._stdin.close()
        await asyncio.to_thread(self._process.join)
        assert self._process.exitcode is not None
        return self._process.exitcode


def _run(connection: Connection, run: Callable[[CrashPlan], Awaitable[None]], plan: CrashPlan) -> None:
    for stream in (0, 1):
        os.dup2(connection.fileno(), stream)
    connection.close()
    sys.stdin = os.fdopen(0, closefd=False)
    asyncio.run(run(plan))
