"""Delivery workers: each application arrives once; a slow or broken system delays no other department."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core.periodic import background
from services.departments.base import TemporaryError
from services.departments.circuit_breaker import MAX_FAILURES, DepartmentCircuit
from services.departments.delivery_supervisor import DeliverySupervisor
from services.departments.delivery_worker import BACKOFF
from services.departments.models import Accepted, RetryLater
from tests.fakes.department_server import accept_then, drop_connection, hang, problem_response, respond, respond_when
from tests.support.department_deliveries import CODE, DeliveryServiceSet
from tests.support.staff import staff_act

OTHER = "dncc"


@pytest.fixture
async def many_deliveries(delivery_services):
    """Twelve queued applications."""
    return [await delivery_services.submit_application(f"s1:{number}") for number in range(12)]


def log_events(logs, *events):
    return [log["event"] for log in logs if log["event"] in events]


async def test_what_is_queued_arrives_and_its_reference_is_kept(delivery_services, server):
    async with delivery_services.run_workers():
        number = await delivery_services.submit_application()
        await delivery_services.wait_until("delivered", number)
    assert server.submission_counts == {number: 1}
    assert server.problems == []


async def test_what_was_queued_while_nobody_worked_arrives_too(delivery_services, server, many_deliveries):
    async with delivery_services.run_workers():
        for number in many_deliveries:
            await delivery_services.wait_until("delivered", number)
    assert server.submission_counts == dict.fromkeys(many_deliveries, 1)


async def test_no_more_are_on_the_way_at_once_than_may_be(delivery_services, server, many_deliveries):
    go = asyncio.Event()
    server.respond_always_with("submit", respond_when(go))
    async with delivery_services.run_workers(delivery_services.build_worker(concurrency=3)):
        await server.wait_until(lambda: server.concurrent_requests == 3)
        go.set()
        for number in many_deliveries:
            await delivery_services.wait_until("delivered", number)
    assert server.max_concurrent_requests == 3


@pytest.mark.parametrize("wrong", ["says nothing", "hangs up", "HTTP 500", "rubbish", "another number"])
async def test_what_may_have_arrived_is_sent_again_and_is_one_application_there(
    delivery_services, server, clock, wrong
):
    ways = {
        "says nothing": hang(server),
        "hangs up": drop_connection,
        "HTTP 500": respond(500),
        "rubbish": respond(201, b"{"),
        "another number": respond(201, {"tracking_number": "999999999999", "reference": "R"}),
    }
    server.respond_with("submit", accept_then(server, ways[wrong]))
    number = await delivery_services.submit_application()
    async with delivery_services.run_workers():
        await server.wait_until(lambda: server.request_count("submit") == 1)
        await _until_due_later(delivery_services)
        clock.advance(seconds=2)
        await delivery_services.wait_until("delivered", number)
    assert server.request_count("submit") == 2
    assert server.submission_counts == {number: 1}
    assert server.problems == []


async def _until_due_later(office, state="queued"):
    async with asyncio.timeout(10):
        while (await office.deliveries_repository.depth())[0].state != state:  # noqa: ASYNC110 - it is the database's doing
            await asyncio.sleep(0.01)


async def test_a_system_that_is_down_is_left_alone_but_for_one_question_in_each_pause(
    delivery_services, server, many_deliveries
):
    server.respond_always_with("submit", respond(503)).respond_always_with("health", respond(503))
    with capture_logs() as logs:
        async with delivery_services.run_workers():
            await server.wait_until(lambda: server.request_count("health") == 4)
            assert MAX_FAILURES <= server.request_count("submit") <= MAX_FAILURES + 3, (
                "as many as were on the way when it fell silent"
            )
            assert await delivery_services.deliveries_repository.delivery_state(many_deliveries[0]) == "waiting"
            server.respond_always_with("submit", None).respond_always_with("health", None)
            for number in many_deliveries:
                await delivery_services.wait_until("delivered", number)
    assert server.submission_counts == dict.fromkeys(many_deliveries, 1)
    told = log_events(logs, "department_unreachable", "department_reachable_again")
    assert told == ["department_unreachable", "department_reachable_again"], "once a change"


async def test_one_that_is_not_there_at_all_is_found_again_when_it_is(delivery_services, server, many_deliveries):
    await server.stop()
    async with delivery_services.run_workers():
        await _until_silent(delivery_services)
        await server.start()
        for number in many_deliveries:
            await delivery_services.wait_until("delivered", number)
    assert server.submission_counts == dict.fromkeys(many_deliveries, 1)
    assert delivery_services.deliveries_repository.unreachable == set()


async def _until_silent(office):
    async with asyncio.timeout(10):
        while not office.deliveries_repository.unreachable:  # noqa: ASYNC110 - it is the couriers' doing
            await asyncio.sleep(0.01)


async def test_a_failure_that_is_noted_after_it_came_back_waits_no_longer(delivery_services, server, many_deliveries):
    settle, noted = delivery_services.deliveries_repository.record_result, asyncio.Event()

    async def notes_late(claimed, ended):
        if isinstance(ended, RetryLater):
            await noted.wait()
        return await settle(claimed, ended)

    delivery_services.deliveries_repository.record_result = notes_late
    await server.stop()
    async with delivery_services.run_workers():
        await _until_silent(delivery_services)
        await server.start()
        await server.wait_until(
            lambda: server.request_count("health") > 0 and not delivery_services.deliveries_repository.unreachable
        )
        noted.set()
        for number in many_deliveries:
            await delivery_services.wait_until("delivered", number)


async def _wait_for_wakeups(office, count=10):
    """Return after several wakeups of the worker: by then it has sent all it would send."""
    looked, enough, due = 0, asyncio.Event(), office.deliveries_repository.departments_due

    async def looks():
        nonlocal looked
        looked += 1
        if looked > count:
            enough.set()
        return await due()

    office.deliveries_repository.departments_due = looks
    async with asyncio.timeout(20):
        await enough.wait()


async def test_when_it_is_back_one_application_goes_first(delivery_services, server, many_deliveries):
    go = asyncio.Event()
    await server.stop()
    async with delivery_services.run_workers():
        await _until_silent(delivery_services)
        server.respond_always_with("submit", respond_when(go))
        await server.start()
        await server.wait_until(lambda: server.request_count("submit") == 1)
        await _wait_for_wakeups(delivery_services)
        assert server.request_count("submit") == 1
        go.set()
        for number in many_deliveries:
            await delivery_services.wait_until("delivered", number)


async def test_one_that_comes_and_goes_gets_every_application_once(delivery_services, server, clock, many_deliveries):
    for number in range(40):
        server.respond_with(
            "submit", *([accept_then(server, drop_connection), respond(502)] if number % 2 else [respond(500)])
        )
    async with delivery_services.run_workers():
        async with asyncio.timeout(30):
            while await delivery_services.deliveries_repository.depth():
                clock.advance(minutes=1)
                await asyncio.sleep(0.01)
    assert server.submission_counts == dict.fromkeys(many_deliveries, 1)
    assert server.problems == []


async def test_one_that_wants_to_be_asked_less_often_is(delivery_services, server, clock, many_deliveries):
    server.respond_with("submit", respond(429, **{"Retry-After": "60"}))
    async with delivery_services.run_workers(delivery_services.build_worker(concurrency=1)):
        await server.wait_until(lambda: server.request_count("submit") == 1)
        await _wait_for_wakeups(delivery_services)
        assert server.request_count("submit") == 1
        clock.advance(seconds=61)
        for number in many_deliveries:
            await delivery_services.wait_until("delivered", number)
    assert delivery_services.deliveries_repository.unreachable == set(), "it is not down"


async def test_one_that_does_not_let_us_in_is_told_to_a_person_once_and_nothing_is_lost(
    delivery_services, server, clock, many_deliveries
):
    server.token = "another token"
    with capture_logs() as logs:
        async with delivery_services.run_workers():
            await server.wait_until(lambda: server.request_count("health") == 3)
            assert {one.state for one in await delivery_services.deliveries_repository.depth()} <= {"held", "queued"}
            server.token = "a token for tests"
            for number in many_deliveries:
                await delivery_services.wait_until("delivered", number)
    assert [log["log_level"] for log in logs if log["event"] == "department_denies_access"] == ["critical"]


async def test_what_a_person_has_mended_is_sent_at_the_next_start(delivery_services, server):
    number = await delivery_services.submit_application()
    server.respond_with("submit", respond(401))
    async with delivery_services.run_workers():
        await server.wait_until(lambda: server.request_count("submit") == 1)
        await _until_due_later(delivery_services, "held")
    async with delivery_services.run_workers():
        await delivery_services.wait_until("delivered", number)


async def test_a_refused_application_holds_up_no_other_and_is_an_alarm(delivery_services, server, many_deliveries):
    async def refuses(_):
        return problem_response(422, "The mother's name is missing.")

    server.respond_with("submit", refuses)
    with capture_logs() as logs:
        async with delivery_services.run_workers(delivery_services.build_worker(concurrency=1)):
            await delivery_services.wait_until("refused", many_deliveries[0])
            for number in many_deliveries[1:]:
                await delivery_services.wait_until("delivered", number)
    (alarm,) = [log for log in logs if log["log_level"] == "critical"]
    assert alarm["reason"] == "HTTP 422"
    assert "mother" not in str(logs)
    assert await delivery_services.deliveries_repository.retry(many_deliveries[0], staff_act())
    async with delivery_services.run_workers():
        await delivery_services.wait_until("delivered", many_deliveries[0])


async def test_a_department_that_hangs_holds_up_no_other(delivery_services, server, many_deliveries):
    """The other department's applications are delivered while all places of the first are taken."""
    server.respond_always_with("submit", hang(server))
    taken = asyncio.Event()

    class Quick:
        async def submit(self, application):
            taken.set()
            return Accepted("D-1")

    rows = delivery_services.deliveries_repository = delivery_services.deliveries({CODE: None, OTHER: None})
    await delivery_services.submit_application("s2:1", department=OTHER)
    quick = DepartmentCircuit(OTHER, Quick(), rows.unreachable)
    other = delivery_services.build_worker(quick)
    async with delivery_services.run_workers(delivery_services.build_worker(), other):
        await server.wait_until(lambda: server.concurrent_requests == 4)
        async with asyncio.timeout(5):
            await taken.wait()
        assert server.concurrent_requests == 4


