"""hSenid TAP: key presses that are refused, screens in ASCII, and what the answer to a screen means."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.http.webhooks import BadWebhookError
from providers.tap.ascii import AsciiBudget, fold_to_ascii
from providers.tap.dialects import DIALECTS
from providers.tap.settings import TapApplication
from providers.tap.status_codes import LIMIT_CODES, STATUS_CODES
from providers.tap.ussd import TapUssd
from tests.fakes.tap_server import (
    APPLICATIONS,
    Behaviour,
    TapServer,
    act_silently,
    answer_code,
    answer_http,
    stay_silent,
)
from tests.support.tap import build_fake_applications, build_reply, build_ussd, open_call
from ussd.provider import ReplyNotShownError

KEY_PRESS: dict[str, Any] = {
    "version": "1.0",
    "applicationId": "APP_000375",
    "message": "*213#",
    "requestId": "1",
    "sessionId": "2",
    "ussdOperation": "mo-init",
    "sourceAddress": "tel:8801812345678",
    "encoding": "440",
}


@pytest.fixture
async def server() -> AsyncIterator[TapServer]:
    async with TapServer() as server:
        yield server


@pytest.fixture
async def ussd(server: TapServer) -> AsyncIterator[TapUssd]:
    ussd = build_ussd(build_fake_applications(server))
    async with ussd.connections():
        yield ussd


def parse(**changes: object) -> Any:
    fields = {name: value for name, value in {**KEY_PRESS, **changes}.items() if value is not None}
    return build_ussd(build_fake_applications(None)).parse_request(fields, {})


@pytest.mark.parametrize(
    "name", ["ussdOperation", "requestId", "sessionId", "sourceAddress", "message", "applicationId"]
)
@pytest.mark.parametrize("value", [None, "", 7.5, ["1"], {"a": 1}, "x" * 500])
def test_a_key_press_with_an_unusable_field_is_refused(name: str, value: object) -> None:
    if (name, value) == ("message", ""):
        assert parse(message="").text == ""
        return
    with capture_logs() as lines, pytest.raises(BadWebhookError) as refused:
        parse(**{name: value})
    assert refused.value.status == 400
    assert name in refused.value.message
    assert "8801812345678" not in f"{lines} {refused.value.message}"


def test_an_unknown_application_is_refused_without_its_id() -> None:
    with pytest.raises(BadWebhookError, match=r"applicationId is none of \[providers.tap.applications\]") as refused:
        parse(applicationId="APP_999999")
    assert "APP_999999" not in refused.value.message


def test_calls_of_two_applications_never_share_an_id() -> None:
    assert parse().session_id != parse(applicationId=APPLICATIONS["applink"].id).session_id


@pytest.mark.parametrize(
    ("dialled", "text"), [("*213#", ""), ("*213*2*99#", "2*99"), ("*303*2#", ""), ("213", ""), ("", "")]
)
def test_digits_past_the_code_of_the_application_are_input(dialled: str, text: str) -> None:
    assert parse(message=dialled).text == text


def test_a_masked_caller_is_named_and_has_the_calling_code_of_the_network() -> None:
    request = parse(sourceAddress="tel:hu3b84346f0a9d2c11")
    assert request.caller == "+880"
    assert (request.hidden.identity, request.hidden.country) == ("bdapps hu3b84346f0a9d2c11", "BD")
    other = parse(sourceAddress="tel:hu3b84346f0a9d2c11", applicationId=APPLICATIONS["applink"].id)
    assert other.hidden.identity != request.hidden.identity
    assert parse().hidden is None


@pytest.mark.parametrize(
    "address", ["hu3b84346f0a9d2c11", "tel:", "tel:all", "tel:123", "tel:77000", "tel:a b c d e f g h"]
)
def test_an_address_that_is_neither_a_number_nor_a_hash_is_refused(address: str) -> None:
    with pytest.raises(BadWebhookError, match="sourceAddress"):
        parse(sourceAddress=address)


@pytest.mark.parametrize(("operation", "message"), [("mo-init", "*213#"), ("mo-init", "*213*2#"), ("mo-cont", "1")])
def test_the_code_that_was_used_and_the_network_are_told(operation: str, message: str) -> None:
    request = parse(ussdOperation=operation, message=message)
    assert (request.used_code, request.network) == ("*213#", "47002")
    assert parse(applicationId=APPLICATIONS["applink"].id).network == "47003"
    assert parse(sourceAddress="tel:hu3b84346f0a9d2c11").network == "", (
        "nobody's network is learned from a hidden number"
    )


def test_an_id_that_comes_as_a_number_is_taken_as_text() -> None:
    assert parse(requestId=1330933229901).message_id == "1330933229901"


def test_screens_are_spelled_in_ascii() -> None:
    assert fold_to_ascii("Ärzte für Straße – 5 €\n“জন্ম”") == 'Arzte fur Strasse - 5 EUR\n"jnm"'
    assert fold_to_ascii("tab\there\x00") == "tab here"


def test_a_screen_is_measured_as_it_is_sent() -> None:
    budget = AsciiBudget(5, 5, unicode=False)
    assert budget.fits("Maria")
    assert not budget.fits("Große")  # Grosse
    assert not budget.unicode


async def test_a_screen_with_other_letters_goes_out_in_ascii(server: TapServer, ussd: TapUssd) -> None:
    await ussd.push_reply(open_call(server, ussd), build_reply("José, ৳ 50"))
    assert server.requests[0][1]["message"].isascii()
    assert server.refusals == []


@pytest.mark.parametrize(
    ("behaviour", "ends", "outcome", "pushes"),
    [
        pytest.param(answer_code("E1317"), False, "call_over", 1, id="number blocked"),
        pytest.param(answer_code("E1326"), False, "call_over", 1, id="no balance"),
        pytest.param(answer_code("E1313"), False, "not_allowed", 1, id="wrong password"),
        pytest.param(answer_code("E1312"), False, "malformed", 1, id="invalid request"),
        pytest.param(answer_code("E1363"), False, "unclear", 1, id="gateway silent"),
        pytest.param(answer_code("E9999"), False, "unclear", 1, id="unheard-of code"),
        pytest.param(answer_http(404), False, "not_allowed", 1, id="no such address"),
        pytest.param(answer_http(500), False, "unclear", 1, id="broken server"),
        pytest.param(answer_http(200), False, "unclear", 1, id="page instead of an answer"),
        pytest.param(answer_code("E1318"), False, "shown", 2, id="throttled"),
        pytest.param(answer_code("E1601"), False, "shown", 2, id="system error"),
        pytest.param(answer_http(503), False, "shown", 2, id="unavailable"),
        pytest.param(answer_http(500), True, "shown", 2, id="broken server at the end"),
        pytest.param(answer_code("E1363"), True, "shown", 2, id="gateway silent at the end"),
    ],
)
async def test_what_an_answer_to_a_screen_means(
    server: TapServer, ussd: TapUssd, *, behaviour: Behaviour, ends: bool, outcome: str, pushes: int
) -> None:
    server.plan("/ussd/send", behaviour)
    request, reply = open_call(server, ussd), build_reply("Thank you.", ends=ends)
    if outcome == "shown":
        await ussd.push_reply(request, reply)
    else:
        with pytest.raises(ReplyNotShownError) as refused:
            await ussd.push_reply(request, reply)
        assert refused.value.facts["outcome"] == outcome
        assert refused.value.is_usual is (outcome == "call_over")
        said = f"{refused.value!r} {refused.value.facts}"
        assert not any(secret in said for secret in ("880", APPLICATIONS["bdapps"].password, "Thank"))
    assert len(server.requests) == pushes


async def test_a_question_that_may_have_been_shown_is_not_pushed_again(server: TapServer) -> None:
    ussd = build_ussd(build_fake_applications(server), push_deadline=0.5)
    server.plan("/ussd/send", act_silently)
    async with ussd.connections():
        with pytest.raises(ReplyNotShownError, match="unclear"):
            await ussd.push_reply(open_call(server, ussd), build_reply("1 Yes"))
    assert len(server.requests) == 1


async def test_a_last_screen_without_an_answer_is_pushed_once_more(server: TapServer) -> None:
    ussd = build_ussd(build_fake_applications(server), push_deadline=4.0)
    server.plan("/ussd/send", stay_silent)
    async with ussd.connections():
        await ussd.push_reply(open_call(server, ussd), build_reply("Thank you.", ends=True))
    assert len(server.requests) == 2


async def test_a_platform_that_cannot_be_reached_is_tried_until_the_deadline() -> None:
    ussd = build_ussd(build_fake_applications(None), push_deadline=0.6)
    async with TapServer() as server, ussd.connections():
        with pytest.raises(ReplyNotShownError, match="not_now"):
            await ussd.push_reply(open_call(server, ussd), build_reply("1 Yes"))


async def test_a_screen_for_a_call_that_was_hung_up_is_dropped(server: TapServer, ussd: TapUssd) -> None:
    request = open_call(server, ussd)
    server.sessions[request.session].is_over = True
    with pytest.raises(ReplyNotShownError):
        await ussd.push_reply(request, build_reply("1 Yes"))
    assert server.refusals == ["/ussd/send: session"]


def test_every_code_has_a_name_of_one_word() -> None:
    rows = {**STATUS_CODES, **LIMIT_CODES}
    assert len(rows) > 70
    assert all(code[1:].isdigit() and len(code) == 5 and row.name.isalpha() for code, row in rows.items())


def test_the_dialects_are_those_that_settings_can_name() -> None:
    for name in DIALECTS:
        assert TapApplication(dialect=name).dialect == name
    assert {DIALECTS[name].requires_version for name in ("bdapps", "applink")} == {False, True}
