"""What callers get for a call that costs them nothing: one answer in the cool-down, whoever hears it, whatever is down."""

import asyncio
from itertools import cycle

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from services.missed_calls import GIVING
from services.records.tables import messages, registrants
from tests.desk import SEAL, birth_certificate
from tests.voice.forms import CALLER, CLIENT, OURS, is_over, rings
from tests.voice.switchboard import MENU_LINE, MOST_A_DAY, STATUS_LINE, Switchboard
from voice.allowance import KEY

FIVE = "abcde"


async def test_a_call_is_rejected_and_brings_a_link_that_works(board):
    assert await board.hears(rings("a")) == ("answered", "<Response><Reject/></Response>")
    assert await board.hears(is_over("a")) == ("repeated", "")
    ((to, language, text, facts),) = await board.sms()
    assert (to, language, text) == (CALLER, "en", "app")
    followed = await board.links.follow(facts["link"].rpartition("/")[2])
    assert (followed.purpose, followed.subject) == ("app", "en")


async def test_five_calls_in_the_cool_down_are_one_sms(board):
    assert [await board.rings(session) for session in FIVE] == ["answered", *["cooling"] * 4]
    assert len(await board.sms()) == 1


async def test_five_calls_at_once_heard_by_two_are_one_sms(board, other_board):
    forms = [form for session in FIVE for form in (rings(session), is_over(session))]
    await asyncio.gather(*(one.hears(form) for form in forms for one in (board, other_board)))
    heard = board.heard + other_board.heard
    assert heard == {"answered": 1, "cooling": 4, "repeated": 15}
    assert len(await board.sms()) == 1


async def test_one_call_heard_by_two_at_once_counts_once(board, other_board):
    heard = await asyncio.gather(*(one.hears(rings("a")) for one in (board, other_board) * 4))
    assert sorted(taken_for for taken_for, _ in heard) == ["answered", *["repeated"] * 7]


async def test_a_call_whose_last_callback_comes_first_or_alone_counts(board):
    assert [taken_for for taken_for, _ in (await board.hears(is_over("a")), await board.hears(rings("a")))] == [
        "answered",
        "repeated",
    ]


async def test_after_the_cool_down_there_is_another_sms_with_another_link(board, clock):
    await board.rings("a")
    clock.moves(hours=1)
    assert await board.rings("b") == "answered"
    (_, _, _, first), (_, _, _, second) = await board.sms()
    assert first["link"] != second["link"]


async def test_everybody_cools_down_for_themselves(board):
    assert {await board.rings(str(n), f"+25470000000{n}") for n in range(4)} == {"answered"}
    assert len(await board.sms()) == 4


@pytest.mark.parametrize(
    ("form", "taken_for"),
    [
        (rings("a", direction="Outbound"), "outbound"),
        (rings("a", CLIENT, clientDialedNumber=OURS), "client"),
        (rings("a", CALLER, clientDialedNumber=OURS), "client"),
        (rings("a", dialled="+254711000009"), "not_ours"),
        (rings("a", dialled="anything"), "not_ours"),
        (rings("a", "anonymous"), "hidden"),
        (rings("a", ""), "hidden"),
        (rings("a", CLIENT), "hidden"),
    ],
)
async def test_who_is_sent_nothing(form, taken_for, board):
    assert await board.hears(form) == (taken_for, "<Response><Reject/></Response>")
    assert await board.hears(form | {"isActive": "0"}) == ("repeated", "")
    assert await board.desk.count(messages) == await board.desk.count(registrants) == 0


async def test_who_calls_from_a_country_that_is_not_served_is_told_so_once_a_day_and_not_recorded(board, clock):
    abroad = "+4915100000001"
    assert [await board.rings(one, abroad) for one in "abc"] == ["abroad"] * 3
    assert [(one[0], one[2]) for one in await board.desk.sent()] == [(abroad, "abroad")]
    clock.moves(days=1)
    assert await board.rings("d", abroad) == "abroad"
    assert len(await board.desk.sent()) == 1
    assert await board.desk.count(registrants) == 0


async def test_so_many_from_abroad_are_told_in_a_day_and_none_of_those_who_are_served_waits_for_them(board):
    for one in range(5):
        assert await board.rings(f"a{one}", f"+491510000000{one}") == "abroad"
    assert len(await board.desk.sent()) == 3
    assert await board.rings("b") == "answered"


# What they get -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "language"), [("+8801700000001", "bn"), ("+919000000001", "hi"), ("+254700000001", "en")]
)
async def test_a_first_time_caller_is_recorded_and_written_to_in_their_countrys_language(caller, language, board):
    await board.rings("a", caller)
    await board.rings("b", caller)
    (row,) = await board.desk.records.read(select(registrants.c.number, registrants.c.language, registrants.c.came_by))
    assert tuple(row) == (caller, language, "missed_call")
    assert [sms[1] for sms in await board.sms()] == [language]


async def test_who_has_chosen_a_language_is_written_to_in_that(board):
    await board.desk.accounts.choose_language(CALLER, "hi", "s1")
    await board.rings("a")
    assert [sms[1] for sms in await board.sms()] == ["hi"]
    assert await board.desk.count(registrants) == 0


