"""What people think of a department, passed on to it: once for every period, counted, in their words and without their names."""

import asyncio
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import select

from services.pages import Span
from services.records.tables import feedback_digests
from tests.desk import RAHIMA
from tests.grievances import TELLS, WORDS, House, Offices, opinion

SESSIONS = count(1)


@pytest.fixture
def house(desk) -> House:
    return House(desk, every="day")


async def gives(house, *ratings, **other):
    given = (opinion(rating=rating, **other) for rating in ratings)
    return [await house.complaints.suggest(one, f"s{next(SESSIONS)}:1") for one in given]


async def test_a_day_that_is_over_is_one_letter_with_counts_average_and_words(house, clock):
    await gives(house, 5, 4, 1, None)
    assert await house.digests.step() == 0, "the day is not over yet"
    clock.moves(days=1)
    await gives(house, 3)
    assert [await house.digests.step() for _ in range(3)] == [1, 0, 0]
    ((address, text, facts),) = await house.letters()
    assert (address, text, facts["until"], facts["many"]) == (TELLS, "feedback", "2026-11-21", 4)
    assert (facts["rated"], facts["average"], facts["ratings"]) == (3, "3.3", "5: 1, 4: 1, 1: 1")
    assert facts["words"].splitlines()[0] == f"- 5/5 · Birth certificate · {WORDS}"
    assert facts["words"].splitlines()[3] == f"- Birth certificate · {WORDS}"
    assert RAHIMA not in str(facts)


async def test_what_was_passed_on_is_passed_on_once_and_its_number_says_so(house, clock):
    (number,) = await gives(house, 5)
    clock.moves(days=1)
    await house.digests.step()
    assert (await house.following.feedback(number)).passed_on
    clock.moves(days=1)
    assert await house.digests.step() == 0


async def test_a_week_ends_before_monday(desk, clock):
    house = House(desk, every="week")  # the clock stands on a Saturday
    await gives(house, 5)
    clock.moves(days=1, hours=11)
    assert await house.digests.step() == 0, "Sunday"
    clock.moves(hours=7)
    assert await house.digests.step() == 1, "Monday in Dhaka"


async def test_processes_that_look_at_once_write_one_letter(house, clock, records):
    await gives(house, 5, 5)
    clock.moves(days=1)
    assert sum(await asyncio.gather(*(house.digests.step() for _ in range(4)))) == 1
    assert len(await house.letters()) == 1
    assert len((await records.read(select(feedback_digests))).all()) == 1


async def test_what_comes_while_nothing_runs_is_in_the_next_letter(house, clock):
    for _ in range(3):
        await gives(house, 2)
        clock.moves(days=1)
    assert await house.digests.step() == 1
    ((_, _, facts),) = await house.letters()
    assert facts["many"] == 3


async def test_what_was_written_a_moment_too_late_waits_for_the_next_period(house, clock):
    await gives(house, 5)
    clock.moves(days=1)
    await house.digests.step()
    late = clock.now
    clock.now = late - timedelta(days=1)
    await gives(house, 1)
    clock.now = late
    assert await house.digests.step() == 0, "this period was written for"
    clock.moves(days=1)
    assert await house.digests.step() == 1
    assert [facts["many"] for _, _, facts in await house.letters()] == [1, 1]


class Dies:
    async def queue(self, *_) -> None:
        raise ConnectionResetError


async def test_a_process_that_dies_on_the_way_leaves_it_to_the_next(house, clock):
    await gives(house, 5)
    clock.moves(days=1)
    messages, house.digests._messages = house.digests._messages, Dies()
    with pytest.raises(ConnectionResetError):
        await house.digests.step()
    house.digests._messages = messages
    assert await house.digests.step() == 1


async def test_a_department_without_an_address_reads_it_by_the_api(desk, clock):
    house = House(desk, Offices(), every="day")
    numbers = await gives(house, 5, 1)
    clock.moves(days=1)
    assert await house.digests.step() == 0
    page = await house.cases.feedback("local_government", Span())
    assert [(one.number, one.rating, one.text) for one in page.items] == [
        (numbers[0], 5, WORDS),
        (numbers[1], 1, WORDS),
    ]
    assert (await house.cases.feedback("income_tax", Span())).items == ()


async def test_words_of_several_lines_are_one_and_none_are_left_out(house, clock):
    await gives(house, 4, text="first\r\nSubject: second")
    clock.moves(hours=1)
    await gives(house, 3, text="")
    clock.moves(days=1)
    await house.digests.step()
    ((_, _, facts),) = await house.letters()
    assert facts["words"] == "- 4/5 · Birth certificate · first Subject: second"
