"""The simulated phone in a terminal: scripted and typed sessions with a scripted gateway."""

import argparse
import asyncio
import io
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tests.support.scripted_gateway import (
    ENDED_FORM,
    EVENT_FIELDS,
    HOP_FIELDS,
    LINK_NUMBER,
    MENU,
    MENU_NUMBER,
    MSISDN,
    PHONE,
    RINGING_CALL_FIELDS,
    RINGING_FORM,
    SCREENS,
    SMS_FIELDS,
    ScriptedGateway,
    run_scripted_gateway,
)
from tests.support.servers import free_port
from web.simulator import terminal_inbox
from web.simulator.call import parse_deep_dial
from web.simulator.console import HangUpError, Printer, TerminalInput
from web.simulator.ringing import calling_code, find_dialled_number
from web.simulator.terminal import (
    CannotDialError,
    SimOptions,
    add_arguments,
    dial,
    exchange_sms,
    parse_keys,
    ring_number,
    run,
)
from web.simulator.terminal_inbox import find_number

ROOT = Path(__file__).parents[4]
TIMEOUT = 20.0  # seconds; a test that waits longer has failed
AT_ONCE = 0.05  # seconds the phone lingers for an SMS here
CODE = "482913 is your Ekdial code (OTP). It works for 10 minutes. Never tell it to anyone."
RECEIVED = "Ekdial: birth certificate received 21 Nov 2026. Tracking 1234 5678 9012. To track it, dial *123#"


@pytest.fixture
async def gateway() -> AsyncIterator[ScriptedGateway]:
    async with run_scripted_gateway() as running:
        yield running


async def run_call(gateway: ScriptedGateway, keys: str, code: str | None = None, **more: str | None) -> tuple[int, str]:
    """The exit status and the output of a scripted session."""
    out = io.StringIO()
    wanted: dict[str, str | None] = {"number": MSISDN, "network": None} | more
    sim = SimOptions(gateway.url, wanted["number"], wanted["network"])
    status = await dial(sim, code, parse_keys(keys), out=out, linger_seconds=AT_ONCE)
    return status, out.getvalue()


async def test_a_script_is_typed_and_every_screen_is_printed(gateway: ScriptedGateway) -> None:
    status, printed = await run_call(gateway, "1,5,Amina Begum")
    assert status == 0
    assert printed == (
        "╭─ Grameenphone\n│ Ekdial: public services\n│ 1 English\n│ 2 Bangla\n│ 3 Hindi\n╰─ CON, 54 of 160 septets\n"
        "> 1\n"
        "╭─ Grameenphone\n│ Ekdial\n│ 1 Find a service\n│ 2 Track application\n│ 3 Documents\n│ 4 Complain or suggest\n"
        "│ 5 My account\n│ 6 Get the app\n│ 7 Help\n│ 8 Language\n│ 9 Pay a bill\n╰─ CON, 139 of 160 septets\n"
        "> 5\n"
        "╭─ Grameenphone\n│ Type your name\n│ 0 Back\n╰─ CON, 25 of 160 septets\n"
        "> Amina Begum\n"
        "╭─ Grameenphone\n│ Thank you,   Amina Begum.\n│ \n│ Dial again.\n╰─ END, 42 of 160 septets\n"
    )


async def test_each_hop_is_on_the_wire_what_the_provider_puts_there(gateway: ScriptedGateway) -> None:
    await run_call(gateway, "1,5,Amina Begum")
    session = gateway.hops[0]["sessionId"]
    assert re.fullmatch(r"ATUid_[0-9a-f]{32}", session)
    paths = ["", "1", "1%2A5", "1%2A5%2AAmina+Begum"]
    assert gateway.bodies[:4] == [
        f"phoneNumber=%2B8801700000001&serviceCode=%2A123%23&text={path}&sessionId={session}&networkCode=47001"
        for path in paths
    ]
    assert gateway.hop_metadata == [None, "welcome", "step 0", "step 1"]


