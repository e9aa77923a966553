"""Complaints and feedback in the department API: listed by what changed, read, answered once, and of one's own department."""

import asyncio

import pytest

from tests.grievances import WORDS, House
from tests.web.furnished import Ours, furnish
from tests.web.office import NOBODYS

ANSWER = {"status": "answered", "note": {"en": "We are sorry.", "bn": "আমরা দুঃখিত।"}}


@pytest.fixture
async def numbers(desk):
    """Tracking numbers and complaint numbers, five of each; every other complaint is about an application."""
    return await furnish(desk)


async def test_complaints_are_listed_by_change_without_a_word_of_a_person(offices, numbers):
    applied, complained = numbers

    items, last = await offices[0].reads_all("/complaints?limit=2")

    assert [item["complaint_number"] for item in items] == complained
    assert [item["tracking_number"] for item in items] == [None, applied[1], None, applied[3], None]
    assert set(items[0]) == {
        *("complaint_number", "service", "tracking_number", "reason", "status", "level"),
        *("promised", "received", "changed"),
    }
    assert last["next_since"]


async def test_a_complaint_is_read_in_the_citizens_own_words_and_by_its_own_department_alone(offices, numbers):
    ours, theirs = offices
    _, complained = numbers

    status, case = await ours.asks(f"/complaints/{complained[1]}")

    assert (status, case["text"], case["complaint_number"]) == (200, WORDS, complained[1])
    assert case["complainant"] == {"number": "+8801711000001", "language": "bn", "channel": "ussd"}
    assert [event["status"] for event in case["events"]] == ["received"]
    assert await theirs.asks(f"/complaints/{complained[1]}") == await ours.asks(f"/complaints/{NOBODYS}")
    assert (await theirs.reads_all("/complaints"))[0] == (await theirs.reads_all("/feedback"))[0] == []


async def test_an_answer_moves_it_once_and_to_the_end_of_the_list(offices, desk, numbers):
    _, complained = numbers
    answers = await asyncio.gather(*(offices[0].reports(complained[0], ANSWER, kind="complaints") for _ in range(4)))

    assert sorted(status for status, _ in answers) == [200, 200, 200, 201]
    assert all(body == answers[0][1] for _, body in answers)
    assert (answers[0][1]["status"], answers[0][1]["note"]) == ("answered", ANSWER["note"])
    items, _ = await offices[0].reads_all("/complaints")
    assert [item["complaint_number"] for item in items] == [*complained[1:], complained[0]]
    (answered,) = (await offices[0].reads_all("/complaints?status=answered"))[0]
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
    offices, numbers, event, status, title
):
    _, complained = numbers
    await offices[0].reports(complained[0], ANSWER, kind="complaints")

    answered, problem = await offices[0].reports(complained[0], event, kind="complaints")

    assert (answered, problem["title"]) == (status, title)


async def test_what_is_closed_moves_no_further(offices, numbers):
    _, complained = numbers
    assert (await offices[0].reports(complained[0], {"status": "closed"}, kind="complaints"))[0] == 201

    status, problem = await offices[0].reports(complained[0], ANSWER, key="key-2", kind="complaints")

    assert (status, problem["title"]) == (409, "Closed")


async def test_a_cursor_of_one_list_is_none_of_another(offices, numbers):
    _, page = await offices[0].asks("/complaints?limit=1")
    cursor = page["next"].partition("cursor=")[2]

    assert (await offices[0].asks(f"/complaints?cursor={cursor}"))[0] == 200
    for path in ("applications", "feedback"):
        assert (await offices[0].asks(f"/{path}?cursor={cursor}"))[0] == 400


async def test_feedback_comes_oldest_first_page_by_page_and_says_nothing_of_who_wrote_it(offices, desk, numbers):
    items, _ = await offices[0].reads_all("/feedback?limit=2")

    assert [(item["text"], item["rating"]) for item in items] == [
        (f"Words {place}", place + 1 if place % 2 else None) for place in range(5)
    ]
    assert "+880" not in str(items)
    later = items[3]["received"]
    since, _ = await offices[0].reads_all(f"/feedback?since={later}")
    assert since == items[3:]


async def test_what_concerns_no_department_is_in_nobodys_list(offices, desk):
    house = House(desk, Ours(House(desk).offices))
    await house.complains("n:1", service="")

    for office in offices:
        assert (await office.reads_all("/complaints"))[0] == []
