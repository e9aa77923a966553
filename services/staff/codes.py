"""Codes of authenticator apps (TOTP, RFC 6238): six digits for each thirty seconds, from a secret that the app has too."""

import unicodedata
from datetime import datetime
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
CODE_DIGITS: Final = 6
DRIFT_STEPS: Final = 1
"""How many time steps the clock of a phone may be wrong by."""
SECRET_LENGTH: Final = 32
"""160 bits in Base32, as RFC 4226 advises."""
ISSUER: Final = "Ekdial"


def generate_code_secret() -> str:
    """A new secret in Base32."""
    return pyotp.random_base32(SECRET_LENGTH)


def is_code_secret(text: str) -> bool:
    """Whether this is a secret that `generate_code_secret` may have made."""
    return len(text) == SECRET_LENGTH and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def build_enrolment_uri(secret: str, login: str) -> str:
    """What the QR code says: an `otpauth` address, which every authenticator app reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def compute_code(secret: str, at: datetime) -> str:
    """The code that an app with the secret shows at this time."""
    return pyotp.TOTP(secret).at(at)


def parse_code(text: str) -> str:
    """The code as ASCII digits; empty for a text that is no code. Spaces do not count, and digits may be of any script."""
    digits = "".join(text.split())
    if len(digits) != CODE_DIGITS or not digits.isdecimal():
        return ""
    return "".join(str(unicodedata.decimal(one)) for one in digits)


def find_code_step(secret: str, text: str, now: datetime, last_step: int) -> int:
    """The time step of a code, no more than DRIFT_STEPS from now; 0 for a wrong code, and for a step up to `last_step`.

    Whoever watched a code being typed cannot use it: the step of a code that was used is the next `last_step`.
    """
    code, app = parse_code(text), pyotp.TOTP(secret)
    current = int(now.timestamp()) // STEP_SECONDS
    steps = range(max(current - DRIFT_STEPS, last_step + 1), current + DRIFT_STEPS + 1)
    return next((step for step in steps if code and app.verify(code, for_time=step * STEP_SECONDS)), 0)
