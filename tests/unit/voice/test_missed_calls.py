"""Missed calls: one answer per cooldown, with several processes, and while services are down."""

import asyncio
import re
from datetime import timedelta
from itertools import cycle

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from db.tables import contacts, messages
from services.messaging.missed_calls import ANSWER_TIMEOUT
from tests.support.services import CIPHER, birth_certificate_submission
from tests.support.voice import DAILY_LIMIT, MENU_NUMBER, STATUS_NUMBER, VoiceServiceSet
from tests.support.voice_forms import APP_LINK_NUMBER, CALLER_MSISDN, CLIENT, ended_form, ringing_form
from voice.deduplication import CALL_TTL
from voice.missed_calls import ANSWERED_CALLS_KEY

FIVE = "abcde"


async def test_a_call_is_rejected_and_brings_a_link_that_works(voice_services):
    assert await voice_services.handle_callback(ringing_form("a")) == ("answered", "<Response><Reject/></Response>")
    assert await voice_services.handle_callback(ended_form("a")) == ("repeated", "")
    ((to, language, text, facts),) = await voice_services.claim_sms()
    assert (to, language, text) == (CALLER_MSISDN, "en", "app")
    followed = await voice_services.links.resolve(facts["link"].rpartition("/")[2])
    assert (followed.purpose, followed.subject) == ("app", "en")


async def test_five_calls_in_the_cool_down_are_one_sms(voice_services):
    assert [await voice_services.make_call(session) for session in FIVE] == ["answered", *["cooling"] * 4]
    assert len(await voice_services.claim_sms()) == 1


async def test_five_calls_at_once_heard_by_two_are_one_sms(voice_services, other_voice_services):
    forms = [form for session in FIVE for form in (ringing_form(session), ended_form(session))]
    await asyncio.gather(
        *(one.handle_callback(form) for form in forms for one in (voice_services, other_voice_services))
    )
    heard = voice_services.outcomes + other_voice_services.outcomes
    assert heard == {"answered": 1, "cooling": 4, "repeated": 15}
    assert len(await voice_services.claim_sms()) == 1


async def test_one_call_heard_by_two_at_once_counts_once(voice_services, other_voice_services):
    heard = await asyncio.gather(
        *(one.handle_callback(ringing_form("a")) for one in (voice_services, other_voice_services) * 4)
    )
    assert sorted(taken_for for taken_for, _ in heard) == ["answered", *["repeated"] * 7]


async def test_a_call_whose_last_callback_comes_first_or_alone_counts(voice_services):
    assert [
        taken_for
        for taken_for, _ in (
            await voice_services.handle_callback(ended_form("a")),
            await voice_services.handle_callback(ringing_form("a")),
        )
    ] == [
        "answered",
        "repeated",
    ]


async def test_after_the_cool_down_there_is_another_sms_with_another_link(voice_services, clock):
    await voice_services.make_call("a")
    clock.advance(hours=1)
    assert await voice_services.make_call("b") == "answered"
    (_, _, _, first), (_, _, _, second) = await voice_services.claim_sms()
    assert first["link"] != second["link"]


@pytest.mark.parametrize(
    ("began", "taken_for"),
    [
        ("2026-11-20 05:59:59", "late"),
        ("2026-11-20 06:00:00", "answered"),
        ("2026-11-21 19:00:00", "answered"),  # in the zone of the caller
        ("", "answered"),
        ("soon", "answered"),
    ],
)
async def test_a_webhook_about_a_call_of_another_day_answers_nobody(voice_services, began, taken_for):
    assert (await voice_services.handle_callback(ended_form("a", callStartTime=began)))[0] == taken_for
    assert len(await voice_services.claim_sms()) == (taken_for == "answered")


async def test_everybody_cools_down_for_themselves(voice_services):
    assert {await voice_services.make_call(str(n), f"+25470000000{n}") for n in range(4)} == {"answered"}
    assert len(await voice_services.claim_sms()) == 4


@pytest.mark.parametrize(
    ("form", "taken_for"),
    [
        (ringing_form("a", direction="Outbound"), "outbound"),
        (ringing_form("a", CLIENT, clientDialedNumber=APP_LINK_NUMBER), "client"),
        (ringing_form("a", CALLER_MSISDN, clientDialedNumber=APP_LINK_NUMBER), "client"),
        (ringing_form("a", dialled="+254711000009"), "not_ours"),
        (ringing_form("a", dialled="anything"), "not_ours"),
        (ringing_form("a", "anonymous"), "hidden"),
        (ringing_form("a", ""), "hidden"),
        (ringing_form("a", CLIENT), "hidden"),
    ],
)
async def test_who_is_sent_nothing(form, taken_for, voice_services):
    assert await voice_services.handle_callback(form) == (taken_for, "<Response><Reject/></Response>")
    assert await voice_services.handle_callback(form | {"isActive": "0"}) == ("repeated", "")
    assert await voice_services.services.count_rows(messages) == await voice_services.services.count_rows(contacts) == 0


