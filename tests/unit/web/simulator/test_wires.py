"""Calls of the simulator over another provider: the phone's form in, the provider's own form out."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.support.scripted_gateway import run_scripted_gateway
from tests.support.scripted_wire import CODE, ScriptedWire
from web.simulator.wires import MAX_CALLS

MSISDN = "+8801700000001"


@pytest.fixture
def wire() -> ScriptedWire:
    return ScriptedWire()


@pytest.fixture
async def http(wire: ScriptedWire) -> AsyncIterator[ClientSession]:
    async with run_scripted_gateway(wires=[wire]) as gateway, ClientSession(gateway.url) as session:
        yield session


async def press(http: ClientSession, path: str, session: str = "s1", network: str = CODE) -> tuple[int, str]:
    form = {"sessionId": session, "phoneNumber": MSISDN, "serviceCode": "*213#", "text": path, "networkCode": network}
    async with http.post(f"/simulator/wires/{network}", data=form) as response:
        return response.status, await response.text()


async def test_the_networks_of_a_wire_stand_beside_the_others_with_paths_of_their_own(http: ClientSession) -> None:
    async with http.get("/simulator/phone.json") as response:
        phone = await response.json()
    assert phone["callback"] == "/ussd/africastalking"
    assert phone["networks"][-1]["code"] == CODE
    assert phone["networks"][-1] == {
        "code": CODE,
        "name": "Acme North",
        "unicode": False,
        "septets": 140,
        "units": 70,
        "serviceCode": "*213#",
        "callback": f"/simulator/wires/{CODE}",
        "events": f"/simulator/wires/{CODE}/events",
    }


async def test_a_wire_gets_the_newest_input_and_its_number(http: ClientSession, wire: ScriptedWire) -> None:
    assert await press(http, "") == (200, "CON You typed nothing")
    assert await press(http, "1") == (200, "CON You typed 1")
    assert await press(http, "1*Amina*Begum") == (200, "CON You typed Amina*Begum")
    assert await press(http, "1*Amina*Begum*9") == (200, "END You typed 9")
    assert [(one.text, one.number, one.starts_session) for one in wire.presses] == [
        ("", 1, True),
        ("1", 2, False),
        ("Amina*Begum", 3, False),
        ("9", 4, False),
    ]


async def test_a_repeat_has_the_number_of_what_it_repeats(http: ClientSession, wire: ScriptedWire) -> None:
    await press(http, "2*5")
    await press(http, "2*5*1")
    await press(http, "2*5*1")
    assert [(one.text, one.number) for one in wire.presses] == [("2*5", 1), ("1", 2), ("1", 2)]


async def test_calls_do_not_mix(http: ClientSession, wire: ScriptedWire) -> None:
    await press(http, "", "s1")
    await press(http, "", "s2")
    await press(http, "1", "s1")
    assert [(one.session_id, one.number) for one in wire.presses] == [("s1", 1), ("s2", 1), ("s1", 2)]


async def test_what_the_gateway_refuses_is_said(http: ClientSession) -> None:
    assert await press(http, "refused") == (502, "HTTP 400: sessionId is missing.")


async def test_a_network_that_is_not_there_is_said(http: ClientSession) -> None:
    assert await press(http, "", network="nowhere") == (404, f"There is no such network; there are {CODE}.")


async def test_hanging_up_is_told_once_and_not_after_the_end(http: ClientSession, wire: ScriptedWire) -> None:
    await press(http, "")
    for session in ("s1", "s1", "unknown"):
        async with http.post(f"/simulator/wires/{CODE}/events", data={"sessionId": session}) as response:
            assert response.status == 200
    assert [one.session_id for one in wire.ended] == ["s1"]
    await press(http, "9", "s2")
    await http.post(f"/simulator/wires/{CODE}/events", data={"sessionId": "s2"})
    assert len(wire.ended) == 1


async def test_only_the_newest_calls_are_known(http: ClientSession, wire: ScriptedWire) -> None:
    for number in range(MAX_CALLS + 1):
        await press(http, "", f"s{number}")
    await press(http, "1", "s0")
    assert wire.presses[-1].number == 1
    await press(http, "1", f"s{MAX_CALLS}")
    assert wire.presses[-1].number == 2


async def test_the_gateway_reaches_the_platform_of_the_wire(http: ClientSession) -> None:
    async with http.post("/simulator/acme/send") as response:
        assert await response.text() == "taken"


async def test_a_page_of_another_site_presses_no_key(http: ClientSession) -> None:
    async with http.post(f"/simulator/wires/{CODE}", data={}, headers={"Origin": "http://evil.example"}) as response:
        assert response.status == 403
