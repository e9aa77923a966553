"""The benchmark of the catalogue runs, checks every reply, and compares 10,000 services with 10."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.servers import REDIS_VARIABLE, RedisServer

ROOT = Path(__file__).parents[3]


def test_the_benchmark_runs_and_every_reply_is_right(redis_server: RedisServer) -> None:
    redis_server.empty()
    environment = {**os.environ, REDIS_VARIABLE: redis_server.url}
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "bench.catalogue", "--quick"]
    run = subprocess.run(  # noqa: S603 - our own
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "every one the right one" in run.stdout
    rows = re.findall(r"^\| ([\d,]+ services) \| +[\d,.]+ \| +([\d.]+) \|", run.stdout, re.MULTILINE)
    assert [name for name, _ in rows] == ["10 services", "10,000 services"] * 2
    assert [ratio for name, ratio in rows if name == "10 services"] == ["1.00", "1.00"]