async def test_a_fault_of_ours_stops_nothing_and_says_nothing_personal(
    delivery_services, server, clock, many_deliveries
):
    class Faulty:
        failed = False

        async def submit(self, application):
            if not Faulty.failed:
                Faulty.failed = True
                raise RuntimeError(str(application.form))
            return await delivery_services.connector.submit(application)

    with capture_logs() as logs:
        async with delivery_services.run_workers(
            delivery_services.build_worker(delivery_services.build_circuit(Faulty()))
        ):
            for number in many_deliveries[1:]:
                await delivery_services.wait_until("delivered", number)
            clock.advance(minutes=1)
            await delivery_services.wait_until("delivered", many_deliveries[0])
    (line,) = [log for log in logs if log["event"] == "connector_failed"]
    assert line["error"] == "RuntimeError"
    assert "আয়েশা" not in str(logs)


async def test_an_end_that_could_not_be_noted_is_sent_again_under_the_same_key(
    delivery_services, server, clock, monkeypatch
):
    number = await delivery_services.submit_application()

    async def database_is_away(*_):
        raise OSError

    monkeypatch.setattr("services.departments.delivery_worker.DeliveryWorker.record_retry_delays", (0.0,))
    with monkeypatch.context() as away:
        away.setattr(delivery_services.deliveries_repository, "record_result", database_is_away)
        async with delivery_services.run_workers():
            await server.wait_until(lambda: server.request_count("submit") == 1)
    clock.advance(minutes=3)
    async with delivery_services.run_workers():
        await delivery_services.wait_until("delivered", number)
    assert server.request_count("submit") == 2
    assert server.submission_counts == {number: 1}


