"""Callbacks that come late, twice or out of order move nothing, and what needs no record goes on without a database."""

import asyncio
from itertools import permutations

import pytest
from msgspec.structs import replace

from db.circuit_breaker import CircuitBreaker, DatabaseUnavailableError
from db.fast_lookup import ReadError, SqliteReader
from tests.support.path_sessions import Gateways

UNHEARD = "Sorry, this call cannot go on. Please hang up and dial again."


@pytest.mark.parametrize("echoes", [True, False])
async def test_a_late_callback_moves_nothing(path_gateways: Gateways, *, echoes: bool) -> None:
    """Each callback again after each later one, of the same call and of the one before it, at either process."""
    keys = ("1", "1", "1", "2")
    first, second = path_gateways.new_call(echoes=echoes), path_gateways.new_call(echoes=echoes)
    second.caller = first.caller
    for call in (first, second):
        for key in ("", *keys):
            newest = await call.press(key)
            stored = await path_gateways.find_session(first.caller)
            for late in [*first.requests, *second.requests[:-1]]:
                for metadata in {late.echoed_metadata, call.metadata if echoes else ""}:
                    again = replace(late, echoed_metadata=metadata)
                    replies = await asyncio.gather(*(call.send(again, process=process) for process in (0, 1)))
                    shown = newest.reply.text if late.session_id == call.session_id else UNHEARD
                    assert {reply.reply.text for reply in replies} == {shown}, (late.path, call.path)
            assert await path_gateways.find_session(first.caller) == stored


async def test_callbacks_at_once_and_out_of_order_end_where_they_would_in_order(path_gateways: Gateways) -> None:
    keys = ("1", "1", "1", "2")
    call = path_gateways.new_call(echoes=False)
    for key in ("", *keys):
        newest = await call.press(key)
    stored = await path_gateways.find_session(call.caller)
    assert stored
    for order in permutations(range(1, 5)):
        late = path_gateways.new_call(echoes=False)
        await late.press()
        requests = [
            replace(request, caller=late.caller, session_id=late.session_id)
            for request in [call.requests[hop] for hop in order]
        ]
        await asyncio.gather(*(late.send(one, process=number % 2) for number, one in enumerate([*requests, *requests])))
        assert (await late.send(max(requests, key=lambda one: len(one.path)))).reply == newest.reply, order
        reached = await path_gateways.find_session(late.caller)
        assert reached
        assert (reached.position, reached.consumed) == (stored.position, stored.consumed), order


async def test_a_call_that_ended_because_of_us_is_told_so(
    path_gateways: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    call = path_gateways.new_call()
    for key in ("", "1", "1", "1"):
        await call.press(key)
    with monkeypatch.context() as patch:
        patch.setattr("sessions.path_turns.advance", fail)
        assert (await call.press("1")).handled_as == "failed"
    await path_gateways.handlers[0].background.finish(1.0)
    redial = path_gateways.new_call()
    redial.caller = call.caller
    offer = await redial.press()
    assert offer.reply.text == "Last time something went wrong on our side\n1 Go on\n2 Start again"


async def test_what_needs_no_record_goes_on_while_the_database_is_down(
    path_gateways: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every screen within three keys of the first; what needs a record says so on the same screen."""

    async def refuse(*_: object) -> None:
        raise ReadError("ConnectionRefusedError")

    monkeypatch.setattr(SqliteReader, "__call__", refuse)
    monkeypatch.setattr(CircuitBreaker, "start", refuse_call)
    seen: dict[str, tuple[str, ...]] = {}
    paths: list[tuple[str, ...]] = [()]
    refused = 0
    for path in paths:
        call = path_gateways.new_call()
        replies = [await call.press(key) for key in ("", *path)]
        screen = replies[-1].reply
        assert replies[-1].handled_as == "answered", path
        refused += screen.text.startswith("Not possible right now")
        if screen.text in seen or screen.ends:
            continue
        seen[screen.text] = path
        if len(path) < 3:
            paths += [(*path, key) for key in ("1", "2", "4", "5", "7", "0", "00")]
    assert refused
    assert len(seen) > 15


def refuse_call(_: CircuitBreaker) -> bool:
    raise DatabaseUnavailableError("ConnectionRefusedError")
