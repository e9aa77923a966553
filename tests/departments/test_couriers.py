"""Couriers: what is queued arrives, once; a system that is slow, down or wrong holds up itself and nobody else."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from services.departments.courier import wait_after
from services.departments.couriers import Couriers, at_work
from services.departments.deliveries import Later
from services.departments.line import FAILURES, Line
from services.departments.port import NotNow, Taken
from tests.departments.office import CODE, Office
from tests.fakes.department_server import hangs_up, late, problem, saying, silent, takes_and

OTHER = "dncc"


@pytest.fixture
async def many(office):
    """Twelve that wait."""
    return [await office.applies(f"s1:{number}") for number in range(12)]


def said(logs, *events):
    return [log["event"] for log in logs if log["event"] in events]


async def test_what_is_queued_arrives_and_its_reference_is_kept(office, server):
    async with office.at_work():
        number = await office.applies()
        await office.until("delivered", number)
    assert server.handed_in == {number: 1}
    assert server.faults == []


async def test_what_was_queued_while_nobody_worked_arrives_too(office, server, many):
    async with office.at_work():
        for number in many:
            await office.until("delivered", number)
    assert server.handed_in == dict.fromkeys(many, 1)


async def test_no_more_are_on_the_way_at_once_than_may_be(office, server, many):
    go = asyncio.Event()
    server.always("submit", late(go))
    async with office.at_work(office.courier(parallel=3)):
        await server.until(lambda: server.at_once == 3)
        go.set()
        for number in many:
            await office.until("delivered", number)
    assert server.most_at_once == 3


@pytest.mark.parametrize("wrong", ["says nothing", "hangs up", "HTTP 500", "rubbish", "another number"])
async def test_what_may_have_arrived_is_sent_again_and_is_one_application_there(office, server, clock, wrong):
    ways = {
        "says nothing": silent(server),
        "hangs up": hangs_up,
        "HTTP 500": saying(500),
        "rubbish": saying(201, b"{"),
        "another number": saying(201, {"tracking_number": "999999999999", "reference": "R"}),
    }
    server.then("submit", takes_and(server, ways[wrong]))
    number = await office.applies()
    async with office.at_work():
        await server.until(lambda: server.count("submit") == 1)
        await _until_due_later(office)
        clock.moves(seconds=2)
        await office.until("delivered", number)
    assert server.count("submit") == 2
    assert server.handed_in == {number: 1}
    assert server.faults == []


async def _until_due_later(office, state="queued"):
    async with asyncio.timeout(10):
        while (await office.rows.depth())[0].state != state:  # noqa: ASYNC110 - it is the database's doing
            await asyncio.sleep(0.01)


async def test_a_system_that_is_down_is_left_alone_but_for_one_question_in_each_pause(office, server, many):
    server.always("submit", saying(503)).always("health", saying(503))
    with capture_logs() as logs:
        async with office.at_work():
            await server.until(lambda: server.count("health") == 4)
            assert FAILURES <= server.count("submit") <= FAILURES + 3, "as many as were on the way when it fell silent"
            assert await office.rows.delivery_state(many[0]) == "waiting"
            server.always("submit", None).always("health", None)
            for number in many:
                await office.until("delivered", number)
    assert server.handed_in == dict.fromkeys(many, 1)
    told = said(logs, "a department's system does not answer", "a department's system answers again")
    assert told == ["a department's system does not answer", "a department's system answers again"], "once a change"


async def test_one_that_is_not_there_at_all_is_found_again_when_it_is(office, server, many):
    await server.stops()
    async with office.at_work():
        await _until_silent(office)
        await server.starts()
        for number in many:
            await office.until("delivered", number)
    assert server.handed_in == dict.fromkeys(many, 1)
    assert office.rows.silent == set()


async def _until_silent(office):
    async with asyncio.timeout(10):
        while not office.rows.silent:  # noqa: ASYNC110 - it is the couriers' doing
            await asyncio.sleep(0.01)


async def test_a_failure_that_is_noted_after_it_came_back_waits_no_longer(office, server, many):
    settle, noted = office.rows.settle, asyncio.Event()

    async def notes_late(claimed, ended):
        if isinstance(ended, Later):
            await noted.wait()
        return await settle(claimed, ended)

    office.rows.settle = notes_late
    await server.stops()
    async with office.at_work():
        await _until_silent(office)
        await server.starts()
        await server.until(lambda: server.count("health") > 0 and not office.rows.silent)
        noted.set()
        for number in many:
            await office.until("delivered", number)


async def _stirred(office, times=10):
    """Return when the courier was stirred so often for what is due: whatever it would send, it has sent."""
    looked, enough, due = 0, asyncio.Event(), office.rows.due

    async def looks():
        nonlocal looked
        looked += 1
        if looked > times:
            enough.set()
        return await due()

    office.rows.due = looks
    async with asyncio.timeout(20):
        await enough.wait()


async def test_when_it_is_back_one_application_goes_first(office, server, many):
    go = asyncio.Event()
    await server.stops()
    async with office.at_work():
        await _until_silent(office)
        server.always("submit", late(go))
        await server.starts()
        await server.until(lambda: server.count("submit") == 1)
        await _stirred(office)
        assert server.count("submit") == 1
        go.set()
        for number in many:
            await office.until("delivered", number)


async def test_one_that_comes_and_goes_gets_every_application_once(office, server, clock, many):
    for number in range(40):
        server.then("submit", *([takes_and(server, hangs_up), saying(502)] if number % 2 else [saying(500)]))
    async with office.at_work():
        async with asyncio.timeout(30):
            while await office.rows.depth():
                clock.moves(minutes=1)
                await asyncio.sleep(0.01)
    assert server.handed_in == dict.fromkeys(many, 1)
    assert server.faults == []


async def test_one_that_wants_to_be_asked_less_often_is(office, server, clock, many):
    server.then("submit", saying(429, **{"Retry-After": "60"}))
    async with office.at_work(office.courier(parallel=1)):
        await server.until(lambda: server.count("submit") == 1)
        await _stirred(office)
        assert server.count("submit") == 1
        clock.moves(seconds=61)
        for number in many:
            await office.until("delivered", number)
    assert office.rows.silent == set(), "it is not down"


async def test_one_that_does_not_let_us_in_is_told_to_a_person_once_and_nothing_is_lost(office, server, clock, many):
    server.token = "another token"
    with capture_logs() as logs:
        async with office.at_work():
            await server.until(lambda: server.count("health") == 3)
            assert {one.state for one in await office.rows.depth()} <= {"held", "queued"}
            server.token = "a token for tests"
            for number in many:
                await office.until("delivered", number)
    assert [log["log_level"] for log in logs if "let us in" in log["event"]] == ["critical"]


async def test_what_a_person_has_mended_is_sent_at_the_next_start(office, server):
    number = await office.applies()
    server.then("submit", saying(401))
    async with office.at_work():
        await server.until(lambda: server.count("submit") == 1)
        await _until_due_later(office, "held")
    async with office.at_work():
        await office.until("delivered", number)


async def test_a_refused_application_holds_up_no_other_and_is_an_alarm(office, server, many):
    async def refuses(_):
        return problem(422, "The mother's name is missing.")

    server.then("submit", refuses)
    with capture_logs() as logs:
        async with office.at_work(office.courier(parallel=1)):
            await office.until("refused", many[0])
            for number in many[1:]:
                await office.until("delivered", number)
    (alarm,) = [log for log in logs if log["log_level"] == "critical"]
    assert alarm["reason"] == "HTTP 422"
    assert "mother" not in str(logs)
    assert await office.rows.again(many[0], "staff-1", "console")
    async with office.at_work():
        await office.until("delivered", many[0])


async def test_a_department_that_hangs_holds_up_no_other(office, server, many):
    """The other department's applications are delivered while all places of the first are taken."""
    server.always("submit", silent(server))
    taken = asyncio.Event()

    class Quick:
        async def submit(self, application):
            taken.set()
            return Taken("D-1")

    rows = office.rows = office.deliveries({CODE: None, OTHER: None})
    await office.applies("s2:1", department=OTHER)
    quick = Line(OTHER, Quick(), rows.silent)
    other = office.courier(quick)
    async with office.at_work(office.courier(), other):
        await server.until(lambda: server.at_once == 4)
        async with asyncio.timeout(5):
            await taken.wait()
        assert server.at_once == 4


