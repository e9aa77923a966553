"""The lists of staff: newest first, of one department or of all, at any length from one index of each status."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from core.pagination import PagePosition, PageRequest
from db.tables import applications, complaints, feedback
from services.applications.models import STATUSES
from services.complaints.models import STATUSES as COMPLAINT_STATUSES
from tests.support.complaints import ComplaintServiceSet, build_feedback
from tests.support.services import birth_certificate_submission
from tests.support.sql_plans import explain_plan

OURS, THEIRS = "local_government", "land"
OFFICES = ("mirpur", "uttara")
SERVICES = ("birth_certificate", "trade_licence")
ROWS = 6000


@pytest.fixture
def complaint_services(services):
    return ComplaintServiceSet(services)


async def copy_row(services, table, count, numbers, **columns):
    """Copy the only row: every copy is a second older than the one before; `columns` give the values by place."""
    (row,) = (await services.database.fetch(table.select())).mappings()
    now = services.clock.now
    rows = []
    for place in range(count):
        times = {name: now - timedelta(seconds=place + 1) for name in ("created_at", "changed_at") if name in row}
        values = {name: find(place) for name, find in columns.items()}
        unique = {numbers: f"{place:012}", "idempotency_key": f"copy {place}"}
        rows.append({**{name: row[name] for name in row if name != "id"}, **times, **values, **unique})
    async with services.database.transaction() as transaction:
        await transaction.execute(services.database.insert(table), rows)
        await transaction.execute(text(f"ANALYZE {table.name}"))  # as both databases do by themselves, some time later


@pytest.fixture
async def many(services):
    """Applications of two departments, each with two offices and two services, in every status."""
    account = await services.register()
    await services.applications.submit(birth_certificate_submission(account), "s1:30")
    await copy_row(
        services,
        applications,
        ROWS,
        "tracking_number",
        department=lambda place: (OURS, THEIRS)[place % 2],
        office=lambda place: OFFICES[place // 2 % 2],
        service=lambda place: SERVICES[place // 4 % 2],
        status=lambda place: STATUSES[place // 8 % len(STATUSES)],
    )
    return services


async def read_pages(list_newest, limit=50, pages=3):
    """The items of the first pages."""
    items, position = [], None
    for _ in range(pages):
        page = await list_newest(PageRequest(None, position, limit))
        items += page.items
        position = page.next_position
        if position is None:
            break
    return items


FILTERS = [
    (None, {}),
    (None, {"status": "ready"}),
    (OURS, {}),
    (OURS, {"status": "ready"}),
    (OURS, {"service": "trade_licence"}),
    (OURS, {"service": "trade_licence", "status": "ready"}),
    (OURS, {"office": "uttara"}),
    (OURS, {"office": "uttara", "status": "ready"}),
    (OURS, {"office": "uttara", "service": "trade_licence"}),
    (OURS, {"office": "uttara", "service": "trade_licence", "status": "ready"}),
]


@pytest.mark.parametrize(("scope", "filters"), FILTERS)
async def test_applications_are_listed_newest_first_from_one_index(many, monkeypatch, scope, filters):
    def list_page(page):
        return many.department_applications.list_newest(scope, page, **filters)

    listed = await read_pages(list_page)

    conditions = [applications.c[name] == value for name, value in filters.items()]
    if scope:
        conditions.append(applications.c.department == scope)
    newest = applications.select().where(*conditions).order_by(applications.c.changed_at.desc()).limit(150)
    expected = [row.tracking_number for row in await many.database.fetch(newest)]
    assert len(expected) >= 90
    assert [item.tracking_number for item in listed] == expected
    expect_index(await explain_list(many, monkeypatch, list_page), "applications", find_index(scope, filters))


def find_index(scope, filters):
    """The index that a list with these filters reads."""
    if "office" in filters:
        places = [one for one in ("office", "service") if one in filters]
        return "_".join(("ix_applications", *places, "status_changed_at"))
    if scope:
        return "_".join(("ix_applications_department", *filters, "changed_at"))
    return "ix_applications_status_changed_at"


async def test_a_list_ends_at_the_day_that_it_begins_with(many, clock):
    since = clock.now - timedelta(seconds=20)
    page = await many.department_applications.list_newest(None, PageRequest(since))
    assert len(page.items) == 21
    assert page.next_position is None


async def test_applications_with_the_same_time_are_on_one_page_each(services):
    account = await services.register()
    for call in range(7):
        await services.applications.submit(birth_certificate_submission(account), f"s{call}:30")
    listed = await read_pages(lambda page: services.department_applications.list_newest(None, page), limit=2, pages=4)
    assert len({item.tracking_number for item in listed}) == len(listed) == 7


@pytest.mark.parametrize("name", ["service", "office"])
async def test_a_service_or_an_office_needs_its_department(services, name):
    with pytest.raises(ValueError, match="department"):
        await services.department_applications.list_newest(None, PageRequest(), **{name: "x"})


def expect_index(plan, table, index):
    """Every part of the plan reads this index in its order: rows are sorted only after each part has ended."""
    lines = plan.splitlines()
    reads = [place for place, line in enumerate(lines) if f"SEARCH {table} " in line or f" on {table}" in line]
    assert reads, plan
    assert all(index in lines[place] for place in reads), plan
    assert not any("TEMP B-TREE" in line for place in reads for line in lines[place + 1 : place + 2]), plan
    assert not any(word in plan for word in ("Seq Scan", "Bitmap", "Filter", f"SCAN {table}")), plan


async def explain_list(services, monkeypatch, list_page):
    """The plan of what a list asks the database."""
    asked = []
    fetch = services.database.fetch

    async def note(statement, *values):
        asked.append(statement)
        return await fetch(statement, *values)

    monkeypatch.setattr(services.database, "fetch", note)
    await list_page(PageRequest(None, PagePosition(services.clock.now, 7), 50))
    return await explain_plan(services.database, asked[0], {})


@pytest.mark.parametrize(
    ("scope", "status", "index"),
    [
        (None, "", "ix_complaints_status_changed_at"),
        (None, "answered", "ix_complaints_status_changed_at"),
        (OURS, "", "ix_complaints_department_changed_at"),
        (OURS, "answered", "ix_complaints_department_status_changed_at"),
    ],
)
async def test_a_list_of_complaints_is_newest_first_from_one_index(
    complaint_services, monkeypatch, scope, status, index
):
    services = complaint_services.services
    await complaint_services.submit_complaint()
    await copy_row(
        services,
        complaints,
        ROWS,
        "complaint_number",
        department=lambda place: (OURS, THEIRS, "")[place % 3],
        status=lambda place: COMPLAINT_STATUSES[place // 3 % len(COMPLAINT_STATUSES)],
    )
    view = complaint_services.department_complaints

    def list_page(page):
        return view.list_newest(scope, page, status=status)

    listed = await read_pages(list_page)
    assert [one.changed for one in listed] == sorted({one.changed for one in listed}, reverse=True)
    assert len({one.number for one in listed}) == len(listed) == 150
    expect_index(await explain_list(services, monkeypatch, list_page), "complaints", index)


@pytest.mark.parametrize(
    ("scope", "index"), [(None, "ix_feedback_created_at"), (OURS, "ix_feedback_department_created_at")]
)
async def test_a_list_of_feedback_is_newest_first_from_one_index(complaint_services, monkeypatch, scope, index):
    services = complaint_services.services
    await complaint_services.complaints.submit_feedback(build_feedback(), "s1:9")
    (first,) = (await services.database.fetch(feedback.select())).mappings()
    await copy_row(
        services,
        feedback,
        ROWS,
        "feedback_number",
        department=lambda place: (OURS, THEIRS)[place % 2],
        text=lambda _: b"",
    )
    view = complaint_services.department_complaints
    monkeypatch.setattr(view, "_feedback_from_row", lambda row: row.feedback_number)

    listed = await read_pages(lambda page: view.list_newest_feedback(scope, page))
    assert listed[0] == first["feedback_number"]
    assert len(set(listed)) == len(listed) == 150
    expect_index(
        await explain_list(services, monkeypatch, lambda page: view.list_newest_feedback(scope, page)),
        "feedback",
        index,
    )
