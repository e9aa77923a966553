"""Applications: submitted once, followed by number, changed by their own department only."""

import asyncio
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from stdnum import damm

from core.reference_numbers import NumbersExhaustedError
from db.tables import application_events, applications, messages
from services.applications.models import (
    FINAL_STATUSES,
    STATUSES,
    ApplicationDetail,
    ApplicationReceipt,
    Status,
    StatusEvent,
)
from services.applications.status import ApplicationStatusReader
from services.applications.submission import ApplicationSubmission
from services.cases.models import StatusChanged, StatusRejected
from tests.support.services import CIPHER, KARIM, RAHIMA, birth_certificate_submission, render_text

LAND = "land"
OURS = "local_government"


@pytest.fixture
async def account(services):
    return await services.register()


@pytest.fixture
async def number(services, account):
    receipt = await services.applications.submit(birth_certificate_submission(account), "s1:30")
    await services.claim_sms()
    return receipt.tracking_number


async def test_an_application_gets_a_number_a_day_and_an_sms_with_both(services, account):
    receipt = await services.applications.submit(birth_certificate_submission(account), "s1:30")
    number = receipt.tracking_number
    assert receipt.promised == date(2026, 11, 28)
    assert len(number) == 12
    assert damm.is_valid(number)
    facts = {"service": "birth_certificate", "number": number, "date": "2026-11-21", "promised": "2026-11-28"}
    facts |= {"bring": [], "bring_to": "", "due": None, "to_pay_at": "", "to_pay_here": [5000, "BDT"]}
    assert await services.claim_sms() == [(RAHIMA, "bn", "received", facts)]
    assert await services.status_reader.find_status(number) == Status(
        number, "birth_certificate", "received", date(2026, 11, 21), date(2026, 11, 28), {}
    )


async def test_a_repeated_key_gets_the_same_receipt_and_no_second_sms(services, account):
    first = await services.applications.submit(birth_certificate_submission(account), "s1:30")
    again = await asyncio.gather(
        *(services.applications.submit(birth_certificate_submission(account), "s1:30") for _ in range(5))
    )
    assert set(again) == {first}
    assert [await services.count_rows(table) for table in (applications, application_events, messages)] == [1, 1, 1]


async def test_concurrent_submissions_with_one_key_are_one_application(services, account):
    receipts = await asyncio.gather(
        *(services.applications.submit(birth_certificate_submission(account), "s1:30") for _ in range(10))
    )
    assert len(set(receipts)) == 1
    assert [await services.count_rows(table) for table in (applications, application_events, messages)] == [1, 1, 1]


async def test_concurrent_applications_get_a_number_each(services, account):
    new = birth_certificate_submission(account)
    receipts = await asyncio.gather(*(services.applications.submit(new, f"s{call}:30") for call in range(60)))
    assert len({receipt.tracking_number for receipt in receipts}) == 60


async def test_a_number_that_is_in_use_is_drawn_again(services, account, monkeypatch):
    drawn = iter(["000000000000", "000000000000", "111111111111"])
    monkeypatch.setattr("core.reference_numbers.generate_tracking_number", lambda: next(drawn))
    receipts = [
        await services.applications.submit(birth_certificate_submission(account), idempotency_key)
        for idempotency_key in ("s1:30", "s2:30")
    ]
    assert [receipt.tracking_number for receipt in receipts] == ["000000000000", "111111111111"]


async def test_a_broken_random_source_raises_and_records_nothing(services, account, monkeypatch):
    monkeypatch.setattr("core.reference_numbers.generate_tracking_number", lambda: "000000000000")
    await services.applications.submit(birth_certificate_submission(account), "s1:30")
    with pytest.raises(NumbersExhaustedError, match="random source"):
        await services.applications.submit(birth_certificate_submission(account), "s2:30")
    assert await services.count_rows(messages) == 1