async def test_at_a_stop_what_is_on_its_way_is_finished(delivery_services, server):
    number, go = await delivery_services.submit_application(), asyncio.Event()
    server.respond_with("submit", respond_when(go))
    async with delivery_services.run_workers():
        await server.wait_until(lambda: server.concurrent_requests == 1)
        asyncio.get_running_loop().call_later(0.05, go.set)
    assert await delivery_services.deliveries_repository.delivery_state(number) == "delivered"


async def test_at_a_stop_what_takes_too_long_is_cut_short_and_sent_again(delivery_services, server, clock):
    number = await delivery_services.submit_application()
    server.respond_with("submit", accept_then(server, hang(server)))
    async with delivery_services.run_workers(delivery_services.build_worker(grace_period=0.05)):
        await server.wait_until(lambda: server.concurrent_requests == 1)
    clock.advance(minutes=3)
    async with delivery_services.run_workers():
        await delivery_services.wait_until("delivered", number)
    assert server.submission_counts == {number: 1}


async def test_what_waits_for_a_department_that_is_connected_no_more_is_an_alarm(delivery_services):
    await delivery_services.submit_application()
    delivery_services.deliveries_repository = delivery_services.deliveries({})
    with capture_logs() as logs:
        async with background(
            DeliverySupervisor(
                delivery_services.deliveries_repository, [], poll_interval=0.01, maintenance_interval=0.01
            ).run()
        ):
            async with asyncio.timeout(5):
                while not logs:  # noqa: ASYNC110 - it is the couriers' doing
                    await asyncio.sleep(0.01)
    assert logs[0]["departments"] == [CODE]
    assert len(logs) == 1


