"""The program as people start it: processes of their own, ended by their own id, nothing of this run's environment in them."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENDS_WITHIN = 30.0  # seconds; it needs one on an idle machine
SECRET = "a secret for tests that is long enough"
# aiohttp's gunicorn workers ask for the loop that is not there yet, which Python 3.12 and 3.13 warn of.
STRICTLY = ("-W", "error", "-W", "ignore:There is no current event loop:DeprecationWarning")


def environment(folder: Path, **given: str) -> dict[str, str]:
    """Everything that is kept is kept in `folder`; more as `REDIS__URL="…"`."""
    ours = {"SERVER__VAR": str(folder), "DATABASE__URL": f"sqlite+aiosqlite:///{folder}/ekdial.db", **given}
    others = {name: value for name, value in os.environ.items() if not name.startswith("EKDIAL_")}
    return others | {f"EKDIAL_{name}": value for name, value in ours.items()}


def run(folder: Path, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    """One run of `python server.py …` from beginning to end; a warning of ours ends it."""
    command = [sys.executable, *STRICTLY, str(ROOT / "server.py"), *arguments]
    return subprocess.run(  # noqa: S603 (our own program)
        command,
        cwd=folder,
        env=environment(folder, **given),
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN,
        check=False,
    )


class Running:
    """A process that serves at `url`; what it writes is in `said`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, address: str) -> None:
        self.process = process
        self._log = log
        self._address = re.compile(address)

    @property
    def said(self) -> str:
        """Everything it has written so far, on both streams."""
        return self._log.read_text()

    @property
    def url(self) -> str:
        """Where it listens; it is waited for."""
        while not (found := self._address.search(self.said)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)
                raise RuntimeError(f"it ended at once:\n{self.said}")
        return found[1]

    def told(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ends(self) -> int:
        """Its exit status, once it has ended."""
        return self.process.wait(ENDS_WITHIN)


@contextlib.contextmanager
def started(folder: Path, command: Sequence[str], address: str, **given: str) -> Iterator[Running]:
    """A process that runs for as long as the block, unless it ends before."""
    log = folder / f"log-{len(list(folder.glob('log-*')))}"
    with (
        log.open("wb") as out,
        subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, *STRICTLY, *command],
            cwd=ROOT,
            env=environment(folder, **given),
            stdout=out,
            stderr=out,
        ) as process,
    ):
        try:
            yield Running(process, log, address)
        finally:
            process.kill()


@contextlib.contextmanager
def serving(folder: Path, *arguments: str, **given: str) -> Iterator[Running]:
    """`python server.py` on a port that was free."""
    given = {"SERVER__PORT": "0", **given}
    with started(folder, ["server.py", *arguments], r"Ekdial listens on (\S+)", **given) as running:
        yield running


@contextlib.contextmanager
def gunicorn(folder: Path, *arguments: str, **given: str) -> Iterator[Running]:
    """`gunicorn server:worker` on a port that was free."""
    given = {"SERVER__PORT": "0", **given}
    command = ["-m", "gunicorn", "server:worker", *arguments]
    with started(folder, command, r"Listening at: (\S+)", **given) as running:
        yield running


def children_of(process: int) -> list[int]:
    """The processes that it has started, as Linux knows them."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
