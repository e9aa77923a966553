"""The table `[sms]` of a row: how one provider is asked to send SMS, how its answers and its webhooks are read.

A row holds data only. Its texts may have placeholders: those of `MESSAGE_PLACEHOLDERS`, and the names of its `[settings]`.
"""

import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from core.errors import Finding, KeyPath
from core.http.provider_webhooks import BodyFormat
from services.messaging.delivery_status import DeliveryStatus

MESSAGE_PLACEHOLDERS: Final = (
    "to",
    "to_e164",
    "to_digits",
    "to_national",
    "to_significant",
    "text",
    "sender",
    "reference",
    "dlt_entity",
    "dlt_template",
    "unicode",
    "callback_url",
)
"""The facts of a message that a row can use. `to` is in the row's own `number_format`, `sender` falls back on the setting."""

NUMBER_FORMATS: Final = ("e164", "digits", "national", "significant")
"""+8801712345678, 8801712345678, 01712345678 as dialled at home, 1712345678."""

SENDER: Final = "sender"
PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
REFERENCE_LENGTH: Final = 20  # of `OutgoingMessage.reference`

Text: TypeAlias = Annotated[str, Field(strict=True)]
Path: TypeAlias = Annotated[str, Field(strict=True, pattern=r"^[^\s.]+(\.[^\s.]+)*$")]
"""The keys that lead to a value, joined by dots; a number is a place in a list: `messages.0.messageId`."""
Word: TypeAlias = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z][A-Za-z0-9]{0,39}$")]
"""A reason, fit for logs."""
Count: TypeAlias = Annotated[int, Field(strict=True, ge=1)]


class Table(BaseModel):
    """Base of every table of a row."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SpelledUnicode(Table):
    """What `{unicode}` is for a text in GSM-7, and for any other."""

    plain: Text | int | bool
    other: Text | int | bool


class Request(Table):
    """One request that sends one SMS. `basic` has a user and a password, `bearer` a token."""

    method: Literal["GET", "POST", "PUT"] = "POST"
    url: Text
    format: Literal["json", "form", "query"] = "json"
    headers: Mapping[Text, Text] = Field(default_factory=dict)
    basic: Annotated[Sequence[Text], Field(min_length=2, max_length=2)] | None = None
    bearer: Text = ""
    fields: Mapping[Text, Any] = Field(default_factory=dict)


class OutcomeOf(Table):
    """One outcome: exactly one of the six keys has its reason. The others say more about it.

    `template`: what India's registry has of this message is refused, its template or its sender. `after` is in seconds. `attempts` limits a retry.
    """

    accepted: Word | None = None
    rejected: Word | None = None
    retry: Word | None = None
    suspended: Word | None = None
    unknown: Word | None = None
    template: Word | None = None
    after: Annotated[float, Field(gt=0, le=86_400)] | None = None
    attempts: Annotated[int, Field(strict=True, ge=1, le=20)] | None = None
    pauses_all: bool = False
    needs_attention: bool = False

    @property
    def kinds(self) -> Sequence[str]:
        """The keys among the six kinds that are given."""
        return [kind for kind in OUTCOME_KINDS if getattr(self, kind) is not None]


OUTCOME_KINDS: Final = ("accepted", "rejected", "retry", "suspended", "unknown", "template")


class Accepts(Table):
    """What an answer must have so that the message is accepted: each condition that is given must hold."""

    statuses: Sequence[Annotated[int, Field(strict=True, ge=200, le=299)]] = (200, 201, 202)
    path: Path | None = None
    values: Sequence[Text] = ()
    word: Text = ""


class Answer(Table):
    """How an answer is read.

    `id` and `cost` are paths. Where there is no `id`, the word after `id_after` is the id; where neither is given, it is
    our reference. The first code at `codes` that `outcomes` has, decides; then `accepts` and a word of `words` that the body
    has, the word first where `accepts` names no path; then the HTTP status in `statuses`. Any other answer is unknown.
    """

    accepts: Accepts = Accepts()
    id: Path | None = None
    id_after: Text = ""
    cost: Path | None = None
    codes: Sequence[Path] = ()
    outcomes: Mapping[Text, OutcomeOf] = Field(default_factory=dict)
    words: Mapping[Text, OutcomeOf] = Field(default_factory=dict)
    statuses: Mapping[Annotated[str, Field(pattern=r"^[1-5][0-9][0-9]$")], OutcomeOf] = Field(default_factory=dict)


class Inbound(Table):
    """Where the fields of an inbound SMS are. `items` is the path of a list, where one webhook has several."""

    format: BodyFormat = "json"
    items: Path | None = None
    id: Path | None = None
    sender: Path
    sent_to: Path | None = None
    text: Path
    date: Path | None = None
    network: Path | None = None


class Report(Table):
    """Where the fields of a delivery report are, and what its words mean. The first word at `status` that is known counts."""

    format: BodyFormat = "json"
    items: Path | None = None
    id: Path
    status: Annotated[Sequence[Path], Field(min_length=1)]
    reason: Path | None = None
    number: Path | None = None
    network: Path | None = None
    statuses: Mapping[Text, DeliveryStatus]


class SmsRow(Table):
    """The table `[sms]`.

    `repeats_in_day_of` is the time zone in whose day the provider refuses a second request with the same reference: there a
    request without an answer is repeated at once. `dlt`: a message to India is sent with its ids. Lengths are in characters.
    """

    receives_replies: bool = False
    number_format: Literal["e164", "digits", "national", "significant"] = "e164"
    max_characters: Count = 1600
    max_reference: Annotated[int, Field(strict=True, ge=8, le=64)] = REFERENCE_LENGTH
    deadline: Annotated[float, Field(gt=0, le=30)] = 10.0
    dlt: bool = False
    repeats_in_day_of: Text = ""
    unicode: SpelledUnicode | None = None
    request: Request
    answer: Answer
    inbound: Inbound | None = None
    report: Report | None = None


def parse_sms_row(
    table: Mapping[str, Any], setting_names: Iterable[str], above: KeyPath = ("sms",)
) -> SmsRow | list[Finding]:
    """The row of a table `[sms]`, or everything that is wrong with it, under the key path `above`."""
    try:
        row = SmsRow.model_validate(table)
    except ValidationError as invalid:
        return [_describe(error, above) for error in invalid.errors(include_url=False)]
    findings = [
        Finding((*above, *path), problem, fix) for path, problem, fix in _find_contradictions(row, tuple(setting_names))
    ]
    return findings or row


def texts_in(value: object, above: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Every text in nested tables and lists, with its key path."""
    if isinstance(value, str):
        yield above, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts_in(inner, (*above, str(key)))
    elif isinstance(value, Sequence):
        for inner in value:
            yield from texts_in(inner, above)


