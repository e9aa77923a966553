"""The audit: written with what was done, never changed, and read as lines of which none can go missing unnoticed."""

import csv
import io
import json
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from services.audit import Audit, Who, act_of
from services.audit_lines import COLUMNS, MANY, WRITTEN, Wanted, acts, heading
from services.records.tables import audit
from tests.desk import RAHIMA, birth_certificate

CLERK = Who("department", "dncc", "api", {"key": "0a1b2c3d"})
OURS = "local_government"


async def noted(desk, *effects, act="application_read", subject="123456789015"):
    """An act for each effect, a second after one another."""
    for effect in effects:
        async with desk.records.transaction() as transaction:
            await Audit(desk.records, clock=desk.clock).note(
                transaction, act_of(CLERK, act, "application", subject, effect, status="ready")
            )
        desk.clock.moves(seconds=1)


async def read(desk, **wanted):
    return [values async for values in acts(desk.records, Wanted(**wanted))]


# Never changed --------------------------------------------------------------------------------------------------------

CHANGES = (
    "UPDATE audit SET actor = 'nobody'",
    "UPDATE audit SET act = 'nothing' WHERE id = 1",
    "DELETE FROM audit",
    "DELETE FROM audit WHERE id = 1",
)
OF_POSTGRESQL = ("TRUNCATE audit", "TRUNCATE audit CASCADE")
FORGED = "at, 'staff', 'x', act, subject_kind, subject, on_behalf_of, channel, details"
OF_SQLITE = (f"INSERT OR REPLACE INTO audit SELECT id, {FORGED}, effect || '!' FROM audit",)  # noqa: S608 (no word of it is anybody else's)
IGNORED = ("id", "id + 9")  # of an act that is known nothing is written, whatever its place would be


async def runs(desk, statement):
    async with desk.records.transaction() as transaction:
        await transaction.execute(text(statement))


async def test_what_is_written_is_neither_changed_nor_deleted_nor_replaced(desk):
    await noted(desk, "e1", "e2")
    before = await read(desk)

    for change in (*CHANGES, *(OF_SQLITE if desk.records.dialect == "sqlite" else OF_POSTGRESQL)):
        with pytest.raises(DBAPIError):
            await runs(desk, change)
    if desk.records.dialect == "sqlite":
        for place in IGNORED:
            await runs(desk, f"REPLACE INTO audit SELECT {place}, {FORGED}, effect FROM audit")  # noqa: S608

    assert await read(desk) == before


async def notes_and_fails(desk):
    async with desk.records.transaction() as transaction:
        await Audit(desk.records).note(transaction, act_of(CLERK, "application_read", "application", "1", "e"))
        raise ZeroDivisionError


async def test_an_act_is_written_with_what_was_done_or_neither_is(desk):
    with pytest.raises(ZeroDivisionError):
        await notes_and_fails(desk)
    assert await read(desk) == []


async def test_the_same_effect_is_noted_once(desk):
    await noted(desk, "e1", "e1", "e2")
    assert [act["effect"] for act in await read(desk)] == ["e1/application_read", "e2/application_read"]


# What is noted --------------------------------------------------------------------------------------------------------


async def done(desk):
    rows = (await desk.records.read(select(audit).order_by(audit.c.id))).all()
    return [(row.actor_kind, row.actor, row.act, row.subject, row.channel, row.details) for row in rows]


async def test_a_department_that_reads_and_moves_is_noted_with_its_key(desk):
    account = await desk.registers()
    number = (await desk.applications.submit(birth_certificate(account), "s1:30")).tracking_number
    await desk.filings.filed(OURS, number, by=CLERK)
    await desk.filings.filed(OURS, number, by=CLERK)
    assert await desk.filings.filed("land", number, by=CLERK) is None
    for _ in range(2):
        await desk.filings.move(OURS, number, "ready", {"en": "Come"}, "key-1", by=CLERK)
    await desk.filings.move(OURS, number, "rejected", {}, "key-1", by=CLERK)

    of_the_department = [row for row in await done(desk) if row[0] == "department"]

    by = {"key": "0a1b2c3d"}
    reads = [("department", "dncc", "application_read", number, "api", by)] * 2
    assert of_the_department == [
        *reads,
        ("department", "dncc", "application_moved", number, "api", {**by, "status": "ready"}),
    ]


