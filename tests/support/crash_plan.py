"""The plan by which a worker process kills itself with SIGKILL, and the fast clock that it uses."""

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class CrashPlan:
    """Where a worker works, its clock (`speed` seconds a second since `started_at`), and the step and count of its crash."""

    database: str
    server: str
    name: str
    started_at: float
    speed: float
    step: str = ""
    count: int = 0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def clock(self) -> datetime:
        """The current time of the plan; it is the same in every process."""
        return datetime.fromtimestamp(self.started_at, UTC) + timedelta(
            seconds=(time.time() - self.started_at) * self.speed
        )

    def monotonic(self) -> float:
        """Seconds of the plan's clock since its start, for what measures waits."""
        return (time.time() - self.started_at) * self.speed


class CrashTrigger:
    """Counts how often the process reaches the step of its plan, and kills it there."""

    def __init__(self, plan: CrashPlan) -> None:
        self._plan = plan
        self._count = 0

    def crash_if_due(self, step: str, count: int = 1) -> None:
        """Kill this process if it is at the step and the count of the plan."""
        if self.is_due(step, count):
            kill_this_process()

    def is_due(self, step: str, count: int = 1) -> bool:
        """Whether this process is at the step and the count of the plan."""
        if step != self._plan.step:
            return False
        self._count += count
        return self._count >= self._plan.count


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
