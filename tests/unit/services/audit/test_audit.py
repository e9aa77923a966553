"""The audit log: written with the act, append-only, and exported as lines that show every gap."""

import csv
import io
import json
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from db.tables import audit
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.export import BATCH_SIZE, COLUMNS, FORMATTERS, AuditFilter, header_lines, read_entries
from services.audit.models import Actor
from tests.support.services import RAHIMA, birth_certificate_submission

CLERK = Actor("department", "dncc", "api", {"key": "0a1b2c3d"})
OURS = "local_government"


async def record_acts(services, *effects, act="application_read", subject="123456789015"):
    """Record an act for each idempotency key, one second after the other."""
    for idempotency_key in effects:
        async with services.database.transaction() as transaction:
            await AuditLog(services.database, clock=services.clock).record(
                transaction, build_audit_entry(CLERK, act, "application", subject, idempotency_key, status="ready")
            )
        services.clock.advance(seconds=1)


async def read_export(services, **wanted):
    return [values async for values in read_entries(services.database, AuditFilter(**wanted))]


# Append-only --------------------------------------------------------------------------------------------------------

CHANGES = (
    "UPDATE audit SET actor = 'nobody'",
    "UPDATE audit SET act = 'nothing' WHERE id = 1",
    "DELETE FROM audit",
    "DELETE FROM audit WHERE id = 1",
)
OF_POSTGRESQL = ("TRUNCATE audit", "TRUNCATE audit CASCADE")
FORGED = "at, 'staff', 'x', act, subject_kind, subject, on_behalf_of, channel, details"
OF_SQLITE = (f"INSERT OR REPLACE INTO audit SELECT id, {FORGED}, idempotency_key || '!' FROM audit",)  # noqa: S608 - constants alone
IGNORED = ("id", "id + 9")  # an entry with a known key is ignored, whatever its id


async def run_statement(services, statement):
    async with services.database.transaction() as transaction:
        await transaction.execute(text(statement))


async def test_what_is_written_is_neither_changed_nor_deleted_nor_replaced(services):
    await record_acts(services, "e1", "e2")
    before = await read_export(services)

    for change in (*CHANGES, *(OF_SQLITE if services.database.dialect == "sqlite" else OF_POSTGRESQL)):
        with pytest.raises(DBAPIError):
            await run_statement(services, change)
    if services.database.dialect == "sqlite":
        for place in IGNORED:
            await run_statement(services, f"REPLACE INTO audit SELECT {place}, {FORGED}, idempotency_key FROM audit")  # noqa: S608

    assert await read_export(services) == before


async def record_and_fail(services):
    async with services.database.transaction() as transaction:
        await AuditLog(services.database).record(
            transaction, build_audit_entry(CLERK, "application_read", "application", "1", "e")
        )
        raise ZeroDivisionError


async def test_an_act_is_written_with_what_was_done_or_neither_is(services):
    with pytest.raises(ZeroDivisionError):
        await record_and_fail(services)
    assert await read_export(services) == []


async def test_the_same_effect_is_noted_once(services):
    await record_acts(services, "e1", "e1", "e2")
    assert [act["idempotency_key"] for act in await read_export(services)] == [
        "e1/application_read",
        "e2/application_read",
    ]


# What is recorded --------------------------------------------------------------------------------------------------------


async def recorded_actions(services):
    rows = (await services.database.fetch(select(audit).order_by(audit.c.id))).all()
    return [(row.actor_kind, row.actor, row.act, row.subject, row.channel, row.details) for row in rows]


async def test_a_department_that_reads_and_moves_is_noted_with_its_key(services):
    account = await services.register()
    number = (await services.applications.submit(birth_certificate_submission(account), "s1:30")).tracking_number
    await services.department_applications.get(OURS, number, by=CLERK)
    await services.department_applications.get(OURS, number, by=CLERK)
    assert await services.department_applications.get("land", number, by=CLERK) is None
    for _ in range(2):
        await services.department_applications.move(OURS, number, "ready", {"en": "Come"}, "key-1", by=CLERK)
    await services.department_applications.move(OURS, number, "rejected", {}, "key-1", by=CLERK)

    of_the_department = [row for row in await recorded_actions(services) if row[0] == "department"]

    by = {"key": "0a1b2c3d"}
    reads = [("department", "dncc", "application_read", number, "api", by)] * 2
    assert of_the_department == [
        *reads,
        ("department", "dncc", "application_moved", number, "api", {**by, "status": "ready"}),
    ]


