"""Pay by reference at bKash: the payer gives the tracking number to the merchant number, and bKash tells of it by Amazon SNS."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlalchemy import select

from config.settings import Settings
from core.http.aiohttp_client import AiohttpClient
from core.http.client import HttpRequest, HttpResponse
from db.database import Database
from db.tables import payment_refunds, payment_reports, payments, unparsed_webhooks
from tests.fakes.sns_topic import TOPIC, SnsTopic, build_bkash_payment
from tests.support.citizen_steps import apply_for_birth_certificate, pay_key, register, track_application
from tests.support.commands import payments_command
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.privacy import capture_all_logs
from tests.support.sms_phone import wait_until

ADDRESS = "/payments/bkash/notifications"
PAYER = "8801711000099"


class BkashPhone(Phone):
    """A phone on a gateway to which bKash tells of payments."""

    settings: Settings
    topic: SnsTopic

    async def tell(self, message: dict[str, str] | bytes, **query: str) -> int:
        """Post a message as Amazon does; the status of the answer."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        headers = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}
        async with self.http.post(f"{self.url}{ADDRESS}", params=query, data=body, headers=headers) as answer:
            return answer.status

    async def pay(self, reference: str, amount: str = "50", **changes: str) -> int:
        """Pay, and let bKash tell of it."""
        return await self.tell(self.topic.notify(build_bkash_payment(reference, amount, **changes)))

    async def read(self, table: type, *columns: str) -> list[tuple[object, ...]]:
        """The values of these columns."""
        async with Database(self.settings.database.url.get_secret_value()) as database:
            return [tuple(row) for row in await database.fetch(select(*(table.c[name] for name in columns)))]


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> SnsTopic:
    topic = SnsTopic()

    async def answer(_: AiohttpClient, request: HttpRequest) -> HttpResponse:
        return await topic.answer(request)

    monkeypatch.setattr(AiohttpClient, "__call__", answer)
    return topic


@pytest.fixture
async def phone(tmp_path: Path, topic: SnsTopic) -> AsyncIterator[BkashPhone]:
    topics = json.dumps([TOPIC])
    settings = build_settings(tmp_path, PAYMENTS__BKASH__ENABLED="true", PAYMENTS__BKASH__TOPICS=topics)
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = BkashPhone(http, url)
        phone.settings, phone.topic = settings, topic
        yield phone


async def test_who_pays_the_tracking_number_at_bkash_has_paid_the_fee(phone: BkashPhone, topic: SnsTopic) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    assert await phone.tell(topic.invite()) == 200
    assert len(topic.confirmed) == 1
    shown = f"{number[:4]} {number[4:8]} {number[8:]}"
    message = topic.notify(build_bkash_payment(shown))
    with capture_all_logs() as logs:
        for _ in range(2):
            assert await phone.tell(message) == 200
        assert await phone.pay(shown) == 200, "the same payment in another message"
    assert PAYER not in logs.getvalue()
    assert number not in logs.getvalue()
    assert "Receipt 4J420ANOXC" in await phone.wait_for_sms("Tk 50 paid for Birth certificate")
    assert not pay_key(await track_application(phone, number))
    assert await phone.read(payments, "status", "wallet", "payer", "receipt", "paid_minor") == [
        ("paid", "bkash", f"+{PAYER}", "4J420ANOXC", 5000)
    ]
    assert await phone.read(payment_reports, "source", "wallet", "currency") == [("bkash", "bkash", "BDT")]


async def test_another_amount_an_unknown_reference_and_a_second_payment_wait_for_a_person(phone: BkashPhone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    assert await phone.pay("rent", trxID="4JNOBODY01", debitMSISDN="8801711***099") == 200
    assert await phone.pay(number, "50", trxID="4JPAID0001") == 200
    assert await phone.pay("", "50", trxID="4JSECOND01", merchantInvoiceNumber=number) == 200
    assert await phone.pay(number, "20.5", trxID="4JAMOUNT01") == 200
    assert await phone.read(payments, "status", "receipt", "paid_minor") == [
        ("paid", "4JPAID0001", 5000),
        ("duplicate_payment", "4JSECOND01", 5000),
        ("duplicate_payment", "4JAMOUNT01", 2050),
    ]
    report = (await payments_command(phone.settings, "report")).output
    assert "BDT 50.00  no_such_payment" in report
    assert "4JNOBODY01" in report

    async def is_by_hand() -> bool:
        return [status for (status,) in await phone.read(payment_refunds, "status")] == ["by_hand"]

    await wait_until(is_by_hand)  # no wallet of ours gives the money of bKash back


async def test_what_bkash_signs_and_is_no_payment_is_kept_for_a_person(phone: BkashPhone) -> None:
    number = "123456789015"
    for changes in ({"transactionStatus": "Failed"}, {"currency": "USD"}, {"amount": "free"}, {"trxID": ""}):
        assert await phone.tell(phone.topic.notify(build_bkash_payment(number, **changes))) == 200
    assert await phone.tell(phone.topic.notify("hello")) == 200
    late = "2026-01-01T00:00:00.000Z"
    assert await phone.tell(phone.topic.notify(build_bkash_payment(number), Timestamp=late)) == 200
    assert await phone.tell(phone.topic.invite("UnsubscribeConfirmation")) == 200
    assert phone.topic.confirmed == []
    assert await phone.read(unparsed_webhooks, "route") == [(ADDRESS,)] * 6
    assert await phone.read(payment_reports, "id") == []


async def test_nothing_is_lost_while_amazon_does_not_answer(phone: BkashPhone) -> None:
    phone.topic.is_down = True
    message = phone.topic.notify(build_bkash_payment("rent"))
    assert await phone.tell(message) == 503
    assert await phone.tell(phone.topic.invite()) == 503
    phone.topic.is_down = False
    assert await phone.tell(message) == 200
    assert len(await phone.read(payment_reports, "id")) == 1


async def test_a_stranger_tells_of_no_money_and_lets_us_fetch_nothing(phone: BkashPhone) -> None:
    """Wrong topic, wrong host, wrong key, another body under a signature, a huge body, a subscription elsewhere."""
    payment = build_bkash_payment("123456789015")
    genuine, topic = phone.topic.notify(payment), phone.topic
    stranger = SnsTopic()
    forged = [
        topic.notify(payment, TopicArn=TOPIC.replace("0182", "0199")),
        topic.notify(payment, SigningCertURL="https://sns.ap-southeast-1.amazonaws.com.evil.example/x.pem"),
        topic.notify(payment, SigningCertURL="http://169.254.169.254/x.pem"),
        topic.invite(SubscribeURL="https://evil.example/?Action=ConfirmSubscription&Token=1"),
        stranger.notify(payment),
        {**genuine, "Message": build_bkash_payment("123456789015", "50000")},
        {**genuine, "Signature": "AAAA"},
        {**genuine, "Signature": ""},
    ]
    for message in forged:
        assert await phone.tell(message) == 403
    assert all(address.endswith(".pem") and "evil" not in address for address in topic.requests)
    assert await phone.tell(b"{") == 403
    assert await phone.tell(topic.notify("x" * 20_000)) == 413
    assert stranger.requests == topic.confirmed == []
    for table in (payment_reports, payments, unparsed_webhooks):
        assert await phone.read(table, "id") == []


async def test_a_gateway_without_bkash_has_no_such_address(tmp_path: Path, topic: SnsTopic) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        assert await BkashPhone(http, url).tell(topic.notify(build_bkash_payment("1"))) == 404