def placeholders_in(text: str) -> Sequence[str]:
    """The names in the placeholders of a text."""
    return PLACEHOLDER.findall(text)


def find_address_fault(address: str, setting_names: Iterable[str]) -> tuple[str, str] | None:
    """The problem of a setting that is the beginning of an address, and its fix; None where there is none."""
    known = (*MESSAGE_PLACEHOLDERS, *setting_names)
    host = address.partition("://")[2].partition("/")[0].partition("?")[0]
    if not address.startswith(("http://", "https://")) or not host or PLACEHOLDER.search(host):
        return "this is not an address", "begin it with https:// and the name of a host"
    unknown = [name for name in placeholders_in(address) if name not in known]
    return (f"there is no placeholder {{{unknown[0]}}}", _suggest(unknown[0], known)) if unknown else None


def _find_contradictions(row: SmsRow, setting_names: Sequence[str]) -> Iterator[Finding]:
    yield from _check_placeholders(row, setting_names)
    yield from _check_url(row.request.url)
    yield from _check_outcomes(row.answer)
    if row.answer.accepts.path is not None and not row.answer.accepts.values:
        yield Finding(("answer", "accepts", "path"), "has no values", 'write values = ["…"] beside it')
    if row.unicode is None and any("unicode" in placeholders_in(text) for _, text in _texts(row)):
        yield Finding(("request",), "uses {unicode} without its values", 'write unicode = { plain = "…", other = "…" }')
    if row.repeats_in_day_of and row.repeats_in_day_of not in zoneinfo.available_timezones():
        yield Finding(("repeats_in_day_of",), "is not a time zone", "write one such as Asia/Dhaka")
    if row.repeats_in_day_of and not any("reference" in placeholders_in(text) for _, text in _texts(row)):
        yield Finding(("repeats_in_day_of",), "needs a field with {reference}", "add the field, or take this key out")