async def test_lists_are_not_reads_for_they_say_nothing_of_a_person(services):
    from core.pagination import PageRequest

    await services.department_applications.list_page(OURS, PageRequest())
    assert await recorded_actions(services) == []


async def test_what_becomes_of_an_account_is_noted_with_ids_alone(services, clock):
    account = await services.register()
    for place in range(6):
        await services.accounts.sign_in(RAHIMA, "0000", f"s2:{place}", vouched=True)
    await services.accounts.sign_in(RAHIMA, "0000", "s2:5", vouched=True)
    answers = ("Sonar Bangla School", "কুমিল্লা ৪")
    await services.accounts.sign_in_by_answers(RAHIMA, answers, "sms/7:1", vouched=True)
    await services.accounts.change_pin(account, await services.hash_secret("5938"), "sms/7:2", vouched=True)
    await services.accounts.change_pin(account, await services.hash_secret("5938"), "sms/7:2", vouched=True)

    assert await recorded_actions(services) == [
        ("citizen", str(account), act, str(account), channel, {})
        for act, channel in (("registered", "ussd"), ("locked", "ussd"), ("recovered", "sms"), ("pin_changed", "sms"))
    ]


async def test_nothing_of_a_person_is_in_it(services):
    account = await services.register()
    number = (await services.applications.submit(birth_certificate_submission(account), "s1:30")).tracking_number
    await services.department_applications.move(
        OURS, number, "ready", {"en": "Rahima, come"}, "key of Rahima", by=CLERK
    )
    kept = str((await services.database.fetch(select(audit))).all())
    assert number in kept
    for personal in (RAHIMA, RAHIMA[-6:], "Rahima", "আয়েশা", "19950000000000001", "4821"):
        assert personal not in kept


# The export -------------------------------------------------------------------------------------------------------------


async def test_every_act_is_a_line_however_many_share_a_moment(services):
    async with services.database.transaction() as transaction:
        for place in range(2 * BATCH_SIZE + 1):
            noting = build_audit_entry(CLERK, "application_read", "application", f"{place:012}", f"e{place}")
            await AuditLog(services.database, clock=services.clock).record(transaction, noting)

    assert [act["subject"] for act in await read_export(services)] == [
        f"{place:012}" for place in range(2 * BATCH_SIZE + 1)
    ]


async def test_lines_are_of_a_time_a_subject_or_both(services, clock):
    begun = clock.now
    await record_acts(services, "e0", "e1", subject="1")
    await record_acts(services, "e2", "e3", subject="2")

    async def effects(**wanted):
        return "".join(act["idempotency_key"][1] for act in await read_export(services, **wanted))

    assert await effects() == "0123"
    assert await effects(since=begun + timedelta(seconds=1)) == "123"
    assert await effects(until=begun + timedelta(seconds=3)) == "012"
    assert await effects(since=begun + timedelta(seconds=1), until=begun + timedelta(seconds=3)) == "12"
    assert await effects(subject="2") == "23"
    assert await effects(subject="2", since=begun + timedelta(seconds=3)) == "3"


async def test_csv_and_jsonl_say_the_same(services):
    await record_acts(services, "e0", "e1")
    found = await read_export(services)

    lines = "".join([*header_lines("csv"), *map(FORMATTERS["csv"], found)])
    rows = [{**row, "details": json.loads(row["details"])} for row in csv.DictReader(io.StringIO(lines))]
    objects = [json.loads(FORMATTERS["jsonl"](act)) for act in found]

    assert list(header_lines("jsonl")) == []
    assert [{**one, "id": str(one["id"]), "on_behalf_of": one["on_behalf_of"] or ""} for one in objects] == rows
    assert tuple(objects[0]) == (*COLUMNS, "digest")


async def test_each_line_is_bound_to_those_before_it_as_the_page_tells(services):
    """Check a file as docs/audit.md describes."""
    await record_acts(services, "e0", "e1", "e2")
    lines = [FORMATTERS["jsonl"](act) for act in await read_export(services)]

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
    assert [act["digest"] for act in await read_export(services)] == [json.loads(line)["digest"] for line in lines]