async def test_lists_are_not_reads_for_they_say_nothing_of_a_person(desk):
    from services.pages import Span

    await desk.filings.listed(OURS, Span())
    assert await done(desk) == []


async def test_what_becomes_of_an_account_is_noted_with_ids_alone(desk, clock):
    account = await desk.registers()
    for place in range(6):
        await desk.accounts.sign_in(RAHIMA, "0000", f"s2:{place}")
    await desk.accounts.sign_in(RAHIMA, "0000", "s2:5")
    answers = ("Sonar Bangla School", "কুমিল্লা ৪")
    await desk.accounts.answer(RAHIMA, answers, "sms/7:1")
    await desk.accounts.change_pin(account, await desk.hashed("5938"), "sms/7:2")
    await desk.accounts.change_pin(account, await desk.hashed("5938"), "sms/7:2")

    assert await done(desk) == [
        ("citizen", str(account), act, str(account), channel, {})
        for act, channel in (("registered", "ussd"), ("locked", "ussd"), ("recovered", "sms"), ("pin_changed", "sms"))
    ]


async def test_nothing_of_a_person_is_in_it(desk):
    account = await desk.registers()
    number = (await desk.applications.submit(birth_certificate(account), "s1:30")).tracking_number
    await desk.filings.move(OURS, number, "ready", {"en": "Rahima, come"}, "key of Rahima", by=CLERK)
    kept = str((await desk.records.read(select(audit))).all())
    assert number in kept
    for personal in (RAHIMA, RAHIMA[-6:], "Rahima", "আয়েশা", "19950000000000001", "4821"):
        assert personal not in kept


# As lines -------------------------------------------------------------------------------------------------------------


async def test_every_act_is_a_line_however_many_share_a_moment(desk):
    async with desk.records.transaction() as transaction:
        for place in range(2 * MANY + 1):
            noting = act_of(CLERK, "application_read", "application", f"{place:012}", f"e{place}")
            await Audit(desk.records, clock=desk.clock).note(transaction, noting)

    assert [act["subject"] for act in await read(desk)] == [f"{place:012}" for place in range(2 * MANY + 1)]


async def test_lines_are_of_a_time_a_subject_or_both(desk, clock):
    begun = clock.now
    await noted(desk, "e0", "e1", subject="1")
    await noted(desk, "e2", "e3", subject="2")

    async def effects(**wanted):
        return "".join(act["effect"][1] for act in await read(desk, **wanted))

    assert await effects() == "0123"
    assert await effects(since=begun + timedelta(seconds=1)) == "123"
    assert await effects(until=begun + timedelta(seconds=3)) == "012"
    assert await effects(since=begun + timedelta(seconds=1), until=begun + timedelta(seconds=3)) == "12"
    assert await effects(subject="2") == "23"
    assert await effects(subject="2", since=begun + timedelta(seconds=3)) == "3"


async def test_csv_and_jsonl_say_the_same(desk):
    await noted(desk, "e0", "e1")
    found = await read(desk)

    lines = "".join([*heading("csv"), *map(WRITTEN["csv"], found)])
    rows = [{**row, "details": json.loads(row["details"])} for row in csv.DictReader(io.StringIO(lines))]
    objects = [json.loads(WRITTEN["jsonl"](act)) for act in found]

    assert list(heading("jsonl")) == []
    assert [{**one, "id": str(one["id"]), "on_behalf_of": one["on_behalf_of"] or ""} for one in objects] == rows
    assert tuple(objects[0]) == (*COLUMNS, "digest")


async def test_each_line_is_bound_to_those_before_it_as_the_page_tells(desk):
    """As docs/audit.md tells how to check a file."""
    await noted(desk, "e0", "e1", "e2")
    lines = [WRITTEN["jsonl"](act) for act in await read(desk)]

    def whole(lines):
        last = b""
        for line in lines:
            act = json.loads(line)
            digest = bytes.fromhex(act.pop("digest"))
            written = json.dumps(act, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            last = sha256(last + written.encode()).digest()
            if last != digest:
                return False
        return True

    assert whole(lines)
    assert not whole([lines[0], lines[2]])
    assert not whole([lines[1], lines[0], lines[2]])
    assert not whole([lines[0], lines[1].replace("dncc", "brta"), lines[2]])
    assert [act["digest"] for act in await read(desk)] == [json.loads(line)["digest"] for line in lines]
