"""Events of departments: signed, timely, applied once; a bad request is told only what is wrong with it."""

import asyncio
import json
from datetime import timedelta

import pytest
from aiohttp import ClientSession
from sqlalchemy import select
from standardwebhooks import Webhook

from db.tables import application_events, audit, department_events
from services.departments.models import Accepted
from services.departments.webhooks import DepartmentEvents
from tests.fakes.department_server import SECRET, sign_headers
from tests.support.department_deliveries import CODE, run_webhook_route
from tests.support.retention import build_retention

READY = {"status": "ready", "note": {"en": "Bring your old card.", "bn": "পুরোনো কার্ড আনুন।"}}


def moved_event(number, **other):
    return {"type": "application.moved", "tracking_number": number, **READY, **other}


async def sms_texts(services):
    return [text for _, _, text, _ in await services.claim_sms()]


async def test_an_application_is_moved_and_the_citizen_told(delivery_services, post_webhook, services):
    number = await delivery_services.submit_application()
    await services.claim_sms()
    assert await post_webhook(moved_event(number)) == (200, {"done": "now"})
    filed = await services.department_applications.get(CODE, number)
    assert (filed.status, filed.note) == ("ready", READY["note"])
    assert await sms_texts(services) == ["moved"]
    noted = await services.database.fetch(select(audit).where(audit.c.act == "application_moved"))
    assert [(one.actor_kind, one.actor, one.channel) for one in noted] == [("department", CODE, "connector")]


async def test_what_the_library_of_standard_webhooks_signs_is_heard(delivery_services, post_webhook, clock):
    body = json.dumps(moved_event(await delivery_services.submit_application()))
    signature = Webhook(SECRET).sign("msg_1", clock(), body)
    assert await post_webhook(body.encode(), **{"webhook-signature": signature}) == (200, {"done": "now"})


async def test_an_event_that_is_told_again_is_done_no_second_time(delivery_services, post_webhook, services, clock):
    number = await delivery_services.submit_application()
    await services.claim_sms()
    await post_webhook(moved_event(number))
    clock.advance(minutes=4)
    assert await post_webhook(moved_event(number)) == (200, {"done": "before"})
    assert await post_webhook({"type": "no matter what"}, "msg_2") != (200, {"done": "before"})
    assert await sms_texts(services) == ["moved"]


async def test_one_told_by_ten_at_once_is_done_once(delivery_services, post_webhook, services):
    number = await delivery_services.submit_application()
    await services.claim_sms()
    answers = await asyncio.gather(*(post_webhook(moved_event(number)) for _ in range(10)))
    assert {status for status, _ in answers} == {200}
    assert [said["done"] for _, said in answers].count("now") == 1
    assert await sms_texts(services) == ["moved"]
    assert len((await services.database.fetch(select(application_events))).all()) == 2


async def test_who_dies_between_doing_and_noting_it_does_it_once(
    delivery_services, post_webhook, services, monkeypatch
):
    number = await delivery_services.submit_application()
    await services.claim_sms()

    async def dies(*_):
        raise OSError

    with monkeypatch.context() as dead:
        dead.setattr(DepartmentEvents, "_mark_done", dies)
        assert (await post_webhook(moved_event(number)))[0] == 500
    assert await post_webhook(moved_event(number)) == (200, {"done": "before"})
    assert await sms_texts(services) == ["moved"]


async def test_a_department_that_is_faster_than_we_note_is_heard(delivery_services, post_webhook, services):
    """It has the application, and moves it, before we have noted that it was delivered."""
    number = await delivery_services.submit_application()
    claimed = await delivery_services.claim_one()
    assert await post_webhook(moved_event(number)) == (200, {"done": "now"})
    assert await delivery_services.deliveries_repository.record_result(claimed, Accepted("DEP-1"))
    assert (await services.department_applications.get(CODE, number)).status == "ready"


