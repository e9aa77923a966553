"""`server.py departments`: who answers, what was refused, and sending it again, as somebody in a terminal sees it."""

import asyncio
import re
from pathlib import Path

from sealing import Seal
from services.departments.port import Refused
from services.departments.signing import key_of
from services.records.database import Records
from services.records.migrate import upgrade
from tests.departments.office import Office
from tests.desk import Clock, Desk
from tests.fakes.department_server import DepartmentServer
from tests.program import SECRET, run

DNCC = '{"url": "http://127.0.0.1:1/ekdial", "token": "hunter2"}'


def test_each_department_is_listed_with_where_it_is_and_whether_it_answers(tmp_path: Path) -> None:
    listed = run(tmp_path, "departments", "list", DEPARTMENTS__DNCC=DNCC)
    assert listed.returncode == 0, listed.stderr
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in listed.stdout.splitlines()}
    assert lines["dncc"] == "http://127.0.0.1:1/ekdial does not answer: never arrived"
    assert lines["nid"] == "built-in registry answers"
    assert "hunter2" not in listed.stdout


def test_a_fresh_secret_to_sign_with_is_one(tmp_path: Path) -> None:
    first, second = (run(tmp_path, "keys", "webhook").stdout.strip() for _ in range(2))
    assert first != second
    assert len(key_of(first)) == 32


def test_what_was_refused_is_shown_and_can_be_sent_again(tmp_path: Path, clock, pins) -> None:
    number = asyncio.run(_refused(tmp_path, clock, pins))
    shown = run(tmp_path, "departments", "refused", KEYS__SECRET=SECRET)
    pattern = rf"{number} local_government \d{{4}}-\d\d-\d\d \d\d:\d\d HTTP 422 The mother's name is missing\.\n"
    assert re.fullmatch(pattern, shown.stdout), shown.stdout + shown.stderr
    again = run(tmp_path, "departments", "again", f"{number[:4]} {number[4:8]} {number[8:]}", KEYS__SECRET=SECRET)
    assert again.stdout == "It is sent again as soon as the gateway looks\n"
    twice = run(tmp_path, "departments", "again", number, KEYS__SECRET=SECRET)
    assert (twice.returncode, twice.stderr.count("\n")) == (2, 1)
    assert run(tmp_path, "departments", "refused", KEYS__SECRET=SECRET).stdout == ""


async def _refused(folder: Path, clock: Clock, pins) -> str:
    """An application that its department refused, in the database of a gateway in this folder."""
    url = f"sqlite+aiosqlite:///{folder}/ekdial.db"
    await upgrade(url)
    async with Records(url) as records:
        desk = Desk(records, clock, pins, Seal(SECRET.encode()))
        office = Office(desk, DepartmentServer())
        await desk.registers()
        number = await office.applies()
        await office.rows.settle(await office.claimed(), Refused("HTTP 422", "The mother's name is missing."))
        return number
