"""Complaints and feedback in the department API: listed, read, answered once, and only those of the own department."""

import asyncio

import pytest

from tests.support.api_records import SingleDepartmentPolicies, create_records
from tests.support.complaints import COMPLAINT_TEXT, ComplaintServiceSet
from tests.support.department_api import UNKNOWN_NUMBER

ANSWER = {"status": "answered", "note": {"en": "We are sorry.", "bn": "আমরা দুঃখিত।"}}


@pytest.fixture
async def numbers(services):
    """Tracking numbers and complaint numbers, five of each; every other complaint is about an application."""
    return await create_records(services)


async def test_complaints_are_listed_by_change_without_a_word_of_a_person(department_clients, numbers):
    applied, complained = numbers

    items, last = await department_clients[0].read_all_pages("/complaints?limit=2")

    assert [item["complaint_number"] for item in items] == complained
    assert [item["tracking_number"] for item in items] == [None, applied[1], None, applied[3], None]
    assert set(items[0]) == {
        *("complaint_number", "service", "tracking_number", "reason", "status", "level"),
        *("promised", "received", "changed"),
    }
    assert last["next_since"]


async def test_a_complaint_is_read_in_the_citizens_own_words_and_by_its_own_department_alone(
    department_clients, numbers
):
    ours, theirs = department_clients
    _, complained = numbers

    status, case = await ours.get(f"/complaints/{complained[1]}")

    assert (status, case["text"], case["complaint_number"]) == (200, COMPLAINT_TEXT, complained[1])
    assert case["complainant"] == {"number": "+8801711000001", "language": "bn", "channel": "ussd"}
    assert [event["status"] for event in case["events"]] == ["received"]
    assert await theirs.get(f"/complaints/{complained[1]}") == await ours.get(f"/complaints/{UNKNOWN_NUMBER}")
    assert (await theirs.read_all_pages("/complaints"))[0] == (await theirs.read_all_pages("/feedback"))[0] == []


async def test_an_answer_moves_it_once_and_to_the_end_of_the_list(department_clients, services, numbers):
    _, complained = numbers
    answers = await asyncio.gather(
        *(department_clients[0].post_event(complained[0], ANSWER, kind="complaints") for _ in range(4))
    )

    assert sorted(status for status, _ in answers) == [200, 200, 200, 201]
    assert all(body == answers[0][1] for _, body in answers)
    assert (answers[0][1]["status"], answers[0][1]["note"]) == ("answered", ANSWER["note"])
    items, _ = await department_clients[0].read_all_pages("/complaints")
    assert [item["complaint_number"] for item in items] == [*complained[1:], complained[0]]
    (answered,) = (await department_clients[0].read_all_pages("/complaints?status=answered"))[0]
    assert (answered["complaint_number"], answered["promised"]) == (complained[0], None)


@pytest.mark.parametrize(
    ("event", "status", "title"),
    [
        ({"status": "closed"}, 409, "Key used before"),
        ({"status": "escalated"}, 422, "Not as it must be"),
        ({"status": "answered", "note": {"fr": "Pardon"}}, 422, "Not as it must be"),
    ],
)
async def test_another_move_with_the_same_key_or_to_what_a_department_does_not_say_is_refused(
    department_clients, numbers, event, status, title
):
    _, complained = numbers
    await department_clients[0].post_event(complained[0], ANSWER, kind="complaints")

    answered, problem = await department_clients[0].post_event(complained[0], event, kind="complaints")

    assert (answered, problem["title"]) == (status, title)


async def test_an_answer_without_a_note_is_no_answer(department_clients, numbers):
    """4.3 of the field report."""
    _, complained = numbers
    status, problem = await department_clients[0].post_event(complained[0], {"status": "answered"}, kind="complaints")
    assert (status, problem["title"], [one["where"] for one in problem["errors"]]) == (422, "Note missing", ["note"])


async def test_what_is_closed_moves_no_further(department_clients, numbers):
    _, complained = numbers
    assert (await department_clients[0].post_event(complained[0], {"status": "closed"}, kind="complaints"))[0] == 201

    status, problem = await department_clients[0].post_event(complained[0], ANSWER, key="key-2", kind="complaints")

    assert (status, problem["title"]) == (409, "Closed")


async def test_a_cursor_of_one_list_is_none_of_another(department_clients, numbers):
    _, page = await department_clients[0].get("/complaints?limit=1")
    cursor = page["next"].partition("cursor=")[2]

    assert (await department_clients[0].get(f"/complaints?cursor={cursor}"))[0] == 200
    for path in ("applications", "feedback"):
        assert (await department_clients[0].get(f"/{path}?cursor={cursor}"))[0] == 400


async def test_feedback_comes_oldest_first_page_by_page_and_says_nothing_of_who_wrote_it(
    department_clients, services, numbers
):
    items, _ = await department_clients[0].read_all_pages("/feedback?limit=2")

    assert [(item["text"], item["rating"]) for item in items] == [
        (f"Words {place}", place + 1 if place % 2 else None) for place in range(5)
    ]
    assert "+880" not in str(items)
    later = items[3]["received"]
    since, _ = await department_clients[0].read_all_pages(f"/feedback?since={later}")
    assert since == items[3:]


async def test_what_concerns_no_department_is_in_nobodys_list(department_clients, services):
    complaint_services = ComplaintServiceSet(services, SingleDepartmentPolicies(ComplaintServiceSet(services).policies))
    await complaint_services.submit_complaint("n:1", service="")

    for office in department_clients:
        assert (await office.read_all_pages("/complaints"))[0] == []
