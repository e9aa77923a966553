"""The table `[ussd]` of a row: how a provider's requests are read, and how they are answered."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from config.section import Section
from config.types import Septets, Utf16Units
from core.errors import Problem, ValidationFailedError
from core.phone_numbers import is_country
from providers.json_http.provider_rows import Row, read_table

SessionState: TypeAlias = Literal["new", "goes_on", "ended", "released", "failed"]
"""What a request says of its session: it begins, goes on, has ended as we asked, by the caller or a time-out, by a failure."""

Format: TypeAlias = Literal["json", "form", "query"]

FIXED_PLACEHOLDERS: Final = ("text", "metadata")
REQUEST_PREFIX: Final = "request."
_is_field_path: Final = re.compile(r"[^.{}\s]+(?:\.[^.{}\s]+)*").fullmatch
_is_content_type: Final = re.compile(r"[a-z]+/[a-z0-9.+-]+", re.ASCII).fullmatch
_find_placeholders: Final = re.compile(r"\{([^{}]*)\}").findall


def _error(problem: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError("plain", "{problem}; {fix}", {"problem": problem, "fix": fix})


def _check_field_path(text: str) -> str:
    if text and not _is_field_path(text):
        raise _error("this is not the name of a field", 'write its name, or names with dots such as "payload.response"')
    return text


def _check_required(text: str) -> str:
    if not text:
        raise _error("this key is empty", "name the field")
    return text


def _check_country(code: str) -> str:
    if code and not is_country(code):
        raise _error("there is no such country", "write its two letters, such as KE")
    return code


def _check_content_type(text: str) -> str:
    if not _is_content_type(text):
        raise _error("this is not a content type", "write one such as application/json")
    return text


def _check_template(template: object) -> object:
    for text in _list_texts(template):
        for name in _find_placeholders(text):
            if name not in FIXED_PLACEHOLDERS and not _is_request_placeholder(name):
                problem = f"{{{name}}} is no placeholder"
                raise _error(problem, "write {text}, {metadata}, or {request.NAME} for a field of the request")
    if not any("{text}" in text for text in _list_texts(template)):
        raise _error("the reply does not show the screen", "put {text} where the screen belongs")
    return template


def _is_request_placeholder(name: str) -> bool:
    return name.startswith(REQUEST_PREFIX) and _is_field_path(name.removeprefix(REQUEST_PREFIX)) is not None


def _list_texts(template: object) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for value in template.values():
            yield from _list_texts(value)
    elif isinstance(template, Sequence):
        for value in template:
            yield from _list_texts(value)


FieldPath: TypeAlias = Annotated[str, AfterValidator(_check_field_path)]
RequiredPath: TypeAlias = Annotated[FieldPath, AfterValidator(_check_required)]
Template: TypeAlias = Annotated[str | dict[str, Any], AfterValidator(_check_template)]
ContentType: TypeAlias = Annotated[str, AfterValidator(_check_content_type)]


class RequestFields(Section):
    """Where a request has what: names of fields, with dots for objects in objects; empty where it has no such field."""

    session: RequiredPath
    caller: RequiredPath
    text: RequiredPath
    state: FieldPath = ""
    first_text: FieldPath = ""
    message_id: FieldPath = ""
    network: FieldPath = ""
    service_code: FieldPath = ""
    metadata: FieldPath = ""


class Screen(Section):
    """The size of the provider's screens; None is the value of `[ussd]` in config.toml."""

    septets: Septets | None = None
    units: Utf16Units | None = None
    unicode: bool | None = None


class ReplyForms(Section):
    """The response to a request whose session goes on, to one whose session ends, and to the report of an end.

    Text is sent as it is, a table as a JSON object. `{text}` is the screen, `{metadata}` what the provider shall bring back,
    `{request.NAME}` a field of the request, which keeps its JSON type where it is the whole value.
    """

    goes_on: Template
    ends: Template
    after_end: str | dict[str, Any] = ""
    content_type: ContentType | None = None
    status: Annotated[int, Field(ge=200, le=299)] = 200

    @property
    def type_of_content(self) -> str:
        """The content type; where the row has none, that of text or of JSON."""
        return self.content_type or ("text/plain" if isinstance(self.goes_on, str) else "application/json")


class UssdRow(Section):
    """The table `[ussd]`.

    `format`: a JSON object or a form that is posted, or the query of a GET request. `input`: a request has the newest input only,
    everything typed, or everything with the dialled code before it. `first_text`: what `request.first_text`, else `request.text`,
    is in the request that dials: the whole dialled string, the digits past our code, or something that tells nothing.
    `states`: what each value of `request.state` means, in any case. `networks`: our code of each network that the provider names.
    `vouched_networks`: those whose callers' numbers are vouched for, where there are others; empty stands for all.
    """

    format: Format
    input: Literal["newest", "path", "dialled_path"]
    first_text: Literal["dialled", "past_code", "ignored"] = "ignored"
    caller: Literal["international", "national"] = "international"
    country: Annotated[str, AfterValidator(_check_country)] = ""
    vouches_for_number: bool = True
    vouched_networks: tuple[str, ...] = ()
    request: RequestFields
    states: Mapping[str, SessionState] = Field(default_factory=dict)
    networks: Mapping[str, str] = Field(default_factory=dict)
    screen: Screen = Screen()
    reply: ReplyForms


def read_ussd_row(row: Row) -> UssdRow:
    """The table `[ussd]` of a row.

    Raises:
        ValidationFailedError: the table is not valid; there is a problem for each fault.
    """
    ussd = read_table(row, "ussd", UssdRow)
    if problems := [row.problem_at(("ussd", *key), problem, fix) for key, problem, fix in _find_contradictions(ussd)]:
        raise ValidationFailedError(sorted(problems))
    return ussd


Fault: TypeAlias = tuple[tuple[str, ...], str, str]


def _find_contradictions(ussd: UssdRow) -> Iterator[Fault]:
    if ussd.input == "newest":
        yield from _find_state_faults(ussd)
    if ussd.input == "dialled_path" and not ussd.request.service_code:
        yield ("request", "service_code"), "a dialled path begins with the code", "name the field that has the code"
    if ussd.vouched_networks and not ussd.request.network:
        yield ("request", "network"), "vouched_networks needs it", "name the field that has the network"
    if (ussd.caller == "national") != bool(ussd.country):
        yield (
            ("country",),
            "only national numbers need their country",
            'write it with caller = "national", or leave it out',
        )
    if ussd.format != "json":
        yield from _find_nested_fields(ussd.request)


def _find_state_faults(ussd: UssdRow) -> Iterator[Fault]:
    if not ussd.request.state:
        yield ("request", "state"), "nothing tells a new session from one that goes on", "name the field that does"
    for state in ("new", "goes_on"):
        if state not in ussd.states.values():
            yield ("states",), f"no value means {state}", f'add one such as value = "{state}"'


def _find_nested_fields(request: RequestFields) -> Iterator[Fault]:
    for name, path in request:
        if "." in path:
            yield ("request", name), "a form has no fields in fields", "write a name without a dot"


def find_problems(row: Row) -> Sequence[Problem]:
    """What is wrong with the table `[ussd]` of a row."""
    try:
        read_ussd_row(row)
    except ValidationFailedError as error:
        return error.problems
    return ()