async def test_handing_in_asks_the_department_nothing(delivery_services, server):
    """No key press waits for a department, however slow it is: handing in makes no request."""
    await delivery_services.submit_application()
    assert server.requests == []


# Those that tell nothing by themselves ---------------------------------------------------------------------------------


@pytest.fixture
async def poller(services, server):
    """A department that is asked every hour."""
    async with DeliveryServiceSet(services, server, looks=timedelta(hours=1)) as delivery_services:
        await services.register()
        yield delivery_services


async def delivered_numbers(office):
    number = await office.submit_application()
    async with office.run_workers():
        await office.wait_until("delivered", number)
    await office.services.claim_sms()
    return number


async def test_a_status_is_asked_for_when_it_is_time_and_moved_once(poller, server, clock):
    number = await delivered_numbers(poller)
    server.applications[number].status, server.applications[number].note = "ready", {"en": "Bring your old card."}
    looking = poller.build_poller()
    await looking.poll()
    assert server.request_count("status") == 0, "it is not time"
    clock.advance(hours=1)
    await looking.poll()
    await looking.poll()
    assert server.request_count("status") == 1
    filed = await poller.services.department_applications.get(CODE, number)
    assert (filed.status, filed.note) == ("ready", {"en": "Bring your old card."})
    assert [text for _, _, text, _ in await poller.services.claim_sms()] == ["moved"]


async def test_what_has_not_moved_is_not_told(poller, server, clock):
    number = await delivered_numbers(poller)
    for _ in range(3):
        clock.advance(hours=1)
        await poller.build_poller().poll()
    assert server.request_count("status") == 3
    assert await poller.services.claim_sms() == []
    assert len((await poller.services.department_applications.get(CODE, number)).events) == 1


@pytest.mark.parametrize("status", ["delivered", "withdrawn"])
async def test_what_has_come_to_its_end_is_asked_for_no_more(poller, server, clock, status):
    number = await delivered_numbers(poller)
    await poller.services.department_applications.move(CODE, number, status, {}, "k1")
    for _ in range(2):
        clock.advance(hours=1)
        await poller.build_poller().poll()
    assert server.request_count("status") == 0


async def test_what_has_not_moved_for_months_is_asked_for_no_more(poller, server, clock):
    await delivered_numbers(poller)
    clock.advance(days=91)
    await poller.build_poller().poll()
    assert server.request_count("status") == 0


@pytest.mark.parametrize("answer", [respond(404), respond(200, b"{"), respond(500), drop_connection])
async def test_an_answer_that_is_none_changes_nothing_and_is_asked_for_again(poller, server, clock, answer):
    number = await delivered_numbers(poller)
    clock.advance(hours=1)
    server.respond_with("status", answer, *[answer] * (answer is drop_connection))  # aiohttp itself asks a second time
    await poller.build_poller().poll()
    assert (await poller.services.department_applications.get(CODE, number)).status == "received"
    server.applications[number].status = "under_review"
    clock.advance(hours=1)
    await poller.build_poller().poll()
    assert (await poller.services.department_applications.get(CODE, number)).status == "under_review"


async def test_a_status_that_is_none_of_ours_is_told_to_a_person(poller, server, clock):
    number = await delivered_numbers(poller)
    server.applications[number].status = "lost"
    clock.advance(hours=1)
    with capture_logs() as logs:
        await poller.build_poller().poll()
    assert [log["reason"] for log in logs] == ["no_such_status"]


async def test_a_department_that_is_told_to_tell_is_not_asked(delivery_services, server, clock):
    await delivered_numbers(delivery_services)
    clock.advance(days=7)
    assert await delivery_services.deliveries_repository.claim_status_queries(CODE, 10) == []


# How long to wait ------------------------------------------------------------------------------------------------------


def test_waits_grow_to_an_hour_and_differ_by_chance():
    waits = [BACKOFF.delay(attempt, 0.0).total_seconds() for attempt in range(1, 30)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (2.0, 3600.0)
    assert BACKOFF.delay(3, 0.999).total_seconds() == pytest.approx(4.0, abs=0.01)


async def test_a_line_that_failed_is_judged_by_what_its_next_answer_is(delivery_services):
    line = delivery_services.build_circuit()

    async def fails():
        raise TemporaryError("for a reason")

    for _ in range(2 * MAX_FAILURES):
        with pytest.raises(TemporaryError):
            await line.call(fails())
    assert line.is_available, "that it wants to be asked later is an answer"