async def test_the_end_is_told_as_the_provider_tells_it(gateway: ScriptedGateway) -> None:
    await run_call(gateway, "1,5,Amina Begum")
    [event] = gateway.events
    assert int(event.pop("durationInMillis")) >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", event.pop("date"))
    assert event == {
        "phoneNumber": MSISDN,
        "errorMessage": "",
        "serviceCode": "*123#",
        "lastAppResponse": SCREENS["1*5*Amina Begum"],
        "hopsMetadata": "welcome|step 0|step 1|step 2",
        "hopsCount": "4",
        "status": "Success",
        "sessionId": gateway.hops[0]["sessionId"],
        "cost": "0.00",
        "networkCode": "47001",
        "input": "1*5*Amina Begum",
    }


def test_the_captured_forms_have_these_fields() -> None:
    hop = "phoneNumber=%2B254700000001&serviceCode=%2A384%2A70001%23&text=1&sessionId=ATUid_0&networkCode=99999"
    event = (
        "durationInMillis=19200&phoneNumber=%2B254700000001&errorMessage=&serviceCode=%2A384%2A70001%23"
        "&lastAppResponse=CON+Main+menu%0A1.+Register&hopsMetadata=&hopsCount=2&status=Incomplete"
        "&sessionId=ATUid_0&cost=0.00&date=2026-01-02+03%3A04%3A05&networkCode=99999&input=1"
    )
    sms = (
        "linkId=&text=JOIN+Amina&to=22384&id=0f3c1d2e-0000-4000-8000-0123456789ab&date=2026-01-02+03%3A04%3A05"
        "&from=%2B254700000001&networkCode=99999"
    )
    ring = (
        "callSessionState=Ringing&direction=Inbound&callerCountryCode=254&callerNumber=%2B254700000001"
        "&sessionId=ATVId_0&destinationNumber=%2B254711000000&callerCarrierName=Safaricom"
        "&callStartTime=2026-01-02+03%3A04%3A05&isActive=1"
    )
    assert list(parse_qs(hop, keep_blank_values=True)) == HOP_FIELDS
    assert list(parse_qs(event, keep_blank_values=True)) == EVENT_FIELDS
    assert list(parse_qs(sms, keep_blank_values=True)) == SMS_FIELDS
    assert list(parse_qs(ring, keep_blank_values=True)) == RINGING_CALL_FIELDS


async def test_a_deep_dial_goes_straight_there(gateway: ScriptedGateway) -> None:
    status, _ = await run_call(gateway, "1", code="*123*2*123456789012#")
    assert status == 0
    assert [hop["text"] for hop in gateway.hops] == ["2*123456789012", "2*123456789012*1"]
    assert {hop["serviceCode"] for hop in gateway.hops} == {"*123#"}


async def test_a_screen_that_asks_for_more_keys_than_there_are_is_status_1_and_hangs_up(
    gateway: ScriptedGateway,
) -> None:
    status, printed = await run_call(gateway, "1")
    assert status == 1
    assert printed.endswith("The keys are used up, and the screen asks for more.\n")
    assert [event["status"] for event in gateway.events] == ["Incomplete"]


async def test_keys_left_over_at_the_end_are_status_1(gateway: ScriptedGateway) -> None:
    status, printed = await run_call(gateway, "1,5,Amina Begum,0,0")
    assert status == 1
    assert printed.endswith("The call ended with keys left over: 2.\n")


async def test_a_hop_without_an_answer_is_status_2_and_a_failure(gateway: ScriptedGateway) -> None:
    status, printed = await run_call(gateway, "3")
    assert status == 2
    assert printed.endswith("The gateway gave no answer: HTTP 200.\n")
    assert [(event["status"], event["errorMessage"]) for event in gateway.events] == [("Failed", "HTTP 200")]


