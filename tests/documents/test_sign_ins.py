"""Proving whose documents are asked for: codes, limits, repeats, and two people with one number."""

import asyncio
from datetime import timedelta

from sqlalchemy import select, update

from services.documents.port import Unavailable
from services.documents.sign_ins import CODE_LIVES, OPEN, WITHIN
from services.records.tables import document_checks, document_holders, document_sign_ins
from tests.documents.helpdesk import AADHAAR, NUMBER, OTHER, STRANGER


def other_than(code):
    return f"{(int(code) + 1) % 10**6:06}"


async def test_in_the_sandbox_the_code_goes_to_the_caller_and_opens(sandbox):
    answer = await sandbox.asks("s1:3")
    assert (answer.outcome, answer.last_four) == ("sent", "2346")
    code = await sandbox.code_sent(NUMBER)
    assert await sandbox.sign_ins.opened(answer.sign_in) is None
    assert await sandbox.sign_ins.check(answer.sign_in, other_than(code), "s1:10") == "wrong"
    assert await sandbox.sign_ins.check(answer.sign_in, code, "s1:17") == "right"
    assert await sandbox.sign_ins.opened(answer.sign_in)
    assert await sandbox.sign_ins.check(answer.sign_in, code, "s1:24") == "gone"


async def test_who_types_anothers_number_gets_no_code_and_the_same_answer(sandbox):
    answer = await sandbox.asks("s1:3")
    await sandbox.sign_ins.check(answer.sign_in, await sandbox.code_sent(), "s1:10")
    theirs = await sandbox.asks("s2:3", STRANGER)
    unknown = await sandbox.asks("s3:3", STRANGER, OTHER)
    assert theirs.outcome == unknown.outcome == "sent"
    sent = [(to, kind) for to, kind, _ in await sandbox.sent()]
    assert sent == [(NUMBER, "code"), (STRANGER, "code")]
    assert await sandbox.sign_ins.check(theirs.sign_in, "000000", "s2:10") == "wrong"
    assert await sandbox.sign_ins.opened(theirs.sign_in) is None


async def test_that_an_owner_gets_no_more_codes_is_told_to_nobody_else(sandbox):
    answer = await sandbox.asks("s1:3")
    await sandbox.sign_ins.check(answer.sign_in, await sandbox.code_sent(), "s1:10")
    for place in range(4):
        await sandbox.codes.send(NUMBER, "bn", "register", f"s0:{place}")
    assert (await sandbox.asks("s2:3", STRANGER)).outcome == "sent"
    assert (await sandbox.asks("s3:3")).outcome == "too_many"


async def test_a_code_for_one_number_does_not_open_another(sandbox):
    one, two = await sandbox.asks("s1:3"), await sandbox.asks("s1:9", aadhaar=OTHER)
    codes = [facts["code"] for _, kind, facts in await sandbox.sent() if kind == "code"]
    assert await sandbox.sign_ins.check(one.sign_in, codes[1], "s1:16") in {"wrong", "gone"}
    assert await sandbox.sign_ins.check(two.sign_in, codes[1], "s1:23") == "right"


async def test_of_two_who_prove_a_number_at_once_it_is_the_first_ones(sandbox):
    mine, theirs = await sandbox.asks("s1:3"), await sandbox.asks("s2:3", STRANGER)
    codes = {to: facts["code"] for to, _, facts in await sandbox.sent()}
    assert await sandbox.sign_ins.check(mine.sign_in, codes[NUMBER], "s1:10") == "right"
    assert await sandbox.sign_ins.check(theirs.sign_in, codes[STRANGER], "s2:10") == "wrong"
    assert await sandbox.sign_ins.opened(theirs.sign_in) is None


async def test_a_key_press_heard_again_asks_and_checks_nothing_again(sandbox):
    first = await asyncio.gather(*(sandbox.asks("s1:3") for _ in range(6)))
    assert len({answer.sign_in for answer in first}) == 1
    assert {answer.outcome for answer in first} == {"sent"}
    [(_, _, facts)] = await sandbox.sent()
    wrong = [await sandbox.sign_ins.check(first[0].sign_in, other_than(facts["code"]), "s1:10") for _ in range(9)]
    right = await asyncio.gather(*(sandbox.sign_ins.check(first[0].sign_in, facts["code"], "s1:17") for _ in range(6)))
    assert (set(wrong), set(right)) == ({"wrong"}, {"right"})


async def test_when_redis_has_lost_everything_a_replay_makes_the_code_on_the_phone_good_again(sandbox, redis):
    answer = await sandbox.asks("s1:3")
    code = await sandbox.code_sent()
    await redis.flushdb()
    assert await sandbox.asks("s1:3") == answer
    assert await sandbox.sent() == []
    assert await sandbox.sign_ins.check(answer.sign_in, code, "s1:10") == "right"
    await redis.flushdb()
    assert await sandbox.asks("s1:3") == answer
    assert await sandbox.sign_ins.check(answer.sign_in, code, "s1:10") == "right", "as it was answered before"


