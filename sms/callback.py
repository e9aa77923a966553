"""Africa's Talking's inbound SMS callback in our words.

Fields are as captured; see docs/africastalking.md. `linkId`, `networkCode` and `date` may be missing or empty, and a `+`
that was not escaped arrives as a blank.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from services.inbound import Arrived

LONGEST_ID = 128
LONGEST_NUMBER = 16  # a plus and fifteen digits; an alphanumeric sender has eleven characters

Naming: TypeAlias = Callable[[str, str], str]
"""A keyed hash of a value for a purpose, short and URL-safe."""

_unescaped = re.compile(r" ?(\d{7,15})", re.ASCII).fullmatch
_is_id = re.compile(rf"[!-~]{{1,{LONGEST_ID}}}").fullmatch


def arrived_of(form: Mapping[str, str], name: Naming) -> Arrived | None:
    """The SMS that a callback's form tells of; None where it does not say who wrote, or what.

    An id that is missing, or such as no provider would give, is made from the whole form: a repeat gets the same one.
    """
    number = _number(form.get("from", ""))
    if not number or "text" not in form:
        return None
    return Arrived(
        provider_id=_id(form, name),
        number=number,
        sent_to=_word(form.get("to", "")),
        text=form["text"],
        link_id=form["linkId"] if _is_id(form.get("linkId", "")) else "",
        network=_word(form.get("networkCode", "")),
        sent_at=_moment(form.get("date", "")),
    )


def _number(sender: str) -> str:
    unescaped = _unescaped(sender) if sender.startswith(" ") else None
    if unescaped:
        return f"+{unescaped[1]}"
    # What is too long for a number is cut, and must not be taken for another one.
    return _word(sender) if len(sender) <= LONGEST_NUMBER else _word(sender.lstrip("+ "))


def _word(text: str) -> str:
    """What any database can hold in a short column."""
    return "".join(filter(str.isprintable, text)).strip()[:LONGEST_NUMBER].strip()


def _id(form: Mapping[str, str], name: Naming) -> str:
    given = form.get("id", "")
    if _is_id(given):
        return given
    said = "\0".join(form.get(field, "") for field in ("id", "from", "to", "date", "text"))
    return f"without-id-{name('sms in', said)}"


def _moment(text: str) -> datetime | None:
    """`2017-05-03T06:04:45Z`, `2017-05-03 06:04:45` (which is UTC) and either with milliseconds; else None."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
