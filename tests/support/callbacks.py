"""Every callback of a provider as a case: what it needs, what is posted, and the neighbour that it may overtake.

`CASES` has a row for each route that somebody else's system posts to. A test compares these rows with the routes of the
gateway, and posts each callback twice, at once, out of order and late.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from urllib.parse import parse_qsl, urlencode

from aiohttp import web
from sqlalchemy import update

from core.types import utc_now
from db.tables import accounts
from services.messaging.delivery_status import DeliveryStatus
from services.messaging.models import Message
from services.payments.models import PaymentRequest
from services.payments.notifications import PaymentNotifier
from services.payments.payments import Payments
from tests.fakes import africastalking_server as sms_fake
from tests.fakes.africastalking_insights_server import notification, request_id
from tests.fakes.daraja_server import DarajaServer, PushedRequest, build_callback
from tests.fakes.department_server import sign_headers
from tests.fakes.json_providers import FORMS, Press
from tests.fakes.sns_topic import build_bkash_payment
from tests.fakes.tap_server import APPLICATIONS, BDAPPS
from tests.support.api_records import SingleDepartmentPolicies
from tests.support.callback_gateways import LOOK_INTERVAL, CallbackGateways, build_sms_id
from tests.support.complaints import ComplaintServiceSet
from tests.support.department_api import OWN_DEPARTMENT
from tests.support.services import birth_certificate_submission, render_text
from tests.support.sms_rows import Webhook, inbound_webhook, report_webhook
from tests.support.voice_forms import encode_form, ended_form, ringing_form

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
WORDS = "Please open on Saturdays"
ANSWER_TIMEOUT = 10.0  # seconds
_numbers = count(1)
_payers = count(1)


def new_msisdn() -> str:
    """The number of another citizen."""
    return f"+88017{next(_numbers):08}"


@dataclass(frozen=True)
class Callback:
    """One request of a provider; it is built, and signed, when it is posted. A GET request has its fields in the query."""

    path: str
    body: Callable[[], bytes]
    headers: Callable[[], Mapping[str, str]]
    query: Mapping[str, str] | None = None


async def nothing() -> None:
    """The case has no such step."""


@dataclass(frozen=True)
class Scene:
    """The callbacks in their order. `answer` lets the provider answer our own request, and returns when it is recorded."""

    callbacks: Sequence[Callback]
    answer: Callable[[], Awaitable[None]] = nothing


@dataclass(frozen=True)
class Case:
    """The callbacks of one route.

    `any_order`: there are several callbacks, and their order does not matter. `overtakes`: they may come before the answer to our request.
    `after_retention`: the tables that a repeat changes when retention has deleted every trace of the first.
    """

    route: str
    begin: Callable[[CallbackGateways], Awaitable[Scene]]
    any_order: bool = False
    overtakes: bool = False
    after_retention: frozenset[str] = frozenset()


def post_form(path: str, fields: Mapping[str, str]) -> Callback:
    return Callback(path, urlencode(fields).encode, lambda: FORM)


def post_json(path: str, value: object, headers: Mapping[str, str] = JSON) -> Callback:
    return Callback(path, json.dumps(value).encode, lambda: headers)


async def press_keys_over_row(name: str, keys: Sequence[str]) -> Scene:
    """A whole call over a provider that a row describes, up to words that are recorded."""
    form, msisdn, session = FORMS[name], new_msisdn(), secrets.token_hex(8)
    paths = ["*".join(keys[:length]) for length in range(len(keys) + 1)]
    presses = [
        Press(session, msisdn[1:], "*123#", number, path, path.rpartition("*")[2], "")
        for number, path in enumerate(paths, 1)
    ]
    path = f"/ussd/{name}"
    if form.sends == "query":
        return Scene([Callback(path, bytes, dict, form.build(press)) for press in presses])
    return Scene([post_json(path, form.build(press)) for press in presses])


async def press_keys(_: CallbackGateways) -> Scene:
    """A whole call, up to words that are recorded; its order is a matter of sessions and has tests of its own."""
    form = {
        "phoneNumber": new_msisdn(),
        "serviceCode": "*123#",
        "sessionId": f"ATUid_{secrets.token_hex(16)}",
        "networkCode": "99999",
    }
    paths = ["*".join(SUGGESTION[:length]) for length in range(len(SUGGESTION) + 1)]
    return Scene([post_form("/ussd/africastalking", {**form, "text": path}) for path in paths])


async def end_call(_: CallbackGateways) -> Scene:
    """The end of a call is reported, and only counted."""
    form = {"sessionId": f"ATUid_{secrets.token_hex(16)}", "phoneNumber": new_msisdn(), "status": "Success"}
    return Scene([post_form("/ussd/africastalking/events", {**form, "hopsCount": "7", "durationInMillis": "9000"})])


async def send_sms(_: CallbackGateways) -> Scene:
    """Two SMS of two people."""

    def sms(text: str) -> Callback:
        form = {"from": new_msisdn(), "to": "22384", "id": secrets.token_hex(16), "text": text}
        return post_form("/sms/africastalking", {**form, "date": "2026-11-21 06:00:00"})

    return Scene([sms(f"FEEDBACK {WORDS}"), sms("HELP")])


async def send_sms_without_id(_: CallbackGateways) -> Scene:
    """An SMS without an id."""
    form = {"from": new_msisdn(), "to": "22384", "text": f"FEEDBACK {WORDS}", "date": "2026-11-21 06:00:00"}
    return Scene([post_form("/sms/africastalking", form)])


async def report_delivery(gateways: CallbackGateways) -> Scene:
    """A message is with the provider, which reports what becomes of it."""
    to, answered = new_msisdn(), asyncio.Event()
    gateways.sms.respond_with(sms_fake.accept_when(answered))
    gateways.sms.arrived.clear()
    await gateways.services.messages.send(Message(to, "Your application is ready.", "info", f"case:{to}"))
    await gateways.sms.arrived.wait()
    sms_id = build_sms_id(len(gateways.sms_ids) + 1)  # the one that the answer will have

    async def answer() -> None:
        answered.set()
        await gateways.wait_until_idle()

    form = {"id": sms_id, "phoneNumber": to, "networkCode": "63902", "retryCount": "0"}
    words = ("Sent", "Buffered", "Success")
    return Scene([post_form("/sms/africastalking/delivery", {**form, "status": word}) for word in words], answer)


async def opt_out(_: CallbackGateways) -> Scene:
    return Scene([post_form("/sms/africastalking/optout", {"senderId": "EKDIAL", "phoneNumber": new_msisdn()})])


async def ring(gateways: CallbackGateways) -> Scene:
    """A missed call: while it rings, and when it is over."""
    session, caller, began = secrets.token_hex(16), new_msisdn(), gateways.now()

    def build_body(build_form: Callable[..., dict[str, str]]) -> bytes:
        age = gateways.now() - began
        return encode_form(build_form(session, caller, callStartTime=f"{utc_now() - age:%Y-%m-%d %H:%M:%S}"))

    bodies = (partial(build_body, build_form) for build_form in (ringing_form, ended_form))
    return Scene([Callback("/voice/africastalking", body, lambda: FORM) for body in bodies])


def pay(result: int) -> Callable[[CallbackGateways], Awaitable[Scene]]:
    """A payment that the wallet was asked for ends with this result code."""

    async def begin(gateways: CallbackGateways) -> Scene:
        services, daraja, answered = gateways.services, gateways.daraja, asyncio.Event()

        async def hold(push: PushedRequest, server: DarajaServer) -> web.StreamResponse:
            response = server.accept_push(push)
            await answered.wait()
            return response

        daraja.respond_with("push", hold)
        payments = Payments(
            services.database, services.cipher, "daraja", PaymentNotifier(services.messages, render_text)
        )
        payer, reference = f"+2547{next(_payers):08}", f"{secrets.randbelow(10**12):012}"
        request = PaymentRequest("fee", reference, "birth_certificate", payer, 20000, "KES", "en", "sms")
        await payments.request_payment(request, f"case:{payer}")
        push = await daraja.wait_for_push(len(daraja.pushes) + 1)
        push.result, push.receipt = result, f"Q0{secrets.token_hex(4).upper()}"
        key = push.callback.partition("/payments/daraja/")[2].partition("?")[0]

        async def answer() -> None:
            answered.set()
            await gateways.wait_until_idle()

        return Scene([post_json(f"/payments/daraja/{key}", build_callback(push))], answer)

    return begin


async def pay_at_bkash(gateways: CallbackGateways) -> Scene:
    """The fee of an application is paid by its number at our merchant number."""
    services, msisdn = gateways.services, new_msisdn()
    account = await services.register(msisdn, idempotency_key=f"{msisdn}:9")
    new = birth_certificate_submission(account, msisdn)
    number = (await services.applications.submit(new, f"case:{msisdn}")).tracking_number
    await gateways.wait_until_idle()
    payment = build_bkash_payment(number, trxID=f"4J{secrets.token_hex(4).upper()}")
    return Scene([post_json("/payments/bkash/notifications", gateways.bkash.notify(payment))])


def signed_event(event: Mapping[str, object]) -> Callback:
    body, message_id = json.dumps(event).encode(), f"msg_{secrets.token_hex(8)}"
    return Callback(f"/departments/{OWN_DEPARTMENT}/events", lambda: body, lambda: sign_headers(message_id, body))


def move_application(*, by_api: bool) -> Callable[[CallbackGateways], Awaitable[Scene]]:
    """A department gives an application a new status, by a signed event or by the API."""

    async def begin(gateways: CallbackGateways) -> Scene:
        services, msisdn = gateways.services, new_msisdn()
        account = await services.register(msisdn, idempotency_key=f"{msisdn}:9")
        new = birth_certificate_submission(account, msisdn, department=OWN_DEPARTMENT)
        number = (await services.applications.submit(new, f"case:{msisdn}")).tracking_number
        await gateways.wait_until_idle()
        if by_api:
            path, headers = f"/api/v1/applications/{number}/events", api_headers(gateways.department_key)
            return Scene([post_json(path, {"status": "ready"}, headers)])
        return Scene([signed_event({"type": "application.moved", "tracking_number": number, "status": "ready"})])

    return begin


async def record_cash(gateways: CallbackGateways) -> Scene:
    """A department records the fee of an application that was paid in cash."""
    services, msisdn = gateways.services, new_msisdn()
    account = await services.register(msisdn, idempotency_key=f"{msisdn}:9")
    new = birth_certificate_submission(account, msisdn, department=OWN_DEPARTMENT)
    number = (await services.applications.submit(new, f"case:{msisdn}")).tracking_number
    await gateways.wait_until_idle()
    fee = {"amount_minor": new.fee_minor, "currency": new.currency, "receipt": f"R-0{secrets.token_hex(4)}"}
    headers = api_headers(gateways.department_key)
    return Scene([post_json(f"/api/v1/applications/{number}/payments", fee, headers)])


def answer_complaint(*, by_api: bool) -> Callable[[CallbackGateways], Awaitable[Scene]]:
    """A department answers a complaint, by a signed event or by the API."""

    async def begin(gateways: CallbackGateways) -> Scene:
        services, msisdn = gateways.services, new_msisdn()
        complaints = ComplaintServiceSet(services, SingleDepartmentPolicies(ComplaintServiceSet(services).policies))
        number = await complaints.submit_complaint(f"case:{msisdn}", msisdn=msisdn, service="birth_certificate")
        await gateways.wait_until_idle()
        answer = {"status": "answered", "note": {"en": "Done."}}
        if by_api:
            path, headers = f"/api/v1/complaints/{number}/events", api_headers(gateways.department_key)
            return Scene([post_json(path, answer, headers)])
        return Scene([signed_event({"type": "complaint.moved", "complaint_number": number, **answer})])

    return begin


async def report_sim_swap(gateways: CallbackGateways) -> Scene:
    """A check of a number waits for the report of the provider, which may overtake the id of the request."""
    insights, msisdn = gateways.insights, new_msisdn()
    report = notification(request_id(len(insights.requests) + 1), "Swapped", None)

    async def answer() -> None:
        gateways.start(gateways.number_checks.check(msisdn))
        async with asyncio.timeout(ANSWER_TIMEOUT):
            while report["requestId"] != request_id(len(insights.requests)):  # noqa: ASYNC110 - the fake has no event
                await asyncio.sleep(LOOK_INTERVAL)

    return Scene([post_json("/sim-swap/africastalking", report)], answer)


async def take_number(gateways: CallbackGateways) -> Scene:
    """A network tells that it took a number from its holder."""
    msisdn = new_msisdn()
    account = await gateways.services.register(msisdn, idempotency_key=f"{msisdn}:9")
    await gateways.wait_until_idle()
    long_ago = update(accounts).where(accounts.c.id == account).values(created_at=utc_now() - timedelta(days=9))
    async with gateways.database.transaction() as transaction:
        await transaction.execute(long_ago)
    notice = {"number": msisdn, "taken_on": f"{utc_now() - timedelta(days=1):%Y-%m-%d}"}
    return Scene([post_json("/api/v1/number-notices", notice, api_headers(gateways.network_key))])


def api_headers(key: str) -> Mapping[str, str]:
    return {**JSON, "Authorization": f"Bearer {key}", "Idempotency-Key": secrets.token_hex(8)}


def build_tap_address(msisdn: str) -> str:
    return f"tel:{msisdn.removeprefix('+')}"


async def press_keys_over_tap(_: CallbackGateways) -> Scene:
    """A whole call of a network that sends the newest input only, up to words that are recorded."""
    application, session, address = APPLICATIONS[BDAPPS], secrets.token_hex(8), build_tap_address(new_msisdn())
    fields = {"applicationId": application.id, "sessionId": session, "sourceAddress": address, "encoding": "440"}

    def press(operation: str, message: str) -> Callback:
        press = {"ussdOperation": operation, "message": message, "requestId": secrets.token_hex(8)}
        return post_json("/ussd/tap", {**fields, **press})

    keys = ("1", "4", "2", "1", "101", "4", WORDS)
    return Scene([press("mo-init", application.service_code), *(press("mo-cont", key) for key in keys)])


async def send_sms_over_tap(_: CallbackGateways) -> Scene:
    """Two SMS of two people."""

    def sms(text: str) -> Callback:
        fields = {"applicationId": APPLICATIONS[BDAPPS].id, "sourceAddress": build_tap_address(new_msisdn())}
        return post_json("/sms/tap", {**fields, "message": text, "requestId": secrets.token_hex(8), "encoding": "0"})

    return Scene([sms(f"FEEDBACK {WORDS}"), sms("HELP")])


async def report_delivery_over_tap(_: CallbackGateways) -> Scene:
    """Reports about an SMS that this gateway did not send; those of SMS that it sent are no different from any provider's."""
    report = {"requestId": secrets.token_hex(8), "destinationAddress": build_tap_address(new_msisdn())}
    words = ("ACCEPTED", "DELIVRD")
    return Scene([post_json("/sms/tap/delivery", {**report, "deliveryStatus": word}) for word in words])


