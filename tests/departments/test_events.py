"""Events of departments' systems: signed, timely, done once; whatever else is posted is told what was wrong, never more."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import ClientSession, web
from sqlalchemy import select
from standardwebhooks import Webhook

from services.departments.events import Events
from services.departments.port import Taken
from services.departments.signing import key_of
from services.forgetting import Forgetting
from services.records.tables import application_events, audit, department_events
from tests.departments.office import CODE
from tests.fakes.department_server import SECRET, signed
from tests.grievances import House
from web.departments import routes

READY = {"status": "ready", "note": {"en": "Bring your old card.", "bn": "পুরোনো কার্ড আনুন।"}}


@pytest.fixture
def house(desk):
    return House(desk)


@asynccontextmanager
async def listening(hear, clock) -> AsyncIterator[str]:
    """The route by itself."""
    app = web.Application()
    app.add_routes(routes({CODE: [key_of(SECRET)], "dncc": [key_of(SECRET)]}, hear, clock))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/departments"
    finally:
        await runner.cleanup()


@pytest.fixture
async def posts(desk, house, clock):
    """Posts something as the department's system would; the status, and what was said."""
    moves = {"application": desk.filings.move, "complaint": house.cases.move}
    events = Events(desk.records, moves, clock=clock)
    async with listening(events.hear, clock) as url, ClientSession() as http:

        async def post(said, message="msg_1", code=CODE, **headers):
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            given = {**signed(message, body, clock().timestamp()), **headers}
            async with http.post(f"{url}/{code}/events", data=body, headers=given) as answer:
                return answer.status, await answer.json(content_type=None)

        yield post


def moved(number, **other):
    return {"type": "application.moved", "tracking_number": number, **READY, **other}


async def told(desk):
    return [text for _, _, text, _ in await desk.sent()]


async def test_an_application_is_moved_and_the_citizen_told(office, posts, desk):
    number = await office.applies()
    await desk.sent()
    assert await posts(moved(number)) == (200, {"done": "now"})
    filed = await desk.filings.filed(CODE, number)
    assert (filed.status, filed.note) == ("ready", READY["note"])
    assert await told(desk) == ["moved"]
    noted = await desk.records.read(select(audit).where(audit.c.act == "application_moved"))
    assert [(one.actor_kind, one.actor, one.channel) for one in noted] == [("department", CODE, "connector")]


async def test_what_the_library_of_standard_webhooks_signs_is_heard(office, posts, clock):
    body = json.dumps(moved(await office.applies()))
    signature = Webhook(SECRET).sign("msg_1", clock(), body)
    assert await posts(body.encode(), **{"webhook-signature": signature}) == (200, {"done": "now"})


async def test_an_event_that_is_told_again_is_done_no_second_time(office, posts, desk, clock):
    number = await office.applies()
    await desk.sent()
    await posts(moved(number))
    clock.moves(minutes=4)
    assert await posts(moved(number)) == (200, {"done": "before"})
    assert await posts({"type": "no matter what"}, "msg_2") != (200, {"done": "before"})
    assert await told(desk) == ["moved"]


async def test_one_told_by_ten_at_once_is_done_once(office, posts, desk):
    number = await office.applies()
    await desk.sent()
    answers = await asyncio.gather(*(posts(moved(number)) for _ in range(10)))
    assert {status for status, _ in answers} == {200}
    assert [said["done"] for _, said in answers].count("now") == 1
    assert await told(desk) == ["moved"]
    assert len((await desk.records.read(select(application_events))).all()) == 2


async def test_who_dies_between_doing_and_noting_it_does_it_once(office, posts, desk, monkeypatch):
    number = await office.applies()
    await desk.sent()

    async def dies(*_):
        raise OSError

    with monkeypatch.context() as dead:
        dead.setattr(Events, "_note", dies)
        assert (await posts(moved(number)))[0] == 500
    assert await posts(moved(number)) == (200, {"done": "before"})
    assert await told(desk) == ["moved"]


async def test_a_department_that_is_faster_than_we_note_is_heard(office, posts, desk):
    """It has the application, and moves it, before we have noted that it was delivered."""
    number = await office.applies()
    claimed = await office.claimed()
    assert await posts(moved(number)) == (200, {"done": "now"})
    assert await office.rows.settle(claimed, Taken("DEP-1"))
    assert (await desk.filings.filed(CODE, number)).status == "ready"


