"""M-Pesa's C2B API: a payer types our pay bill number and an account number, M-Pesa asks us and then tells us.

Public sources, read in 2026. Register URL, validation and confirmation, their fields and answers: "Customer To Business Register
URL" of Safaricom's portal, https://glama.ai/mcp/servers/@JacksCodeVault/mpesa-daraja-mcp (CustomerToBusinessRegisterURL.md), and
https://github.com/Ghostscypher/php-mpesa (mpesa_endpoints.md). Words that Safaricom does not accept in an address:
M-Pesa and Safaricom at https://hexdocs.pm/ex_mpesa/ExMpesa.C2B.html; "exe, exec, cmd, SQL, query, etc." in newer public clients,
which quote the portal so (it was not read there).

Codes that reject a payment: public clients do not all agree. Followed is the list that nearly all with a full list have: C2B00011
MSISDN, 12 account number, 13 amount, 14 KYC details, 15 short code, 16 other. A few number them otherwise, such as 11 account
number and 12 amount. Any of them rejects the payment; what the payer reads may differ.

The payer's MSISDN is masked (version 2) or hashed (version 1). TransTime is Kenya's.

A payment by STK push is told by a confirmation too, with the same receipt and our account reference.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import urlencode

from core.json_text import parse_json_object
from core.phone_numbers import find_msisdn
from services.payments.wallets.base import ReferenceNotice, ReferenceVerdict, ReferenceWebhook
from services.payments.wallets.daraja import parse_minor_units

IF_UNREACHABLE: Final = "Cancelled"
"""What M-Pesa does where our validation cannot be reached: no money moves that nobody records."""
FORBIDDEN_WORDS: Final = ("mpesa", "m-pesa", "safaricom", "exe", "cmd", "sql", "query")
REJECTIONS: Final[Mapping[ReferenceVerdict, str]] = {
    "unknown_account": "C2B00012",
    "wrong_amount": "C2B00013",
    "other_merchant": "C2B00015",
    "paid": "C2B00016",
    "unclear": "C2B00016",
}
_is_receipt = re.compile(r"[0-9A-Za-z]{6,20}").fullmatch
_is_full_number = re.compile(r"254\d{9}", re.ASCII).fullmatch
_is_masked = re.compile(r"\d{1,9}\*{1,12}\d{1,9}", re.ASCII).fullmatch
MAX_ACCOUNT_LENGTH: Final = 64
TIME_FORMAT: Final = "%Y%m%d%H%M%S"
KENYA: Final = timezone(timedelta(hours=3))


def parse_notice(body: bytes) -> ReferenceNotice | None:
    """Return the payment in a validation or a confirmation; None for a body that has none."""
    payload = parse_json_object(body) or {}
    receipt, account, amount = (payload.get(name) for name in ("TransID", "BillRefNumber", "TransAmount"))
    minor = parse_minor_units(amount)
    if not isinstance(receipt, str) or not _is_receipt(receipt) or minor is None or minor <= 0:
        return None
    text = account[:MAX_ACCOUNT_LENGTH] if isinstance(account, str) else ""
    merchant = str(payload.get("BusinessShortCode") or "")
    msisdn, paid_at = payload.get("MSISDN"), _parse_time(payload.get("TransTime"))
    return ReferenceNotice(receipt, text, minor, "KES", merchant, _parse_payer(msisdn), _parse_mask(msisdn), paid_at)


def build_answer(verdict: ReferenceVerdict) -> Mapping[str, object]:
    """Return the answer to a validation."""
    code = REJECTIONS.get(verdict, "0")
    return {"ResultCode": code, "ResultDesc": "Rejected" if verdict in REJECTIONS else "Accepted"}


def build_reference_urls(url: str, token: str) -> tuple[str, str]:
    """Return the addresses of validation and confirmation."""
    guard = f"?{urlencode({'token': token})}" if token else ""
    path = f"{url}/payments/daraja/reference"
    return f"{path}/validation{guard}", f"{path}/confirmation{guard}"


def find_forbidden_word(url: str) -> str:
    """Return the word for which Safaricom rejects this address; empty where there is none."""
    return next((word for word in FORBIDDEN_WORDS if word in url.lower()), "")


def _parse_payer(msisdn: Any) -> str:
    """Return the payer's number; empty where it is masked or hashed."""
    text = str(msisdn or "")
    return find_msisdn(f"+{text}") if _is_full_number(text) else ""


def _parse_mask(msisdn: Any) -> str:
    """Return what a masked number shows, such as `2547*****126`; empty for any other text."""
    text = "".join(str(msisdn or "").split())
    return text if _is_masked(text) else ""


def _parse_time(stamp: Any) -> datetime | None:
    try:
        return datetime.strptime(str(stamp), TIME_FORMAT).replace(tzinfo=KENYA)
    except ValueError:
        return None


WEBHOOK: Final = ReferenceWebhook(
    wallet="daraja",
    parse=parse_notice,
    expected="A notice has TransID, TransAmount and BillRefNumber.",
    build_answer=build_answer,
    acknowledgement={"ResultCode": 0, "ResultDesc": "Accepted"},
)
