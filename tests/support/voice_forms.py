"""Africa's Talking's voice webhooks as captured, with changed numbers."""

from datetime import UTC, datetime
from urllib.parse import urlencode

APP_LINK_NUMBER = "+254711000001"
CALLER_MSISDN = "+254700000001"
CLIENT = "ekdial.desk"

# Field order, casing and the plus in the time are those of real captures: while it rings, and when it is over.
RINGING_FORM = (
    "callSessionState=Ringing&direction=Inbound&callerCountryCode=254&callerNumber=%2B254700000001"
    "&sessionId=ATVId_0123456789abcdef0123456789abcdef&destinationNumber=%2B254711000001&callerCarrierName=Safaricom"
    "&callStartTime=2026-01-02+03%3A04%3A05&isActive=1"
)
ENDED_FORM = (
    "callSessionState=Completed&direction=Inbound&callerCountryCode=254&callerNumber=%2B254700000001"
    "&sessionId=ATVId_0123456789abcdef0123456789abcdef&destinationNumber=%2B254711000001&callerCarrierName=Safaricom"
    "&callStartTime=2026-01-02+03%3A04%3A05&isActive=0&durationInSeconds=0&amount=0.000&status=Success&currencyCode=KES"
)


def ringing_form(
    session: str, caller: str = CALLER_MSISDN, dialled: str = APP_LINK_NUMBER, **other: str
) -> dict[str, str]:
    """The form of a call's first webhook."""
    return {
        "callSessionState": "Ringing",
        "direction": "Inbound",
        "callerCountryCode": "254",
        "callerNumber": caller,
        "sessionId": f"ATVId_{session}",
        "destinationNumber": dialled,
        "callerCarrierName": "Safaricom",
        "callStartTime": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        "isActive": "1",
        **other,
    }


def ended_form(
    session: str, caller: str = CALLER_MSISDN, dialled: str = APP_LINK_NUMBER, **other: str
) -> dict[str, str]:
    """The form of a call's last webhook."""
    ended = {"durationInSeconds": "0", "amount": "0.000", "status": "Success", "currencyCode": "KES"}
    return ringing_form(session, caller, dialled, callSessionState="Completed", isActive="0", **ended, **other)


def encode_form(form: dict[str, str]) -> bytes:
    """The encoded form."""
    return urlencode(form).encode()