SUGGESTION = ("1", "4", "2", "1", "101", "4", WORDS)


async def send_sms_over_row(name: str) -> Scene:
    """Words that are recorded, then an SMS that is only answered, of a provider that a row describes."""

    def sms(text: str) -> Callback:
        return from_row(
            inbound_webhook(name, sms_id=secrets.token_hex(8), sender=new_msisdn()[1:], sent_to="22384", text=text)
        )

    return Scene([sms(f"FEEDBACK {WORDS}"), sms("HELP")])


async def report_delivery_over_row(name: str) -> Scene:
    """Reports about an SMS that this gateway did not send; those of SMS that it sent are no different from any provider's."""
    message, statuses = secrets.token_hex(8), (DeliveryStatus.SUBMITTED, DeliveryStatus.DELIVERED)
    return Scene([from_row(report_webhook(name, message_id=message, status=status)) for status in statuses])


def from_row(webhook: Webhook) -> Callback:
    """The callback of a webhook."""
    path, _, query = webhook.path.partition("?")
    fields = dict(parse_qsl(query)) if webhook.method == "GET" else None
    return Callback(path, lambda: webhook.body, lambda: webhook.headers, fields)


SMS_IDS, EVENT_IDS = frozenset({"inbound_sms"}), frozenset({"department_events"})
REPORTS = frozenset({"delivery_reports"})  # of a message that nobody knows any more
CASES: Mapping[str, Case] = {
    "key presses": Case("/ussd/africastalking", press_keys),
    "key presses of a JSON provider": Case("/ussd/hubtel", lambda _: press_keys_over_row("hubtel", SUGGESTION)),
    "key presses by GET": Case("/ussd/advanta", lambda _: press_keys_over_row("advanta", SUGGESTION)),
    "the end of a call": Case("/ussd/africastalking/events", end_call),
    "an SMS": Case("/sms/africastalking", send_sms, any_order=True, after_retention=SMS_IDS),
    "an SMS without an id": Case("/sms/africastalking", send_sms_without_id, after_retention=SMS_IDS),
    "delivery reports": Case("/sms/africastalking/delivery", report_delivery, any_order=True, overtakes=True),
    "an opt-out": Case("/sms/africastalking/optout", opt_out),
    "key presses over TAP": Case("/ussd/tap", press_keys_over_tap),
    "an SMS over TAP": Case("/sms/tap", send_sms_over_tap, any_order=True, after_retention=SMS_IDS),
    "delivery reports over TAP": Case(
        "/sms/tap/delivery",
        report_delivery_over_tap,
        any_order=True,
        after_retention=REPORTS,
    ),
    "an SMS in a batch of JSON": Case(
        "/sms/infobip", lambda _: send_sms_over_row("infobip"), any_order=True, after_retention=SMS_IDS
    ),
    "an SMS by GET": Case(
        "/sms/generic", lambda _: send_sms_over_row("generic"), any_order=True, after_retention=SMS_IDS
    ),
    "delivery reports in a batch of JSON": Case(
        "/sms/infobip/delivery", lambda _: report_delivery_over_row("infobip"), any_order=True, after_retention=REPORTS
    ),
    "delivery reports by GET": Case(
        "/sms/generic/delivery", lambda _: report_delivery_over_row("generic"), any_order=True, after_retention=REPORTS
    ),
    "a missed call": Case("/voice/africastalking", ring, any_order=True),
    "a payment": Case("/payments/daraja/{key}", pay(0), overtakes=True),
    "a payment that the payer refuses": Case("/payments/daraja/{key}", pay(1032), overtakes=True),
    "a payment by reference at bKash": Case("/payments/bkash/notifications", pay_at_bkash),
    "an event about an application": Case(
        "/departments/{code}/events", move_application(by_api=False), after_retention=EVENT_IDS
    ),
    "an event about a complaint": Case(
        "/departments/{code}/events", answer_complaint(by_api=False), after_retention=EVENT_IDS
    ),
    "a status by the API": Case("/api/v1/applications/{tracking_number}/events", move_application(by_api=True)),
    "a fee in cash by the API": Case("/api/v1/applications/{tracking_number}/payments", record_cash),
    "an answer by the API": Case("/api/v1/complaints/{complaint_number}/events", answer_complaint(by_api=True)),
    "a report of a SIM swap": Case("/sim-swap/africastalking", report_sim_swap, overtakes=True),
    "a number that was taken": Case("/api/v1/number-notices", take_number),
}

POSTED_BY_PEOPLE = frozenset({"/d/{token}"})
"""The buttons of links; `tests/unit/web/links` presses them."""