async def test_number_and_network_are_chosen(gateway: ScriptedGateway) -> None:
    _, printed = await run_call(gateway, "2", number="+254700000001", network="99999")
    assert (gateway.hops[0]["phoneNumber"], gateway.hops[0]["networkCode"]) == ("+254700000001", "99999")
    assert "╭─ Sandbox\n│ একডায়াল\n│ 1 সেবা খুঁজুন\n" in printed
    assert "of 70 UTF-16 units" in printed


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"number": "01700000001"}, "01700000001 is not a number to call from; write one such as +8801700000001."),
        ({"network": "7"}, "Network 7 is not known; there are 47001, 99999."),
        ({"code": "*999#"}, "*999# does not lead to this gateway; its code is *123#."),
        ({"code": "*1234#"}, "*1234# does not lead to this gateway; its code is *123#."),
    ],
)
async def test_what_cannot_be_dialled_is_said(gateway: ScriptedGateway, wrong: dict[str, str], line: str) -> None:
    with pytest.raises(CannotDialError) as said:
        await run_call(gateway, "1", **wrong)
    assert str(said.value) == line
    assert gateway.bodies == []


# --- SMS ---


async def test_an_sms_of_the_call_is_printed_and_its_code_typed(gateway: ScriptedGateway) -> None:
    await gateway.deliver(MSISDN, "111111 is an old code.")
    gateway.sms_provider = {"1*5": CODE}
    gateway.screens = SCREENS | {"1*5*482913": "END Welcome."}
    status, printed = await run_call(gateway, "1,5,{code}")
    assert status == 0
    assert f"╭─ SMS from 123\n│ {CODE}\n╰─ " in printed
    assert "> 482913\n" in printed
    assert "an old code" not in printed


async def test_a_pin_is_not_the_code_that_came_before_it(gateway: ScriptedGateway) -> None:
    gateway.sms_provider = {"1": CODE, "1*482913": "Your Ekdial PIN is 7305. Change it under My account."}
    gateway.screens = SCREENS | {"1*482913": "CON Type your PIN", "1*482913*7305": "END Welcome."}
    status, _ = await run_call(gateway, "1,{code},{pin}")
    assert status == 0
    assert gateway.hops[-1]["text"] == "1*482913*7305"


async def test_an_old_sms_will_do_where_no_new_one_comes(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal_inbox, "ARRIVAL_TIMEOUT", AT_ONCE)
    await gateway.deliver(MSISDN, RECEIVED)
    await run_call(gateway, "2,{tracking},1")
    assert [hop["text"] for hop in gateway.hops] == ["", "2", "2*123456789012", "2*123456789012*1"]


async def test_a_code_that_never_comes_is_status_1(gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal_inbox, "ARRIVAL_TIMEOUT", AT_ONCE)
    status, printed = await run_call(gateway, "1,{code}")
    assert status == 1
    assert printed.endswith("No SMS with a number for {code} has come.\n")
    assert [event["status"] for event in gateway.events] == ["Incomplete"]


async def test_an_sms_that_comes_after_the_call_is_printed(gateway: ScriptedGateway) -> None:
    gateway.sms_provider = {"1*5*Amina Begum": RECEIVED}
    _, printed = await run_call(gateway, "1,5,Amina Begum")
    assert RECEIVED in printed


@pytest.mark.parametrize(
    ("kind", "text", "number"),
    [
        ("code", CODE, "482913"),
        ("pin", "Your PIN is 7305.", "7305"),
        ("pin", "আপনার পিন ৭৩০৫।", "7305"),
        ("pin", RECEIVED, None),
        ("code", RECEIVED, None),
        ("tracking", RECEIVED, "123456789012"),
        ("tracking", "STATUS 123456789012", "123456789012"),
        ("pin", "Fee Tk 50. Dial *123#", None),
        ("code", "1234567", None),
        ("code", "", None),
    ],
)
def test_the_number_in_an_sms(kind: str, text: str, number: str | None) -> None:
    assert find_number(text, kind) == number


async def test_every_sms_is_reported_as_delivered_once(gateway: ScriptedGateway) -> None:
    await gateway.deliver(MSISDN, "111111 is an old code.")
    gateway.sms_provider = {"1*5*Amina Begum": RECEIVED}
    await run_call(gateway, "1,5,Amina Begum")
    sms = gateway.sms.messages_to(MSISDN)[1].id
    assert gateway.reports == [
        {"phoneNumber": MSISDN, "retryCount": "0", "id": sms, "status": "Success", "networkCode": "47001"}
    ]


