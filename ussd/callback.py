"""Africa's Talking's USSD callback in our words, and our answer in its.

Fields, casing and the `text` that grows with every key press are as captured; see docs/africastalking.md.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callbacks import BadCallback
from screens.pages import Budget
from sessions.exchange import Call
from sessions.session import SEPARATOR, Answer

HOP_METADATA = "at-ussd-hop-metadata"
CHANNEL = "ussd"
LONGEST_ID = 128
STATUSES = frozenset({"Success", "Incomplete", "Failed"})
_msisdn = re.compile(r"\+[1-9]\d{6,14}", re.ASCII).fullmatch
_dialled = re.compile(r"\*[\d*]+#", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Line:
    """How calls come in on our short codes: which they are, and what each network's phones can show."""

    codes: Sequence[str]
    budget: Budget
    networks: Mapping[str, Budget]
    vouches: bool = True


@dataclass(frozen=True, slots=True)
class Ended:
    """What the provider says of a call that is over. Nothing of it says who called or what they typed."""

    status: str
    hops: int
    milliseconds: int
    error: bool


def call_of(form: Mapping[str, str], brought: str, line: Line) -> Call:
    """The key press that a callback's form tells of; `brought` is its hop-metadata header, empty where there is none.

    Raises:
        BadCallback: a field is missing or not as it must be (400).
    """
    caller, session = form.get("phoneNumber", ""), form.get("sessionId", "")
    if not _msisdn(caller):
        raise BadCallback(400, "phoneNumber is missing or not in the form +254700000001.")
    if not session or len(session) > LONGEST_ID:
        raise BadCallback(400, f"sessionId is missing or longer than {LONGEST_ID} characters.")
    if "text" not in form:
        raise BadCallback(400, "text is missing; it is empty on the first hop and there on every one.")
    return Call(
        session=session,
        caller=caller,
        path=_path(form.get("serviceCode", ""), form["text"], line.codes),
        channel=CHANNEL,
        budget=line.networks.get(form.get("networkCode", ""), line.budget),
        vouched=line.vouches,
        brought=brought,
    )


def said(answer: Answer) -> str:
    """An answer as the provider wants it: CON keeps the call open, END closes it."""
    return f"{'END' if answer.ends else 'CON'} {answer.text}"


def ended_of(form: Mapping[str, str]) -> Ended:
    """What an end-of-session form says; a status we do not know is `other`, a number that is missing 0."""
    return Ended(
        status=form["status"] if form.get("status") in STATUSES else "other",
        hops=_number(form.get("hopsCount", "")),
        milliseconds=_number(form.get("durationInMillis", "")),
        error=bool(form.get("errorMessage")),
    )


def _path(dialled: str, text: str, codes: Sequence[str]) -> str:
    """What was typed, with the digits that were dialled past our short code before it: `*123*2*99#` dials `2*99`."""
    if dialled in codes:
        return text
    past = _past(dialled, codes)
    if past and text:
        return f"{past}{SEPARATOR}{text}"
    return past or text


def _past(dialled: str, codes: Sequence[str]) -> str:
    if not _dialled(dialled):
        return ""
    longest = max((code for code in codes if dialled.startswith(code[:-1] + SEPARATOR)), key=len, default="")
    return dialled[len(longest) : -1] if longest else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