async def test_who_calls_from_a_country_that_is_not_served_is_told_so_once_a_day_and_not_recorded(
    voice_services, clock
):
    abroad = "+4915100000001"
    assert [await voice_services.make_call(one, abroad) for one in "abc"] == ["abroad"] * 3
    assert [(one[0], one[2]) for one in await voice_services.services.claim_sms()] == [(abroad, "abroad")]
    clock.advance(days=1)
    assert await voice_services.make_call("d", abroad) == "abroad"
    assert len(await voice_services.services.claim_sms()) == 1
    assert await voice_services.services.count_rows(contacts) == 0


async def test_so_many_from_abroad_are_told_in_a_day_and_none_of_those_who_are_served_waits_for_them(voice_services):
    for one in range(5):
        assert await voice_services.make_call(f"a{one}", f"+491510000000{one}") == "abroad"
    assert len(await voice_services.services.claim_sms()) == 3
    assert await voice_services.make_call("b") == "answered"


# What they get -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "language"), [("+8801700000001", "bn"), ("+919000000001", "hi"), ("+254700000001", "en")]
)
async def test_a_first_time_caller_is_recorded_and_written_to_in_their_countrys_language(
    caller, language, voice_services
):
    await voice_services.make_call("a", caller)
    await voice_services.make_call("b", caller)
    (row,) = await voice_services.services.database.fetch(
        select(contacts.c.msisdn, contacts.c.language, contacts.c.came_by)
    )
    assert tuple(row) == (caller, language, "missed_call")
    assert [sms[1] for sms in await voice_services.claim_sms()] == [language]


async def test_who_has_chosen_a_language_is_written_to_in_that(voice_services):
    await voice_services.services.accounts.choose_language(CALLER_MSISDN, "hi", "s1")
    await voice_services.make_call("a")
    assert [sms[1] for sms in await voice_services.claim_sms()] == ["hi"]
    assert await voice_services.services.count_rows(contacts) == 0


async def test_the_status_line_tells_of_the_newest_application(voice_services):
    account = await voice_services.services.register(CALLER_MSISDN)
    await voice_services.services.applications.submit(birth_certificate_submission(account, CALLER_MSISDN), "s1:20")
    newest = await voice_services.services.applications.submit(
        birth_certificate_submission(account, CALLER_MSISDN, service="nid_correction"), "s1:30"
    )
    await voice_services.claim_sms()
    assert await voice_services.make_call("a", dialled=STATUS_NUMBER) == "answered"
    ((to, language, text, facts),) = await voice_services.claim_sms()
    assert (to, language, text) == (CALLER_MSISDN, "bn", "status")
    assert (facts["number"], facts["service"]) == (newest.tracking_number, "nid_correction")


async def test_the_status_line_says_so_when_there_is_none(voice_services):
    account = await voice_services.services.register("+254700000002")
    await voice_services.services.applications.submit(birth_certificate_submission(account, "+254700000002"), "s1:20")
    await voice_services.claim_sms()
    await voice_services.make_call("a", dialled=STATUS_NUMBER)
    assert await voice_services.claim_sms() == [(CALLER_MSISDN, "en", "no_application", {})]


async def test_the_menu_line_begins_a_conversation_once(voice_services):
    assert [await voice_services.make_call(session, dialled=MENU_NUMBER) for session in FIVE] == [
        "answered",
        *["cooling"] * 4,
    ]
    assert list(voice_services.menus.sent_keys.values()) == [CALLER_MSISDN]
    assert await voice_services.services.count_rows(messages) == 0


async def test_each_line_answers_for_itself(voice_services):
    answered = [
        await voice_services.make_call(line, dialled=line) for line in (APP_LINK_NUMBER, STATUS_NUMBER, MENU_NUMBER)
    ]
    assert answered == ["answered"] * 3


# What goes wrong -----------------------------------------------------------------------------------------------------


async def raise_error(*_):
    raise ConnectionResetError


async def test_an_answer_that_fails_is_told_and_the_call_is_rejected_all_the_same(voice_services, clock):
    voice_services.send_app_link = raise_error
    with capture_logs() as logs:
        assert await voice_services.handle_callback(ringing_form("a")) == ("failed", "<Response><Reject/></Response>")
    assert [line["error"] for line in logs] == ["ConnectionResetError"]
    assert CALLER_MSISDN[1:] not in str(logs)
    voice_services.send_app_link = voice_services.app_links.send
    clock.advance(seconds=ANSWER_TIMEOUT.total_seconds())
    assert await voice_services.make_call("b") == "answered"
    assert len(await voice_services.claim_sms()) == 1


