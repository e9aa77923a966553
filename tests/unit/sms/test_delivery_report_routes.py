"""What a provider says of an SMS after it took it: read, ranked, acknowledged whatever it is."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import accumulate, permutations
from urllib.parse import quote, urlencode

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from core.http.webhooks import WebhookGuard
from db.database import Database
from db.migrate import upgrade
from providers.africastalking.sms_webhooks import (
    DELIVERY_STATUSES,
    AfricasTalkingSmsWebhooks,
    parse_delivery_report,
    parse_opt_out,
)
from services.messaging.delivery_status import DELIVERY_RANK, DeliveryReport, DeliveryStatus, furthest_status
from services.messaging.inbound import InboundSms
from services.messaging.message_status import MessageState
from services.messaging.messages import Messages
from services.messaging.opt_outs import OptOuts
from sms.routes import WebhookHandlers, routes
from tests.fakes import africastalking_server as fake
from tests.fakes.africastalking_server import AfricasTalkingServer
from tests.support.phone import PUBLIC_SETTINGS, WEBHOOK_TOKEN, Phone, admin_url, build_settings, run_gateway
from tests.support.services import CIPHER

FAILED = (  # as captured, the number and the id made up
    "phoneNumber=%2B254700000001&failureReason=DeliveryFailure&retryCount=0"
    "&id=ATXid_0123456789abcdef0123456789abcdef&status=Failed&networkCode=63902"
)
ID = "ATXid_0123456789abcdef0123456789abcdef"
TOKEN = "a-token-of-at-least-128-bits"
FORMS = ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=UTF-8")


@pytest.mark.parametrize(
    ("word", "delivery"),
    [
        ("Sent", DeliveryStatus.SENT),
        ("Submitted", DeliveryStatus.SUBMITTED),
        ("Buffered", DeliveryStatus.BUFFERED),
        ("AbsentSubscriber", DeliveryStatus.ABSENT),
        ("Expired", DeliveryStatus.EXPIRED),
        ("Success", DeliveryStatus.DELIVERED),
        ("Failed", DeliveryStatus.FAILED),
        ("Rejected", DeliveryStatus.REJECTED),
        ("Teleported", DeliveryStatus.UNRECOGNIZED),
    ],
)
def test_every_status_is_put_into_a_word_of_ours(word, delivery):
    assert parse_delivery_report({"id": ID, "status": word}) == DeliveryReport(ID, delivery, word)


def test_every_status_that_has_a_word_has_a_rank():
    assert {*DELIVERY_STATUSES.values(), DeliveryStatus.UNRECOGNIZED} == set(DeliveryStatus) == set(DELIVERY_RANK)


@pytest.mark.parametrize(
    "reason",
    [
        "InsufficientCredit",
        "InvalidLinkId",
        "UserIsInactive",
        "UserInBlackList",
        "UserAccountSuspended",
        "NotNetworkSubcriber",  # so in the documentation
        "UserNotSubscribedToProduct",
        "UserDoesNotExist",
        "DeliveryFailure",
        "DoNotDisturbRejection",
    ],
)
def test_why_it_failed_is_kept(reason):
    read = parse_delivery_report({"id": ID, "status": "Rejected", "failureReason": reason})
    assert read == DeliveryReport(ID, DeliveryStatus.REJECTED, "Rejected", reason)


@pytest.mark.parametrize("reason", ["+254700000001 is off", "x" * 41, "কারণ", ""])
def test_a_reason_that_is_no_word_is_not_kept(reason):
    assert parse_delivery_report({"id": ID, "status": "Failed", "failureReason": reason}) == DeliveryReport(
        ID, DeliveryStatus.FAILED, "Failed"
    )


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"status": "Success"},
        {"id": "", "status": "Success"},
        {"id": "None", "status": "Success"},
        {"id": "x" * 129, "status": "Success"},
        {"id": "a\x00b", "status": "Success"},
        {"id": ID},
        {"id": ID, "status": ""},
        {"id": ID, "status": "Not a word"},
        {"id": ID, "status": "x" * 41},
    ],
)
def test_what_can_be_matched_with_nothing_is_no_report(form):
    assert parse_delivery_report(form) is None


@pytest.mark.parametrize(
    ("form", "number", "network"),
    [
        ({"phoneNumber": "+254700000001", "networkCode": "63902"}, "+254700000001", "63902"),
        ({"phoneNumber": "254700000001", "networkCode": "Safaricom"}, "+254700000001", ""),
        ({"phoneNumber": "0700000001"}, "", ""),
        ({"phoneNumber": "+254", "networkCode": "639020000"}, "", ""),
        ({}, "", ""),
    ],
)
def test_number_and_network_are_read_where_they_are_told(form, number, network):
    assert parse_delivery_report({"id": ID, "status": "Sent", **form}) == DeliveryReport(
        ID, DeliveryStatus.SENT, "Sent", msisdn=number, network=network
    )


S, U, B, A, E, D, F, R, Q = (
    DeliveryStatus.SENT,
    DeliveryStatus.SUBMITTED,
    DeliveryStatus.BUFFERED,
    DeliveryStatus.ABSENT,
    DeliveryStatus.EXPIRED,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.FAILED,
    DeliveryStatus.REJECTED,
    DeliveryStatus.UNRECOGNIZED,
)


def state_after(received: Iterable[DeliveryStatus]) -> DeliveryStatus | None:
    """What is known when all these were heard, one after the other."""
    return list(accumulate(received, furthest_status, initial=None))[-1]


@pytest.mark.parametrize(
    ("received", "known"),
    [
        ([S, U, B, D], D),
        ([D, S, U, B], D),  # late
        ([S, S, D, D], D),  # twice
        ([B, U, S], B),  # backwards
        ([D, F], D),  # the first that is final counts
        ([F, D], F),
        ([R, D], R),
        ([A, D], D),  # it was reached after all
        ([E, D], D),
        ([D, A], D),
        ([A, S], A),
        ([A, E], A),
        ([Q], Q),
        ([Q, S], S),
        ([S, Q], S),
        ([D, Q], D),
    ],
)
def test_which_of_several_reports_counts(received, known):
    assert state_after(received) == known


def test_with_one_final_report_among_them_the_order_does_not_matter():
    assert {state_after(order) for order in permutations([Q, S, U, B, A, D])} == {D}


@asynccontextmanager
async def run_sms_routes(services, guard: WebhookGuard | None = None) -> AsyncIterator[str]:
    app = web.Application()
    handlers = WebhookHandlers(services.report, services.optout, services.sms, services.unread, CIPHER.keyed_hash)
    app.add_routes(routes(AfricasTalkingSmsWebhooks(), guard or WebhookGuard(), handlers))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/sms/africastalking"
    finally:
        await runner.cleanup()


async def post(url: str, body: str | bytes, content_type: str = FORMS[0]) -> int:
    headers = {"Content-Type": content_type, "User-Agent": "at-sms-api/1.0"}
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as answer:
        return answer.status


class RecordingHandlers:
    """Keeps what it is given, but for the first times, when it fails."""

    def __init__(self, *faults: Exception) -> None:
        self.reports: list[DeliveryReport] = []
        self.out: list[str] = []
        self.unparsed: list[tuple[str, dict[str, str]]] = []
        self._faults = list(faults)

    def _fail_if_due(self) -> None:
        if self._faults:
            raise self._faults.pop()

    async def report(self, report: DeliveryReport) -> int:
        self._fail_if_due()
        self.reports.append(report)
        return 1

    async def optout(self, number: str) -> None:
        self._fail_if_due()
        self.out.append(number)

    async def sms(self, sms: InboundSms) -> None:
        raise AssertionError("nobody posts an SMS here")

    async def unread(self, route: str, why: str, fields: Mapping[str, str]) -> None:
        self._fail_if_due()
        self.unparsed.append((why, dict(fields)))


@pytest.mark.parametrize("content_type", FORMS)
async def test_a_captured_report_is_kept(content_type):
    handlers = RecordingHandlers()
    async with run_sms_routes(handlers) as url:
        assert await post(f"{url}/delivery", FAILED, content_type) == 200
    (kept,) = handlers.reports
    assert kept == DeliveryReport(ID, DeliveryStatus.FAILED, "Failed", "DeliveryFailure", "+254700000001", "63902")
    assert "254700000001" not in repr(kept)


NO_REPORT = "A delivery report has an id and a status that is one word."


@pytest.mark.parametrize(
    ("body", "why", "fields"),
    [
        ("", NO_REPORT, {}),
        ("status=Success", NO_REPORT, {"status": "Success"}),
        ("id=&status=", NO_REPORT, {"id": "", "status": ""}),
        (b"\xff\xfe\x00", NO_REPORT, {"\ufffd\ufffd\x00": ""}),
        ("id=A&status=No+such+thing", NO_REPORT, {"id": "A", "status": "No such thing"}),
        ("a&" * 5000, "A webhook has at most 64 fields.", {}),
    ],
)
async def test_what_makes_no_sense_is_acknowledged_and_kept_for_a_person_to_look_at(body, why, fields):
    handlers = RecordingHandlers()
    async with run_sms_routes(handlers) as url:
        assert await post(f"{url}/delivery", body) == 200
    assert handlers.reports == []
    assert handlers.unparsed == [(why, fields)]


async def test_a_status_nobody_has_heard_of_is_acknowledged_and_kept():
    handlers = RecordingHandlers()
    async with run_sms_routes(handlers) as url:
        assert await post(f"{url}/delivery", f"id={ID}&status=Teleported") == 200
    assert handlers.reports == [DeliveryReport(ID, DeliveryStatus.UNRECOGNIZED, "Teleported")]


@pytest.mark.parametrize("route", ["delivery", "optout"])
async def test_a_flood_is_not_acknowledged(route):
    handlers = RecordingHandlers()
    async with run_sms_routes(handlers) as url:
        assert await post(f"{url}/{route}", "id=" + "x" * 20_000) == 413
    assert handlers.unparsed == []


@pytest.mark.parametrize(
    ("route", "body"), [("delivery", FAILED), ("optout", "phoneNumber=%2B254700000001"), ("delivery", "nonsense")]
)
async def test_what_could_not_be_kept_is_asked_for_again(route, body):
    handlers = RecordingHandlers(ConnectionError("the database of +254700000001 is away"))
    async with run_sms_routes(handlers) as url:
        with capture_logs() as lines:
            assert [await post(f"{url}/{route}", body), await post(f"{url}/{route}", body)] == [503, 200]
    assert [line["error"] for line in lines if line["log_level"] == "error"] == ["ConnectionError"]
    assert "254700000001" not in str(lines)
    assert len(handlers.reports + handlers.out + handlers.unparsed) == 1


@pytest.mark.parametrize(("route", "body"), [("delivery", FAILED), ("optout", "phoneNumber=%2B254700000001")])
async def test_without_the_token_there_is_no_such_route(route, body):
    handlers = RecordingHandlers()
    async with run_sms_routes(handlers, WebhookGuard((TOKEN,))) as url:
        assert [await post(f"{url}/{route}", body), await post(f"{url}/{route}?token={TOKEN}", body)] == [404, 200]
    assert len(handlers.reports + handlers.out) == 1


async def test_logs_tell_what_became_of_which_sms_and_not_whose():
    handlers = RecordingHandlers()
    with capture_logs() as lines:
        async with run_sms_routes(handlers) as url:
            await post(f"{url}/delivery", FAILED.replace("254700000001", "254711000001"))
            await post(f"{url}/delivery", "phoneNumber=%2B254711000001&text=PIN+4821")
            await post(f"{url}/optout", "senderId=EKDIAL&phoneNumber=%2B254711000001")
            await post(f"{url}/optout", "senderId=EKDIAL&phoneNumber=PIN+4821")
    facts = {"id": ID, "delivery": "failed", "word": "Failed", "reason": "DeliveryFailure", "message": 1}
    assert {"event": "delivery_report", "log_level": "info", **facts} in lines
    assert [line["event"] for line in lines].count("webhook_unparsed") == 2, "a line each"
    assert "254711000001" not in str(lines)
    assert "4821" not in str(lines)


async def test_a_number_that_opted_out_at_the_provider_is_out_here_too():
    handlers = RecordingHandlers()
    async with run_sms_routes(handlers) as url:
        for _ in range(2):  # a repeat is a repeat
            assert await post(f"{url}/optout", "senderId=EKDIAL&phoneNumber=%2B254700000001") == 200
    assert handlers.out == ["+254700000001"] * 2


@pytest.mark.parametrize(
    "number", [" +254700000001", "+254700000001 ", " 254700000001", "254700000001", "+254700000001\n"]
)
async def test_an_opt_out_counts_however_its_number_is_written(number):
    handlers = RecordingHandlers()
    async with run_sms_routes(handlers) as url:
        assert await post(f"{url}/optout", urlencode({"senderId": "EKDIAL", "phoneNumber": number})) == 200
        assert await post(f"{url}/optout", f"senderId=EKDIAL&phoneNumber={number.strip()}") == 200
    assert (handlers.out, handlers.unparsed) == (["+254700000001"] * 2, [])


@pytest.mark.parametrize("number", ["", "700000001", "0700000001", "+1234", "EKDIAL", "+২৫৪৭০০০০০০০১"])
async def test_an_opt_out_of_nobody_is_acknowledged_and_kept_for_a_person_to_look_at(number):
    assert parse_opt_out({"phoneNumber": number}) is None
    handlers = RecordingHandlers()
    async with run_sms_routes(handlers) as url:
        assert await post(f"{url}/optout", urlencode({"senderId": "EKDIAL", "phoneNumber": number})) == 200
    assert handlers.out == []
    assert [why for why, _ in handlers.unparsed] == ["An opt-out has a phone number in the form +254700000001."]


async def test_through_the_whole_gateway_from_a_key_press_to_the_handset(database_url, tmp_path):
    """A caller asks for the app's link; reports of it come late, twice and all at once; then the number opts out."""
    await upgrade(database_url)
    async with AfricasTalkingServer() as server, Database(database_url) as database:
        account = {"USERNAME": fake.USERNAME, "API_KEY": fake.API_KEY, "BASE_URL": server.url}
        given = {f"PROVIDERS__AFRICASTALKING__{key}": value for key, value in account.items()}
        given |= PUBLIC_SETTINGS
        settings = build_settings(tmp_path, DATABASE__URL=database_url, SMS__PROVIDER="africastalking", **given)
        async with run_gateway(settings) as url, aiohttp.ClientSession() as http:
            phone = Phone(http, url, token=WEBHOOK_TOKEN)
            await phone.dial()
            await phone.enter("1", "6")
            await server.arrived.wait()
            (taken,) = server.accepted
            number = f"phoneNumber={quote(taken.to)}&networkCode=63902"
            reports = [f"id={taken.id}&status={word}&{number}" for word in ("Success", "Sent", "Buffered") * 5]
            callback, token = f"{url}/sms/africastalking", f"token={WEBHOOK_TOKEN}"
            assert await asyncio.gather(*(post(f"{callback}/delivery?{token}", one) for one in reports)) == [200] * 15
            state = await wait_for_report(database)
            opt_out = f"{callback}/optout?{token}"
            assert [await post(opt_out, number), await post(opt_out, "x=1")] == [200, 200]
            async with http.get(f"{admin_url(url)}/metrics") as metrics:
                counted = await metrics.text()
    assert (state.kind, state.stage, state.provider_id) == ("link", "delivered", taken.id)
    assert 'ekdial_sms_sends_total{kind="link",outcome="sent",provider="africastalking"} 1.0' in counted
    async with Database(database_url) as database:
        assert await OptOuts(database).is_opted_out(taken.to)


async def wait_for_report(database: Database) -> MessageState:
    """The one message, as soon as a report is noted with it: the answer to its send may come after all of them."""
    rows = Messages(database, CIPHER)
    async with asyncio.timeout(10):
        while True:
            state = await rows.state(1)
            assert state
            if state.stage == "delivered":
                return state
            await asyncio.sleep(0.02)
