"""Sending by a row when things go wrong: the network, the answer, the message, the row itself."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.errors import CommandError, ValidationFailedError
from providers.json_http.provider_rows import load_row
from providers.json_http.sms import build_callback_url, open_sms, read_sms
from providers.json_http.sms_request import format_number
from services.messaging.models import DltIds, OutgoingMessage
from services.messaging.outcomes import Accepted, Rejected, Retry, Suspended, Unknown
from tests.fakes import sms_http_server as fake
from tests.fakes.sms_http_server import SmsHttpServer, respond
from tests.support.servers import free_port
from tests.support.sms_rows import SMS_ROWS, find_answer, load_sampled, open_sms_row

AMINA = "+8801712345678"
HELLO = OutgoingMessage(AMINA, "Your code is 123456", reference="ekdial42")
SENT = '{"status": "SUCCESS", "status_code": 200, "smsinfo": [{"sms_status": "SUCCESS", "reference_id": "5da2"}]}'
SENT_BEFORE = '{"status": "FAILED", "status_code": 4023, "error_message": "Duplicate CSMS ID"}'


def write_row(folder: Path, url: str, more: str = "", *, top: str = "", name: str = "acme") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(
        f'[sms]\n{top}\n[sms.request]\nurl = "{url}"\nfields = {{ to = "{{to}}", text = "{{text}}" }}\n{more}'
    )
    return path


async def send_by(path: Path, message: OutgoingMessage = HELLO, values: Mapping[str, str] | None = None, **options):
    async with open_sms(load_row(path), values or {}, **options) as provider:
        return await provider.send(message)


@pytest.mark.parametrize("name", SMS_ROWS)
async def test_no_connection_lets_all_messages_wait(name):
    async with SmsHttpServer() as server:
        closed = SmsHttpServer()
        closed.url = f"http://127.0.0.1:{free_port()}"
        server.respond_with(find_answer(name, "accepted"))
        async with open_sms_row(name, closed) as provider:
            assert await provider.send(HELLO) == Retry("NotConnected", pauses_all=True)


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        pytest.param(fake.drop_connection, Unknown("NoAnswer"), id="reset"),
        pytest.param(fake.drop_connection_midway(b'{"id": "1", "o'), Unknown("NoAnswer"), id="cut"),
        pytest.param(fake.hang, Unknown("NoAnswer"), id="silent"),
        pytest.param(fake.respond_slowly('{"ok": "yes", "id": "7"}', 0.2), Unknown("NoAnswer"), id="slow"),
        pytest.param(respond(200, b" " * 1_000_000), Unknown("NoAnswer"), id="huge"),
        pytest.param(respond(200, b"\xff\xfe{}"), Unknown("UnreadableAnswer"), id="no UTF-8"),
        pytest.param(respond(200, b"[" * 60_000), Unknown("UnreadableAnswer"), id="deep"),
        pytest.param(respond(200, "[]"), Unknown("Http200"), id="a list"),
        pytest.param(respond(200, '"yes"'), Unknown("Http200"), id="a text"),
        pytest.param(respond(200, ""), Unknown("UnreadableAnswer"), id="empty"),
        pytest.param(respond(200, '{"ok": "no"}'), Unknown("Http200"), id="another word"),
        pytest.param(respond(200, '{"ok": "yes"}'), Unknown("AcceptedWithoutId"), id="no id"),
        pytest.param(
            respond(200, '{"ok": "yes", "id": {"a": 1}}'), Unknown("AcceptedWithoutId"), id="an object for an id"
        ),
        pytest.param(respond(200, '{"ok": "yes", "id": "a b"}'), Unknown("AcceptedWithoutId"), id="words for an id"),
        pytest.param(respond(200, '{"ok": "yes", "id": 7}'), Accepted("acme/7"), id="a number for an id"),
        pytest.param(respond(202, '{"ok": "yes", "id": "7", "cost": 0.8}'), Accepted("acme/7", "0.8"), id="a cost"),
        pytest.param(respond(302, "", {"Location": "/elsewhere"}), Suspended("Redirected"), id="redirect"),
        pytest.param(respond(307, "", {"Location": "/elsewhere"}), Suspended("Redirected"), id="redirect of a POST"),
        pytest.param(respond(401), Suspended("Unauthorized"), id="401"),
        pytest.param(respond(402), Suspended("PaymentRequired"), id="402"),
        pytest.param(respond(403), Suspended("Forbidden"), id="403"),
        pytest.param(respond(404), Suspended("NoSuchAddress"), id="404"),
        pytest.param(respond(429), Retry("TooManyRequests", pauses_all=True), id="429"),
        pytest.param(respond(400), Unknown("Http400"), id="400"),
        pytest.param(respond(418), Unknown("Http418"), id="418"),
        pytest.param(respond(503, "", {"Retry-After": "9"}), Unknown("Http503"), id="503"),
        pytest.param(respond(200, '{"code": 9, "ok": "yes", "id": "7"}'), Rejected("Nine"), id="a code beats success"),
    ],
)
async def test_an_answer_has_its_outcome(tmp_path, behaviour, outcome):
    answer = '[sms.answer]\naccepts = {path = "ok", values = ["yes"]}\nid = "id"\ncost = "cost"\ncodes = ["code"]\noutcomes = {9 = {rejected = "Nine"}}'
    async with SmsHttpServer() as server:
        server.respond_with(behaviour)
        row = write_row(tmp_path, f"{server.url}/send", answer, top="deadline = 1.5")
        with capture_logs() as logs:
            assert await send_by(row) == outcome
        assert [request.path for request in server.requests] == ["/send"]
    assert logs == []


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("SENT ID: 4711, parts 1", Accepted("acme/4711")),
        ("sent id:4711", Unknown("AcceptedWithoutId")),  # the mark is read as it is written
        ("SENT ID:", Unknown("AcceptedWithoutId")),
        ("NOT SENT ID: 4711", Rejected("NotSent")),
        ("balance is low", Suspended("NoBalance")),
        ("something new", Unknown("Http200")),
    ],
)
async def test_an_answer_in_words_is_read_by_words(tmp_path, body, outcome):
    answer = '[sms.answer]\naccepts = {word = "sent"}\nid_after = "ID:"\n[sms.answer.words]\n"not sent" = {rejected = "NotSent"}\nbalance = {suspended = "NoBalance"}'
    async with SmsHttpServer() as server:
        server.respond_with(respond(200, body))
        assert await send_by(write_row(tmp_path, server.url, answer)) == outcome


SILENCES = [fake.drop_connection, fake.hang, respond(502), respond(200, "<html>")]


@pytest.mark.parametrize("silence", SILENCES, ids=["reset", "silent", "502", "garbage"])
@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        pytest.param(respond(200, SENT_BEFORE), Accepted("sslwireless/ekdial42"), id="sent before"),
        pytest.param(respond(200, SENT), Accepted("sslwireless/5da2"), id="sent now"),
        pytest.param(respond(200, SENT.replace("SUCCESS", "INVALID")), Rejected("Invalid"), id="rejected"),
        pytest.param(respond(429), Unknown, id="too many"),
        pytest.param(respond(401), Unknown, id="suspended"),
        pytest.param(fake.drop_connection, Unknown, id="silent again"),
    ],
)
async def test_a_reference_that_is_taken_once_makes_an_unclear_send_clear(silence, second, outcome, monkeypatch):
    async with SmsHttpServer() as server, open_sms_row("sslwireless", server) as provider:
        monkeypatch.setattr(provider._http, "_deadline", 0.3)
        server.respond_with(silence, second)
        found = await provider.send(HELLO)
    assert found == outcome if not isinstance(outcome, type) else isinstance(found, outcome)
    first, again = server.requests
    assert first.fields == again.fields
    assert first.fields["csms_id"] == "ekdial42g1"


async def test_a_repeat_never_falls_into_the_next_day():
    """There the provider would take the same reference for a new message."""
    sampled = load_sampled("sslwireless")
    just_before_midnight = datetime(2026, 11, 30, 17, 59, 55, tzinfo=UTC)  # in Dhaka
    async with SmsHttpServer() as server:
        server.respond_with(fake.drop_connection, respond(200, SENT))
        values = sampled.values_for(server)
        async with open_sms(sampled.row, values, clock=lambda: just_before_midnight) as provider:
            assert await provider.send(HELLO) == Unknown("NoAnswer")
        assert len(server.requests) == 1


async def test_a_request_that_is_not_idempotent_is_never_repeated():
    async with SmsHttpServer() as server, open_sms_row("mimsms", server) as provider:
        server.respond_with(fake.drop_connection)
        assert await provider.send(HELLO) == Unknown("NoAnswer")
        assert len(server.requests) == 1


async def test_a_get_is_not_repeated_on_a_connection_that_was_used_before():
    async with SmsHttpServer() as server, open_sms_row("generic", server) as provider:
        server.respond_with(respond(200, "OK"), fake.drop_connection)
        assert await provider.send(HELLO) == Accepted("generic/ekdial42")
        assert await provider.send(HELLO) == Unknown("NoAnswer")
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (OutgoingMessage("+1234", "Hi"), Rejected("InvalidPhoneNumber")),
        (OutgoingMessage("tel:all", "Hi"), Rejected("InvalidPhoneNumber")),
        (OutgoingMessage(AMINA, "x" * 1001), Rejected("TextTooLong")),
        (OutgoingMessage(AMINA, "Hi", reference="e" * 19), Suspended("ReferenceTooLong")),
    ],
    ids=["no number", "all", "too long", "reference too long"],
)
async def test_what_the_provider_would_refuse_is_not_sent(message, outcome):
    async with SmsHttpServer() as server, open_sms_row("sslwireless", server) as provider:
        assert await provider.send(message) == outcome
        assert server.requests == []


ENTITY = DltIds("1101546710000030001")


@pytest.mark.parametrize(
    ("name", "to", "dlt", "reason"),
    [
        ("exotel", "+919876543210", None, "NoDltEntity"),
        ("exotel", "+919876543210", ENTITY, ""),
        ("exotel", AMINA, None, ""),
        ("infobip", "+919876543210", None, "NoDltEntity"),
        ("infobip", AMINA, None, ""),
        ("mimsms", "+919876543210", None, ""),
    ],
)
async def test_a_message_to_india_waits_for_the_entity(name, to, dlt, reason):
    async with SmsHttpServer() as server, open_sms_row(name, server) as provider:
        server.respond_with(find_answer(name, "accepted"))
        outcome = await provider.send(OutgoingMessage(to, "Hi", reference="ekdial42", dlt=dlt))
    assert getattr(outcome, "reason", "") == reason


@pytest.mark.parametrize(
    ("dlt", "outcome"),
    [(ENTITY, Suspended("BadRequest", template_only=True)), (None, Rejected("BadRequest"))],
    ids=["to India", "abroad"],
)
async def test_a_refused_template_holds_its_own_messages_only(dlt, outcome):
    async with SmsHttpServer() as server, open_sms_row("exotel", server) as provider:
        server.respond_with(respond(400, '{"RestException": {"Status": 400, "Message": "Invalid Parameters"}}'))
        to = "+919876543210" if dlt else AMINA
        assert await provider.send(OutgoingMessage(to, "Hi", reference="ekdial42", dlt=dlt)) == outcome


async def test_a_message_of_no_outbox_has_a_reference_of_its_own():
    async with SmsHttpServer() as server, open_sms_row("sslwireless", server) as provider:
        server.respond_with(respond(200, SENT))
        for _ in range(2):
            await provider.send(OutgoingMessage(AMINA, "Hi"))
    first, second = (request.fields["csms_id"] for request in server.requests)
    assert first != second
    assert 8 < len(first) <= 20


@pytest.mark.parametrize(
    ("number", "spellings"),
    [
        (AMINA, ("+8801712345678", "8801712345678", "01712345678", "1712345678")),
        ("+919876543210", ("+919876543210", "919876543210", "09876543210", "9876543210")),
        ("+254700000001", ("+254700000001", "254700000001", "0700000001", "700000001")),
    ],
)
def test_a_number_is_spelled_as_the_provider_wants(number, spellings):
    assert tuple(format_number(number, each) for each in ("e164", "digits", "national", "significant")) == spellings


def test_the_address_of_reports_has_the_token_of_the_guard():
    assert build_callback_url("acme", "https://g.example", "a b") == "https://g.example/sms/acme/delivery?token=a+b"
    assert build_callback_url("acme", "https://g.example", "") == "https://g.example/sms/acme/delivery"
    assert build_callback_url("acme", "", "a") == ""


async def test_a_text_cannot_change_the_address_or_another_field(tmp_path):
    sly = OutgoingMessage(AMINA, "x&to=999#/../{to}?a=b%26{reference}", reference="ekdial1")
    async with SmsHttpServer() as server:
        server.respond_with(respond(200, "OK"))
        path = write_row(tmp_path, "{base}/send/{text}?t={text}", 'format = "query"\n[sms.answer]\n')
        path.write_text('[settings]\nbase = ""\n' + path.read_text())
        await send_by(path, sly, {"base": server.url})
        [request] = server.requests
    assert sorted(request.query) == sorted([("t", sly.text), ("to", AMINA), ("text", sly.text)])
    assert request.path == "/send/x%26to%3D999%23%2F..%2F%7Bto%7D%3Fa%3Db%2526%7Breference%7D"


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"url": "", "word": "OK"}, "providers.json.generic.url: it is empty"),
        ({"url": "https://sms.example", "word": ""}, "providers.json.generic.word: it is empty"),
        ({"url": "{to}", "word": "OK"}, "providers.json.generic.url: this is not an address"),
        ({"url": "sms.example/send", "word": "OK"}, "providers.json.generic.url: this is not an address"),
        ({"url": "https://{to}/send", "word": "OK"}, "providers.json.generic.url: this is not an address"),
        (
            {"url": "https://sms.example/{nobody}", "word": "OK"},
            "providers.json.generic.url: there is no placeholder {nobody}",
        ),
    ],
)
async def test_a_setting_that_is_missing_or_wrong_is_named(values, complaint):
    with pytest.raises(CommandError, match=complaint.replace("{", r"\{")):
        await send_by(load_sampled("generic").row.path, values=values)


@pytest.mark.parametrize(
    ("row", "line", "problem"),
    [
        ('[sms]\n[sms.request]\nurl = "https://a.example"\nfields = {a = "{txt}"}\n[sms.answer]', 4, "there is no placeholder {txt}; did you mean {text}?"),
        ('[sms]\n[sms.request]\nurl = "https://{to}.example"\n[sms.answer]', 3, "takes its host from the message"),
        ('[sms]\n[sms.request]\nurl = "{text}"\n[sms.answer]', 3, "takes its host from the message"),
        ('[sms]\n[sms.request]\nurl = "sms.example"\n[sms.answer]', 3, "is not an address"),
        ("[sms]\n[sms.answer]", 1, "sms.request: this key is missing"),
        ('[sms]\nurl = ""\n[sms.request]\nurl = "https://a.example"\n[sms.answer]', 2, "there is no such key"),
        ('[sms]\nnumber_format = "x"\n[sms.request]\nurl = "https://a.example"\n[sms.answer]', 2, "this is not one of what it may be; write 'e164', 'digits', 'national' or 'significant'"),
        ('[sms]\nreceives_replies = 3\n[sms.request]\nurl = "https://a.example"\n[sms.answer]', 2, "this is neither true nor false"),
        ('[sms]\nmax_characters = "9"\n[sms.request]\nurl = "https://a.example"\n[sms.answer]', 2, "this is not a whole number"),
        ('[sms]\ndeadline = 90\n[sms.request]\nurl = "https://a.example"\n[sms.answer]', 2, "this is too large; write 30 or less"),
        ('[sms]\n[sms.request]\nurl = "https://a.example"\nmethod = "DELETE"\n[sms.answer]', 4, "this is not one of what it may be"),
        ('[sms]\n[sms.request]\nurl = "https://a.example"\nbasic = ["a"]\n[sms.answer]', 4, "this has too few entries; write 2"),
        ('[sms]\n[sms.request]\nurl = "https://a.example"\nfields = {a = "{unicode}"}\n[sms.answer]', 2, "uses {unicode} without its values"),
        ('[sms]\nrepeats_in_day_of = "Dhaka"\n[sms.request]\nurl = "https://a.example/{reference}"\n[sms.answer]', 2, "is not a time zone"),
        ('[sms]\nrepeats_in_day_of = "Asia/Dhaka"\n[sms.request]\nurl = "https://a.example"\n[sms.answer]', 2, "needs a field with {reference}"),
        ('[sms]\n[sms.request]\nurl = "https://a.example"\n[sms.answer]\ncodes = ["c"]\n[sms.answer.outcomes]\n7 = {retry = "A", rejected = "B"}', 7, "has not exactly one outcome"),
        ('[sms]\n[sms.request]\nurl = "https://a.example"\n[sms.answer]\ncodes = ["c"]\n[sms.answer.outcomes]\n7 = {}', 7, "has not exactly one outcome"),
        ('[sms]\n[sms.request]\nurl = "https://a.example"\n[sms.answer]\ncodes = ["c"]\n[sms.answer.outcomes]\n7 = {rejected = "Amina did it"}', 7, "this has characters that it may not have"),
        ('[sms]\n[sms.request]\nurl = "https://a.example"\n[sms.answer.outcomes]\n7 = {rejected = "A"}', 4, "has no path to a code"),
        ('[sms]\n[sms.request]\nurl = "https://a.example"\n[sms.answer]\naccepts = {path = "a"}', 5, "has no values"),
        ('[sms]\n[sms.request]\nurl = "https://a.example"\n[sms.answer]\n[sms.answer.statuses]\n999 = {rejected = "A"}', 6, "this has characters"),
        ('[sms]\n[sms.request]\nurl = "https://a.example"\n[sms.answer]\n[sms.report]\nid = "i"\nstatus = ["s"]\nstatuses = {D = "gone"}', 8, "this is not a delivery status; write 'sent'"),
        ('[settings]\ntext = "a"\n[sms]\n[sms.request]\nurl = "https://a.example"\n[sms.answer]', 3, "the setting text has the name of a fact of the message"),
    ],
)  # fmt: skip
def test_a_fault_of_a_row_has_its_file_and_line(tmp_path, row, line, problem):
    path = tmp_path / "acme.toml"
    path.write_text(row)
    with pytest.raises(ValidationFailedError) as failed:
        read_sms(load_row(path))
    found = failed.value.problems[0]
    assert (found.file, found.line) == (path.as_posix(), line), str(found)
    assert problem in str(found)


def test_every_fault_is_reported_at_once(tmp_path):
    (tmp_path / "acme.toml").write_text('[sms]\na = 1\n[sms.request]\nmethod = "PATCH"\nurl = 7\n')
    with pytest.raises(ValidationFailedError) as failed:
        read_sms(load_row(tmp_path / "acme.toml"))
    assert [problem.line for problem in failed.value.problems] == [1, 2, 4, 5]
