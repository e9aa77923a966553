"""`server.py departments` as seen in a terminal: health, rejected applications, retry."""

import asyncio
import re
from pathlib import Path

import pytest

from core.crypto import Cipher
from core.http.signatures import parse_secret
from db.database import Database
from db.migrate import upgrade
from services.departments.models import Rejected
from tests.fakes.department_server import DepartmentServer
from tests.support.department_deliveries import DeliveryServiceSet
from tests.support.program import SECRET, run_program
from tests.support.services import ManualClock, ServiceSet

pytestmark = pytest.mark.slow  # every test starts processes

WHY = ("--why", "ticket 4711", "--by", "nadia")
DNCC = '{"url": "http://127.0.0.1:1/ekdial", "token": "hunter2"}'


def test_each_department_is_listed_with_address_and_health(tmp_path: Path) -> None:
    listed = run_program(tmp_path, "departments", "list", DEPARTMENTS__DNCC=DNCC)
    assert listed.returncode == 0, listed.stderr
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in listed.stdout.splitlines()}
    assert lines["dncc"] == "http://127.0.0.1:1/ekdial does not answer: never arrived"
    assert lines["nid"] == "built-in registry answers"
    assert "hunter2" not in listed.stdout


def test_a_generated_webhook_secret_is_valid_and_new_each_time(tmp_path: Path) -> None:
    first, second = (run_program(tmp_path, "keys", "generate-webhook-secret").stdout.strip() for _ in range(2))
    assert first != second
    assert len(parse_secret(first)) == 32


def test_a_rejected_application_is_listed_and_can_be_sent_again(tmp_path: Path, clock, pins) -> None:
    number = asyncio.run(_create_rejected_delivery(tmp_path, clock, pins))
    shown = run_program(tmp_path, "departments", "rejected", KEYS__SECRET=SECRET)
    pattern = rf"{number} local_government \d{{4}}-\d\d-\d\d \d\d:\d\d HTTP 422 The mother's name is missing\.\n"
    assert re.fullmatch(pattern, shown.stdout), shown.stdout + shown.stderr
    again = run_program(
        tmp_path, "departments", "retry", f"{number[:4]} {number[4:8]} {number[8:]}", *WHY, KEYS__SECRET=SECRET
    )
    assert again.stdout == "The gateway sends it again with its next deliveries\n"
    twice = run_program(tmp_path, "departments", "retry", number, *WHY, KEYS__SECRET=SECRET)
    assert (twice.returncode, twice.stderr.count("\n")) == (2, 1)
    assert run_program(tmp_path, "departments", "rejected", KEYS__SECRET=SECRET).stdout == ""


async def _create_rejected_delivery(folder: Path, clock: ManualClock, pins) -> str:
    """An application that its department rejected, in the database of a gateway in this folder."""
    url = f"sqlite+aiosqlite:///{folder}/ekdial.db"
    await upgrade(url)
    async with Database(url) as database:
        services = ServiceSet(database, clock, pins, Cipher(SECRET.encode()))
        office = DeliveryServiceSet(services, DepartmentServer())
        await services.register()
        number = await office.submit_application()
        await office.deliveries_repository.record_result(
            await office.claim_one(), Rejected("HTTP 422", "The mother's name is missing.")
        )
        return number