async def test_a_complaint_is_answered(delivery_services, post_webhook, complaint_services):
    number = await complaint_services.submit_complaint()
    said = {"type": "complaint.moved", "complaint_number": number, "status": "answered", "note": {"en": "It is ready."}}
    assert await post_webhook(said) == (200, {"done": "now"})
    assert await post_webhook(said) == (200, {"done": "before"})
    case = await complaint_services.department_complaints.get(CODE, number)
    assert (case.summary.status, case.note) == ("answered", {"en": "It is ready."})


async def test_an_id_that_was_used_for_something_else_is_a_conflict(
    delivery_services, post_webhook, complaint_services, services
):
    """4.1 of the field report: a counter that restarts lost events, because they were answered as done before."""
    number, complaint = await delivery_services.submit_application(), await complaint_services.submit_complaint()
    first = moved_event(number)
    assert await post_webhook(first) == (200, {"done": "now"})
    complained = {"type": "complaint.moved", "complaint_number": complaint, "status": "under_review"}
    for other in (moved_event(number, status="approved"), moved_event(number, note={}), complained):
        status, problem = await post_webhook(other)
        assert (status, problem["title"]) == (409, "Id used before")
    assert await post_webhook(first) == (200, {"done": "before"})
    assert (await services.department_applications.get(CODE, number)).status == "ready"
    assert (await complaint_services.department_complaints.get(CODE, complaint)).summary.status == "received"
    assert await post_webhook(complained, "msg_2") == (200, {"done": "now"})


async def test_the_order_of_names_and_blanks_makes_no_other_event(delivery_services, post_webhook):
    event = moved_event(await delivery_services.submit_application())
    assert await post_webhook(event) == (200, {"done": "now"})
    turned = json.dumps(dict(reversed(event.items())), indent=2).encode()
    assert await post_webhook(turned) == (200, {"done": "before"})


@pytest.mark.parametrize("gone", ["the whole row", "its digest"])
async def test_an_id_without_a_digest_is_known_by_its_case(
    delivery_services, post_webhook, complaint_services, services, gone
):
    """A crash before the event was marked as done, and a row of an earlier version."""
    number, complaint = await delivery_services.submit_application(), await complaint_services.submit_complaint()
    first = moved_event(number)
    await post_webhook(first)
    old = department_events.update().values(digest=None) if gone == "its digest" else department_events.delete()
    async with services.database.transaction() as transaction:
        await transaction.execute(old)
    complained = {"type": "complaint.moved", "complaint_number": complaint, "status": "under_review"}
    for other in (moved_event(number, status="approved"), complained):
        assert (await post_webhook(other))[0] == 409
    assert await post_webhook(first) == (200, {"done": "before"})


async def test_an_old_id_whose_case_is_gone_is_a_conflict(delivery_services, post_webhook, services):
    async with services.database.transaction() as transaction:
        old = {"department": CODE, "webhook_id": "msg_1", "received_at": services.clock()}
        await transaction.execute(department_events.insert(), old)
    assert (await post_webhook(moved_event(await delivery_services.submit_application())))[0] == 409


@pytest.mark.parametrize(
    ("statuses", "title"), [(("under_review", "answered"), "Note missing"), (("ready", "received"), "Reason missing")]
)
async def test_a_note_that_is_missing_is_named_and_the_id_stays_free(
    post_webhook, complaint_services, delivery_services, statuses, title
):
    """4.3 of the field report, and the statuses that go backwards."""
    number, complaint = await delivery_services.submit_application(), await complaint_services.submit_complaint()
    complained = {"type": "complaint.moved", "complaint_number": complaint}
    before, status = statuses
    event = complained if status == "answered" else {"type": "application.moved", "tracking_number": number}
    await post_webhook({**event, "status": before}, "msg_0")
    code, problem = await post_webhook({**event, "status": status})
    assert (code, problem["title"], [one["where"] for one in problem["errors"]]) == (422, title, ["note"])
    assert await post_webhook({**event, "status": status, "note": {"en": "The wrong file."}}) == (200, {"done": "now"})


