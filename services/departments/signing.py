"""Signatures as Standard Webhooks has them, on what goes to a department and on what comes from it.

The headers `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`: one or more of `v1,` and the
Base64 of an HMAC-SHA256 of `{id}.{timestamp}.{body}`. A secret is written `whsec_` and the Base64 of 24 to 64 octets.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

PREFIX: Final = "whsec_"
LEAST, MOST = 24, 64  # octets of a secret
TOLERANCE: Final = timedelta(minutes=5)
VERSION: Final = "v1"
_is_id = re.compile(r"[!-\-/-~]{1,128}", re.ASCII).fullmatch  # a dot would let an id run into the time
_is_stamp = re.compile(r"[0-9]{1,12}", re.ASCII).fullmatch


class NotSigned(Exception):
    """It was not signed with a secret of ours, or not now; the message is one sentence that says what is wrong."""


def key_of(secret: str) -> bytes:
    """The octets of a secret; `ValueError` where it is not written as one."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not LEAST <= len(key) <= MOST:
        raise ValueError(f"a secret is {PREFIX} and the Base64 of {LEAST} to {MOST} octets")
    return key


def signed(keys: Sequence[bytes], message: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The three headers of a message with this id; signed with every key, so that one can be changed for another."""
    stamp = str(int(at.timestamp()))
    signatures = (f"{VERSION},{_signature(key, message, stamp, body)}" for key in keys)
    return {"webhook-id": message, "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}


def verified(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a message that was signed with one of our keys within five minutes of now.

    Raises:
        NotSigned: it was not.
    """
    message, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _is_id(message) or not _is_stamp(stamp):
        raise NotSigned("Send webhook-id, without a dot in it, and webhook-timestamp, in seconds since 1970.")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise NotSigned("The time in webhook-timestamp is more than five minutes from ours.")
    wanted = [_signature(key, message, stamp, body) for key in keys]
    if not _among(_given(headers.get("webhook-signature", "")), wanted):
        raise NotSigned("No signature in webhook-signature is that of this body with the secret that we share.")
    return message


def _signature(key: bytes, message: str, stamp: str, body: bytes) -> str:
    return base64.b64encode(hmac.digest(key, f"{message}.{stamp}.".encode() + body, "sha256")).decode()


def _given(header: str) -> Sequence[str]:
    pairs = (one.partition(",") for one in header.split())
    return [signature for version, _, signature in pairs if version == VERSION]


def _among(given: Sequence[str], wanted: Sequence[str]) -> bool:
    """Compared in constant time, each with each; what was no UTF-8 in a header is another signature, and no error."""
    pairs = ((one.encode(errors="surrogateescape"), other.encode()) for one in given for other in wanted)
    same = [hmac.compare_digest(one, other) for one, other in pairs]
    return any(same)
