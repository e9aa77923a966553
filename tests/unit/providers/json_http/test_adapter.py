"""What the keys of a row do that the built-in rows do not have, or have in one way only."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from core.http.webhooks import BadWebhookError
from menus.rendering.paging import ScreenBudget
from providers.json_http.ussd import JsonUssd
from providers.json_http.ussd_row import UssdRow
from sessions.path_turns import UssdReply, UssdRequest
from sessions.session import HopMetadata, Reply
from ussd.provider import EndReport, ShortCodeConfig, UssdInput

WIDE = ScreenBudget(septets=182)
CONFIG = ShortCodeConfig(("*123#",), ScreenBudget(), {"62001": WIDE})
NEWEST: Mapping[str, Any] = {
    "format": "json",
    "input": "newest",
    "request": {"session": "s", "caller": "n", "text": "t", "state": "k", "network": "net"},
    "states": {"start": "new", "more": "goes_on", "done": "ended", "left": "released", "broken": "failed"},
    "reply": {"goes_on": {"show": "{text}"}, "ends": {"show": "{text}", "over": True}},
}
DIAL: Mapping[str, Any] = {"s": "1", "n": "233246912184", "t": "*123*4#", "k": "start", "net": "MTN"}


def build(config: ShortCodeConfig = CONFIG, **changes: Any) -> JsonUssd:
    return JsonUssd("acme", UssdRow.model_validate({**NEWEST, **changes}), config)


def read(provider: JsonUssd, **changes: Any) -> UssdInput:
    found = provider.parse_request({**DIAL, **changes}, {})
    assert isinstance(found, UssdInput)
    return found


def render(provider: JsonUssd, text: str = "Hello", fields: Mapping[str, Any] = DIAL, **reply: Any) -> str:
    return provider.render_reply(UssdReply(Reply(text), "answered", **reply), fields).text


def test_a_session_has_the_name_of_its_provider_so_that_two_providers_never_share_one() -> None:
    assert read(build()).session_id == "acme/1"


def test_the_digits_past_our_code_are_read_as_the_row_says() -> None:
    assert read(build()).text == ""
    assert read(build(first_text="dialled")).text == "4"
    request = {**NEWEST["request"], "first_text": "d"}
    past = build(first_text="past_code", request=request)
    assert [read(past, d=digits).text for digits in ("4*5", "", "x", 7, None)] == ["4*5", "", "", "7", ""]


def test_numbers_are_international_or_those_of_a_country() -> None:
    assert {read(build(), n=number).caller for number in ("233246912184", "+233246912184", 233246912184)} == {
        "+233246912184"
    }
    national = build(caller="national", country="GH")
    assert {read(national, n=number).caller for number in ("0246912184", "246912184")} == {"+233246912184"}
    with pytest.raises(BadWebhookError, match="n is missing, or not a phone number"):
        read(national, n="123")


def test_a_row_says_whether_the_number_is_vouched_for() -> None:
    assert read(build()).caller_number_verified
    assert not read(build(vouches_for_number=False)).caller_number_verified
    unverified = ShortCodeConfig(("*123#",), ScreenBudget(), {}, caller_number_verified=False)
    assert not read(build(unverified)).caller_number_verified


def test_callers_of_some_networks_alone_may_be_vouched_for() -> None:
    provider = build(vouched_networks=["mtn"])
    assert [
        read(provider, net=network).caller_number_verified for network in ("MTN", "mtn", "Hubtel-Android", None)
    ] == [True, True, False, False]


def test_the_size_of_screens_is_that_of_the_network_then_of_the_row_then_of_the_settings() -> None:
    assert read(build()).budget == ScreenBudget()
    assert read(build(screen={"septets": 120})).budget == ScreenBudget(septets=120)
    assert read(build(screen={"unicode": True, "units": 60})).budget == ScreenBudget(units=60, unicode=True)
    assert read(build(screen={"septets": 120}, networks={"MTN": "62001"})).budget == WIDE
    assert read(build(networks={"mtn": "62001"})).budget == WIDE
    assert read(build(), net="62001").budget == WIDE
    assert read(build(), net=None).budget == ScreenBudget()


@pytest.mark.parametrize(
    ("state", "status", "has_error"),
    [("done", "Success", False), ("LEFT", "Incomplete", False), ("broken", "Failed", True)],
)
def test_an_end_is_reported_with_its_reason(state: str, status: str, has_error: bool) -> None:
    found = build().parse_request({"s": "1", "k": state}, {})
    assert isinstance(found, EndReport)
    assert (found.event.session_id, found.event.status, found.event.has_error) == ("acme/1", status, has_error)
    assert found.acknowledgement.text == ""


def test_the_report_of_an_end_gets_the_reply_of_the_row() -> None:
    reply = {**NEWEST["reply"], "after_end": {"bye": "{request.s}"}}
    found = build(reply=reply).parse_request({"s": "1", "k": "done"}, {})
    assert isinstance(found, EndReport)
    assert found.acknowledgement.text == '{"bye":"1"}'


def test_a_field_that_is_brought_back_keeps_its_type_where_it_is_the_whole_value() -> None:
    forms = {"same": "{request.x}", "inside": "<{request.x}>", "show": ["{text}", {"deep": "{request.o.x}"}], "n": 3}
    provider = build(reply={"goes_on": forms, "ends": "{text}"})
    for value, inside in ((7, "<7>"), ("7", "<7>"), (None, "<>"), ({"y": 1}, "<>")):
        said = json.loads(render(provider, fields={"x": value, "o": {"x": True}}))
        expected = None if isinstance(value, dict) else value
        assert said == {"same": expected, "inside": inside, "show": ["Hello", {"deep": True}], "n": 3}


def test_a_screen_with_braces_quotes_and_letters_of_any_script_arrives_as_it_is() -> None:
    screen = 'a {text} {request.s} "b" \\ \n ক খ'
    assert json.loads(render(build(), screen)) == {"show": screen}
    assert render(build(reply={"goes_on": "CON {text}", "ends": "END {text}"}), screen) == f"CON {screen}"


def test_metadata_go_out_and_come_back() -> None:
    request = {**NEWEST["request"], "metadata": "m"}
    provider = build(request=request, reply={"goes_on": {"t": "{text}", "m": "{metadata}"}, "ends": "{text}"})
    assert json.loads(render(provider, hop_metadata=HopMetadata("main", 3))) == {"t": "Hello", "m": "main.3"}
    assert json.loads(render(provider)) == {"t": "Hello", "m": ""}
    assert read(provider, m="main.3").echoed_metadata == "main.3"


def test_the_content_type_is_that_of_the_reply_unless_the_row_has_one() -> None:
    text = {"goes_on": "CON {text}", "ends": "END {text}"}
    answers = {
        "application/json": NEWEST["reply"],
        "text/plain": text,
        "text/html": {**text, "content_type": "text/html"},
    }
    for content_type, reply in answers.items():
        said = build(reply=reply).render_reply(UssdReply(Reply("x"), "answered"), DIAL)
        assert (said.content_type, said.status) == (content_type, 200)
    accepted = build(reply={**text, "status": 202}).render_reply(UssdReply(Reply("x"), "answered"), DIAL)
    assert accepted.status == 202


def test_our_code_that_was_dialled_is_known_in_every_spelling() -> None:
    codes = ShortCodeConfig(("*123#", "*713*45#"), ScreenBudget(), {})
    provider = build(codes, request={**NEWEST["request"], "service_code": "c"})
    spelled = ("713*45", "*713*45#", "*713*45*1#", "*123", "999", "")
    assert [read(provider, c=code).used_code for code in spelled] == [
        "*713*45#",
        "*713*45#",
        "*713*45#",
        "*123#",
        "",
        "",
    ]


def test_a_path_is_read_with_the_digits_past_our_code_before_it() -> None:
    request = {"session": "s", "caller": "n", "text": "t", "service_code": "c"}
    provider = build(input="path", format="form", request=request, states={})
    found = provider.parse_request({"s": "1", "n": "+233246912184", "t": "1*2", "c": "*123*9#"}, {})
    assert isinstance(found, UssdRequest)
    assert (found.path, found.is_deep_dial, found.starts_session) == ("9*1*2", True, False)


def test_a_provider_with_a_path_may_report_the_end_of_a_session() -> None:
    request = {"session": "s", "caller": "n", "text": "t", "state": "k"}
    provider = build(input="path", format="form", request=request, states={"on": "goes_on", "off": "released"})
    assert isinstance(provider.parse_request({"s": "1", "k": "off"}, {}), EndReport)
    assert isinstance(provider.parse_request({"s": "1", "n": "233246912184", "t": "", "k": "on"}, {}), UssdRequest)
