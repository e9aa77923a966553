"""A server in a process of its own: started, kept to one processor, measured from outside, and ended."""

import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEASURED = Path("/proc/self/statm").exists()
PROCESSORS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
APART = len(PROCESSORS) > 1
STARTS_WITHIN, STOPS_WITHIN = 90.0, 30.0  # seconds; a fortieth of that on a machine that does nothing else


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs: its process, and the port it listens on."""

    pid: int
    port: int

    def cpu(self) -> float:
        """Seconds of processor time that all its threads have used so far; nan where there is no /proc."""
        if not MEASURED:
            return math.nan
        after_its_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, after_its_name[11:13])) / os.sysconf("SC_CLK_TCK")  # utime and stime, fields 14 and 15

    def megabytes(self) -> float:
        """What of it is in memory; nan where there is no /proc."""
        if not MEASURED:
            return math.nan
        resident = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(resident) * os.sysconf("SC_PAGE_SIZE") / 1e6


def keep_off() -> str:
    """Leaves the first processor to the servers; this process, and what it starts but them, take the last. In words."""
    if not APART:
        return "servers, callers and stores on the same processors, for nothing here keeps them apart"
    os.sched_setaffinity(0, PROCESSORS[-1:])
    return f"servers on CPU {PROCESSORS[0]}, callers and stores on CPU {PROCESSORS[-1]}"


@contextmanager
def running(arguments: Sequence[str], environment: Mapping[str, str], port: int) -> Iterator[Server]:
    """Python with these arguments and none of our settings but these, as soon as it listens on this loopback port."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("EKDIAL_")}
    command, given = [sys.executable, *arguments], {**others, **environment}
    child = subprocess.Popen(command, cwd=ROOT, env=given, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    try:
        if APART:
            os.sched_setaffinity(child.pid, PROCESSORS[:1])
        _wait_until_it_listens(child, port)
        yield Server(child.pid, port)
    finally:
        _end(child)


def _wait_until_it_listens(child: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while not _listens(port):
        if child.poll() is not None:
            raise RuntimeError(f"{child.args} ended at once, with status {child.returncode}")
        if time.monotonic() > until:
            raise RuntimeError(f"{child.args} does not listen on port {port} after {STARTS_WITHIN:g} s")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        raise
