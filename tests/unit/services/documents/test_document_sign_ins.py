"""Sign-ins for documents: codes, limits, repeats, and two people with one number."""

import asyncio
from datetime import timedelta

from sqlalchemy import select, update

from db.tables import document_checks, document_holders, document_sign_ins
from services.citizens.one_time_codes import MAX_SENDS_FOR_OTHERS
from services.documents.issuers.base import IssuerUnavailableError
from services.documents.sign_ins import CODE_TTL, REQUEST_WINDOW, SESSION_TTL
from tests.support.documents import AADHAAR, MSISDN, OTHER_AADHAAR, OTHER_MSISDN
from tests.support.retention import build_retention


def different_code(code):
    return f"{(int(code) + 1) % 10**6:06}"


async def test_in_the_sandbox_the_code_goes_to_the_caller_and_opens(sandbox_documents):
    answer = await sandbox_documents.request_sign_in("s1:3")
    assert (answer.outcome, answer.last_four) == ("sent", "2346")
    code = await sandbox_documents.latest_code(MSISDN)
    assert await sandbox_documents.sign_ins.find_session(answer.sign_in) is None
    assert await sandbox_documents.sign_ins.check_code(answer.sign_in, different_code(code), "s1:10") == "wrong"
    assert await sandbox_documents.sign_ins.check_code(answer.sign_in, code, "s1:17") == "right"
    assert await sandbox_documents.sign_ins.find_session(answer.sign_in)
    assert await sandbox_documents.sign_ins.check_code(answer.sign_in, code, "s1:24") == "gone"


async def test_who_types_anothers_number_gets_no_code_and_the_same_answer(sandbox_documents):
    answer = await sandbox_documents.request_sign_in("s1:3")
    await sandbox_documents.sign_ins.check_code(answer.sign_in, await sandbox_documents.latest_code(), "s1:10")
    theirs = await sandbox_documents.request_sign_in("s2:3", OTHER_MSISDN)
    unknown = await sandbox_documents.request_sign_in("s3:3", OTHER_MSISDN, OTHER_AADHAAR)
    assert theirs.outcome == unknown.outcome == "sent"
    sent = [(to, kind) for to, kind, _ in await sandbox_documents.claim_sms()]
    assert sent == [(MSISDN, "code"), (OTHER_MSISDN, "code")]
    assert await sandbox_documents.sign_ins.check_code(theirs.sign_in, "000000", "s2:10") == "wrong"
    assert await sandbox_documents.sign_ins.find_session(theirs.sign_in) is None


async def test_that_an_owner_gets_no_more_codes_is_told_to_nobody_else(sandbox_documents):
    answer = await sandbox_documents.request_sign_in("s1:3")
    await sandbox_documents.sign_ins.check_code(answer.sign_in, await sandbox_documents.latest_code(), "s1:10")
    for place in range(4):
        await sandbox_documents.codes.send(MSISDN, "bn", "register", f"s0:{place}")
    for place in range(MAX_SENDS_FOR_OTHERS + 2):
        stranger = f"+88018000000{place:02}"
        assert (await sandbox_documents.request_sign_in(f"s2{place}:3", stranger)).outcome == "sent"
    assert (await sandbox_documents.request_sign_in("s3:3")).outcome == "too_many"


async def test_a_code_for_one_number_does_not_open_another(sandbox_documents):
    one, two = (
        await sandbox_documents.request_sign_in("s1:3"),
        await sandbox_documents.request_sign_in("s1:9", aadhaar=OTHER_AADHAAR),
    )
    codes = [facts["code"] for _, kind, facts in await sandbox_documents.claim_sms() if kind == "code"]
    assert await sandbox_documents.sign_ins.check_code(one.sign_in, codes[1], "s1:16") in {"wrong", "gone"}
    assert await sandbox_documents.sign_ins.check_code(two.sign_in, codes[1], "s1:23") == "right"


async def test_of_two_who_prove_a_number_at_once_it_is_the_first_ones(sandbox_documents):
    mine, theirs = (
        await sandbox_documents.request_sign_in("s1:3"),
        await sandbox_documents.request_sign_in("s2:3", OTHER_MSISDN),
    )
    codes = {to: facts["code"] for to, _, facts in await sandbox_documents.claim_sms()}
    assert await sandbox_documents.sign_ins.check_code(mine.sign_in, codes[MSISDN], "s1:10") == "right"
    assert await sandbox_documents.sign_ins.check_code(theirs.sign_in, codes[OTHER_MSISDN], "s2:10") == "wrong"
    assert await sandbox_documents.sign_ins.find_session(theirs.sign_in) is None


