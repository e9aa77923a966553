"""The program in processes of its own, without the environment of the test run."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.forked_program import ForkedProgram

ROOT = Path(__file__).parents[2]
EXIT_TIMEOUT = 120.0  # seconds; it needs one on an idle machine
SECRET = "a secret for tests that is long enough"
# aiohttp's gunicorn workers ask for the loop that is not there yet, which Python 3.12 and 3.13 warn of.
WARNING_FLAGS = ("-W", "error", "-W", "ignore:There is no current event loop:DeprecationWarning")


def build_environment(folder: Path, **values: str) -> dict[str, str]:
    """An environment with all data in `folder` and a free admin port; other settings as `REDIS__URL="…"`."""
    ours = {
        "SERVER__DATA_DIR": str(folder),
        "SERVER__ADMIN_PORT": "0",
        "DATABASE__URL": f"sqlite+aiosqlite:///{folder}/ekdial.db",
        **values,
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("EKDIAL_")}
    return others | {f"EKDIAL_{name}": value for name, value in ours.items()}


def run_program(folder: Path, *arguments: str, **values: str) -> subprocess.CompletedProcess[str]:
    """Run `python server.py …` to its end; a warning is an error."""
    with tempfile.TemporaryDirectory() as streams:
        out, err = Path(streams, "out"), Path(streams, "err")
        with ForkedProgram(arguments, folder, build_environment(folder, **values), out=out, err=err) as process:
            status = process.wait(EXIT_TIMEOUT)
        return subprocess.CompletedProcess(process.args, status, out.read_text(), err.read_text())


def run_program_file(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python server.py …` to its end as a shell does, with all of its imports."""
    command = [sys.executable, *WARNING_FLAGS, str(ROOT / "server.py"), *arguments]
    return subprocess.run(  # noqa: S603 (our own program)
        command,
        cwd=folder,
        env=build_environment(folder),
        capture_output=True,
        text=True,
        timeout=EXIT_TIMEOUT,
        check=False,
    )


ADMIN_ADDRESS = re.compile(r"(?:Metrics: |Listening at: \S+,)(http://[\d.:]+)")
"""As `serve` prints it, and gunicorn after the address of the gateway."""


class ProgramProcess:
    """A process that serves at `url`, with its admin server at `admin_url`; its output is in `output`."""

    def __init__(self, process: subprocess.Popen[bytes] | ForkedProgram, log: Path, address: str) -> None:
        self.process = process
        self._log = log
        self._address = re.compile(address)

    @property
    def output(self) -> str:
        """Everything that the process has written to stdout and stderr."""
        return self._log.read_text()

    @property
    def url(self) -> str:
        """The address of the server, once it listens.

        Raises:
            RuntimeError: The process ended before it listened.
        """
        return self._wait_for(self._address)[1]

    @property
    def admin_url(self) -> str:
        """The address of the admin server, once it listens.

        Raises:
            RuntimeError: The process ended before it listened.
        """
        return self._wait_for(ADMIN_ADDRESS)[1]

    def _wait_for(self, address: re.Pattern[str]) -> re.Match[str]:
        while not (found := address.search(self.output)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)
                raise RuntimeError(f"it ended at once:\n{self.output}")
        return found

    def send_signal(self, signum: signal.Signals) -> None:
        """Send a signal to the process."""
        self.process.send_signal(signum)

    def wait_for_exit(self) -> int:
        """The exit status, once the process has ended."""
        return self.process.wait(EXIT_TIMEOUT)


def _new_log(folder: Path) -> Path:
    return folder / f"log-{len(list(folder.glob('log-*')))}"


@contextlib.contextmanager
def start_process(
    folder: Path, command: Sequence[str], address: str, *, open_files: int | None = None, **values: str
) -> Iterator[ProgramProcess]:
    """Run a process for the block, with at most `open_files`; it is killed at the end if it still runs."""
    limit = [] if open_files is None else ["/bin/sh", "-c", 'ulimit -n "$0" && exec "$@"', str(open_files)]
    log = _new_log(folder)
    with (
        log.open("wb") as out,
        subprocess.Popen(  # noqa: S603 (our own program)
            [*limit, sys.executable, *WARNING_FLAGS, *command],
            cwd=ROOT,
            env=build_environment(folder, **values),
            stdout=out,
            stderr=out,
        ) as process,
    ):
        try:
            yield ProgramProcess(process, log, address)
        finally:
            process.kill()


@contextlib.contextmanager
def run_server(folder: Path, *arguments: str, open_files: int | None = None, **values: str) -> Iterator[ProgramProcess]:
    """Run `python server.py` on a free port for the block; with at most `open_files` it is started as a shell does."""
    values = {"SERVER__PORT": "0", **values}
    address = r"Ekdial listens on (\S+)"
    if open_files is not None:
        command = ["server.py", *arguments]
        with start_process(folder, command, address, open_files=open_files, **values) as running:
            yield running
        return
    log = _new_log(folder)
    log.touch()
    with ForkedProgram(arguments, ROOT, build_environment(folder, **values), out=log, err=log) as process:
        yield ProgramProcess(process, log, address)


@contextlib.contextmanager
def run_gunicorn(folder: Path, *arguments: str, **values: str) -> Iterator[ProgramProcess]:
    """Run `gunicorn server:worker` on a free port for the block."""
    values = {"SERVER__PORT": "0", **values}
    command = ["-m", "gunicorn", "server:worker", *arguments]
    with start_process(folder, command, r"Listening at: ([^\s,]+)", **values) as running:
        yield running


def child_pids(process: int) -> list[int]:
    """The process ids of the children of a process (Linux)."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
