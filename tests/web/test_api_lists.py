"""Lists of the department API: read page by page, nothing missed, nothing of another department, quick however long."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, text, update

from services.applications import STATUSES
from services.pages import Position, Span, part
from services.records.tables import applications
from tests.desk import birth_certificate
from tests.web.office import OURS, THEIRS

SERVICES = ("birth_certificate", "trade_licence")


@pytest.fixture
async def account(desk):
    return await desk.registers()


async def handed_in(desk, account, many, **other):
    """So many applications to our department, a minute between every two and the next."""
    numbers = []
    for place in range(many):
        other_effect = f"s{place}:{other}"
        new = birth_certificate(account, **{"department": OURS, **other})
        numbers.append((await desk.applications.submit(new, other_effect)).tracking_number)
        desk.clock.moves(minutes=place % 2)
    return numbers


def numbers_in(items):
    return [item["tracking_number"] for item in items]


async def test_a_list_says_what_was_applied_for_and_nothing_of_a_person(offices, desk, account):
    (number,) = await handed_in(desk, account, 1)

    status, page = await offices[0].asks("/applications")

    assert status == 200
    assert page == {
        "items": [
            {
                "tracking_number": number,
                "service": "birth_certificate",
                "office": "union_parishad",
                "status": "received",
                "promised": "2026-11-28",
                "received": "2026-11-21T06:00:00Z",
                "changed": "2026-11-21T06:00:00Z",
            }
        ],
        "next": None,
        "next_since": "2026-11-21T05:59:00Z",
    }


async def test_every_page_goes_on_behind_the_one_before_however_many_share_a_moment(offices, desk, account):
    numbers = await handed_in(desk, account, 11)

    for limit in (1, 3, 10, 11, 12):
        items, last = await offices[0].reads_all(f"/applications?limit={limit}")
        assert numbers_in(items) == numbers
        assert last["next_since"] == (desk.clock.now - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")


async def test_an_application_that_moves_while_pages_are_read_comes_again_at_the_end(offices, desk, account):
    numbers = await handed_in(desk, account, 6)
    _, first = await offices[0].asks("/applications?limit=3")
    desk.clock.moves(hours=1)
    await offices[0].reports(numbers[0], {"status": "under_review"})
    await offices[0].reports(numbers[4], {"status": "ready"}, key="key-2")

    rest, _ = await offices[0].reads_all(first["next"].removeprefix("/api/v1"))

    assert numbers_in(first["items"]) == numbers[:3]
    assert numbers_in(rest) == [numbers[3], numbers[5], numbers[0], numbers[4]]
    assert [item["status"] for item in rest] == ["received", "received", "under_review", "ready"]


async def test_a_list_is_of_a_service_a_status_a_time_or_all_of_them(offices, desk, account):
    births = await handed_in(desk, account, 3)
    noon = desk.clock.now + timedelta(minutes=1)
    desk.clock.moves(minutes=1)
    licences = await handed_in(desk, account, 3, service="trade_licence")
    desk.clock.moves(minutes=1)
    await offices[0].reports(births[1], {"status": "ready"})
    await offices[0].reports(licences[1], {"status": "ready"}, key="key-2")

    async def listed(query):
        return numbers_in((await offices[0].reads_all(f"/applications?limit=2&{query}"))[0])

    since = noon.isoformat().replace("+00:00", "Z")
    assert await listed("service=birth_certificate") == [births[0], births[2], births[1]]
    assert await listed("status=ready") == [births[1], licences[1]]
    assert await listed("service=trade_licence&status=received") == [licences[0], licences[2]]
    assert await listed(f"since={since}") == [licences[0], licences[2], births[1], licences[1]]
    assert await listed(f"since={since}&service=birth_certificate&status=ready") == [births[1]]
    assert await listed(f"since={noon.isoformat().replace('+', '%2B')}&status=received") == [licences[0], licences[2]]
    assert await listed("service=&status=&since=&cursor=") == await listed("")
    assert await listed("service=passport") == []


async def test_a_key_lists_its_own_department_only(offices, desk, account):
    ours = await handed_in(desk, account, 2)
    theirs = await handed_in(desk, account, 2, department=THEIRS, service="driving_licence")

    lists = [numbers_in((await office.reads_all("/applications"))[0]) for office in offices]

    assert lists == [ours, theirs]


async def test_who_asks_again_from_next_since_misses_nothing_that_was_being_written(offices, desk, account):
    numbers = await handed_in(desk, account, 2)
    late = desk.clock.now - timedelta(seconds=3)
    _, page = await offices[0].asks("/applications")
    (later,) = await handed_in(desk, account, 1, channel="sms")
    async with desk.records.transaction() as transaction:  # it took its moment first, and was committed after the list
        moment = {"changed_at": late, "created_at": late}
        await transaction.execute(update(applications).values(moment).where(applications.c.tracking_number == later))

    items, _ = await offices[0].reads_all(f"/applications?since={page['next_since']}")

    assert set(numbers_in(items)) == {later, *numbers}


# Cursors --------------------------------------------------------------------------------------------------------------


async def test_a_cursor_tells_nothing_and_is_good_for_its_query_and_key_alone(offices, desk, account):
    await handed_in(desk, account, 4)
    _, page = await offices[0].asks("/applications?limit=2&status=received")
    cursor = parse_qs(urlsplit(page["next"]).query)["cursor"][0]
    again = f"/applications?status=received&cursor={cursor}"

    assert (await offices[0].asks(again))[0] == 200
    assert (await offices[0].asks(f"{again}&limit=1"))[0] == 200
    for office, path in (
        (offices[1], again),
        (offices[0], f"/applications?cursor={cursor}"),
        (offices[0], f"/applications?status=ready&cursor={cursor}"),
        (offices[0], f"{again}&since=2026-01-01T00:00:00Z"),
        (offices[0], again.replace(cursor, cursor.swapcase())),
    ):
        status, problem = await office.asks(path)
        assert (status, problem["title"]) == (400, "Cursor not known")


@pytest.mark.parametrize("cursor", ["0", "AAAA", "A" * 59, "%00", "২", "x" * 200, "-_-_", "eyJpZCI6IDF9"])
async def test_a_cursor_cannot_be_made_up(office, cursor):
    status, problem = await office.asks(f"/applications?cursor={cursor}")

    assert (status, problem["title"]) == (400, "Cursor not known")


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("status=lost", ["status"]),
        ("service=Birth%20certificate", ["service"]),
        ("service=a%00", ["service"]),
        ("service=" + "x" * 65, ["service"]),
        ("since=yesterday", ["since"]),
        ("since=2026-11-21", ["since"]),
        ("since=1700000000", ["since"]),
        ("since=2026-11-21T00:00:00", ["since"]),
        ("since=2026-11-21T00:00:00+06:00", ["since"]),
        ("since=2026-02-30T00:00:00Z", ["since"]),
        ("limit=0", ["limit"]),
        ("limit=201", ["limit"]),
        ("limit=1_0", ["limit"]),
        ("limit=5.0", ["limit"]),
        ("limit=%20", ["limit"]),
        ("cursor=" + "x" * 201, ["cursor"]),
        ("page=2", ["page"]),
        ("status=ready&status=rejected", ["status"]),
        ("status=lost&limit=x", ["limit", "status"]),
    ],
)
async def test_a_query_that_is_not_as_it_must_be_is_422_with_every_place(office, query, where):
    status, problem = await office.asks(f"/applications?{query}")

    assert (status, [error["where"] for error in problem["errors"]]) == (422, where)
    assert all(error["problem"] for error in problem["errors"])


async def test_a_page_is_as_long_as_200_items_and_asked_for_at_once_by_many(offices, desk, account):
    await handed_in(desk, account, 1)
    await copied(desk, 450)

    pages = await asyncio.gather(*(offices[0].asks("/applications?limit=200") for _ in range(5)))
    items, _ = await offices[0].reads_all("/applications?limit=200")

    assert {len(page["items"]) for _, page in pages} == {200}
    assert len(set(numbers_in(items))) == 451


# However long it is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [{}, {"service": "s1"}, {"status": "ready"}, {"service": "s1", "status": "ready"}])
async def test_a_page_walks_one_index_and_reads_no_row_it_does_not_give(desk, account, wanted):
    await handed_in(desk, account, 1)
    await copied(desk, 5000)
    those = {"department": OURS, **wanted}
    asked = select(applications.c.id).where(*(applications.c[name] == value for name, value in those.items()))
    span = Span(desk.clock.now - timedelta(days=1), Position(desk.clock.now, 7), 50)
    statement = part(asked, applications.c.changed_at, applications.c.id, span)
    index = "_".join(("ix_applications_department", *wanted, "changed_at"))

    plan = await _plan(desk.records, statement)

    assert index in plan
    assert not any(word in plan for word in ("Sort", "Seq Scan", "Filter", "TEMP B-TREE", "SCAN ")), plan


async def _plan(records, statement):
    """How the database means to answer."""
    asked = str(statement.compile(dialect=records._reading.dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN" if records.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
    found = await records.read(text(f"{explain} {asked}".replace(":", r"\:")))
    return "\n".join(" ".join(map(str, row)) for row in found)


async def copied(desk, many):
    """The one application there is, so many times: of ten services in turn, in eight statuses, at the same moment."""
    (row,) = (await desk.records.read(select(applications))).mappings()
    rows = [
        {
            **{name: value for name, value in row.items() if name != "id"},
            "tracking_number": f"{place:012}",
            "service": f"s{place % 10}",
            "status": STATUSES[place % len(STATUSES)],
            "effect": f"copy {place}",
        }
        for place in range(many)
    ]
    async with desk.records.transaction() as transaction:
        await transaction.execute(desk.records.insert(applications), rows)
        await transaction.execute(text("ANALYZE"))
