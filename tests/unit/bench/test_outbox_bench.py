"""The benchmark of the outbox runs, and fails if a method does not send each SMS exactly once."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import outbox
from bench.outbox import Plan, SendRate, WrongCountError, measure, render_table
from bench.process import run_server
from tests.support.servers import DATABASE_VARIABLE, PostgresServer, free_port

ROOT = Path(__file__).parents[3]


def test_the_benchmark_runs_and_every_sms_is_sent_exactly_once(postgres_server: PostgresServer) -> None:
    environment = {**os.environ, DATABASE_VARIABLE: postgres_server.url}
    command = [sys.executable, "-m", "bench.outbox", "--quick"]
    run = subprocess.run(  # noqa: S603 - our own
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "300 SMS, each of them taken exactly once" in run.stdout
    rows = re.findall(r"^\| (.+?) \| +[\d,]+ \| ([\d.]+) \|", run.stdout, re.MULTILINE)
    assert [name for name, _ in rows] == [
        "the SDK's send, in threads",
        "requests.Session, one for each thread",
        "Ekdial's provider, without rows",
        "Ekdial's outbox, rows in SQLite",
        "Ekdial's outbox, rows in PostgreSQL",
    ]
    assert rows[0][1] == "1.00", "the SDK is what the others are beside"


@pytest.mark.parametrize(("times", "received"), [(0, "'requests': 0"), (2, "'requests': 6, 'different': 3")])
def test_a_lost_or_repeated_sms_ends_the_benchmark(times: int, received: str) -> None:
    port = free_port()

    def way(url: str, texts: outbox.Texts) -> SendRate:
        for _ in range(times):
            outbox.send_with_requests(url, texts)
        return SendRate(1, 1)

    with run_server(["-m", "bench.provider", str(port)], {}, port), pytest.raises(WrongCountError, match=received):
        measure({"wrong": way}, f"http://127.0.0.1:{port}", Plan(1, 3))


def test_a_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    sdk = [SendRate(100, 900), SendRate(200, 900), SendRate(50, 900)]
    ours = [SendRate(300, 100), SendRate(200, 200), SendRate(200, 300)]
    assert render_table({"sdk": sdk, "ours": ours}).splitlines()[2:] == [
        "| sdk | 100 | 1.00 | 900 |",
        "| ours | 200 | 3.00 | 200 |",
    ]