async def test_five_times_an_hour_for_a_caller_whatever_the_number(told):
    outcomes = [(await told.asks(f"s1:{place}", aadhaar=f"{place:012}")).outcome for place in range(7)]
    assert outcomes == ["sent"] * 5 + ["too_many"] * 2
    assert told.issuer.asked == ["challenge"] * 5
    told.clock.moves(seconds=WITHIN.total_seconds() + 1)
    assert (await told.asks("s1:90")).outcome == "sent"


async def test_five_times_an_hour_for_a_number_whoever_the_caller(told):
    outcomes = [(await told.asks(f"s{place}:3", f"+88017000000{place:02}")).outcome for place in range(7)]
    assert outcomes == ["sent"] * 5 + ["too_many"] * 2
    assert (await told.asks("s90:3", STRANGER, OTHER)).outcome == "sent"
    assert (await told.asks("s6:3", "+8801700000006")).outcome == "too_many", "heard again, as before"


async def test_of_many_at_once_no_more_come_through_than_may(told):
    await asyncio.gather(*(told.asks(f"s{place}:3", f"+88017000000{place:02}") for place in range(12)))
    assert told.issuer.asked.count("challenge") <= 5


async def test_five_wrong_codes_use_a_sign_in_up(told):
    answer = await told.asks("s1:3")
    wrong = [await told.sign_ins.check(answer.sign_in, "000000", f"s1:{place}") for place in range(10, 15)]
    assert wrong == ["wrong"] * 5
    assert await told.sign_ins.check(answer.sign_in, told.issuer.code, "s1:20") == "gone"


async def test_of_many_wrong_codes_at_once_no_more_are_heard_than_may(told):
    answer = await told.asks("s1:3")
    checks = [told.sign_ins.check(answer.sign_in, "000000", f"s1:{place}") for place in range(10, 30)]
    assert (await asyncio.gather(*checks)).count("wrong") <= 5
    assert told.issuer.asked.count("open") <= 5


async def test_twenty_wrong_codes_a_day_close_a_number(told):
    for hour in range(4):
        answer = await told.asks(f"s{hour}:3")
        for place in range(5):
            assert await told.sign_ins.check(answer.sign_in, "000000", f"s{hour}:{10 + place}") == "wrong"
        told.clock.moves(hours=1, seconds=1)
    answer = await told.asks("s9:3")
    assert await told.sign_ins.check(answer.sign_in, told.issuer.code, "s9:10") == "too_many"
    told.clock.moves(hours=24)
    answer = await told.asks("s10:3")
    assert await told.sign_ins.check(answer.sign_in, told.issuer.code, "s10:10") == "right"


async def test_a_code_lives_ten_minutes_and_what_it_opened_fifteen(told):
    answer = await told.asks("s1:3")
    told.clock.moves(seconds=CODE_LIVES.total_seconds())
    assert await told.sign_ins.check(answer.sign_in, told.issuer.code, "s1:10") == "gone"
    sign_in = await told.signed_in("s2:3")
    told.clock.moves(seconds=OPEN.total_seconds() - 1)
    assert await told.sign_ins.opened(sign_in)
    told.clock.moves(seconds=1)
    assert await told.sign_ins.opened(sign_in) is None


async def test_an_issuer_that_is_down_is_said_to_be_and_asked_again_by_the_next_key_press(told):
    told.issuer.then(*[Unavailable()] * 6, None, Unavailable())
    for place in range(6):
        assert (await told.asks(f"s0:{place}")).outcome == "down", "and is counted against nobody"
    assert (await told.asks("s0:3")).outcome == "down", "heard again, as before"
    answer = await told.asks("s1:5")
    assert await told.sign_ins.check(answer.sign_in, told.issuer.code, "s1:12") == "down"
    assert await told.sign_ins.check(answer.sign_in, told.issuer.code, "s1:19") == "right"


async def test_whoever_dies_in_the_middle_leaves_nobody_waiting_for_ever(told, monkeypatch):
    monkeypatch.setattr("services.documents.sign_ins.EVERY", 0)
    answer = await told.asks("s1:3")
    await told.sign_ins.check(answer.sign_in, "000000", "s1:10")
    async with told.records.transaction() as transaction:
        await transaction.execute(update(document_sign_ins).values(status="asking"))
        await transaction.execute(update(document_checks).values(outcome=""))
    assert (await told.asks("s1:3")).outcome == "down"
    assert await told.sign_ins.check(answer.sign_in, "000000", "s1:10") == "down"


async def test_nothing_that_is_kept_tells_the_number(sandbox):
    answer = await sandbox.asks("s1:3")
    code = await sandbox.code_sent()
    await sandbox.sign_ins.check(answer.sign_in, code, "s1:10")
    for table in (document_sign_ins, document_checks, document_holders):
        rows = (await sandbox.records.read(select(table))).all()
        assert rows
        for told in (AADHAAR, AADHAAR[:8], code):
            assert told not in str(rows)


async def test_secrets_are_forgotten_when_they_end_and_all_of_it_days_later(told):
    await told.signed_in()
    told.clock.moves(minutes=16)
    await told.sign_ins.sweep()
    [row] = (await told.records.read(select(document_sign_ins))).all()
    assert (row.state, row.granted, row.listed) == (None, None, None)
    told.clock.now += timedelta(days=2)
    await told.sign_ins.sweep()
    assert not (await told.records.read(select(document_sign_ins))).all()
    assert not (await told.records.read(select(document_checks))).all()
