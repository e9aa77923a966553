"""The sample dialogue beside a row, `rows/<name>.ussd.toml`: requests as the provider sends them, and the replies to them.

A row is proved by it: each request must be read as the sample says, and each screen must become the reply, byte by byte.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from pydantic import ValidationError
from yarl import query_to_pairs

from config.section import Section
from config.types import NonEmpty, ServiceCode
from config.validation_errors import describe_error
from core.errors import Problem, ValidationFailedError, display_path
from core.http.provider_webhooks import Fields
from core.http.webhooks import BadWebhookError
from core.toml_source import find_line, index_key_lines, parse_toml, read_utf8
from menus.rendering.paging import ScreenBudget
from providers.json_http.provider_rows import Row
from providers.json_http.ussd import JsonUssd, build_provider
from providers.json_http.ussd_row import Format
from sessions.path_turns import UssdReply
from sessions.session import Reply, parse_hop_metadata
from ussd.provider import AnyUssdRequest, EndReport, ShortCodeConfig, UssdInput

SUFFIX: Final = ".ussd.toml"
STEP_HEADER: Final = "[[step]]"

Event: TypeAlias = Literal["dials", "types", "ended"]


class SampleStep(Section):
    """One request and its reply.

    `request`: the body, or the query without its question mark. `event`: the caller dials or types, or the session has ended.
    `text`: the newest input, or the path that was typed. `message_id` is empty where requests have none.
    `brought_back` is what the request brings back of our last reply, and `metadata` what this reply gives to be brought back.
    `screen` is what we show, and `reply` the body of the response to it.
    """

    request: str
    event: Event
    session: str
    caller: str = ""
    text: str = ""
    message_id: str = ""
    brought_back: str = ""
    metadata: str = ""
    screen: str = ""
    ends: bool = False
    reply: str


class SampleDialogue(Section):
    """The whole file. `service_codes` are our codes at the provider."""

    service_codes: Annotated[tuple[ServiceCode, ...], NonEmpty]
    step: tuple[SampleStep, ...]


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A sample, and the places of its steps for problems."""

    path: Path
    dialogue: SampleDialogue
    step_lines: Sequence[int]

    def problem_at(self, step: int, problem: str, fix: str) -> Problem:
        """A problem with a step, counted from 0."""
        return Problem(display_path(self.path), self.step_lines[step], f"step {step + 1}", problem, fix)


def sample_path(row: Row) -> Path:
    """The file of a row's sample."""
    return row.path.with_name(row.name + SUFFIX)


def load_sample(row: Row) -> SampleFile:
    """The sample beside a row.

    Raises:
        ValidationFailedError: there is none, or it is not valid; the problems have its lines.
    """
    path = sample_path(row)
    if not path.is_file():
        problem = f"there is no sample {path.name} beside it, which proves it"
        raise ValidationFailedError([row.problem_at(("ussd",), problem, "add one as docs/providers/json.md shows")])
    source = read_utf8(path)
    tables = parse_toml(source, display_path(path))
    step_lines = [line for line, text in enumerate(source.split("\n"), 1) if text.strip() == STEP_HEADER]
    try:
        return SampleFile(path, SampleDialogue.model_validate(tables), step_lines)
    except ValidationError as invalid:
        raise ValidationFailedError(sorted(_describe_errors(invalid, path, source, step_lines))) from None


def find_sample_problems(row: Row) -> Sequence[Problem]:
    """What a row does otherwise than its sample says; nothing for a row without USSD.

    Raises:
        ValidationFailedError: the table `[ussd]` is not valid.
    """
    if row.ussd is None:
        return ()
    try:
        sample = load_sample(row)
    except ValidationFailedError as error:
        return error.problems
    provider = build_provider(row, ShortCodeConfig(sample.dialogue.service_codes, ScreenBudget(), {}))
    return [*_prove(provider, row, sample), *_find_missing_steps(sample)]


def read_fields(request: str, body_format: Format) -> Fields:
    """The fields of a request of a sample.

    Raises:
        ValueError: the request is not in the format.
    """
    if body_format != "json":
        return dict(query_to_pairs(request))
    fields = msgspec.json.decode(request)
    if not isinstance(fields, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - callers handle one kind of error
    return fields


def _describe_errors(invalid: ValidationError, path: Path, source: str, step_lines: Sequence[int]) -> Iterator[Problem]:
    lines = index_key_lines(source)
    for error in invalid.errors(include_url=False, include_input=False):
        place, texts = error["loc"], describe_error(SampleDialogue, error)
        step = place[1] if len(place) > 1 and place[0] == "step" else None
        line = step_lines[step] if isinstance(step, int) else find_line(tuple(map(str, place)), lines)
        yield Problem(display_path(path), line, ".".join(map(str, place)), *texts)


def _prove(provider: JsonUssd, row: Row, sample: SampleFile) -> Iterator[Problem]:
    for number, step in enumerate(sample.dialogue.step):
        for problem, fix in _prove_step(provider, step, row):
            yield sample.problem_at(number, problem, fix)


def _prove_step(provider: JsonUssd, step: SampleStep, row: Row) -> Iterator[tuple[str, str]]:
    try:
        fields = read_fields(step.request, provider.body_format)
        found = provider.parse_request(fields, {})
    except BadWebhookError as bad:
        yield f"the row does not read the request: {bad.message}", "mend the row or the request"
        return
    except (msgspec.MsgspecError, ValueError) as error:
        yield f"the request is not in the format of the row: {error}", "write it as the provider sends it"
        return
    for key, read in _describe(found, provider).items():
        yield from _compare(key, read.removeprefix(f"{row.name}/"), getattr(step, key))
    yield from _compare("reply", _render(provider, found, step, fields), step.reply)


def _render(provider: JsonUssd, found: AnyUssdRequest | EndReport, step: SampleStep, fields: Fields) -> str:
    if isinstance(found, EndReport):
        return found.acknowledgement.text
    reply = UssdReply(Reply(step.screen, step.ends), "answered", parse_hop_metadata(step.metadata))
    return provider.render_reply(reply, fields).text


def _describe(found: AnyUssdRequest | EndReport, provider: JsonUssd) -> Mapping[str, str]:
    """What was read, under the names of a sample's step."""
    if isinstance(found, EndReport):
        return {"event": "ended", "session": found.event.session_id}
    text = found.text if isinstance(found, UssdInput) else found.path
    event: Event = "dials" if found.starts_session else "types"
    message_id = found.message_id if isinstance(found, UssdInput) and provider.identifies_requests else ""
    return {
        "event": event,
        "session": found.session_id,
        "caller": found.caller,
        "text": text,
        "message_id": message_id,
        "brought_back": found.echoed_metadata,
    }


def _compare(key: str, found: str, expected: str) -> Iterator[tuple[str, str]]:
    if found != expected:
        yield f"the row gives {key} = {found!r}, and the sample says {expected!r}", "mend the one that is wrong"


_NEEDED: Final[Mapping[str, Callable[[SampleStep], Any]]] = {
    "that dials": lambda step: step.event == "dials",
    "that types": lambda step: step.event == "types",
    "whose screen goes on": lambda step: step.screen and not step.ends,
    "whose screen ends the session": lambda step: step.screen and step.ends,
}
"""The steps that every sample must have."""


def _find_missing_steps(sample: SampleFile) -> Iterator[Problem]:
    for words, is_such in _NEEDED.items():
        if not any(map(is_such, sample.dialogue.step)):
            yield Problem(display_path(sample.path), 0, "", f"there is no step {words}", "add one")
