"""bKash's notifications of payments to a merchant: a payer pays our merchant number with a reference, bKash tells us after.

bKash asks nothing before, and there is no request of ours: money for a reference that is not known waits for a person.

Public sources, read in 2026; bKash's portal for developers could not be read. The envelope, its signature and these fields are
in bKash's own https://github.com/bKash-developer/bKash-for-woocommerce (includes/classes/WebhookProcessor.php): dateTime,
debitMSISDN, creditOrganizationName, creditShortCode, trxID, transactionStatus, transactionType, amount, currency. An example, and
the two references: https://github.com/shunno-it-dev-team/webhook-endpoint (README.md), as in
https://github.com/sh0umik/bd-payment-gateway (bkash/models/bkash_webhook_message.go).
`transactionReference` is what the payer typed, `merchantInvoiceNumber` what a merchant's own request gave. `creditShortCode` has
stars, so that the topic alone says whose money it is. `amount` is without a coupon: then it is another amount than is due.
"""

import re
from typing import Any, Final

from core.json_text import parse_json_object
from core.phone_numbers import find_msisdn
from services.payments.wallets.base import ReferenceNotice
from services.payments.wallets.daraja import parse_minor_units

WALLET: Final = "bkash"
CURRENCY: Final = "BDT"
COMPLETED: Final = "Completed"
EXPECTED: Final = "A payment has trxID, transactionStatus Completed, amount, and currency BDT."
REFERENCE_FIELDS: Final = ("transactionReference", "merchantInvoiceNumber")
"""The fields that may have what the money is for; the first that is not empty counts."""
MAX_REFERENCE_LENGTH: Final = 64
_is_receipt: Final = re.compile(r"[0-9A-Za-z]{6,20}", re.ASCII).fullmatch
_is_full_number: Final = re.compile(r"8801\d{9}", re.ASCII).fullmatch


def parse_notice(text: str, topic: str) -> ReferenceNotice | None:
    """Return the payment in a message of a topic; None for a text that has none."""
    payload = parse_json_object(text) or {}
    receipt, minor = payload.get("trxID"), parse_minor_units(payload.get("amount"))
    if not isinstance(receipt, str) or not _is_receipt(receipt) or minor is None or minor <= 0:
        return None
    if payload.get("transactionStatus") != COMPLETED or payload.get("currency") != CURRENCY:
        return None
    return ReferenceNotice(
        receipt, _find_reference(payload), minor, CURRENCY, topic, _parse_payer(payload.get("debitMSISDN"))
    )


def _find_reference(payload: Any) -> str:
    texts = (payload.get(name) for name in REFERENCE_FIELDS)
    return next((text.strip()[:MAX_REFERENCE_LENGTH] for text in texts if isinstance(text, str) and text.strip()), "")


def _parse_payer(msisdn: Any) -> str:
    """Return the payer's number; empty where it is masked."""
    text = str(msisdn or "")
    return find_msisdn(f"+{text}") if _is_full_number(text) else ""