# --- writing SMS ---


async def run_sms(gateway: ScriptedGateway, first: str, keys: str = "") -> tuple[int, str]:
    """The exit status and the output of a scripted conversation by SMS."""
    out = io.StringIO()
    status = await exchange_sms(
        SimOptions(gateway.url, MSISDN), first, parse_keys(keys), out=out, linger_seconds=AT_ONCE
    )
    return status, out.getvalue()


async def test_an_sms_is_on_the_wire_what_the_provider_puts_there(gateway: ScriptedGateway) -> None:
    gateway.sms_provider = {"JOIN Amina": "Welcome."}
    status, printed = await run_sms(gateway, "JOIN Amina")
    [form] = gateway.received_sms
    assert status == 0
    assert re.fullmatch(r"ATXid_[0-9a-f]{32}", form.pop("id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", form.pop("date"))
    assert form == {"linkId": "", "text": "JOIN Amina", "to": "123", "from": MSISDN, "networkCode": "47001"}
    assert printed.startswith("> JOIN Amina\n╭─ SMS from 123\n│ Welcome.\n╰─ ")


async def test_a_conversation_goes_on_as_it_is_answered(gateway: ScriptedGateway) -> None:
    gateway.sms_provider = {"নথি": "1 হ্যাঁ\n2 না", "1": CODE, "482913": "জন্ম সনদ"}
    status, printed = await run_sms(gateway, "নথি", "1,{code}")
    assert status == 0
    assert [sms["text"] for sms in gateway.received_sms] == ["নথি", "1", "482913"]
    assert (
        printed.index("> নথি") < printed.index("│ 1 হ্যাঁ\n│ 2 না") < printed.index("> 482913") < printed.index("│ জন্ম সনদ")
    )


async def test_an_sms_that_is_not_answered_is_status_1(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal_inbox, "ARRIVAL_TIMEOUT", AT_ONCE)
    status, printed = await run_sms(gateway, "HELP", "1")
    assert status == 1
    assert printed == "> HELP\nNo SMS has come in answer.\n"
    assert len(gateway.received_sms) == 1


async def test_a_code_that_no_sms_has_is_status_1(gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal_inbox, "ARRIVAL_TIMEOUT", AT_ONCE)
    gateway.sms_provider = {"PIN": "Which school did you go to first?"}
    status, printed = await run_sms(gateway, "PIN", "{code}")
    assert status == 1
    assert printed.endswith("No SMS with a number for {code} has come.\n")


async def test_an_sms_that_is_not_taken_is_status_2(gateway: ScriptedGateway) -> None:
    gateway.takes_sms = False
    status, printed = await run_sms(gateway, "HELP")
    assert status == 2
    assert printed == "> HELP\nThe gateway did not take the SMS: HTTP 503.\n"


# --- ringing ---


async def run_missed_call(gateway: ScriptedGateway, to: str | None = None) -> tuple[int, str]:
    """The exit status and the output of a missed call."""
    out = io.StringIO()
    status = await ring_number(SimOptions(gateway.url, MSISDN), to, out=out, linger_seconds=AT_ONCE)
    return status, out.getvalue()


async def test_a_ring_is_rejected_and_an_sms_comes(gateway: ScriptedGateway) -> None:
    gateway.sms_provider = {LINK_NUMBER: "Get the app."}
    status, printed = await run_missed_call(gateway)
    assert status == 0
    assert printed.startswith(f"Calling {LINK_NUMBER}\n")
    assert "Rejected: you pay nothing.\n" in printed
    assert "│ Get the app.\n" in printed


async def test_a_ring_is_on_the_wire_what_the_provider_puts_there(gateway: ScriptedGateway) -> None:
    await run_missed_call(gateway, MENU_NUMBER)
    first, last = gateway.received_calls
    assert re.fullmatch(r"ATVId_[0-9a-f]{32}", first["sessionId"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", first["callStartTime"])
    assert first == first | RINGING_FORM | {"destinationNumber": MENU_NUMBER}
    assert last == first | ENDED_FORM


async def test_a_ring_that_is_not_rejected_is_status_1(gateway: ScriptedGateway) -> None:
    gateway.ring_answer = "<Response><Say>Hello</Say></Response>"
    status, printed = await run_missed_call(gateway)
    assert status == 1
    assert printed.endswith("The gateway did not reject this call: HTTP 200.\n")
    assert [ring["isActive"] for ring in gateway.received_calls] == ["1", "0"]


async def test_a_number_of_nobodys_is_not_rung(gateway: ScriptedGateway) -> None:
    with pytest.raises(CannotDialError) as said:
        await run_missed_call(gateway, "16263")
    assert str(said.value) == (
        f"16263 is not a missed-call number of this gateway; there are {LINK_NUMBER}, {MENU_NUMBER}."
    )
    assert gateway.received_calls == []


async def test_a_gateway_without_a_number_says_so() -> None:
    async with run_scripted_gateway(phone=replace(PHONE, missed_calls={})) as gateway:
        with pytest.raises(CannotDialError, match=r"no missed-call number; set missed_calls\.numbers"):
            await run_missed_call(gateway)


@pytest.mark.parametrize(
    ("dialled", "found"),
    [
        (LINK_NUMBER, LINK_NUMBER),
        (LINK_NUMBER[1:], LINK_NUMBER),
        (f"00{LINK_NUMBER[1:]}", LINK_NUMBER),
        ("+880 9600-000002", MENU_NUMBER),
        ("09600000001", None),
        ("", None),
    ],
)
def test_a_number_is_known_however_it_is_dialled(dialled: str, found: str | None) -> None:
    assert find_dialled_number(dialled, [LINK_NUMBER, MENU_NUMBER]) == found


@pytest.mark.parametrize(
    ("number", "code"), [(MSISDN, "880"), ("+12025550100", "1"), ("+919000000001", "91"), ("1", "-1")]
)
def test_the_country_of_a_caller(number: str, code: str) -> None:
    assert calling_code(number) == code


# --- options ---


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("1,2,Amina Begum", ["1", "2", "Amina Begum"]),
        ('1, "House 5, Road 2",{pin}', ["1", "House 5, Road 2", "{pin}"]),
        ("00", ["00"]),
        ("", []),
    ],
)
def test_keys_are_separated_by_commas(text: str, keys: list[str]) -> None:
    assert parse_keys(text) == keys


def test_an_unknown_name_among_the_keys_is_refused() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=re.escape("{otp} is not known; there are {code}, {pin}")):
        parse_keys("1,{otp}")