async def test_a_key_press_heard_again_asks_and_checks_nothing_again(sandbox_documents):
    first = await asyncio.gather(*(sandbox_documents.request_sign_in("s1:3") for _ in range(6)))
    assert len({answer.sign_in for answer in first}) == 1
    assert {answer.outcome for answer in first} == {"sent"}
    [(_, _, facts)] = await sandbox_documents.claim_sms()
    wrong = [
        await sandbox_documents.sign_ins.check_code(first[0].sign_in, different_code(facts["code"]), "s1:10")
        for _ in range(9)
    ]
    right = await asyncio.gather(
        *(sandbox_documents.sign_ins.check_code(first[0].sign_in, facts["code"], "s1:17") for _ in range(6))
    )
    assert (set(wrong), set(right)) == ({"wrong"}, {"right"})


async def test_when_redis_has_lost_everything_a_replay_makes_the_code_on_the_phone_good_again(sandbox_documents, redis):
    answer = await sandbox_documents.request_sign_in("s1:3")
    code = await sandbox_documents.latest_code()
    await redis.flushdb()
    assert await sandbox_documents.request_sign_in("s1:3") == answer
    assert await sandbox_documents.claim_sms() == []
    assert await sandbox_documents.sign_ins.check_code(answer.sign_in, code, "s1:10") == "right"
    await redis.flushdb()
    assert await sandbox_documents.request_sign_in("s1:3") == answer
    assert await sandbox_documents.sign_ins.check_code(answer.sign_in, code, "s1:10") == "right", (
        "as it was answered before"
    )


async def test_five_times_an_hour_for_a_caller_whatever_the_number(scripted_documents):
    outcomes = [
        (await scripted_documents.request_sign_in(f"s1:{place}", aadhaar=f"{place:012}")).outcome for place in range(7)
    ]
    assert outcomes == ["sent"] * 5 + ["too_many"] * 2
    assert scripted_documents.issuer.calls == ["challenge"] * 5
    scripted_documents.clock.advance(seconds=REQUEST_WINDOW.total_seconds() + 1)
    assert (await scripted_documents.request_sign_in("s1:90")).outcome == "sent"


async def test_twenty_times_an_hour_for_a_number_whoever_the_caller(scripted_documents):
    outcomes = [
        (await scripted_documents.request_sign_in(f"s{place}:3", f"+88017000001{place:02}")).outcome
        for place in range(22)
    ]
    assert outcomes == ["sent"] * 20 + ["too_many"] * 2
    assert (await scripted_documents.request_sign_in("s90:3", OTHER_MSISDN, OTHER_AADHAAR)).outcome == "sent"
    assert (await scripted_documents.request_sign_in("s21:3", "+8801700000121")).outcome == "too_many", (
        "heard again, as before"
    )
    assert scripted_documents.sign_ins.alarms == {"requests": 2}


async def test_of_many_at_once_no_more_come_through_than_may(scripted_documents):
    await asyncio.gather(
        *(scripted_documents.request_sign_in(f"s{place}:3", f"+88017000001{place:02}") for place in range(30))
    )
    assert scripted_documents.issuer.calls.count("challenge") <= 20


async def test_five_wrong_codes_use_a_sign_in_up(scripted_documents):
    answer = await scripted_documents.request_sign_in("s1:3")
    wrong = [
        await scripted_documents.sign_ins.check_code(answer.sign_in, "000000", f"s1:{place}") for place in range(10, 15)
    ]
    assert wrong == ["wrong"] * 5
    assert (
        await scripted_documents.sign_ins.check_code(answer.sign_in, scripted_documents.issuer.code, "s1:20") == "gone"
    )


async def test_of_many_wrong_codes_at_once_no_more_are_heard_than_may(scripted_documents):
    answer = await scripted_documents.request_sign_in("s1:3")
    checks = [
        scripted_documents.sign_ins.check_code(answer.sign_in, "000000", f"s1:{place}") for place in range(10, 30)
    ]
    assert (await asyncio.gather(*checks)).count("wrong") <= 5
    assert scripted_documents.issuer.calls.count("open") <= 5