@pytest.mark.parametrize(
    ("moment", "zone", "promised"),
    [
        (datetime(2026, 11, 21, 17, 59, tzinfo=UTC), "Asia/Dhaka", date(2026, 11, 28)),
        (datetime(2026, 11, 21, 18, 0, tzinfo=UTC), "Asia/Dhaka", date(2026, 11, 29)),
        (datetime(2026, 11, 21, 18, 29, tzinfo=UTC), "Asia/Kolkata", date(2026, 11, 28)),
        (datetime(2026, 2, 25, 6, 0, tzinfo=UTC), "Asia/Dhaka", date(2026, 3, 4)),
        (
            datetime(2026, 10, 24, 21, 59, tzinfo=UTC),
            "Europe/Amsterdam",
            date(2026, 10, 31),
        ),  # the clocks go back that night
        (datetime(2026, 10, 24, 22, 1, tzinfo=UTC), "Europe/Amsterdam", date(2026, 11, 1)),
        (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), "Europe/Amsterdam", date(2026, 4, 5)),  # they went forward that day
        (datetime(2026, 3, 29, 22, 1, tzinfo=UTC), "Europe/Amsterdam", date(2026, 4, 6)),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_days_are_counted_in_the_departments_time_zone(services, account, moment, zone, promised):
    services.clock.now = moment
    zone_of = {"local_government": ZoneInfo(zone)}.__getitem__
    there = ApplicationSubmission(
        services.database, services.messages, CIPHER, render_text, zone_of, clock=services.clock
    )
    receipt = await there.submit(birth_certificate_submission(account), "s1:30")
    status = await ApplicationStatusReader(
        services.database, services.messages, render_text, zone_of, clock=services.clock
    ).find_status(receipt.tracking_number)
    assert (receipt.promised, status.promised) == (promised, promised)
    assert (promised - status.changed).days == 7


async def test_an_unknown_number_has_no_status(services):
    assert await services.status_reader.find_status("000000000000") is None


async def test_concurrent_lookups_each_find_their_own(services, account):
    receipts = [
        await services.applications.submit(birth_certificate_submission(account), f"s{call}:30") for call in range(5)
    ]
    numbers = [receipt.tracking_number for receipt in receipts] * 20 + ["000000000000"]
    followed = await asyncio.gather(*map(services.status_reader.find_status, numbers))
    assert [status and status.number for status in followed] == [*numbers[:-1], None]


async def test_own_applications_are_listed_newest_first_up_to_twenty(services, account):
    other = await services.register(KARIM, idempotency_key="s2:9")
    await services.applications.submit(birth_certificate_submission(other, KARIM), "s2:30")
    receipts = [
        await services.applications.submit(birth_certificate_submission(account), f"s3:{call}") for call in range(22)
    ]
    own = await services.status_reader.list_own(account)
    assert [status.number for status in own] == [receipt.tracking_number for receipt in receipts[:1:-1]]
    assert len(await services.status_reader.list_own(other)) == 1


async def test_a_status_is_sent_by_sms_once(services, number):
    sends = (services.status_reader.send_status(KARIM, number, "hi", "s9:5") for _ in range(3))
    assert await asyncio.gather(*sends) == [True] * 3
    [(to, language, text, facts)] = await services.claim_sms()
    assert (to, language, text) == (KARIM, "hi", "status")
    assert facts == {
        "number": number,
        "service": "birth_certificate",
        "status": "received",
        "note": {},
        "changed": "2026-11-21",
        "promised": "2026-11-28",
        "late": None,
        "delivery": None,
    }


async def test_the_sms_of_a_status_says_that_the_office_s_system_does_not_answer(services, number):
    async def waits(_: str) -> str:
        return "waiting"

    following = ApplicationStatusReader(
        services.database, services.messages, render_text, lambda _: UTC, find_delivery_state=waits
    )
    assert await following.send_status(KARIM, number, "hi", "s9:5")
    await services.department_applications.move(OURS, number, "under_review", {}, "key-1")
    assert await following.send_status(KARIM, number, "hi", "s9:6")
    states = [facts["delivery"] for _, _, text, facts in await services.claim_sms() if text == "status"]
    assert states == ["waiting", None], "an application whose status changed has arrived"


async def test_the_status_of_an_unknown_number_is_not_sent(services):
    assert not await services.status_reader.send_status(KARIM, "000000000000", "hi", "s9:5")
    assert await services.claim_sms() == []


async def test_a_department_reads_its_own_applications_and_no_others(services, number, clock):
    filed = await services.department_applications.get(OURS, number)
    assert isinstance(filed, ApplicationDetail)
    assert filed.form == {"child": "আয়েশা", "nid": "19950000000000001"}
    assert (filed.msisdn, filed.service, filed.status, filed.received) == (
        RAHIMA,
        "birth_certificate",
        "received",
        clock.now,
    )
    assert filed.events == (StatusEvent("received", {}, clock.now),)
    assert await services.department_applications.get(LAND, number) is None
    assert await services.department_applications.get(OURS, "000000000000") is None


async def test_a_changed_status_is_shown_by_tracking_and_sent_to_the_citizen(services, number, clock):
    clock.advance(days=2)
    note = {"en": "Bring two photographs", "bn": "দুটি ছবি আনুন"}
    moved = await services.department_applications.move(OURS, number, "ready", note, "key-1")
    assert moved == StatusChanged(number, "ready", note, clock.now)
    assert await services.status_reader.find_status(number) == Status(
        number, "birth_certificate", "ready", date(2026, 11, 23), date(2026, 11, 28), note
    )
    facts = {"number": number, "service": "birth_certificate", "status": "ready", "note": note}
    assert await services.claim_sms() == [(RAHIMA, "bn", "moved", facts)]
    filed = await services.department_applications.get(OURS, number)
    assert [event.status for event in filed.events] == ["received", "ready"]


async def test_the_citizen_is_notified_in_the_language_of_the_application(services, number):
    await services.accounts.choose_language(RAHIMA, "hi", "s7")
    await services.department_applications.move(OURS, number, "approved", {}, "key-1")
    assert (await services.claim_sms())[0][1] == "bn"


async def test_a_repeated_key_changes_the_status_once(services, number, clock):
    first = await services.department_applications.move(OURS, number, "ready", {"en": "a", "bn": "b"}, "key-1")
    clock.advance(minutes=5)
    await services.department_applications.move(OURS, number, "delivered", {}, "key-2")
    again = await services.department_applications.move(OURS, number, "ready", {"bn": "b", "en": "a"}, "key-1")
    assert again == StatusChanged(number, "ready", {"en": "a", "bn": "b"}, first.at, is_repeat=True)
    assert (await services.status_reader.find_status(number)).status == "delivered"
    assert len(await services.claim_sms()) == 2


async def test_concurrent_requests_with_one_key_change_the_status_once(services, number):
    both = await asyncio.gather(
        *(services.department_applications.move(OURS, number, "ready", {}, "key-1") for _ in range(8))
    )
    assert sorted(one.is_repeat for one in both) == [False] + [True] * 7
    assert await services.count_rows(application_events) == 2


@pytest.mark.parametrize(("status", "note"), [("approved", {}), ("ready", {"en": "Come on Monday"})])
async def test_a_key_used_for_another_change_is_a_conflict(services, number, status, note):
    await services.department_applications.move(OURS, number, "ready", {}, "key-1")
    assert await services.department_applications.move(OURS, number, status, note, "key-1") == StatusRejected(
        "conflict"
    )


async def test_a_key_is_for_one_application(services, account, number):
    other = (await services.applications.submit(birth_certificate_submission(account), "s2:30")).tracking_number
    await services.department_applications.move(OURS, number, "ready", {}, "key-1")
    assert await services.department_applications.move(OURS, other, "ready", {}, "key-1") == StatusRejected("conflict")
    assert (await services.status_reader.find_status(other)).status == "received"


async def test_one_key_for_concurrent_applications_changes_one(services, account):
    new = birth_certificate_submission(account)
    receipts = await asyncio.gather(*(services.applications.submit(new, f"s{call}:30") for call in range(8)))
    moves = (
        services.department_applications.move(OURS, receipt.tracking_number, "ready", {}, "key-1")
        for receipt in receipts
    )
    moved = await asyncio.gather(*moves)
    assert sorted(type(one).__name__ for one in moved) == ["StatusChanged"] + ["StatusRejected"] * 7
    assert {one for one in moved if isinstance(one, StatusRejected)} == {StatusRejected("conflict")}
    assert await services.count_rows(application_events) == 9


async def test_two_departments_may_use_the_same_key(services, account, number):
    theirs = (
        await services.applications.submit(birth_certificate_submission(account, department=LAND), "s2:30")
    ).tracking_number
    await services.department_applications.move(OURS, number, "ready", {}, "key-1")
    assert isinstance(await services.department_applications.move(LAND, theirs, "ready", {}, "key-1"), StatusChanged)


async def test_a_department_cannot_change_another_departments_application(services, number):
    assert await services.department_applications.move(LAND, number, "ready", {}, "key-1") == StatusRejected("unknown")
    assert await services.department_applications.move(OURS, "000000000000", "ready", {}, "key-1") == StatusRejected(
        "unknown"
    )


async def test_an_unknown_status_is_rejected(services, number):
    assert await services.department_applications.move(OURS, number, "done", {}, "key-1") == StatusRejected(
        "no_such_status"
    )


async def test_every_status_can_be_set_and_two_are_final(services, account):
    for status in STATUSES:
        receipt = await services.applications.submit(birth_certificate_submission(account), f"s1:{status}")
        number = receipt.tracking_number
        change = await services.department_applications.move(OURS, number, status, {}, f"to {status} {number}")
        assert isinstance(change, StatusChanged)
        why = {"en": "A page was missing."}
        further = await services.department_applications.move(OURS, number, "under_review", why, f"on {number}")
        assert (
            further == StatusRejected("final")
            if status in {"delivered", "withdrawn"}
            else isinstance(further, StatusChanged)
        )


OPEN_STATUSES = [status for status in STATUSES if status not in FINAL_STATUSES]
RANKS = {"received": 0, "under_review": 1, "more_information": 1, "approved": 2, "rejected": 2, "ready": 3}


@pytest.mark.parametrize("current", OPEN_STATUSES)
async def test_no_status_goes_backwards_without_a_word_why(services, number, current):
    """A minor of section 4 of the field report: `ready`, then `received`, told the citizen "We have it"."""
    move = services.department_applications.move
    await move(OURS, number, current, {"en": "See the office."}, "to it")
    await services.claim_sms()
    for requested in OPEN_STATUSES:
        if RANKS[requested] < RANKS[current]:
            assert await move(OURS, number, requested, {}, f"no word {requested}") == StatusRejected("backwards")
    assert (await services.department_applications.get(OURS, number)).status == current
    assert await services.claim_sms() == []
    why = {"en": "We read the wrong file."}
    assert (await move(OURS, number, "received", why, "a word")).note == why
    assert len(await services.claim_sms()) == 1


async def test_the_same_status_again_without_a_note_tells_the_citizen_nothing_new(services, number):
    """A minor of section 4 of the field report: it sent another SMS."""
    move = services.department_applications.move
    first = await move(OURS, number, "ready", {"en": "Bring your card."}, "k1")
    await services.claim_sms()
    again = await move(OURS, number, "ready", {}, "k2")
    assert (again.is_repeat, again.note, again.at) == (True, {"en": "Bring your card."}, first.at)
    assert await services.claim_sms() == []
    assert not (await move(OURS, number, "ready", {"en": "We close at 4."}, "k3")).is_repeat
    assert len(await services.claim_sms()) == 1
    detail = await services.department_applications.get(OURS, number)
    assert [event.status for event in detail.events] == ["received", "ready", "ready"]


async def test_no_answer_of_a_form_is_stored_in_plain_text(services, number, database_url, tmp_path):
    await services.department_applications.move(OURS, number, "ready", {}, "key-1")
    rows = [
        (await services.database.fetch(select(table))).all() for table in (applications, application_events, messages)
    ]
    stored = str(rows).encode() + b"".join(file.read_bytes() for file in tmp_path.glob("ekdial.db*"))
    assert number.encode() in stored
    assert not [typed for typed in ("19950000000000001", "আয়েশা") if typed.encode() in stored]


async def test_a_form_copied_to_another_application_cannot_be_decrypted(services, account, number):
    other = (await services.applications.submit(birth_certificate_submission(account), "s2:30")).tracking_number
    assert (await services.department_applications.get(OURS, other)).form["child"] == "আয়েশা"
    form = select(applications.c.form).where(applications.c.tracking_number == number).scalar_subquery()
    async with services.database.transaction() as transaction:
        moved = applications.update().where(applications.c.tracking_number == other).values(form=form)
        await transaction.execute(moved)
    with pytest.raises(Exception, match="has another secret or context, or is damaged"):
        await services.department_applications.get(OURS, other)


def test_a_receipt_says_nothing_about_a_person():
    assert set(ApplicationReceipt.__slots__) == {"tracking_number", "promised", "is_repeat"}
    assert RAHIMA not in repr(birth_certificate_submission())


async def test_an_application_by_sms_gets_the_receipt_as_reply(services, account):
    new = birth_certificate_submission(account, channel="sms")
    assert [(await services.applications.submit(new, "sms/1:1")).is_repeat for _ in range(2)] == [False, True]
    await services.applications.submit(birth_certificate_submission(account), "s1:30")
    assert [one.kind for one in await services.messages.claim("w1", 10)] == ["receipt_reply", "receipt"]
