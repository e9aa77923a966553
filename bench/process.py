"""Run a server in its own process, pin it to one processor, and measure it from outside."""

import math
import os
import socket
import subprocess  # nosec B404 # it starts our own program
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
HAS_PROC = Path("/proc/self/statm").exists()
PROCESSORS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
CAN_PIN = len(PROCESSORS) > 1
START_TIMEOUT, STOP_TIMEOUT = 90.0, 30.0  # seconds; an idle machine needs a fortieth


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server: its process and its port."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """Return the processor time of all its threads so far, in seconds; nan without /proc."""
        if not HAS_PROC:
            return math.nan
        after_its_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, after_its_name[11:13])) / os.sysconf("SC_CLK_TCK")  # utime and stime, fields 14 and 15

    def resident_megabytes(self) -> float:
        """Return its resident memory in MB; nan without /proc."""
        if not HAS_PROC:
            return math.nan
        resident = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(resident) * os.sysconf("SC_PAGE_SIZE") / 1e6


def pin_to_last_processor() -> str:
    """Pin this process and its stores to the last processor; servers get the first. Return a description."""
    if not CAN_PIN:
        return "servers, callers and stores share the processors"
    os.sched_setaffinity(0, PROCESSORS[-1:])
    return f"servers on CPU {PROCESSORS[0]}, callers and stores on CPU {PROCESSORS[-1]}"


@contextmanager
def run_server(arguments: Sequence[str], environment: Mapping[str, str], port: int) -> Iterator[ServerProcess]:
    """Run Python with these arguments and EKDIAL_ variables, and yield once it listens on the loopback port."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("EKDIAL_")}
    command, given = [sys.executable, *arguments], {**others, **environment}
    child = subprocess.Popen(command, cwd=ROOT, env=given, stdout=subprocess.DEVNULL)  # nosec B603  # noqa: S603 - our own
    try:
        if CAN_PIN:
            os.sched_setaffinity(child.pid, PROCESSORS[:1])
        _wait_until_listening(child, port)
        yield ServerProcess(child.pid, port)
    finally:
        _terminate(child)


def _wait_until_listening(child: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + START_TIMEOUT
    while not _is_listening(port):
        if child.poll() is not None:
            raise RuntimeError(f"{child.args} ended at once, with status {child.returncode}")
        if time.monotonic() > until:
            raise RuntimeError(f"{child.args} does not listen on port {port} after {START_TIMEOUT:g} s")
        time.sleep(0.05)


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _terminate(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        child.kill()
        raise
