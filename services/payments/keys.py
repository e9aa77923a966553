"""The ids of a payment that leave the gateway: a secret of the wallet's webhook, one for the biller, one on the wallet."""

import hashlib
import secrets
from typing import Final

KEY_LENGTH: Final = 32
_PREFIX: Final = "w"  # no hexadecimal digit: former keys were 32 of those, and billers may have seen them


BILL_ACCOUNT_PREFIX: Final = "BILL"
MAX_ACCOUNT_LENGTH: Final = 12  # of an account number on a wallet


def bill_account(payment: int) -> str:
    """Return the account number, of at most twelve characters, that stands for a payment of a bill on a wallet."""
    digits = f"{payment:08}"
    return BILL_ACCOUNT_PREFIX[: MAX_ACCOUNT_LENGTH - len(digits)] + digits


def parse_bill_account(account_number: str) -> int:
    """Return the payment whose `bill_account` this is; 0 for any other text, such as a tracking number."""
    digits = account_number.lstrip(BILL_ACCOUNT_PREFIX)
    return int(digits) if digits.isdecimal() and digits != account_number else 0


def new_webhook_key() -> str:
    """Return a key for the address to which the wallet reports a payment. Nobody else may know it."""
    return _PREFIX + secrets.token_urlsafe(KEY_LENGTH)[: KEY_LENGTH - len(_PREFIX)]


def derive_biller_key(webhook_key: str) -> str:
    """Return the id under which the biller knows the payment, always the same; the webhook's key does not follow from it.

    A payment from before there were two was posted under the one it has, and is posted again under the same.
    """
    if not webhook_key.startswith(_PREFIX):
        return webhook_key
    return hashlib.sha256(f"biller {webhook_key}".encode()).hexdigest()[:KEY_LENGTH]
