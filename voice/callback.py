"""Africa's Talking's voice callback in our words, and our answer in its.

Fields and casing are as captured; see docs/missed-calls.md. There are two callbacks of a call, one while it rings and one
when it is over, and either may come twice, late, or alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from callbacks import BadCallback

REJECT: Final = "<Response><Reject/></Response>"
LONGEST_ID: Final = 128
ACTIVE: Final[Mapping[str, bool]] = {"1": True, "0": False}
_msisdn = re.compile(r"\+[1-9]\d{6,14}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Ring:
    """What one callback tells of a call. `caller` is E.164, or empty where it is hidden; so is `dialled`.

    `inbound`: somebody called us, and not we them. `by_client`: the somebody is a SIP or web client of our own account.
    """

    session: str
    caller: str = field(repr=False)
    dialled: str
    active: bool
    inbound: bool
    by_client: bool


def ring_of(form: Mapping[str, str]) -> Ring:
    """The call that a callback's form tells of.

    Raises:
        BadCallback: a field is missing or not as it must be (400).
    """
    session, active = form.get("sessionId", ""), form.get("isActive", "").strip()
    if not session.strip() or len(session) > LONGEST_ID:
        raise BadCallback(400, f"sessionId is missing or longer than {LONGEST_ID} characters.")
    if active not in ACTIVE:
        raise BadCallback(400, "isActive is missing or neither 1 nor 0.")
    for name in ("direction", "destinationNumber"):
        if not form.get(name, "").strip():
            raise BadCallback(400, f"{name} is missing.")
    return Ring(
        session=session,
        caller=_number(form.get("callerNumber", "")),
        dialled=_number(form["destinationNumber"]),
        active=ACTIVE[active],
        inbound=form["direction"].strip().casefold() == "inbound",
        by_client=bool(form.get("clientDialedNumber", "").strip()),
    )


def said(ring: Ring) -> str:
    """What the provider is to do: reject a call while there is one."""
    return REJECT if ring.active else ""


def _number(text: str) -> str:
    """E.164 or nothing: who hides their number is `anonymous`, `Withheld`, `-1`, empty or missing.

    A plus that was not percent-encoded has become a space on the way.
    """
    number = f"+{text[1:]}" if text.startswith(" ") else text
    return number if _msisdn(number) else ""
