"""Gateways as processes of this run: `server.py serve`, each on a port of its own, with its log in a file."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.support.program import ROOT, build_environment
from tests.support.servers import free_port

TOKEN: Final = "a-webhook-token-of-the-chaos-run-that-is-long-enough"  # noqa: S105 - made up for the run
SECRET: Final = "a secret of the chaos run that is long enough"  # noqa: S105 - the same
START_TIMEOUT: Final = 180.0  # seconds; an idle machine needs four
STOP_TIMEOUT: Final = 60.0  # seconds
_LEVEL = re.compile(r"\blevel=(\w+) event=(\S+)")


class Gateway:
    """One gateway process. After `kill` and `start` it listens on the same port."""

    def __init__(self, *, folder: Path, environment: Mapping[str, str]) -> None:
        self.port, self.admin_port = free_port(), free_port()
        self._folder = folder
        self._environment = environment
        self._clock_variables: Mapping[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / f"gateway-{self.port}.log"

    def start(self) -> None:
        """Start the process; `wait_until_ready` says when it serves."""
        (self._folder / str(self.port)).mkdir(exist_ok=True)
        environment = build_environment(
            self._folder / str(self.port),
            SERVER__PORT=str(self.port),
            **{**self._environment, "SERVER__ADMIN_PORT": str(self.admin_port)},
        )
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, str(ROOT / "server.py"), "serve"],
                cwd=ROOT,
                env={**environment, **self._clock_variables},
                stdout=log,
                stderr=log,
            )

    def move_clock_by_file(self) -> Path | None:
        """Give the process that is started next a clock of its own: a file says by how many seconds it is ahead, at first 0.

        None where libfaketime is not installed.
        """
        library = next(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"), None)
        if library is None:
            return None
        file = self._folder / f"clock-{self.port}"
        file.write_text("+0", encoding="ascii")
        self._clock_variables = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        return file

    def wait_until_ready(self) -> None:
        """Return once the gateway says that it is ready.

        Raises:
            RuntimeError: it ended, or is not ready after `START_TIMEOUT` seconds; the message has its log.
        """
        until = time.monotonic() + START_TIMEOUT
        while not self.is_ready():
            if time.monotonic() > until or (self._process is not None and self._process.poll() is not None):
                raise RuntimeError(f"the gateway does not serve:\n{self.read_log()[-3000:]}")
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """True if the admin server says so."""
        with contextlib.suppress(OSError, urllib.error.URLError):
            url = f"http://127.0.0.1:{self.admin_port}/readyz"
            with urllib.request.urlopen(url, timeout=2) as response:
                return bool(response.status == 200)
        return False

    def kill(self) -> None:
        """Kill the process: SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT)
            self._process = None

    def terminate(self) -> None:
        """Ask the process to end: SIGTERM."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def wait_until_ended(self) -> int:
        """The exit status, once the process has ended."""
        if self._process is None:
            return 0
        status, self._process = self._process.wait(STOP_TIMEOUT), None
        return status

    def stop(self) -> None:
        """Ask the process to end, and kill it if it does not."""
        if self._process is not None:
            self.terminate()
            try:
                self.wait_until_ended()
            except subprocess.TimeoutExpired:
                self.kill()

    def limit_descriptors(self, limit: int) -> int:
        """Let the running process have so many open files; the limit before."""
        if self._process is None:
            return limit
        soft, hard = resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (limit, hard))
        return soft

    def count_descriptors(self) -> int:
        """The open files of the process."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir())) if self._process is not None else 0

    def resident_megabytes(self) -> float:
        """The memory of the process in MB; 0 while it is not there."""
        if self._process is None:
            return 0.0
        resident = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(resident) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_seconds(self) -> float:
        """The processor time of the process so far, in seconds."""
        if self._process is None:
            return 0.0
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")  # utime and stime

    def read_log(self) -> str:
        """Everything that the process has written."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def count_log_lines(self, start: int = 0) -> Counter[str]:
        """The lines of the log from this character on by `level event`, and the number of tracebacks as `traceback`."""
        text = self.read_log()[start:]
        counted = Counter(f"{level} {event}" for level, event in _LEVEL.findall(text))
        counted["traceback"] = text.count("Traceback (most recent call last)")
        return counted


def build_gateway_environment(*, database_url: str, redis_url: str, sms_url: str, **more: str) -> dict[str, str]:
    """The settings of a public gateway behind a proxy of this machine, that sends SMS to our own Africa's Talking."""
    return {
        "KEYS__SECRET": SECRET,
        "DATABASE__URL": database_url,
        "REDIS__URL": redis_url,
        "SERVER__PUBLIC_URL": "https://ekdial.example",
        "WEBHOOKS__TOKENS": TOKEN,
        "LANGUAGES__BY_COUNTRY": "{}",  # the scripts know the English screens
        "WEBHOOKS__TRUSTED_PROXIES": '["127.0.0.1"]',
        "SMS__PROVIDER": "africastalking",
        "PROVIDERS__AFRICASTALKING__USERNAME": "sandbox",
        "PROVIDERS__AFRICASTALKING__API_KEY": "atsk_made_up_for_tests",
        "PROVIDERS__AFRICASTALKING__BASE_URL": sms_url,
        **more,
    }