async def test_a_complaint_is_answered(office, posts, house):
    number = await house.complains()
    said = {"type": "complaint.moved", "complaint_number": number, "status": "answered", "note": {"en": "It is ready."}}
    assert await posts(said) == (200, {"done": "now"})
    assert await posts(said) == (200, {"done": "before"})
    case = await house.cases.one(CODE, number)
    assert (case.listed.status, case.note) == ("answered", {"en": "It is ready."})


@pytest.mark.parametrize(
    ("said", "status", "title"),
    [
        (b"{", 400, "Not JSON"),
        (b"", 400, "Not JSON"),
        (b"\xff", 400, "Not JSON"),
        ([], 422, "Not as it must be"),
        ({}, 422, "Not as it must be"),
        ({"type": "application.eaten"}, 422, "Not as it must be"),
        (moved("123"), 422, "Not as it must be"),
        (moved("123456789015", status="lost"), 422, "Not as it must be"),
        (moved("123456789015", note={"fr": "Oui"}), 422, "Not as it must be"),
        (moved("123456789015", note={"en": "x" * 161}), 422, "Not as it must be"),
        (moved("123456789015", note={"en": "\u0007"}), 422, "Not as it must be"),
        (moved("123456789015", more=1), 422, "Not as it must be"),
        (moved("123456789015"), 404, "Not found"),
        ({"type": "complaint.moved", "complaint_number": "123456789015", "status": "answered"}, 404, "Not found"),
        ({"type": "complaint.moved", "complaint_number": "123456789015", "status": "eaten"}, 422, "Not as it must be"),
        (b" " * 16_384 + b"{}", 413, "Not a body we take"),
    ],
)
async def test_what_cannot_be_done_is_said_and_leaves_no_trace(posts, desk, said, status, title):
    answered, problem = await posts(said)
    assert (answered, problem["title"], problem["status"]) == (status, title, status)
    assert await desk.count(department_events) == 0


async def test_what_is_wrong_is_told_with_its_place(posts):
    _, problem = await posts(moved("123456789015", note={"en": "x" * 161}, status="lost"))
    assert {one["where"] for one in problem["errors"]} == {"note.en", "status"}
    _, problem = await posts({"type": "application.eaten"})
    assert [one["where"] for one in problem["errors"]] == ["type"]


async def test_what_was_refused_can_be_told_again_when_it_has_become_true(office, posts, desk):
    number = await office.applies(department="dncc")
    assert (await posts(moved(number)))[0] == 404, "it is another department's"
    assert await posts(moved(number), code="dncc") == (200, {"done": "now"})


async def test_what_has_come_to_its_end_moves_no_further(office, posts):
    number = await office.applies()
    await posts(moved(number, status="delivered"))
    assert (await posts(moved(number), "msg_2"))[0] == 409


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-signature": "v1,c2VjcmV0"},
        {"webhook-signature": ""},
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": "0"},
        {"webhook-timestamp": "soon"},
    ],
)
async def test_what_is_not_signed_now_by_who_it_says_is_refused(office, posts, desk, headers):
    number = await office.applies()
    status, problem = await posts(moved(number), **headers)
    assert (status, problem["title"]) == (401, "Not signed")
    assert (await desk.filings.filed(CODE, number)).status == "received"


async def test_what_was_signed_six_minutes_ago_is_refused_though_it_was_never_heard(office, posts, clock):
    number = await office.applies()
    body = json.dumps(moved(number)).encode()
    old = signed("msg_1", body, clock().timestamp())
    clock.moves(minutes=6)
    assert (await posts(body, **old))[0] == 401


async def test_a_department_that_is_not_connected_is_nowhere(posts):
    status, problem = await posts(moved("123456789015"), code="nid")
    assert (status, problem["title"]) == (404, "Not connected")


async def test_other_methods_are_told_which_one_there_is(clock):
    async with listening(None, clock) as url, ClientSession() as http, http.get(f"{url}/{CODE}/events") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert answer.content_type == "application/problem+json"


async def test_ids_are_forgotten_when_no_repeat_can_come_any_more(office, posts, desk, clock):
    await posts(moved(await office.applies()))
    clock.now += timedelta(days=29)
    forgetting = Forgetting(desk.records, clock=clock)
    await forgetting.step()
    assert await desk.count(department_events) == 1
    clock.now += timedelta(days=2)
    await forgetting.step()
    assert await desk.count(department_events) == 0