def _check_placeholders(row: SmsRow, setting_names: Sequence[str]) -> Iterator[Finding]:
    known = (*MESSAGE_PLACEHOLDERS, *setting_names)
    for name in setting_names:
        if name in MESSAGE_PLACEHOLDERS and name != SENDER:
            yield Finding((), f"the setting {name} has the name of a fact of the message", "give it another name")
    for path, text in _texts(row):
        for name in placeholders_in(text):
            if name not in known:
                yield Finding(path, f"there is no placeholder {{{name}}}", _suggest(name, known))


def _texts(row: SmsRow) -> Iterator[tuple[KeyPath, str]]:
    yield from texts_in(row.request.model_dump(), ("request",))
    yield ("answer", "accepts", "word"), row.answer.accepts.word


def _check_url(url: str) -> Iterator[Finding]:
    """Messages must not choose the host: a placeholder there is a setting."""
    base, slash, _ = url.removeprefix("https://").removeprefix("http://").partition("/")
    if not re.match(r"https?://|\{", url) or not (slash or base):
        yield Finding(("request", "url"), "is not an address", "write one such as {base_url}/sms or https://…/sms")
    if any(name in MESSAGE_PLACEHOLDERS for name in placeholders_in(base)):
        yield Finding(
            ("request", "url"), "takes its host from the message", "write the host, or a setting such as {base_url}"
        )


def _check_outcomes(answer: Answer) -> Iterator[Finding]:
    for name in ("outcomes", "words", "statuses"):
        outcomes: Mapping[str, OutcomeOf] = getattr(answer, name)
        for key, outcome in outcomes.items():
            if len(outcome.kinds) != 1:
                yield Finding(
                    ("answer", name, key),
                    "has not exactly one outcome",
                    f"write one of {', '.join(OUTCOME_KINDS)} with its reason",
                )
    if answer.outcomes and not answer.codes:
        yield Finding(("answer", "outcomes"), "has no path to a code", 'write codes = ["…"] above it')


def _describe(error: ErrorDetails, above: KeyPath) -> Finding:
    """An error of pydantic in words for the person who writes the row."""
    steps = tuple(str(step) for step in error["loc"] if not isinstance(step, int) and step != "[key]")
    kind, context = error["type"], error.get("ctx", {})
    problem, fix = _ERROR_TEXTS.get(kind, ("this is not what it may be", "see docs/how-to/add-an-sms-row.md"))
    return Finding((*above, *steps), problem, fix.format(**context))


def _suggest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {{{near[0]}}}?" if near else f"use one of {', '.join(known)}"


_ERROR_TEXTS: Mapping[str, tuple[str, str]] = {
    "missing": ("this key is missing", "write it; see docs/how-to/add-an-sms-row.md"),
    "extra_forbidden": ("there is no such key", "take it out; see docs/how-to/add-an-sms-row.md"),
    "literal_error": ("this is not one of what it may be", "write {expected}"),
    "enum": ("this is not a delivery status", "write {expected}"),
    "string_type": ("this is not text", "put it in quotes"),
    "string_pattern_mismatch": ("this has characters that it may not have", "it must match {pattern}"),
    "int_type": ("this is not a whole number", "write one such as 300"),
    "int_parsing": ("this is not a whole number", "write one such as 300"),
    "float_type": ("this is not a number", "write one such as 1.5"),
    "float_parsing": ("this is not a number", "write one such as 1.5"),
    "bool_type": ("this is neither true nor false", "write true or false"),
    "bool_parsing": ("this is neither true nor false", "write true or false"),
    "greater_than_equal": ("this is too small", "write {ge} or more"),
    "greater_than": ("this is too small", "write more than {gt:g}"),
    "less_than_equal": ("this is too large", "write {le:g} or less"),
    "too_short": ("this has too few entries", "write {min_length}"),
    "too_long": ("this has too many entries", "write {max_length}"),
    "model_type": ("this is not a table", "write its keys in braces or under a [header]"),
    "dict_type": ("this is not a table", "write its keys in braces or under a [header]"),
    "mapping_type": ("this is not a table", "write its keys in braces or under a [header]"),
    "tuple_type": ("this is not a list", 'write one such as ["a", "b"]'),
    "list_type": ("this is not a list", 'write one such as ["a", "b"]'),
}
"""Kind of error of pydantic to our problem and fix."""
