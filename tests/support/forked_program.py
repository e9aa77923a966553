"""The program in processes forked from one that has loaded it: a start takes none of the seconds of its imports.

`tests/unit/cli/test_program.py` starts it from its file too, and gunicorn always is.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final, Self

PRELOADED: Final = (
    "server",
    "app.bootstrap",
    "app.runner",
    "alembic.command",
    "fakeredis.aioredis",
    "uvloop",
    "tests.support.forked_worker",
    "tests.support.sms_crash_worker",
    "tests.support.department_crash_worker",
)


class ForkedProgram:
    """A process of `server.py` with these arguments, which is killed at the end of the block if it still runs."""

    def __init__(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], *, out: Path, err: Path
    ) -> None:
        self.args = ["server.py", *arguments]
        self._process = fork(_run, self.args, folder, dict(environment), (out, err))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.join()
        self._process.close()

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process.pid
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status, or None while the process runs."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """The exit status.

        Raises:
            TimeoutExpired: the process still runs after `timeout` seconds.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self._process.exitcode

    def send_signal(self, signum: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        """Kill the process, if it runs."""
        self.send_signal(signal.SIGKILL)


def fork(target: Callable[..., None], *arguments: object) -> ForkServerProcess:
    """A process that has loaded the program and calls `target`, a function of a module."""
    _template.set_forkserver_preload(list(PRELOADED))
    process = _template.Process(target=target, args=arguments)
    process.start()
    return process


def _run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], streams: Sequence[Path]) -> None:
    """Become `python -W error server.py …`, with stdout and stderr at the end of these files."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams, 1):
        stream = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(stream, number)
        os.close(stream)
    sys.argv = list(arguments)
    warnings.simplefilter("error")
    import server

    sys.exit(server.main(arguments[1:]))


_template: Final = multiprocessing.get_context("forkserver")