async def test_a_fault_of_ours_stops_nothing_and_says_nothing_personal(office, server, clock, many):
    class Faulty:
        failed = False

        async def submit(self, application):
            if not Faulty.failed:
                Faulty.failed = True
                raise RuntimeError(str(application.form))
            return await office.connector.submit(application)

    with capture_logs() as logs:
        async with office.at_work(office.courier(office.line(Faulty()))):
            for number in many[1:]:
                await office.until("delivered", number)
            clock.moves(minutes=1)
            await office.until("delivered", many[0])
    (line,) = [log for log in logs if log["event"] == "a connector failed"]
    assert line["error"] == "RuntimeError"
    assert "আয়েশা" not in str(logs)


async def test_an_end_that_could_not_be_noted_is_sent_again_under_the_same_key(office, server, clock, monkeypatch):
    number = await office.applies()

    async def database_is_away(*_):
        raise OSError

    monkeypatch.setattr("services.departments.courier.SETTLING", (0.0,))
    with monkeypatch.context() as away:
        away.setattr(office.rows, "settle", database_is_away)
        async with office.at_work():
            await server.until(lambda: server.count("submit") == 1)
    clock.moves(minutes=3)
    async with office.at_work():
        await office.until("delivered", number)
    assert server.count("submit") == 2
    assert server.handed_in == {number: 1}


async def test_at_a_stop_what_is_on_its_way_is_finished(office, server):
    number, go = await office.applies(), asyncio.Event()
    server.then("submit", late(go))
    async with office.at_work():
        await server.until(lambda: server.at_once == 1)
        asyncio.get_running_loop().call_later(0.05, go.set)
    assert await office.rows.delivery_state(number) == "delivered"


