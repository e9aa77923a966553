"""Messages of Amazon SNS to an HTTPS endpoint: parsed, and their signature verified with the certificate that they name.

The form, what is signed and the checks of the certificate's address are those of "Verifying the signatures of Amazon SNS
messages", https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html: version 1 signs with SHA1, version 2
with SHA256. A topic's certificate and its subscriptions are at the host of the topic's own region.
"""

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from core.http.client import HttpClient, HttpRequest
from core.json_text import parse_json_object
from core.types import UtcClock, utc_now

NOTIFICATION: Final = "Notification"
SUBSCRIPTION: Final = "SubscriptionConfirmation"
UNSUBSCRIPTION: Final = "UnsubscribeConfirmation"
_CONFIRMATION_KEYS: Final = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: _CONFIRMATION_KEYS,
    UNSUBSCRIPTION: _CONFIRMATION_KEYS,
}
"""The keys that are signed, in this order; a `Subject` only where there is one."""
HASHES: Final[Mapping[str, HashAlgorithm]] = {"1": SHA1(), "2": SHA256()}  # nosec B303  # noqa: S303 - version 1 of Amazon has no other
MAX_AGE: Final = timedelta(days=14)
"""The longest that a dead-letter queue of Amazon keeps a message before it is sent again."""
MAX_AHEAD: Final = timedelta(hours=1)
MAX_CERTIFICATES: Final = 16
is_topic: Final = re.compile(r"arn:(aws|aws-cn):sns:[a-z0-9-]{3,30}:[0-9]{12}:[A-Za-z0-9_-]{1,256}", re.ASCII).fullmatch
"""Whether a text is the ARN of a topic."""

_HOST: Final = r"https://sns\.([a-z0-9-]{3,30})\.amazonaws\.com(?:\.cn)?"
_find_certificate_region: Final = re.compile(rf"{_HOST}/[A-Za-z0-9_-]{{1,128}}\.pem", re.ASCII).fullmatch
_find_subscription_region: Final = re.compile(
    rf"{_HOST}/\?Action=ConfirmSubscription&[A-Za-z0-9%:_.=&-]{{1,1024}}", re.ASCII
).fullmatch


class SnsRejectedError(Exception):
    """A message that is not from one of our topics; the message is one word for the log."""


class SnsUnavailableError(Exception):
    """Amazon did not answer, so that nothing is known of the message; it comes again."""


@dataclass(frozen=True, slots=True)
class SnsMessage:
    """A message whose signature is verified; `kind` is one of the keys of `SIGNED_KEYS`."""

    kind: str
    id: str
    topic: str
    text: str = field(repr=False)
    sent_at: datetime
    subscribe_url: str = field(default="", repr=False)

    def is_current(self, now: datetime) -> bool:
        """Return whether the message is of a time in which Amazon may send it."""
        return now - MAX_AGE <= self.sent_at <= now + MAX_AHEAD


class SnsVerifier:
    """Verifies the messages of these topics. Certificates are kept while they are valid."""

    def __init__(self, topics: Collection[str], http: HttpClient, *, clock: UtcClock = utc_now) -> None:
        self._topics = frozenset(topics)
        self._http = http
        self._clock = clock
        self._certificates: dict[str, x509.Certificate] = {}

    async def verify(self, body: bytes) -> SnsMessage:
        """Return the message in a body.

        Raises:
            SnsRejectedError: It is no message, of another topic, or not signed by Amazon.
            SnsUnavailableError: The certificate cannot be fetched now.
        """
        payload = parse_json_object(body) or {}
        message = _parse_message(payload)
        if message is None:
            raise SnsRejectedError("form")
        if message.topic not in self._topics:
            raise SnsRejectedError("topic")
        address = _find_address(payload, "SigningCertURL", _find_certificate_region, message.topic)
        if not address:
            raise SnsRejectedError("certificate_url")
        key = (await self._fetch_certificate(address)).public_key()
        if not isinstance(key, RSAPublicKey) or not _is_signed(key, payload):
            raise SnsRejectedError("signature")
        return message

    async def confirm_subscription(self, message: SnsMessage) -> None:
        """Confirm that the topic sends its messages here.

        Raises:
            SnsRejectedError: The address of the confirmation is not Amazon's.
            SnsUnavailableError: Amazon did not confirm it now.
        """
        fields = {"SubscribeURL": message.subscribe_url}
        address = _find_address(fields, "SubscribeURL", _find_subscription_region, message.topic)
        if not address:
            raise SnsRejectedError("subscribe_url")
        await self._fetch(address)

    async def _fetch_certificate(self, address: str) -> x509.Certificate:
        known = self._certificates.get(address)
        if known is None or not _is_valid(known, self._clock()):
            known = _parse_certificate(await self._fetch(address))
            if known is None or not _is_valid(known, self._clock()):
                raise SnsRejectedError("certificate")
            if len(self._certificates) >= MAX_CERTIFICATES:
                self._certificates.clear()
            self._certificates[address] = known
        return known

    async def _fetch(self, address: str) -> bytes:
        try:
            response = await self._http(HttpRequest("GET", address))
        except Exception:  # noqa: BLE001 - whatever it was, Amazon sends the message again
            raise SnsUnavailableError from None
        if response.status != HTTPStatus.OK:
            raise SnsUnavailableError
        return response.body


def build_signed_text(payload: Mapping[str, Any]) -> bytes:
    """Return what is signed of a message: each key and its value on a line of its own."""
    keys = SIGNED_KEYS.get(str(payload.get("Type")), ())
    return "".join(f"{key}\n{payload[key]}\n" for key in keys if key in payload).encode()


def _parse_message(payload: Mapping[str, Any]) -> SnsMessage | None:
    kind = payload.get("Type")
    keys = SIGNED_KEYS.get(kind, ()) if isinstance(kind, str) else ()
    present = {
        key: payload.get(key, "" if key == "Subject" else None) for key in (*keys, "Signature", "SigningCertURL")
    }
    if not keys or not all(isinstance(value, str) for value in present.values()):
        return None
    try:
        sent_at = datetime.fromisoformat(present["Timestamp"])
    except ValueError:
        return None
    if sent_at.tzinfo is None:
        return None
    ids = (present["MessageId"], present["TopicArn"], present["Message"])
    return SnsMessage(str(kind), *ids, sent_at, str(present.get("SubscribeURL", "")))


def _find_address(fields: Mapping[str, Any], name: str, find_region: Any, topic: str) -> str:
    """Return the address in a field; empty where it is not at Amazon's host for the topic's region."""
    found = find_region(str(fields.get(name, "")))
    return str(found[0]) if found and found[1] == topic.split(":")[3] else ""


def _parse_certificate(body: bytes) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(body)
    except ValueError:
        return None


def _is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _is_signed(key: RSAPublicKey, payload: Mapping[str, Any]) -> bool:
    algorithm = HASHES.get(str(payload.get("SignatureVersion")))
    if algorithm is None:
        return False
    try:
        signature = base64.b64decode(str(payload["Signature"]), validate=True)
        key.verify(signature, build_signed_text(payload), PKCS1v15(), algorithm)
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True
