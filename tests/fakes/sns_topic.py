"""Amazon SNS for one topic, as it sends to an HTTPS endpoint: signed messages, the certificate, and confirmed subscriptions.

`answer` is what Amazon's host answers to a request; everything that Amazon does not have is 404.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from core.http.aiohttp_client import AiohttpClient
from core.http.client import HttpRequest, HttpResponse

TOPIC = "arn:aws:sns:ap-southeast-1:354285753755:bpt_01823072645"
HOST = "https://sns.ap-southeast-1.amazonaws.com"
CERTIFICATE_URL = f"{HOST}/SimpleNotificationService-ac565b8b1a6c5d002d285f9598aa1d9b.pem"
TOKEN = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"
ALGORITHMS = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - version 1 of Amazon has no other
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


class SnsTopic:
    """The topic. `requests` are the addresses that were asked for; `is_down`: Amazon answers 503."""

    def __init__(self, topic: str = TOPIC, *, ends: datetime | None = None) -> None:
        self.topic = topic
        self.requests: list[str] = []
        self.is_down = False
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._certificate = self._create_certificate(ends or datetime.now(UTC) + timedelta(days=365))
        self._count = 0

    @property
    def confirmed(self) -> list[str]:
        """The addresses of confirmed subscriptions."""
        return [address for address in self.requests if "Action=ConfirmSubscription" in address]

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """The response of Amazon's host."""
        assert request.method == "GET"
        self.requests.append(request.url)
        if self.is_down:
            return HttpResponse(503, "text/plain", {}, b"")
        if request.url == CERTIFICATE_URL:
            return HttpResponse(200, "application/x-pem-file", {}, self._certificate)
        if request.url.startswith(f"{HOST}/?Action=ConfirmSubscription&TopicArn={self.topic}&Token={TOKEN}"):
            return HttpResponse(200, "text/xml", {}, b"<ConfirmSubscriptionResponse/>")
        return HttpResponse(404, "text/xml", {}, b"")

    def notify(self, text: str, **changes: str) -> dict[str, str]:
        """A notification with this text; the changes are signed too."""
        return self._sign({**self._begin("Notification", text), **changes})

    def invite(self, kind: str = "SubscriptionConfirmation", **changes: str) -> dict[str, str]:
        """The message that asks to confirm a subscription, or that it ended."""
        address = f"{HOST}/?Action=ConfirmSubscription&TopicArn={self.topic}&Token={TOKEN}"
        text = f"You have chosen to subscribe to the topic {self.topic}."
        return self._sign({**self._begin(kind, text), "Token": TOKEN, "SubscribeURL": address, **changes})

    def _begin(self, kind: str, text: str) -> dict[str, str]:
        self._count += 1
        return {
            "Type": kind,
            "MessageId": f"20d48143-6af4-571d-b7cb-{self._count:012}",
            "TopicArn": self.topic,
            "Message": text,
            "Timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.236Z",
            "SignatureVersion": "1",
            "SigningCertURL": CERTIFICATE_URL,
            "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe&SubscriptionArn={self.topic}:ddc1093b",
        }

    def _sign(self, message: dict[str, str]) -> dict[str, str]:
        signed = "".join(f"{key}\n{message[key]}\n" for key in SIGNED[message["Type"]] if key in message)
        algorithm = ALGORITHMS.get(message["SignatureVersion"], hashes.SHA256())
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), algorithm)
        return {**message, "Signature": base64.b64encode(signature).decode()}

    def _create_certificate(self, ends: datetime) -> bytes:
        whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        builder = (
            x509.CertificateBuilder(issuer_name=whose, subject_name=whose, public_key=self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(ends, datetime.now(UTC)) - timedelta(days=30))
            .not_valid_after(ends)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@contextmanager
def answer_for_amazon(topic: SnsTopic) -> Iterator[SnsTopic]:
    """Let the topic answer what the clients of gateways in this process ask of Amazon."""
    send = AiohttpClient.__call__

    async def answer(client: AiohttpClient, request: HttpRequest) -> HttpResponse:
        return await (topic.answer(request) if request.url.startswith(f"{HOST}/") else send(client, request))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AiohttpClient, "__call__", answer)
        yield topic


def build_bkash_payment(reference: str, amount: str = "50", **changes: Any) -> str:
    """The text of a notification in which bKash tells of a payment."""
    payment = {
        "dateTime": "20261130122246",
        "debitMSISDN": "8801711000099",
        "creditOrganizationName": "Org 01",
        "creditShortCode": "01823072***",
        "trxID": "4J420ANOXC",
        "transactionStatus": "Completed",
        "transactionType": "10002175",
        "amount": amount,
        "currency": "BDT",
        "transactionReference": reference,
        "merchantInvoiceNumber": "",
    }
    return json.dumps({**payment, **changes})
