"""What is counted of the turns of callers: each screen that they saw once, however often a request comes."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from menus.model import Position
from services.menu_traffic.models import END, REFUSED, START, Move, MoveCount
from services.menu_traffic.report import summarize_screens
from sessions.counted_turns import count_turn
from tests.support.path_sessions import Gateways, open_gateways


@pytest.fixture
async def gateways(tmp_path: Path):
    async with open_gateways(tmp_path) as opened:
        yield opened


@pytest.fixture
def counted(gateways: Gateways):
    """The moves of both processes."""
    moves = []
    gateways.handlers = [replace(one, count_move=moves.append) for one in gateways.handlers]
    return moves


def list_ways(counted):
    return [(move.source, move.target) for move in counted]


async def test_each_key_press_is_a_move(gateways, counted):
    call = gateways.new_call()
    for key in ("", "1", "1", "1"):
        await call.press(key)
    assert list_ways(counted) == [
        (START, "languages"),
        ("languages", "main"),
        ("main", "sectors"),
        ("sectors", "services"),
    ]
    assert {move[:3] for move in counted} == {("ussd", "", "en")}


async def test_a_repeated_request_counts_once_whichever_process_has_it(gateways, counted):
    call = gateways.new_call()
    await call.press()
    await call.press("1")
    await asyncio.gather(*(call.send(call.requests[-1], process=number % 2) for number in range(6)))
    assert len(counted) == 2


async def test_two_processes_with_the_same_request_at_once_count_one_of_them(gateways, counted):
    call = gateways.new_call()
    await call.press()
    call.path = "1"
    request = call.build_request()
    await asyncio.gather(*(call.send(request, process=number) for number in (0, 1)))
    assert len(counted) == 2


async def test_an_input_that_is_not_taken_leads_nowhere(gateways, counted):
    call = gateways.new_call()
    for key in ("", "1", "88"):
        await call.press(key)
    assert list_ways(counted)[-1] == ("main", REFUSED)


def test_the_end_of_a_call_is_a_move_of_its_own():
    counted = []
    count_turn(counted.append, Position("paid", "bn"), "pay", channel="ussd", network="47001", ends=True)
    assert counted == [Move("ussd", "47001", "bn", "pay", "paid"), Move("ussd", "47001", "bn", "paid", END)]


async def test_digits_dialled_past_the_short_code_begin_at_the_screen_that_is_shown(gateways, counted):
    call = gateways.new_call()
    call.path = "1*1"
    await call.send(call.build_request())
    ((source, target),) = list_ways(counted)
    assert source == START
    assert target not in {"languages", "main"}


async def test_a_call_that_the_store_lost_goes_on_from_the_screen_before(gateways, counted):
    call = gateways.new_call()
    for key in ("", "1", "1"):
        await call.press(key)
    await gateways.resources.store.client.flushall()
    await call.press("1")
    traffic = summarize_screens(
        MoveCount(source, target, times) for (source, target), times in Counter(list_ways(counted)).items()
    )
    assert {name: one.left for name, one in traffic.items() if one.left} == {"services": 1}


async def test_a_dropped_call_left_where_it_was_and_the_next_one_is_offered_it(gateways, counted):
    call = gateways.new_call()
    for key in ("", "1", "5", "1", "Rupa Das"):
        await call.press(key)
    call.session_id, call.path, call.metadata = "another", "", ""
    await call.press()
    assert list_ways(counted)[-1] == (START, "resume")