@pytest.mark.parametrize(
    ("said", "status", "title"),
    [
        (b"{", 400, "Not JSON"),
        (b"", 400, "Not JSON"),
        (b"\xff", 400, "Not JSON"),
        ([], 422, "Not as it must be"),
        ({}, 422, "Not as it must be"),
        ({"type": "application.eaten"}, 422, "Not as it must be"),
        (moved_event("123"), 422, "Not as it must be"),
        (moved_event("123456789015", status="lost"), 422, "Not as it must be"),
        (moved_event("123456789015", note={"fr": "Oui"}), 422, "Not as it must be"),
        (moved_event("123456789015", note={"en": "x" * 161}), 422, "Not as it must be"),
        (moved_event("123456789015", note={"en": "\u0007"}), 422, "Not as it must be"),
        (moved_event("123456789015", more=1), 422, "Not as it must be"),
        (moved_event("123456789015"), 404, "Not found"),
        ({"type": "complaint.moved", "complaint_number": "123456789015", "status": "answered"}, 404, "Not found"),
        ({"type": "complaint.moved", "complaint_number": "123456789015", "status": "eaten"}, 422, "Not as it must be"),
        (b" " * 16_384 + b"{}", 413, "Not a body we take"),
    ],
)
async def test_what_cannot_be_done_is_said_and_leaves_no_trace(post_webhook, services, said, status, title):
    answered, problem = await post_webhook(said)
    assert (answered, problem["title"], problem["status"]) == (status, title, status)
    assert await services.count_rows(department_events) == 0


async def test_what_is_wrong_is_told_with_its_place(post_webhook):
    _, problem = await post_webhook(moved_event("123456789015", note={"en": "x" * 161}, status="lost"))
    assert {one["where"] for one in problem["errors"]} == {"note.en", "status"}
    _, problem = await post_webhook({"type": "application.eaten"})
    assert [one["where"] for one in problem["errors"]] == ["type"]


async def test_what_was_refused_can_be_told_again_when_it_has_become_true(delivery_services, post_webhook, services):
    number = await delivery_services.submit_application(department="dncc")
    assert (await post_webhook(moved_event(number)))[0] == 404, "it is another department's"
    assert await post_webhook(moved_event(number), code="dncc") == (200, {"done": "now"})


async def test_what_has_come_to_its_end_moves_no_further(delivery_services, post_webhook):
    number = await delivery_services.submit_application()
    await post_webhook(moved_event(number, status="delivered"))
    assert (await post_webhook(moved_event(number), "msg_2"))[0] == 409


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
async def test_what_is_not_signed_now_by_who_it_says_is_refused(delivery_services, post_webhook, services, headers):
    number = await delivery_services.submit_application()
    status, problem = await post_webhook(moved_event(number), **headers)
    assert (status, problem["title"]) == (401, "Not signed")
    assert (await services.department_applications.get(CODE, number)).status == "received"


async def test_what_was_signed_six_minutes_ago_is_refused_though_it_was_never_heard(
    delivery_services, post_webhook, clock
):
    number = await delivery_services.submit_application()
    body = json.dumps(moved_event(number)).encode()
    old = sign_headers("msg_1", body, clock().timestamp())
    clock.advance(minutes=6)
    assert (await post_webhook(body, **old))[0] == 401


async def test_a_department_that_is_not_connected_is_nowhere(post_webhook):
    status, problem = await post_webhook(moved_event("123456789015"), code="nid")
    assert (status, problem["title"]) == (404, "Not connected")


async def test_other_methods_are_told_which_one_there_is(clock):
    async with (
        run_webhook_route(None, clock) as url,
        ClientSession() as http,
        http.get(f"{url}/{CODE}/events") as answer,
    ):
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert answer.content_type == "application/problem+json"


async def test_ids_are_forgotten_when_no_repeat_can_come_any_more(delivery_services, post_webhook, services, clock):
    await post_webhook(moved_event(await delivery_services.submit_application()))
    clock.now += timedelta(days=29)
    forgetting = build_retention(services.database, clock)
    await forgetting.delete_expired()
    assert await services.count_rows(department_events) == 1
    clock.now += timedelta(days=2)
    await forgetting.delete_expired()
    assert await services.count_rows(department_events) == 0
