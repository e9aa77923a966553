"""Sending by Africa's Talking: the real SDK on our connections, against a server that responds as captured."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from africastalking.SMS import SMSService
from structlog.testing import capture_logs

from core.phone_numbers import is_e164
from providers.africastalking.http import ProviderResponse
from providers.africastalking.sms import (
    RECIPIENT_OUTCOMES,
    AfricasTalkingSms,
    next_morning,
    outcome_from_response,
)
from services.messaging.models import OutgoingMessage
from services.messaging.provider import Accepted, Rejected, Retry, Suspended, Unknown
from tests.fakes import africastalking_server as fake
from tests.fakes.africastalking_server import API_KEY, PRICE, USERNAME, AfricasTalkingServer, Behaviour
from tests.support.servers import free_port

AMINA = "+254700000001"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIRST_ID = "ATXid_" + "1".zfill(32)


@pytest.fixture
async def server() -> AsyncIterator[AfricasTalkingServer]:
    async with AfricasTalkingServer() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


def build_provider(http: aiohttp.ClientSession, server: AfricasTalkingServer, **options: object) -> AfricasTalkingSms:
    chosen = {"api_key": API_KEY, "base_url": server.url, "clock": lambda: NOON, **options}
    return AfricasTalkingSms(http, USERNAME, **chosen)


async def test_a_message_is_taken_and_its_id_and_cost_are_told(http, server):
    assert await build_provider(http, server).send(
        OutgoingMessage(AMINA, "Your tracking number is 1234 5678 9012")
    ) == Accepted(FIRST_ID, PRICE)
    assert server.requests[0].fields == {
        "username": USERNAME,
        "to": AMINA,
        "message": "Your tracking number is 1234 5678 9012",
        "bulkSMSMode": "1",
    }


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (100, Accepted(FIRST_ID, PRICE)),
        (101, Accepted(FIRST_ID, PRICE)),
        (102, Accepted(FIRST_ID, PRICE)),
        (401, Unknown("RiskHold", needs_attention=True)),
        (402, Suspended("InvalidSenderId")),
        (403, Rejected("InvalidPhoneNumber")),
        (404, Rejected("UnsupportedNumberType")),
        (405, Suspended("InsufficientBalance")),
        (406, Rejected("UserInBlacklist")),
        (407, Retry("CouldNotRoute", NOON + timedelta(minutes=30), max_attempts=2)),
        (409, Retry("DoNotDisturbRejection", datetime(2026, 11, 22, 7, tzinfo=UTC))),
        (500, Retry("InternalServerError", max_attempts=4)),
        (501, Retry("GatewayError", max_attempts=4)),
        (502, Rejected("RejectedByGateway")),
    ],
)
async def test_every_code_of_a_recipient_has_its_outcome(http, server, code, outcome):
    server.respond_with(fake.accept(code))
    assert await build_provider(http, server).send(OutgoingMessage(AMINA, "x")) == outcome


def test_the_table_has_every_documented_code_and_no_other():
    assert set(RECIPIENT_OUTCOMES) == {100, 101, 102, 401, 402, 403, 404, 405, 406, 407, 409, 500, 501, 502}


def recipients(*entries: object, message: str = "Sent to 1/1 Total Cost: KES 0.8000") -> Behaviour:
    return fake.respond_json({"SMSMessageData": {"Message": message, "Recipients": list(entries)}})


TAKEN = {"statusCode": 101, "number": AMINA, "status": "Success", "cost": PRICE, "messageId": "ATXid_1"}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (fake.reject("InvalidSenderId"), Suspended("InvalidSenderId")),
        (fake.reject("InsufficientBalance"), Suspended("InsufficientBalance")),
        (fake.reject("SomethingNew"), Rejected("SomethingNew")),
        (fake.reject("Sent to 0/1 Total Cost: 0"), Rejected("NoRecipients")),
        (fake.reject(f"Not a number: {AMINA}"), Rejected("NoRecipients")),
        (fake.reject("Queued"), Unknown("Queued")),
        (fake.reject(""), Rejected("NoRecipients")),
        (recipients({**TAKEN, "statusCode": "101"}), Accepted("ATXid_1", PRICE)),
        (recipients({**TAKEN, "cost": 0.8, "messageParts": 1}), Accepted("ATXid_1", "0.8")),
        (recipients({**TAKEN, "messageId": "None"}), Unknown("AcceptedWithoutId")),
        (recipients({**TAKEN, "messageId": ""}), Unknown("AcceptedWithoutId")),
        (recipients({**TAKEN, "statusCode": 777}), Unknown("Status777")),
        (recipients({**TAKEN, "statusCode": None}), Unknown("UnreadableAnswer")),
        (recipients({"number": AMINA, "status": "Success"}), Unknown("AcceptedWithoutId")),
        (recipients({"number": AMINA, "status": "Success", "messageId": "ATXid_1"}), Accepted("ATXid_1")),
        (recipients({"number": AMINA, "status": "Could Not Send", "messageId": "None"}), Rejected("CouldNotSend")),
        (recipients({"number": AMINA, "status": "Could Not Send"}), Rejected("CouldNotSend")),
        (recipients({"status": "InsufficientBalance", "messageId": "None"}), Suspended("InsufficientBalance")),
        (recipients({"status": "Could Not Send", "messageId": "ATXid_1"}), Unknown("CouldNotSend")),
        (recipients({"status": f"Not sent to {AMINA}", "messageId": "None"}), Unknown("UnreadableAnswer")),
        (recipients({"number": AMINA, "messageId": "None"}), Unknown("UnreadableAnswer")),
        (recipients(TAKEN, TAKEN), Unknown("SeveralRecipients")),
        (recipients("ATXid_1"), Unknown("UnreadableAnswer")),
        (fake.respond_json({"SMSMessageData": {"Message": "Sent", "Recipients": None}}), Unknown("UnreadableAnswer")),
        (fake.respond_json({"SMSMessageData": []}), Unknown("UnreadableAnswer")),
        (fake.respond_json([]), Unknown("UnreadableAnswer")),
        (fake.respond_json(b""), Unknown("UnreadableAnswer")),
        (fake.respond_json(b"<AfricasTalkingResponse/>"), Unknown("UnreadableAnswer")),
        (fake.respond_json(b"\xff\xfe{}"), Unknown("UnreadableAnswer")),
        (fake.respond_json(b"[" * 60_000), Unknown("UnreadableAnswer")),
        (fake.respond_json(b'{"x":' * 10_000), Unknown("UnreadableAnswer")),
        (fake.respond_json(b" " * 1_000_000), Unknown("UnreadableAnswer")),
        (fake.respond_json(b"not gzip", headers={"Content-Encoding": "gzip"}), Unknown("ConnectionLost")),
        (fake.respond_text(400, "Request is missing required form field 'to'"), Rejected("BadRequest")),
        (fake.respond_text(401, "The supplied authentication is invalid"), Suspended("InvalidApiKey")),
        (fake.respond_text(402, "Pay"), Suspended("PaymentRequired")),
        (fake.respond_text(403, "No"), Suspended("Forbidden")),
        (fake.respond_text(404, "Not Found"), Suspended("NoSuchAddress")),
        (fake.respond_text(429, "Too Many Requests"), Retry("TooManyRequests", pauses_all=True)),
        (
            fake.respond_text(429, "Too Many Requests", **{"Retry-After": "7"}),
            Retry("TooManyRequests", NOON + timedelta(seconds=7), pauses_all=True),
        ),
        (fake.respond_text(500, "Oops"), Unknown("Http500")),
        (fake.respond_text(502, "<html>Bad Gateway</html>"), Unknown("Http502")),
        (fake.respond_text(418, "?"), Unknown("Http418")),
        (fake.redirect(302), Suspended("Redirected")),
        (fake.redirect(307), Suspended("Redirected")),
        (fake.drop_connection, Unknown("ConnectionLost")),
        (fake.respond_twice, Accepted(FIRST_ID, PRICE)),
        (fake.accept_after(0.1), Accepted(FIRST_ID, PRICE)),
        (fake.accept_then(fake.respond_text(500, "Oops")), Unknown("Http500")),
        (fake.drop_connection_midway, Unknown("ConnectionLost")),
    ],
)
async def test_every_other_answer_has_its_outcome(http, server, answer, outcome):
    server.respond_with(answer)
    assert await build_provider(http, server).send(OutgoingMessage(AMINA, "x")) == outcome
    assert [asked.path for asked in server.requests] == ["/version1/messaging"], "asked once, and nobody else"


@pytest.mark.parametrize("behaviour", [fake.hang, fake.slow_drip])
async def test_one_deadline_is_for_the_whole_answer_and_after_it_nobody_knows(http, server, behaviour):
    server.respond_with(fake.accept(), behaviour)
    sms = build_provider(http, server, deadline=0.5)
    assert isinstance(await sms.send(OutgoingMessage(AMINA, "x")), Accepted)
    assert await sms.send(OutgoingMessage(AMINA, "x")) == Unknown("NoAnswerInTime")


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "text/plain", ""])
async def test_an_answer_is_read_whatever_content_type_it_claims(http, server, content_type):
    server.respond_with(
        fake.respond_json({"SMSMessageData": {"Recipients": [TAKEN]}}, headers={"Content-Type": content_type})
    )
    assert await build_provider(http, server).send(OutgoingMessage(AMINA, "x")) == Accepted("ATXid_1", PRICE)


@pytest.mark.parametrize(
    ("header", "due"),
    [
        ("30", NOON + timedelta(seconds=30)),
        ("86400", NOON + timedelta(hours=1)),
        ("0", None),
        ("9999999", None),
        ("-1", None),
        ("৩০", None),
        ("Sat, 21 Nov 2026 12:00:30 GMT", NOON + timedelta(seconds=30)),
        ("Saturday, 21-Nov-26 12:00:30 GMT", NOON + timedelta(seconds=30)),
        ("Sat, 21 Nov 2026 17:00:00 GMT", NOON + timedelta(hours=1)),
        ("Sat, 21 Nov 2026 11:59:59 GMT", None),
        ("Sat, 99 Nov 2026 11:59:59 GMT", None),
        ("Sat, 21 Nov 99999999999999999 11:59:59 GMT", None),
        ("soon", None),
    ],
)
def test_too_many_requests_may_say_when_to_come_back(header, due):
    assert outcome_from_response(ProviderResponse(429, b"", header), NOON) == Retry(
        "TooManyRequests", due, pauses_all=True
    )


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        ("2026-11-21T19:00+00:00", "2026-11-22T07:00+00:00"),  # 20:00 in Lagos
        ("2026-11-22T06:59+00:00", "2026-11-22T07:00+00:00"),
        ("2026-11-22T07:00+00:00", "2026-11-23T07:00+00:00"),
    ],
)
def test_a_message_refused_at_night_waits_for_the_morning_in_lagos(now, morning):
    assert next_morning(datetime.fromisoformat(now)) == datetime.fromisoformat(morning)


async def test_a_server_that_is_not_there_was_asked_nothing(http):
    nowhere = AfricasTalkingSms(http, USERNAME, API_KEY, base_url=f"http://127.0.0.1:{free_port()}/version1")
    assert await nowhere.send(OutgoingMessage(AMINA, "x")) == Retry("NotConnected", pauses_all=True)


async def test_a_name_that_leads_nowhere_was_asked_nothing(http):
    nowhere = AfricasTalkingSms(http, USERNAME, API_KEY, base_url="http://sms.invalid/version1")
    assert await nowhere.send(OutgoingMessage(AMINA, "x")) == Retry("NotConnected", pauses_all=True)


async def test_a_server_that_speaks_no_tls_was_asked_nothing(http, server):
    secure = AfricasTalkingSms(http, USERNAME, API_KEY, base_url=server.url.replace("http:", "https:"))
    assert await secure.send(OutgoingMessage(AMINA, "x")) == Retry("NotConnected", pauses_all=True)


async def test_a_message_that_waited_for_a_connection_in_vain_was_not_sent(server):
    gate = asyncio.Event()
    server.respond_with(fake.accept_when(gate))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as narrow:
        holding = asyncio.create_task(build_provider(narrow, server, deadline=30).send(OutgoingMessage(AMINA, "first")))
        await server.arrived.wait()
        assert await build_provider(narrow, server, deadline=0.2).send(OutgoingMessage(AMINA, "second")) == Retry(
            "NotConnected", pauses_all=True
        )
        gate.set()
        assert await holding == Accepted(FIRST_ID, PRICE)


@pytest.mark.parametrize(
    "to",
    [
        "+1234",
        "+254700000001\n",
        "254700000001",
        "+২৫৪৭০০০০০০০১",
        "+254 700 000 001",
        "",
        "AFRICASTKNG",
        f"{AMINA},{AMINA}",
    ],
)
async def test_what_is_no_e164_number_is_not_even_asked(http, server, to):
    assert await build_provider(http, server).send(OutgoingMessage(to, "x")) == Rejected("InvalidPhoneNumber")
    assert server.requests == []


@pytest.mark.parametrize(
    "number", ["+8801700000000", "+919876543210", "+254700000001", "+2250707000000", "+390600000000"]
)
def test_numbers_as_they_are_written_to_be_dialled_from_anywhere(number):
    assert is_e164(number)


@pytest.mark.parametrize(
    ("sender_id", "text"),
    [
        ("", "Plain"),
        ("EKDIAL", "Two lines\nand + & = % ~ * é €"),
        ("22384", "আপনার আবেদন জমা হয়েছে"),
        ("EKDIAL", "आपका आवेदन मिल गया 🎉"),
    ],
)
async def test_on_the_wire_it_is_what_the_plain_sdk_sends(http, server, sender_id, text):
    plain = SMSService(USERNAME, API_KEY)
    plain._baseUrl = server.url
    said = await asyncio.to_thread(plain.send, text, [AMINA], sender_id or None)
    assert said["SMSMessageData"]["Recipients"][0]["messageId"] == FIRST_ID
    await build_provider(http, server, sender_id=sender_id).send(OutgoingMessage(AMINA, text))
    theirs, ours = server.requests
    assert (ours.method, ours.path, ours.body) == (theirs.method, theirs.path, theirs.body)
    for header in ("apiKey", "Accept", "User-Agent", "Content-Type", "Content-Length", "Host"):
        assert ours.headers[header] == theirs.headers[header]
    assert "Authorization" not in ours.headers
    assert "Cookie" not in ours.headers


@pytest.mark.parametrize(
    ("username", "url"),
    [
        ("sandbox", "https://api.sandbox.africastalking.com/version1/messaging"),
        ("ekdial", "https://api.africastalking.com/version1/messaging"),
    ],
)
async def test_without_a_base_url_the_addresses_are_the_sdks(username, url):
    seen = []

    async def on_start(_session, _context, start: aiohttp.TraceRequestStartParams) -> None:
        seen.append(str(start.url))
        raise aiohttp.ClientConnectionError

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_start)
    async with aiohttp.ClientSession(trace_configs=[trace]) as http:
        await AfricasTalkingSms(http, username, API_KEY).send(OutgoingMessage(AMINA, "x"))
    assert seen == [url]


@pytest.mark.parametrize(
    "base_url",
    [
        "api.africastalking.com",
        "ftp://127.0.0.1/version1",
        "http:///version1",
        "https://me:secret@host/version1",
        "http://host/?x=1",
    ],
)
async def test_a_base_url_that_is_none_is_refused_at_once(http, base_url):
    with pytest.raises(ValueError, match=r"africastalking.base_url must be like https://") as refused:
        AfricasTalkingSms(http, USERNAME, API_KEY, base_url=base_url)
    assert "secret" not in str(refused.value)


async def test_connections_are_used_again_and_no_thread_is_started(http, server):
    threads = threading.active_count()
    sms = build_provider(http, server)
    for number in range(5):
        assert isinstance(await sms.send(OutgoingMessage(AMINA, str(number))), Accepted)
    assert {asked.connection for asked in server.requests} == {0}
    assert threading.active_count() == threads


async def test_the_key_is_in_no_log_and_in_no_text_of_the_provider(http, server, caplog):
    caplog.set_level(logging.DEBUG)
    sms = build_provider(http, server, deadline=0.3)
    server.respond_with(fake.respond_text(401, "no"), fake.drop_connection, fake.hang)
    with capture_logs() as lines:
        outcomes = [await sms.send(OutgoingMessage(AMINA, "Your code is 482913")) for _ in range(3)]
    written = f"{sms!r} {sms} {outcomes} {lines} {caplog.text}"
    assert API_KEY not in written
    assert AMINA not in written
    assert "482913" not in written