@pytest.mark.parametrize(
    ("dialled", "rest"),
    [("*123#", ""), ("*123*2#", "2"), ("*123*2*1234#", "2*1234"), ("*1234#", None), ("*123*2", None), ("123", None)],
)
def test_what_stands_past_the_short_code(dialled: str, rest: str | None) -> None:
    assert parse_deep_dial(dialled, "*123#") == rest


def default_arguments(*args: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(args)


@pytest.mark.parametrize("what", ["call", "sms", "ring 1 2"])
async def test_what_the_phone_cannot_do_is_one_line_and_status_2(
    gateway: ScriptedGateway, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    assert await asyncio.to_thread(run, default_arguments(*what.split()), nullcontext(gateway.url)) == 2
    line = f"{what} is not a command of this phone; write: sms TEXT, or: ring, or: ring NUMBER.\n"
    assert capsys.readouterr().err == line


async def test_a_ring_from_the_command_line(gateway: ScriptedGateway, capsys: pytest.CaptureFixture[str]) -> None:
    assert await asyncio.to_thread(run, default_arguments("ring", MENU_NUMBER), nullcontext(gateway.url)) == 0
    assert capsys.readouterr().out == f"Calling {MENU_NUMBER}\nRejected: you pay nothing.\n"


def test_no_gateway_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    assert run(default_arguments("--keys", "1"), nullcontext(address)) == 2
    assert capsys.readouterr().err == f"No gateway answers at {address}; start one with: python server.py\n"


def test_no_address_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(default_arguments("--keys", "1"), nullcontext("ekdial")) == 2
    assert capsys.readouterr().err == "ekdial is not an address; write one such as http://127.0.0.1:8080.\n"


# --- typed by a person ---


async def test_lines_are_read_as_they_are_typed() -> None:
    reading, writing = os.pipe()
    person = TerminalInput(Printer(out := io.StringIO(), {}), reading)
    os.write(writing, "1\nআমিনা".encode())
    assert await person.next_input() == "1"
    os.write(writing, " বেগম\r\n".encode())
    assert await person.next_input() == "আমিনা বেগম"
    os.close(writing)
    with pytest.raises(HangUpError, match="You hung up"):
        await person.next_input()
    os.close(reading)
    assert out.getvalue() == "> > > "


async def run_terminal(
    gateway: ScriptedGateway, *what: str, out: int = asyncio.subprocess.PIPE
) -> asyncio.subprocess.Process:
    """The program as a person starts it, without a gateway."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "server.py", "dial", *what, "--url", gateway.url,
        stdin=asyncio.subprocess.PIPE, stdout=out, stderr=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip


async def test_a_person_talks_and_hangs_up_with_ctrl_d(gateway: ScriptedGateway) -> None:
    async with asyncio.timeout(TIMEOUT):
        process = await run_terminal(gateway)
        printed, complaints = await process.communicate(b"1\n")
    assert process.returncode == 1
    assert complaints == b""
    assert printed.decode().endswith("│ 8 Language\n│ 9 Pay a bill\n╰─ CON, 139 of 160 septets\n> You hung up.\n")
    assert gateway.events[0]["lastAppResponse"] == MENU


async def test_ctrl_c_presses_the_red_key(gateway: ScriptedGateway) -> None:
    async with asyncio.timeout(TIMEOUT):
        process = await run_terminal(gateway)
        assert process.stdout is not None
        await process.stdout.readuntil(b"> ")
        process.send_signal(signal.SIGINT)
        _, complaints = await process.communicate()
    assert process.returncode == 130
    assert complaints == b""
    assert [event["status"] for event in gateway.events] == ["Incomplete"]


async def test_an_sms_does_not_eat_the_prompt(gateway: ScriptedGateway) -> None:
    async with asyncio.timeout(TIMEOUT):
        process = await run_terminal(gateway)
        assert process.stdout is not None
        await process.stdout.readuntil(b"> ")
        await gateway.deliver("+8801700000001", CODE)
        printed = await process.stdout.readuntil(b"> ")
        await process.communicate(b"")
    assert printed.decode().startswith(f"\n╭─ SMS from 123\n│ {CODE}\n╰─ ")


async def test_a_person_writes_sms_until_ctrl_d(gateway: ScriptedGateway) -> None:
    gateway.sms_provider = {"STATUS 1234 5678 9012": RECEIVED, "MENU": "1 Find a service"}
    async with asyncio.timeout(TIMEOUT):
        process = await run_terminal(gateway, "sms", "STATUS", "1234", "5678", "9012")
        printed, complaints = await process.communicate(b"MENU\n")
    assert (process.returncode, complaints) == (0, b"")
    assert [sms["text"] for sms in gateway.received_sms] == ["STATUS 1234 5678 9012", "MENU"]
    assert RECEIVED in printed.decode()
    assert "│ 1 Find a service\n" in printed.decode()


async def test_it_hangs_up_without_a_word_when_nobody_reads_along(gateway: ScriptedGateway) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    async with asyncio.timeout(TIMEOUT):
        process = await run_terminal(gateway, out=writing)
        os.close(writing)
        _, complaints = await process.communicate(b"1\n")
    assert (process.returncode, complaints) == (1, b"")
    assert [event["status"] for event in gateway.events] == ["Incomplete"]