async def test_at_a_stop_what_takes_too_long_is_cut_short_and_sent_again(office, server, clock):
    number = await office.applies()
    server.then("submit", takes_and(server, silent(server)))
    async with office.at_work(office.courier(grace=0.05)):
        await server.until(lambda: server.at_once == 1)
    clock.moves(minutes=3)
    async with office.at_work():
        await office.until("delivered", number)
    assert server.handed_in == {number: 1}


async def test_what_waits_for_a_department_that_is_connected_no_more_is_an_alarm(office):
    await office.applies()
    office.rows = office.deliveries({})
    with capture_logs() as logs:
        async with at_work(Couriers(office.rows, [], idle=0.01, looked_after=0.01)):
            async with asyncio.timeout(5):
                while not logs:  # noqa: ASYNC110 - it is the couriers' doing
                    await asyncio.sleep(0.01)
    assert logs[0]["departments"] == [CODE]
    assert len(logs) == 1


async def test_handing_in_asks_the_department_nothing(office, server):
    """No key press waits for a department, however slow it is: handing in makes no request."""
    await office.applies()
    assert server.asked == []


# Those that tell nothing by themselves ---------------------------------------------------------------------------------


@pytest.fixture
async def asked(desk, server):
    """A department that is asked every hour."""
    async with Office(desk, server, looks=timedelta(hours=1)) as office:
        await desk.registers()
        yield office


async def delivered(office):
    number = await office.applies()
    async with office.at_work():
        await office.until("delivered", number)
    await office.desk.sent()
    return number


async def test_a_status_is_asked_for_when_it_is_time_and_moved_once(asked, server, clock):
    number = await delivered(asked)
    server.kept[number].status, server.kept[number].note = "ready", {"en": "Bring your old card."}
    looking = asked.looking()
    await looking.look()
    assert server.count("status") == 0, "it is not time"
    clock.moves(hours=1)
    await looking.look()
    await looking.look()
    assert server.count("status") == 1
    filed = await asked.desk.filings.filed(CODE, number)
    assert (filed.status, filed.note) == ("ready", {"en": "Bring your old card."})
    assert [text for _, _, text, _ in await asked.desk.sent()] == ["moved"]


async def test_what_has_not_moved_is_not_told(asked, server, clock):
    number = await delivered(asked)
    for _ in range(3):
        clock.moves(hours=1)
        await asked.looking().look()
    assert server.count("status") == 3
    assert await asked.desk.sent() == []
    assert len((await asked.desk.filings.filed(CODE, number)).events) == 1


@pytest.mark.parametrize("status", ["delivered", "withdrawn"])
async def test_what_has_come_to_its_end_is_asked_for_no_more(asked, server, clock, status):
    number = await delivered(asked)
    await asked.desk.filings.move(CODE, number, status, {}, "k1")
    for _ in range(2):
        clock.moves(hours=1)
        await asked.looking().look()
    assert server.count("status") == 0


async def test_what_has_not_moved_for_months_is_asked_for_no_more(asked, server, clock):
    await delivered(asked)
    clock.moves(days=91)
    await asked.looking().look()
    assert server.count("status") == 0


@pytest.mark.parametrize("answer", [saying(404), saying(200, b"{"), saying(500), hangs_up])
async def test_an_answer_that_is_none_changes_nothing_and_is_asked_for_again(asked, server, clock, answer):
    number = await delivered(asked)
    clock.moves(hours=1)
    server.then("status", answer, *[answer] * (answer is hangs_up))  # aiohttp itself asks a second time
    await asked.looking().look()
    assert (await asked.desk.filings.filed(CODE, number)).status == "received"
    server.kept[number].status = "under_review"
    clock.moves(hours=1)
    await asked.looking().look()
    assert (await asked.desk.filings.filed(CODE, number)).status == "under_review"


async def test_a_status_that_is_none_of_ours_is_told_to_a_person(asked, server, clock):
    number = await delivered(asked)
    server.kept[number].status = "lost"
    clock.moves(hours=1)
    with capture_logs() as logs:
        await asked.looking().look()
    assert [log["reason"] for log in logs] == ["no_such_status"]


async def test_a_department_that_is_told_to_tell_is_not_asked(office, server, clock):
    await delivered(office)
    clock.moves(days=7)
    assert await office.rows.looks(CODE, 10) == []


# How long to wait ------------------------------------------------------------------------------------------------------


def test_waits_grow_to_an_hour_and_differ_by_chance():
    waits = [wait_after(attempt, 0.0).total_seconds() for attempt in range(1, 30)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (2.0, 3600.0)
    assert wait_after(3, 0.999).total_seconds() == pytest.approx(4.0, abs=0.01)


async def test_a_line_that_failed_is_judged_by_what_its_next_answer_is(office):
    line = office.line()

    async def fails():
        raise NotNow("for a reason")

    for _ in range(2 * FAILURES):
        with pytest.raises(NotNow):
            await line.ask(fails())
    assert line.answers, "that it wants to be asked later is an answer"
