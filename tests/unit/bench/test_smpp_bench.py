"""The benchmark of SMPP runs, and every SMS of it is accepted."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_the_benchmark_runs() -> None:
    command = [sys.executable, "-m", "bench.smpp", "--rounds", "1", "--messages", "60"]
    run = subprocess.run(  # noqa: S603 - our own
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    rows = re.findall(r"^\| (.+?) \| +([\d,]+) \| ([\d.]+) \|", run.stdout, re.MULTILINE)
    assert [name for name, _, _ in rows] == ["smpp34 bare", "link", "provider"]
    assert rows[0][2] == "1.00", "the bare client is what the others are beside"