async def test_the_status_line_tells_of_the_newest_application(board):
    account = await board.desk.registers(CALLER)
    await board.desk.applications.submit(birth_certificate(account, CALLER), "s1:20")
    newest = await board.desk.applications.submit(birth_certificate(account, CALLER, service="nid_correction"), "s1:30")
    await board.sms()
    assert await board.rings("a", dialled=STATUS_LINE) == "answered"
    ((to, language, text, facts),) = await board.sms()
    assert (to, language, text) == (CALLER, "bn", "status")
    assert (facts["number"], facts["service"]) == (newest.tracking_number, "nid_correction")


async def test_the_status_line_says_so_when_there_is_none(board):
    account = await board.desk.registers("+254700000002")
    await board.desk.applications.submit(birth_certificate(account, "+254700000002"), "s1:20")
    await board.sms()
    await board.rings("a", dialled=STATUS_LINE)
    assert await board.sms() == [(CALLER, "en", "no_application", {})]


async def test_the_menu_line_begins_a_conversation_once(board):
    assert [await board.rings(session, dialled=MENU_LINE) for session in FIVE] == ["answered", *["cooling"] * 4]
    assert list(board.menus.begun.values()) == [CALLER]
    assert await board.desk.count(messages) == 0


async def test_each_line_answers_for_itself(board):
    answered = [await board.rings(line, dialled=line) for line in (OURS, STATUS_LINE, MENU_LINE)]
    assert answered == ["answered"] * 3


# What goes wrong -----------------------------------------------------------------------------------------------------


async def fails(*_):
    raise ConnectionResetError


async def test_an_answer_that_fails_is_told_and_the_call_is_rejected_all_the_same(board, clock):
    board.gives = fails
    with capture_logs() as logs:
        assert await board.hears(rings("a")) == ("failed", "<Response><Reject/></Response>")
    assert [line["error"] for line in logs] == ["ConnectionResetError"]
    assert CALLER[1:] not in str(logs)
    board.gives = board.downloads.send
    clock.moves(seconds=GIVING.total_seconds())
    assert await board.rings("b") == "answered"
    assert len(await board.sms()) == 1


async def test_the_callback_that_ends_a_call_brings_what_the_first_could_not(board, clock):
    board.gives = fails
    await board.hears(rings("a"))
    board.gives = board.downloads.send
    clock.moves(seconds=GIVING.total_seconds())
    assert (await board.hears(is_over("a")))[0] == "answered"


async def test_an_answer_that_takes_too_long_is_given_up_and_given_again(board, clock):
    async def never(*_):
        await asyncio.Event().wait()

    board.gives, board.calls._deadline = never, 0.05
    assert await board.rings("a") == "failed"
    board.gives, board.calls._deadline = board.downloads.send, 5.0
    clock.moves(seconds=GIVING.total_seconds())
    assert await board.rings("b") == "answered"


async def test_what_was_sent_before_the_gateway_died_is_not_sent_again(board, clock):
    async def sends_and_dies(*asked):
        await board.downloads.send(*asked)
        raise SystemExit

    board.gives = sends_and_dies
    with pytest.raises(SystemExit):
        await board.hears(rings("a"))
    board.gives = board.downloads.send
    clock.moves(seconds=GIVING.total_seconds())
    assert await board.rings("b") == "answered"
    assert await board.rings("c") == "cooling"
    assert len(await board.sms()) == 1


class Gone:
    """A Redis that is not there."""

    async def _refuses(self, *_, **__):
        raise ConnectionRefusedError

    set = delete = eval = _refuses


async def test_without_redis_five_calls_are_one_sms_all_the_same(records, clock, pins):
    board = Switchboard(records, Gone(), clock, pins)
    assert [await board.rings(session) for session in FIVE] == ["answered", *["cooling"] * 4]
    assert board.heard == {"answered": 1, "cooling": 9}
    assert len(await board.sms()) == 1


async def test_without_redis_calls_at_once_are_one_sms_too(records, clock, pins):
    boards = [Switchboard(records, Gone(), clock, pins) for _ in range(2)]
    await asyncio.gather(*(board.hears(rings(session)) for session in FIVE for board in boards))
    assert sum(board.heard["answered"] for board in boards) == 1
    assert len(await boards[0].sms()) == 1


async def test_who_makes_callers_up_does_not_make_us_pay_for_ever(board, other_board, redis, clock):
    callers = [f"+25470000{number:04}" for number in range(MOST_A_DAY + 3)]
    with capture_logs() as logs:
        taken_for = [
            await one.rings(caller, caller) for caller, one in zip(callers, cycle((board, other_board)), strict=False)
        ]
    assert taken_for == ["answered"] * MOST_A_DAY + ["spent"] * 3
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("no more missed calls are answered today", "critical")
    ]
    assert len(await board.sms()) == MOST_A_DAY
    await redis.delete(KEY)
    clock.moves(seconds=GIVING.total_seconds())
    assert await board.rings("the next day", callers[-1]) == "answered"


async def test_the_days_count_ends_with_the_day(board, redis):
    await board.rings("a")
    assert 0 < await redis.pttl(KEY) <= 86_400_000


async def test_redis_holds_neither_the_call_nor_the_caller(board, redis):
    await board.rings("a")
    key = f"ekdial:call:{SEAL.name('call', 'ATVId_a')}".encode()
    assert set(await redis.keys("*")) == {key, KEY.encode()}
    assert 0 < await redis.pttl(key) <= 86_400_000
