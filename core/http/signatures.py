"""Webhook signatures by the Standard Webhooks specification, for requests to and from departments.

The headers are `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`: one or more of `v1,` and
the Base64 of an HMAC-SHA256 over `{id}.{timestamp}.{body}`. A secret is `whsec_` and the Base64 of 24 to 64 bytes.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - a prefix, not a secret
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
TOLERANCE: Final = timedelta(minutes=5)
VERSION: Final = "v1"
_is_message_id = re.compile(r"[!-\-/-~]{1,128}", re.ASCII).fullmatch  # a dot would let an id run into the timestamp
_is_timestamp = re.compile(r"[0-9]{1,12}", re.ASCII).fullmatch


class SignatureError(Exception):
    """A request is not signed with a key of ours, or not now; the message is one sentence for the sender."""


def parse_secret(secret: str) -> bytes:
    """Return the key that a secret holds.

    Raises:
        ValueError: the text is not a secret.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        limits = f"{MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes"
        raise ValueError(f"a secret is {SECRET_PREFIX} and the Base64 of {limits}")
    return key


def sign(keys: Sequence[bytes], message_id: str, timestamp: datetime, body: bytes) -> Mapping[str, str]:
    """Return the three headers of a message, with a signature by each key, so that keys can be rotated."""
    stamp = str(int(timestamp.timestamp()))
    signatures = (f"{VERSION},{_signature(key, message_id, stamp, body)}" for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}


def verify(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Return the id of a message that one of the keys signed within five minutes of `now`.

    Raises:
        SignatureError: no key signed it, or its timestamp is too far from `now`.
    """
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _is_message_id(message_id) or not _is_timestamp(stamp):
        raise SignatureError("Send webhook-id, without a dot in it, and webhook-timestamp, in seconds since 1970.")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise SignatureError("The time in webhook-timestamp is more than five minutes from ours.")
    expected = [_signature(key, message_id, stamp, body) for key in keys]
    if not _matches_any(_parse_signatures(headers.get("webhook-signature", "")), expected):
        raise SignatureError("No signature in webhook-signature is that of this body with the secret that we share.")
    return message_id


def _signature(key: bytes, message_id: str, stamp: str, body: bytes) -> str:
    return base64.b64encode(hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, "sha256")).decode()


def _parse_signatures(header: str) -> Sequence[str]:
    pairs = (part.partition(",") for part in header.split())
    return [signature for version, _, signature in pairs if version == VERSION]


def _matches_any(received: Sequence[str], expected: Sequence[str]) -> bool:
    """Compare each pair in constant time; a header that is not UTF-8 is a wrong signature, not an error."""
    pairs = ((one.encode(errors="surrogateescape"), other.encode()) for one in received for other in expected)
    matches = [hmac.compare_digest(one, other) for one, other in pairs]
    return any(matches)
