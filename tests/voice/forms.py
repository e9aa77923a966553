"""Africa's Talking's voice callbacks as captured, with changed numbers."""

from urllib.parse import urlencode

OURS = "+254711000001"
CALLER = "+254700000001"
CLIENT = "ekdial.desk"

# Field order, casing and the plus in the time are those of real captures: while it rings, and when it is over.
RINGING = (
    "callSessionState=Ringing&direction=Inbound&callerCountryCode=254&callerNumber=%2B254700000001"
    "&sessionId=ATVId_0123456789abcdef0123456789abcdef&destinationNumber=%2B254711000001&callerCarrierName=Safaricom"
    "&callStartTime=2026-01-02+03%3A04%3A05&isActive=1"
)
OVER = (
    "callSessionState=Completed&direction=Inbound&callerCountryCode=254&callerNumber=%2B254700000001"
    "&sessionId=ATVId_0123456789abcdef0123456789abcdef&destinationNumber=%2B254711000001&callerCarrierName=Safaricom"
    "&callStartTime=2026-01-02+03%3A04%3A05&isActive=0&durationInSeconds=0&amount=0.000&status=Success&currencyCode=KES"
)


def rings(session: str, caller: str = CALLER, dialled: str = OURS, **other: str) -> dict[str, str]:
    """The form of a call's first callback."""
    return {
        "callSessionState": "Ringing",
        "direction": "Inbound",
        "callerCountryCode": "254",
        "callerNumber": caller,
        "sessionId": f"ATVId_{session}",
        "destinationNumber": dialled,
        "callerCarrierName": "Safaricom",
        "callStartTime": "2026-01-02 03:04:05",
        "isActive": "1",
        **other,
    }


def is_over(session: str, caller: str = CALLER, dialled: str = OURS, **other: str) -> dict[str, str]:
    """The form of its last one."""
    ended = {"durationInSeconds": "0", "amount": "0.000", "status": "Success", "currencyCode": "KES"}
    return rings(session, caller, dialled, callSessionState="Completed", isActive="0", **ended, **other)


def urlencoded(form: dict[str, str]) -> bytes:
    """As it is on the wire."""
    return urlencode(form).encode()
