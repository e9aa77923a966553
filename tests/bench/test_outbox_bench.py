"""The benchmark of the outbox runs, every way sends each SMS exactly once, and it says so loudly where one does not."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import outbox
from bench.outbox import Plan, Sent, WrongCount, measured, table
from bench.process import running
from tests.servers import DATABASE_VARIABLE, PostgresServer, free_port

ROOT = Path(__file__).parents[2]


def test_it_runs_and_every_sms_is_taken_exactly_once(postgres_server: PostgresServer) -> None:
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


@pytest.mark.parametrize(("times", "heard"), [(0, "'requests': 0"), (2, "'requests': 6, 'different': 3")])
def test_a_way_that_loses_an_sms_or_sends_one_twice_ends_it(times: int, heard: str) -> None:
    port = free_port()

    def way(url: str, texts: outbox.Texts) -> Sent:
        for _ in range(times):
            outbox.by_sessions(url, texts)
        return Sent(1, 1)

    with running(["-m", "bench.provider", str(port)], {}, port), pytest.raises(WrongCount, match=heard):
        measured({"wrong": way}, f"http://127.0.0.1:{port}", Plan(1, 3))


def test_ratios_are_medians_of_the_rounds_ratios_and_not_ratios_of_medians() -> None:
    sdk = [Sent(100, 900), Sent(200, 900), Sent(50, 900)]
    ours = [Sent(300, 100), Sent(200, 200), Sent(200, 300)]
    assert table({"sdk": sdk, "ours": ours}).splitlines()[2:] == [
        "| sdk | 100 | 1.00 | 900 |",
        "| ours | 200 | 3.00 | 200 |",
    ]