async def test_the_callback_that_ends_a_call_brings_what_the_first_could_not(voice_services, clock):
    voice_services.send_app_link = raise_error
    await voice_services.handle_callback(ringing_form("a"))
    voice_services.send_app_link = voice_services.app_links.send
    clock.advance(seconds=ANSWER_TIMEOUT.total_seconds())
    assert (await voice_services.handle_callback(ended_form("a")))[0] == "answered"


async def test_an_answer_that_takes_too_long_is_given_up_and_given_again(voice_services, clock):
    async def never(*_):
        await asyncio.Event().wait()

    voice_services.send_app_link, voice_services.calls._deadline = never, 0.05
    assert await voice_services.make_call("a") == "failed"
    voice_services.send_app_link, voice_services.calls._deadline = voice_services.app_links.send, 5.0
    clock.advance(seconds=ANSWER_TIMEOUT.total_seconds())
    assert await voice_services.make_call("b") == "answered"


async def test_what_was_sent_before_the_gateway_died_is_not_sent_again(voice_services, clock):
    async def sends_and_dies(*arguments):
        await voice_services.app_links.send(*arguments)
        raise SystemExit

    voice_services.send_app_link = sends_and_dies
    with pytest.raises(SystemExit):
        await voice_services.handle_callback(ringing_form("a"))
    voice_services.send_app_link = voice_services.app_links.send
    clock.advance(seconds=ANSWER_TIMEOUT.total_seconds())
    assert await voice_services.make_call("b") == "answered"
    assert await voice_services.make_call("c") == "cooling"
    assert len(await voice_services.claim_sms()) == 1


class UnavailableRedis:
    """A Redis that is down."""

    async def _raise(self, *_, **__):
        raise ConnectionRefusedError

    set = delete = eval = _raise


async def test_without_redis_five_calls_are_one_sms_all_the_same(database, clock, pins):
    voice_services = VoiceServiceSet(database, UnavailableRedis(), clock, pins)
    assert [await voice_services.make_call(session) for session in FIVE] == ["answered", *["cooling"] * 4]
    assert voice_services.outcomes == {"answered": 1, "cooling": 9}
    assert len(await voice_services.claim_sms()) == 1


async def test_without_redis_calls_at_once_are_one_sms_too(database, clock, pins):
    boards = [VoiceServiceSet(database, UnavailableRedis(), clock, pins) for _ in range(2)]
    await asyncio.gather(
        *(voice_services.handle_callback(ringing_form(session)) for session in FIVE for voice_services in boards)
    )
    assert sum(voice_services.outcomes["answered"] for voice_services in boards) == 1
    assert len(await boards[0].claim_sms()) == 1


async def test_who_makes_callers_up_does_not_make_us_pay_for_ever(voice_services, other_voice_services, redis, clock):
    callers = [f"+25470000{number:04}" for number in range(DAILY_LIMIT + 3)]
    with capture_logs() as logs:
        taken_for = [
            await one.make_call(caller, caller)
            for caller, one in zip(callers, cycle((voice_services, other_voice_services)), strict=False)
        ]
    assert taken_for == ["answered"] * DAILY_LIMIT + ["spent"] * 3
    assert [(line["event"], line["log_level"]) for line in logs] == [("daily_quota_exhausted", "critical")]
    assert len(await voice_services.claim_sms()) == DAILY_LIMIT
    await redis.delete(ANSWERED_CALLS_KEY)
    clock.advance(seconds=ANSWER_TIMEOUT.total_seconds())
    assert await voice_services.make_call("the next day", callers[-1]) == "answered"


async def test_the_days_count_ends_with_the_day(voice_services, redis):
    await voice_services.make_call("a")
    assert 0 < await redis.pttl(ANSWERED_CALLS_KEY) <= 86_400_000


async def test_redis_holds_neither_the_call_nor_the_caller(voice_services, redis):
    await voice_services.make_call("a")
    key = f"ekdial:call:{CIPHER.keyed_hash('call', 'ATVId_a')}".encode()
    counters = {name for name in await redis.keys("*") if name.startswith(b"ekdial:unverified_sms:{")}
    assert set(await redis.keys("*")) - counters == {key, ANSWERED_CALLS_KEY.encode()}
    assert len(counters) == 5, "two of the number, and one of its prefix, its country and the day"
    for counter in counters:
        assert not re.search(rb"\+?254\d", counter), "the caller, or the prefix"
        assert await redis.pttl(counter) > 0
    assert timedelta() < timedelta(milliseconds=await redis.pttl(key)) <= CALL_TTL
