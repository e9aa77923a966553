"""hSenid TAP: SMS out with every outcome, SMS in, and delivery reports in both spellings."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from providers.tap.client import TapClient
from providers.tap.sms import TapSms
from providers.tap.status_codes import LIMIT_CODES, STATUS_CODES
from providers.tap.webhooks import TapSmsWebhooks
from services.messaging.delivery_status import DeliveryStatus
from services.messaging.models import OutgoingMessage
from services.messaging.outcomes import Accepted, Rejected, Retry, SendOutcome, Suspended, Unknown
from tests.fakes.tap_server import (
    APPLICATIONS,
    Behaviour,
    TapServer,
    answer_body,
    answer_code,
    answer_http,
    stay_silent,
)
from tests.support.tap import build_fake_applications

ROBI, BANGLALINK = APPLICATIONS["bdapps"].msisdn, APPLICATIONS["applink"].msisdn
TEXT = "আপনার আবেদন প্রস্তুত"
NOW = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)  # two in the morning in Dhaka
NEXT_MIDNIGHT = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)


@pytest.fixture
async def server() -> AsyncIterator[TapServer]:
    async with TapServer() as server:
        yield server


@pytest.fixture
async def sms(server: TapServer) -> AsyncIterator[TapSms]:
    async with ClientSession() as http:
        yield TapSms(TapClient(http), build_fake_applications(server), deadline=5.0, clock=lambda: NOW)


def hash_value(purpose: str, value: str) -> str:
    return f"{purpose}-{len(value)}".replace(" ", "-")


def webhooks(keyword: str = "") -> TapSmsWebhooks:
    return TapSmsWebhooks(build_fake_applications(None, keyword=keyword), short_code="123")


@pytest.mark.parametrize(("number", "network"), [(ROBI, "bdapps"), (BANGLALINK, "applink")])
async def test_an_sms_goes_out_by_the_application_of_its_number(
    server: TapServer, sms: TapSms, number: str, network: str
) -> None:
    outcome = await sms.send(OutgoingMessage(number, TEXT))
    (sent,) = server.sms
    assert outcome == Accepted(f"tap/{sent.id}")
    assert (sent.application, sent.to, sent.text, sent.sender) == (network, number, TEXT, APPLICATIONS[network].sender)


async def test_a_sender_chooses_its_application(server: TapServer, sms: TapSms) -> None:
    await sms.send(OutgoingMessage(ROBI, TEXT, sender=APPLICATIONS["applink"].sender))
    assert server.sms[0].application == "applink"


@pytest.mark.parametrize("to", ["all", "tel:all", "+all", "", "8801812345678", "+880"])
async def test_nothing_is_ever_sent_to_everybody(server: TapServer, sms: TapSms, to: str) -> None:
    assert await sms.send(OutgoingMessage(to, TEXT)) == Rejected("InvalidPhoneNumber")
    assert server.requests == []


@pytest.mark.parametrize("code", sorted(set(STATUS_CODES) - {"S1000"}))
async def test_every_code_has_its_outcome(server: TapServer, sms: TapSms, code: str) -> None:
    server.plan("/sms/send", answer_code(code))
    outcome = await sms.send(OutgoingMessage(ROBI, TEXT))
    assert not isinstance(outcome, Accepted)
    assert outcome.reason == STATUS_CODES[code].name
    assert server.sms == []


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("E1313", Suspended("AuthenticationFailed")),
        ("E1303", Suspended("AddressNotAllowed")),
        ("E1334", Rejected("MessageTooLong")),
        ("E1601", Retry("UnexpectedError", max_attempts=4)),
        ("E1318", Retry("ApplicationUnavailable", pauses_all=True)),
        ("E1326", Retry("InsufficientBalance", max_attempts=4)),
        ("E1333", Unknown("HeldForApproval", needs_attention=True)),
        ("E1363", Unknown("GatewayDidNotAnswer")),
        ("E4711", Unknown("E4711")),
        ("no such code", Unknown("UnreadableStatus")),
    ],
)
async def test_failures_that_come_with_http_200(
    server: TapServer, sms: TapSms, code: str, outcome: SendOutcome
) -> None:
    server.plan("/sms/send", answer_code(code))
    assert await sms.send(OutgoingMessage(ROBI, TEXT)) == outcome


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("E1318", Retry("SecondLimitExceeded", pauses_all=True)),
        ("E1319", Retry("DayLimitExceeded", not_before=NEXT_MIDNIGHT, pauses_all=True)),
        ("E1337", Unknown("DuplicateRequest")),
    ],
)
async def test_codes_that_mean_something_else_at_applink(
    server: TapServer, sms: TapSms, code: str, outcome: SendOutcome
) -> None:
    server.plan("/sms/send", answer_code(code))
    assert await sms.send(OutgoingMessage(BANGLALINK, TEXT)) == outcome
    assert code in LIMIT_CODES


SUCCESS = {"statusCode": "S1000", "statusDetail": "Success"}
FAILED = {"address": "tel:8801812345678", "statusCode": "E1343", "statusDetail": "not whitelisted", "messageId": "5"}


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        pytest.param(answer_body({**SUCCESS, "messageId": 17}), Accepted("tap/17"), id="number as id"),
        pytest.param(answer_body({**SUCCESS, "requestId": "18"}), Accepted("tap/18"), id="id of the request"),
        pytest.param(answer_body(SUCCESS), Unknown("AcceptedWithoutId"), id="no id"),
        pytest.param(
            answer_body({**SUCCESS, "destinationResponses": [FAILED]}), Rejected("NumberNotWhitelisted"), id="recipient"
        ),
        pytest.param(
            answer_body({**SUCCESS, "destinationResponses": [FAILED] * 2}), Unknown("SeveralRecipients"), id="several"
        ),
        pytest.param(answer_body([1]), Unknown("UnreadableAnswer"), id="list"),
        pytest.param(answer_body({"status": "ok"}), Unknown("UnreadableAnswer"), id="no code"),
        pytest.param(answer_http(200), Unknown("UnreadableAnswer"), id="page"),
        pytest.param(answer_http(302), Suspended("Redirected"), id="redirect"),
        pytest.param(answer_http(403), Suspended("Forbidden"), id="forbidden"),
        pytest.param(answer_http(429), Retry("TooManyRequests", pauses_all=True), id="too many"),
        pytest.param(answer_http(500), Unknown("Http500"), id="broken"),
    ],
)
async def test_answers_of_other_forms(
    server: TapServer, sms: TapSms, behaviour: Behaviour, outcome: SendOutcome
) -> None:
    server.plan("/sms/send", behaviour)
    assert await sms.send(OutgoingMessage(ROBI, TEXT)) == outcome


async def test_an_sms_without_an_answer_may_have_been_sent(server: TapServer) -> None:
    server.plan("/sms/send", stay_silent)
    async with ClientSession() as http:
        sms = TapSms(TapClient(http), build_fake_applications(server), deadline=0.3)
        assert await sms.send(OutgoingMessage(ROBI, TEXT)) == Unknown("NoAnswerInTime")


async def test_an_sms_without_a_connection_was_not_sent() -> None:
    async with ClientSession() as http:
        sms = TapSms(TapClient(http), build_fake_applications(None), deadline=5.0)
        assert await sms.send(OutgoingMessage(ROBI, TEXT)) == Retry("NotConnected", pauses_all=True)


async def test_nothing_personal_and_no_password_is_logged(server: TapServer, sms: TapSms) -> None:
    with capture_logs() as lines:
        for code in ("E1313", "E1601", "S1000"):
            server.plan("/sms/send", answer_code(code))
            outcome = await sms.send(OutgoingMessage(ROBI, TEXT))
            assert not any(part in f"{lines} {outcome}" for part in ("880", "আপনার", APPLICATIONS["bdapps"].password))
    assert APPLICATIONS["bdapps"].password not in repr(build_fake_applications(server).__dict__)


def test_replies_come_back_where_the_short_code_is_ours_alone() -> None:
    assert build_fake_applications(None).receive_replies
    assert not build_fake_applications(None, keyword="seba").receive_replies


INBOUND = {
    "version": "1.0",
    "applicationId": "APP_000375",
    "sourceAddress": "tel:8801812345678",
    "message": "STATUS 123456789012",
    "requestId": "226",
    "encoding": "0",
}


@pytest.mark.parametrize(
    ("message", "encoding", "text"),
    [
        ("HELP", "0", "HELP"),
        ("সাহায্য", "0", "সাহায্য"),
        ("HELP", "240", "HELP"),
        ("09B809BE", "245", "সা"),
        ("09b8 09be", "245", "সা"),
    ],
)
def test_the_text_of_an_sms_is_read_in_every_encoding(message: str, encoding: str, text: str) -> None:
    sms = webhooks().parse_inbound_sms({**INBOUND, "message": message, "encoding": encoding}, hash_value)
    assert sms is not None
    assert sms.text == text


@pytest.mark.parametrize(
    "changes",
    [
        {"applicationId": "APP_999999"},
        {"sourceAddress": ""},
        {"sourceAddress": 5.5},
        {"sourceAddress": "tel:no hash of a number"},
        {"message": None},
        {"message": ["1"]},
        {"message": "no octets", "encoding": "245"},
        {"message": "09", "encoding": "245"},
    ],
    ids=["application", "no sender", "odd sender", "no hash", "no text", "list", "no hexadecimal", "half a character"],
)
def test_an_sms_that_nobody_can_answer_is_not_taken(changes: dict[str, object]) -> None:
    assert webhooks().parse_inbound_sms({**INBOUND, **changes}, hash_value) is None


def test_an_unknown_application_is_logged_without_its_id() -> None:
    with capture_logs() as lines:
        assert webhooks().parse_inbound_sms({**INBOUND, "applicationId": "APP_999999"}, hash_value) is None
    assert [line["event"] for line in lines] == ["tap_application_unknown"]
    assert "APP_999999" not in str(lines)


def test_a_masked_sender_is_named_and_has_no_number() -> None:
    sms = webhooks().parse_inbound_sms({**INBOUND, "sourceAddress": "tel:hu3b84346f0a9d2c11"}, hash_value)
    assert sms is not None
    assert (sms.msisdn, sms.hidden_as) == ("", "bdapps hu3b84346f0a9d2c11")
    assert "hu3b" not in repr(sms)


def test_an_sms_without_an_id_has_the_same_one_when_it_is_repeated() -> None:
    fields = {name: value for name, value in INBOUND.items() if name != "requestId"}
    first, second = (webhooks().parse_inbound_sms(fields, hash_value) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.provider_id == second.provider_id
    assert first.provider_id.startswith("tap/without-id-")


@pytest.mark.parametrize(
    ("message", "text"),
    [("SEBA STATUS 1", "STATUS 1"), ("seba  help ", "help"), ("help", "help"), ("sebahelp", "sebahelp"), ("Seba", "")],
)
def test_the_word_that_routes_an_sms_to_us_is_taken_off(message: str, text: str) -> None:
    sms = webhooks("seba").parse_inbound_sms({**INBOUND, "message": message}, hash_value)
    assert sms is not None
    assert sms.text == text


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("DELIVERED", DeliveryStatus.DELIVERED),
        ("DELIVRD", DeliveryStatus.DELIVERED),
        ("EXPIRED", DeliveryStatus.EXPIRED),
        ("DELETED", DeliveryStatus.FAILED),
        ("UNDELIVERABLE", DeliveryStatus.FAILED),
        ("UNDELIV", DeliveryStatus.FAILED),
        ("ACCEPTED", DeliveryStatus.SUBMITTED),
        ("ACCEPTD", DeliveryStatus.SUBMITTED),
        ("UNKNOWN", DeliveryStatus.UNRECOGNIZED),
        ("REJECTED", DeliveryStatus.REJECTED),
        ("REJECTD", DeliveryStatus.REJECTED),
        ("delivered", DeliveryStatus.DELIVERED),
        ("SOMETHING", DeliveryStatus.UNRECOGNIZED),
    ],
)
def test_reports_are_read_in_both_spellings(word: str, status: DeliveryStatus) -> None:
    report = webhooks().parse_delivery_report({"requestId": "MSG_1", "deliveryStatus": word})
    assert report is not None
    assert (report.provider_id, report.status, report.provider_status) == ("tap/MSG_1", status, word)


@pytest.mark.parametrize(
    "fields",
    [{}, {"requestId": "1"}, {"deliveryStatus": "DELIVERED"}, {"requestId": "1", "deliveryStatus": "two words"}],
)
def test_a_report_without_an_id_or_a_status_is_not_taken(fields: dict[str, str]) -> None:
    assert webhooks().parse_delivery_report(fields) is None


@pytest.mark.parametrize("time", ["2012011308", "20120113082110", "", "yesterday", None])
def test_the_time_of_a_report_does_not_matter(time: object) -> None:
    fields = {"requestId": "1", "deliveryStatus": "DELIVERED", "timeStamp": time, "destinationAddress": 7}
    report = webhooks().parse_delivery_report(fields)
    assert report is not None
    assert report.msisdn == ""