async def test_twenty_wrong_codes_a_day_close_a_number_for_the_caller(scripted_documents):
    for hour in range(4):
        answer = await scripted_documents.request_sign_in(f"s{hour}:3")
        for place in range(5):
            assert (
                await scripted_documents.sign_ins.check_code(answer.sign_in, "000000", f"s{hour}:{10 + place}")
                == "wrong"
            )
        scripted_documents.clock.advance(hours=1, seconds=1)
    answer = await scripted_documents.request_sign_in("s9:3")
    assert (
        await scripted_documents.sign_ins.check_code(answer.sign_in, scripted_documents.issuer.code, "s9:10")
        == "too_many"
    )
    scripted_documents.clock.advance(hours=24)
    answer = await scripted_documents.request_sign_in("s10:3")
    assert (
        await scripted_documents.sign_ins.check_code(answer.sign_in, scripted_documents.issuer.code, "s10:10")
        == "right"
    )


async def test_a_code_lives_ten_minutes_and_what_it_opened_fifteen(scripted_documents):
    answer = await scripted_documents.request_sign_in("s1:3")
    scripted_documents.clock.advance(seconds=CODE_TTL.total_seconds())
    assert (
        await scripted_documents.sign_ins.check_code(answer.sign_in, scripted_documents.issuer.code, "s1:10") == "gone"
    )
    sign_in = await scripted_documents.open_sign_in("s2:3")
    scripted_documents.clock.advance(seconds=SESSION_TTL.total_seconds() - 1)
    assert await scripted_documents.sign_ins.find_session(sign_in)
    scripted_documents.clock.advance(seconds=1)
    assert await scripted_documents.sign_ins.find_session(sign_in) is None


async def test_an_issuer_that_is_down_is_said_to_be_and_asked_again_by_the_next_key_press(scripted_documents):
    scripted_documents.issuer.raise_next(*[IssuerUnavailableError()] * 6, None, IssuerUnavailableError())
    for place in range(6):
        assert (await scripted_documents.request_sign_in(f"s0:{place}")).outcome == "down", (
            "and is counted against nobody"
        )
    assert (await scripted_documents.request_sign_in("s0:3")).outcome == "down", "heard again, as before"
    answer = await scripted_documents.request_sign_in("s1:5")
    assert (
        await scripted_documents.sign_ins.check_code(answer.sign_in, scripted_documents.issuer.code, "s1:12") == "down"
    )
    assert (
        await scripted_documents.sign_ins.check_code(answer.sign_in, scripted_documents.issuer.code, "s1:19") == "right"
    )


async def test_whoever_dies_in_the_middle_leaves_nobody_waiting_for_ever(scripted_documents, monkeypatch):
    monkeypatch.setattr("services.documents.sign_ins.POLL_INTERVAL", 0)
    answer = await scripted_documents.request_sign_in("s1:3")
    await scripted_documents.sign_ins.check_code(answer.sign_in, "000000", "s1:10")
    async with scripted_documents.database.transaction() as transaction:
        await transaction.execute(update(document_sign_ins).values(status="asking"))
        await transaction.execute(update(document_checks).values(outcome=""))
    assert (await scripted_documents.request_sign_in("s1:3")).outcome == "down"
    assert await scripted_documents.sign_ins.check_code(answer.sign_in, "000000", "s1:10") == "down"


async def test_nothing_that_is_kept_tells_the_number(sandbox_documents):
    answer = await sandbox_documents.request_sign_in("s1:3")
    code = await sandbox_documents.latest_code()
    await sandbox_documents.sign_ins.check_code(answer.sign_in, code, "s1:10")
    for table in (document_sign_ins, document_checks, document_holders):
        rows = (await sandbox_documents.database.fetch(select(table))).all()
        assert rows
        for told in (AADHAAR, AADHAAR[:8], code):
            assert told not in str(rows)


async def test_secrets_are_forgotten_when_they_end_and_all_of_it_days_later(scripted_documents):
    await scripted_documents.open_sign_in()
    scripted_documents.clock.advance(minutes=16)
    await build_retention(scripted_documents.database, scripted_documents.clock).delete_expired()
    [row] = (await scripted_documents.database.fetch(select(document_sign_ins))).all()
    assert (row.state, row.granted, row.listed) == (None, None, None)
    scripted_documents.clock.now += timedelta(days=2)
    await build_retention(scripted_documents.database, scripted_documents.clock).delete_expired()
    assert not (await scripted_documents.database.fetch(select(document_sign_ins))).all()
    assert not (await scripted_documents.database.fetch(select(document_checks))).all()
