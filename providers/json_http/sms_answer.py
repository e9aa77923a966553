"""Reads a provider's answer to a request that sends one SMS, by the tables of a row."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec

from core.http.client import HttpResponse
from core.retry import parse_retry_after
from providers.json_http.sms_row import PLACEHOLDER, Answer, OutcomeOf
from providers.json_http.templates import find_field
from services.messaging.outcomes import Accepted, Rejected, Retry, SendOutcome, Suspended, Unknown

MAX_COST_LENGTH: Final = 32
HTTP_REDIRECT: Final = 3  # the first digit of a status
COMMON_STATUSES: Final[Mapping[int, Callable[[], SendOutcome]]] = {
    401: partial(Suspended, "Unauthorized"),
    402: partial(Suspended, "PaymentRequired"),
    403: partial(Suspended, "Forbidden"),
    404: partial(Suspended, "NoSuchAddress"),
    429: partial(Retry, "TooManyRequests", pauses_all=True),
}
"""What HTTP says itself: the request was not processed. A row's own table comes first."""

_is_id = re.compile(r"[!-~]{1,100}").fullmatch
_first_word = re.compile(r"[\s:=\"']*([^\s,;\"'<>]+)").match


def read_outcome(
    answer: Answer, response: HttpResponse, *, name: str, reference: str, values: Mapping[str, str], now: datetime
) -> SendOutcome:
    """The outcome of one message. `name` is the provider's, `reference` ours; `now` is timezone-aware."""
    if response.status // 100 == HTTP_REDIRECT:
        return Suspended("Redirected")
    reply = _Reply(response, name, reference, values, now)
    steps = _JSON_STEPS if answer.accepts.path else _TEXT_STEPS
    return next((found for step in steps if (found := step(answer, reply)) is not None), _give_up(answer, reply))


class _Reply:
    """An answer as text and, where it is JSON, as a document; with what the reading of it needs besides."""

    def __init__(
        self, response: HttpResponse, name: str, reference: str, values: Mapping[str, str], now: datetime
    ) -> None:
        self.response = response
        self.text = response.body.decode(errors="replace")
        self.document = _parse_json(response.body)
        self.name = name
        self.reference = reference
        self.values = values
        self.now = now


def _try_code(answer: Answer, reply: _Reply) -> SendOutcome | None:
    codes = (as_text(find_field(reply.document, path)) for path in answer.codes)
    found = next((answer.outcomes[code] for code in codes if code in answer.outcomes), None)
    return _build_outcome(found, answer, reply) if found else None


def _try_acceptance(answer: Answer, reply: _Reply) -> SendOutcome | None:
    accepts = answer.accepts
    word = PLACEHOLDER.sub(lambda found: reply.values.get(found[1], ""), accepts.word)
    if (
        reply.response.status not in accepts.statuses
        or word.casefold() not in reply.text.casefold()
        or (accepts.path is not None and as_text(find_field(reply.document, accepts.path)) not in accepts.values)
    ):
        return None
    found = _find_id(answer, reply)
    if not found and (answer.id or answer.id_after):
        return Unknown("AcceptedWithoutId")
    cost = as_text(find_field(reply.document, answer.cost)) if answer.cost else ""
    return Accepted(f"{reply.name}/{found or reply.reference}", cost[:MAX_COST_LENGTH])


def _try_word(answer: Answer, reply: _Reply) -> SendOutcome | None:
    text = reply.text.casefold()
    found = next((outcome for word, outcome in answer.words.items() if word.casefold() in text), None)
    return _build_outcome(found, answer, reply) if found else None


def _try_status(answer: Answer, reply: _Reply) -> SendOutcome | None:
    status = reply.response.status
    if found := answer.statuses.get(str(status)):
        return _build_outcome(found, answer, reply)
    build = COMMON_STATUSES.get(status)
    return build and _add_wait(build(), reply)


_JSON_STEPS: Final = (_try_code, _try_acceptance, _try_word, _try_status)
_TEXT_STEPS: Final = (_try_code, _try_word, _try_acceptance, _try_status)
"""The first that knows the answer gives the outcome. A JSON answer may quote our text, which is no word of the provider."""


def _give_up(answer: Answer, reply: _Reply) -> SendOutcome:
    """Unknown, with a reason of one word that quotes nothing of the answer."""
    wants_json = bool(answer.codes or answer.accepts.path or answer.id)
    is_unreadable = reply.response.status in answer.accepts.statuses and wants_json and reply.document is None
    return Unknown("UnreadableAnswer" if is_unreadable else f"Http{reply.response.status}")


def _build_outcome(found: OutcomeOf, answer: Answer, reply: _Reply) -> SendOutcome:
    if found.accepted:
        return Accepted(f"{reply.name}/{_find_id(answer, reply) or reply.reference}")
    if found.rejected:
        return Rejected(found.rejected)
    if found.retry:
        due = reply.now + timedelta(seconds=found.after) if found.after else None
        return _add_wait(Retry(found.retry, due, max_attempts=found.attempts, pauses_all=found.pauses_all), reply)
    if found.suspended or found.template:
        return Suspended(found.suspended or found.template or "", template_only=not found.suspended)
    return Unknown(found.unknown or "", needs_attention=found.needs_attention)


def as_text(value: object) -> str:
    """A value of JSON as a row's table spells it; empty for none, a table or a list."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _find_id(answer: Answer, reply: _Reply) -> str:
    found = as_text(find_field(reply.document, answer.id)) if answer.id else _find_after(reply.text, answer.id_after)
    return found if _is_id(found) else ""


def _find_after(text: str, mark: str) -> str:
    """The word behind a mark in a text: up to a blank, a comma or a quotation mark."""
    _, found, rest = text.partition(mark) if mark else ("", "", "")
    word = _first_word(rest) if found else None
    return word[1] if word else ""


def _add_wait(outcome: SendOutcome, reply: _Reply) -> SendOutcome:
    """A retry from the time on that the provider's `Retry-After` names, where no table says when."""
    if not isinstance(outcome, Retry) or outcome.not_before is not None:
        return outcome
    wait = parse_retry_after(reply.response.headers.get("Retry-After", ""), reply.now)
    return replace(outcome, not_before=reply.now + wait) if wait else outcome


def _parse_json(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
