"""Lists of the department API: complete over all pages, only the own department's, and fast at any length."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, text, update

from core.pagination import PagePosition, PageRequest, select_page
from db.tables import applications
from services.applications.models import STATUSES
from tests.support.department_api import OTHER_DEPARTMENT, OWN_DEPARTMENT
from tests.support.services import birth_certificate_submission

SERVICES = ("birth_certificate", "trade_licence")


@pytest.fixture
async def account(services):
    return await services.register()


async def submit_applications(services, account, count, **other):
    """Submit applications to our department, one a minute."""
    numbers = []
    for place in range(count):
        other_effect = f"s{place}:{other}"
        new = birth_certificate_submission(account, **{"department": OWN_DEPARTMENT, **other})
        numbers.append((await services.applications.submit(new, other_effect)).tracking_number)
        services.clock.advance(minutes=place % 2)
    return numbers


def numbers_in(items):
    return [item["tracking_number"] for item in items]


async def test_a_list_says_what_was_applied_for_and_nothing_of_a_person(department_clients, services, account):
    (number,) = await submit_applications(services, account, 1)

    status, page = await department_clients[0].get("/applications")

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
                "answered": None,
            }
        ],
        "next": None,
        "next_since": "2026-11-21T05:59:00Z",
    }


async def test_every_page_goes_on_behind_the_one_before_however_many_share_a_moment(
    department_clients, services, account
):
    numbers = await submit_applications(services, account, 11)

    for limit in (1, 3, 10, 11, 12):
        items, last = await department_clients[0].read_all_pages(f"/applications?limit={limit}")
        assert numbers_in(items) == numbers
        assert last["next_since"] == (services.clock.now - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")


async def test_an_application_that_moves_while_pages_are_read_comes_again_at_the_end(
    department_clients, services, account
):
    numbers = await submit_applications(services, account, 6)
    _, first = await department_clients[0].get("/applications?limit=3")
    services.clock.advance(hours=1)
    await department_clients[0].post_event(numbers[0], {"status": "under_review"})
    await department_clients[0].post_event(numbers[4], {"status": "ready"}, key="key-2")

    rest, _ = await department_clients[0].read_all_pages(first["next"].removeprefix("/api/v1"))

    assert numbers_in(first["items"]) == numbers[:3]
    assert numbers_in(rest) == [numbers[3], numbers[5], numbers[0], numbers[4]]
    assert [item["status"] for item in rest] == ["received", "received", "under_review", "ready"]


async def test_a_list_is_of_a_service_a_status_a_time_or_all_of_them(department_clients, services, account):
    births = await submit_applications(services, account, 3)
    noon = services.clock.now + timedelta(minutes=1)
    services.clock.advance(minutes=1)
    licences = await submit_applications(services, account, 3, service="trade_licence")
    services.clock.advance(minutes=1)
    await department_clients[0].post_event(births[1], {"status": "ready"})
    await department_clients[0].post_event(licences[1], {"status": "ready"}, key="key-2")

    async def listed(query):
        return numbers_in((await department_clients[0].read_all_pages(f"/applications?limit=2&{query}"))[0])

    since = noon.isoformat().replace("+00:00", "Z")
    assert await listed("service=birth_certificate") == [births[0], births[2], births[1]]
    assert await listed("status=ready") == [births[1], licences[1]]
    assert await listed("service=trade_licence&status=received") == [licences[0], licences[2]]
    assert await listed(f"since={since}") == [licences[0], licences[2], births[1], licences[1]]
    assert await listed(f"since={since}&service=birth_certificate&status=ready") == [births[1]]
    assert await listed(f"since={noon.isoformat().replace('+', '%2B')}&status=received") == [licences[0], licences[2]]
    assert await listed("service=&status=&since=&cursor=") == await listed("")
    assert await listed("service=passport") == []


async def test_a_key_lists_its_own_department_only(department_clients, services, account):
    ours = await submit_applications(services, account, 2)
    theirs = await submit_applications(services, account, 2, department=OTHER_DEPARTMENT, service="driving_licence")

    lists = [numbers_in((await client.read_all_pages("/applications"))[0]) for client in department_clients]

    assert lists == [ours, theirs]


async def test_who_asks_again_from_next_since_misses_nothing_that_was_being_written(
    department_clients, services, account
):
    numbers = await submit_applications(services, account, 2)
    late = services.clock.now - timedelta(seconds=3)
    _, page = await department_clients[0].get("/applications")
    (later,) = await submit_applications(services, account, 1, channel="sms")
    async with services.database.transaction() as transaction:  # its timestamp is older, its commit later than the list
        moment = {"changed_at": late, "created_at": late}
        await transaction.execute(update(applications).values(moment).where(applications.c.tracking_number == later))

    items, _ = await department_clients[0].read_all_pages(f"/applications?since={page['next_since']}")

    assert set(numbers_in(items)) == {later, *numbers}


# Cursors --------------------------------------------------------------------------------------------------------------


async def test_a_cursor_tells_nothing_and_is_good_for_its_query_and_key_alone(department_clients, services, account):
    await submit_applications(services, account, 4)
    _, page = await department_clients[0].get("/applications?limit=2&status=received")
    cursor = parse_qs(urlsplit(page["next"]).query)["cursor"][0]
    again = f"/applications?status=received&cursor={cursor}"

    assert (await department_clients[0].get(again))[0] == 200
    assert (await department_clients[0].get(f"{again}&limit=1"))[0] == 200
    for client, path in (
        (department_clients[1], again),
        (department_clients[0], f"/applications?cursor={cursor}"),
        (department_clients[0], f"/applications?status=ready&cursor={cursor}"),
        (department_clients[0], f"{again}&since=2026-01-01T00:00:00Z"),
        (department_clients[0], again.replace(cursor, cursor.swapcase())),
    ):
        status, problem = await client.get(path)
        assert (status, problem["title"]) == (400, "Cursor not known")


@pytest.mark.parametrize("cursor", ["0", "AAAA", "A" * 59, "%00", "২", "x" * 200, "-_-_", "eyJpZCI6IDF9"])
async def test_a_cursor_cannot_be_made_up(department_client, cursor):
    status, problem = await department_client.get(f"/applications?cursor={cursor}")

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
async def test_a_query_that_is_not_as_it_must_be_is_422_with_every_place(department_client, query, where):
    status, problem = await department_client.get(f"/applications?{query}")

    assert (status, [error["where"] for error in problem["errors"]]) == (422, where)
    assert all(error["problem"] for error in problem["errors"])


async def test_a_page_is_as_long_as_200_items_and_asked_for_at_once_by_many(department_clients, services, account):
    await submit_applications(services, account, 1)
    await copy_application(services, 450)

    pages = await asyncio.gather(*(department_clients[0].get("/applications?limit=200") for _ in range(5)))
    items, _ = await department_clients[0].read_all_pages("/applications?limit=200")

    assert {len(page["items"]) for _, page in pages} == {200}
    assert len(set(numbers_in(items))) == 451


# At any length ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [{}, {"service": "s1"}, {"status": "ready"}, {"service": "s1", "status": "ready"}])
async def test_a_page_walks_one_index_and_reads_no_row_it_does_not_give(services, account, wanted):
    await submit_applications(services, account, 1)
    await copy_application(services, 5000)
    those = {"department": OWN_DEPARTMENT, **wanted}
    asked = select(applications.c.id).where(*(applications.c[name] == value for name, value in those.items()))
    span = PageRequest(services.clock.now - timedelta(days=1), PagePosition(services.clock.now, 7), 50)
    statement = select_page(asked, applications.c.changed_at, applications.c.id, span)
    index = "_".join(("ix_applications_department", *wanted, "changed_at"))

    plan = await explain_plan(services.database, statement)

    assert index in plan
    assert not any(word in plan for word in ("Sort", "Seq Scan", "Filter", "TEMP B-TREE", "SCAN ")), plan


async def explain_plan(database, statement):
    """The query plan of the database."""
    asked = str(statement.compile(dialect=database._read_engine.dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN" if database.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
    found = await database.fetch(text(f"{explain} {asked}".replace(":", r"\:")))
    return "\n".join(" ".join(map(str, row)) for row in found)


async def copy_application(services, count):
    """Copy the only application: for ten services in turn, in eight statuses, with the same time."""
    (row,) = (await services.database.fetch(select(applications))).mappings()
    rows = [
        {
            **{name: value for name, value in row.items() if name != "id"},
            "tracking_number": f"{place:012}",
            "service": f"s{place % 10}",
            "status": STATUSES[place % len(STATUSES)],
            "idempotency_key": f"copy {place}",
        }
        for place in range(count)
    ]
    async with services.database.transaction() as transaction:
        await transaction.execute(services.database.insert(applications), rows)
        await transaction.execute(text("ANALYZE"))
