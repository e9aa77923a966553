"""USSD of a provider that a row describes: its requests, and the responses that hold the screens."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from core.http.provider_webhooks import BodyFormat, Fields, WebhookReply, read_msisdn
from core.http.webhooks import BadWebhookError
from core.phone_numbers import PhoneNumberError, parse_msisdn
from menus.rendering.paging import ScreenBudget
from providers.json_http.provider_rows import Row
from providers.json_http.templates import fill_template, find_field
from providers.json_http.ussd_row import Screen, SessionState, UssdRow, read_ussd_row
from sessions.path_turns import UssdReply, UssdRequest
from ussd.dial_strings import build_path, find_path_past_code, parse_digits_past_code
from ussd.provider import CHANNEL, AnyUssdRequest, EndReport, ShortCodeConfig, UssdEndEvent, UssdInput

MAX_ID_LENGTH: Final = 128  # characters of the id of a session, and of a request
MAX_TEXT_LENGTH: Final = 4096  # characters of an input or a path
_is_dialled: Final = re.compile(r"\d+(?:\*\d+)*", re.ASCII).fullmatch

END_STATUSES: Final[Mapping[SessionState, str]] = {"ended": "Success", "released": "Incomplete", "failed": "Failed"}


def build_provider(row: Row, config: ShortCodeConfig) -> "JsonUssd":
    """The provider of a row with a table `[ussd]`, which its sample need not prove.

    Raises:
        ValidationFailedError: the table is not valid.
    """
    return JsonUssd(row.name, read_ussd_row(row), config)


class JsonUssd:
    """Reads requests, and takes screens as responses to them, as a row says."""

    def __init__(self, name: str, row: UssdRow, config: ShortCodeConfig) -> None:
        self.name: Final = name
        self.body_format: Final[BodyFormat] = row.format
        self._row = row
        self._config = config
        self._budget = find_budget(row.screen, config.default_budget)
        self._states = {value.casefold(): state for value, state in row.states.items()}
        self._networks = {name.casefold(): code for name, code in row.networks.items()}
        self._vouched_networks = frozenset(map(str.casefold, row.vouched_networks))

    @property
    def identifies_requests(self) -> bool:
        """Whether a repeated request has the id of the first one."""
        return bool(self._row.request.message_id)

    def parse_request(self, fields: Fields, _: Mapping[str, str]) -> AnyUssdRequest | EndReport:
        """The key press that the fields describe, or the end of a session that they report.

        Raises:
            BadWebhookError: a field is missing or malformed (400).
        """
        state = self._read_state(fields)
        session_id = f"{self.name}/{_read_id(fields, self._row.request.session)}"
        if state in END_STATUSES:
            return self._build_end_report(session_id, END_STATUSES[state], fields)
        if self._row.input == "newest":
            return self._build_input(session_id, fields, starts_session=state == "new")
        return self._build_path_request(session_id, fields)

    def render_reply(self, reply: UssdReply, fields: Fields) -> WebhookReply:
        """The response with the screen."""
        forms = self._row.reply
        template = forms.ends if reply.reply.ends else forms.goes_on
        metadata = str(reply.hop_metadata) if reply.hop_metadata else ""
        return self._render(template, fields, text=reply.reply.text, metadata=metadata)

    def _render(self, template: str | Mapping[str, Any], fields: Fields, *, text: str, metadata: str) -> WebhookReply:
        forms = self._row.reply
        filled = fill_template(template, {"text": text, "metadata": metadata}, fields)
        body = filled if isinstance(filled, str) else msgspec.json.encode(filled).decode()
        return WebhookReply(body, content_type=forms.type_of_content, status=forms.status)

    def _read_state(self, fields: Fields) -> SessionState:
        name = self._row.request.state
        if not name:
            return "goes_on"
        state = self._states.get(_read_text(fields, name).casefold())
        if state is None:
            raise BadWebhookError(400, f"{name} is missing, or none of the values that the provider documents.")
        return state

    def _build_end_report(self, session_id: str, status: str, fields: Fields) -> EndReport:
        event = UssdEndEvent(session_id, status, 0, 0, has_error=status == "Failed")
        return EndReport(event, self._render(self._row.reply.after_end, fields, text="", metadata=""))

    def _build_input(self, session_id: str, fields: Fields, *, starts_session: bool) -> UssdInput:
        names = self._row.request
        return UssdInput(
            session_id=session_id,
            message_id=_read_id(fields, names.message_id) if names.message_id else "",
            caller=self._read_caller(fields),
            text=self._read_first_text(fields) if starts_session else _read_required_text(fields, names.text),
            starts_session=starts_session,
            budget=self._read_budget(fields),
            caller_number_verified=self._is_vouched_for(fields),
            echoed_metadata=_read_text(fields, names.metadata),
            used_code=self._config.find_used_code(self._read_code(fields)),
            network=self._read_network(fields),
        )

    def _build_path_request(self, session_id: str, fields: Fields) -> UssdRequest:
        names, codes = self._row.request, self._config.service_codes
        text, code = _read_required_text(fields, names.text), self._read_code(fields)
        is_dialled = self._row.input == "dialled_path"
        path = find_path_past_code(text, code, codes) if is_dialled else build_path(code, text, codes)
        return UssdRequest(
            session_id=session_id,
            caller=self._read_caller(fields),
            path=path,
            channel=CHANNEL,
            budget=self._read_budget(fields),
            caller_number_verified=self._is_vouched_for(fields),
            echoed_metadata=_read_text(fields, names.metadata),
            is_deep_dial=not is_dialled and path != text,
            used_code=self._config.find_used_code(text if is_dialled else code),
            network=self._read_network(fields),
        )

    def _read_code(self, fields: Fields) -> str:
        """What was dialled, as `*713*45#`: some providers leave out the first character and the last."""
        inner = _read_text(fields, self._row.request.service_code).strip("*#")
        return f"*{inner}#" if inner else ""

    def _read_first_text(self, fields: Fields) -> str:
        """The digits dialled past our code, as far as the first request has them."""
        names = self._row.request
        text = _read_text(fields, names.first_text or names.text)
        match self._row.first_text:
            case "dialled":
                return parse_digits_past_code(text, self._config.service_codes)
            case "past_code":
                return text if _is_dialled(text) else ""
            case _:
                return ""

    def _read_caller(self, fields: Fields) -> str:
        name = self._row.request.caller
        caller = self._parse_number(_read_text(fields, name))
        if not caller:
            raise BadWebhookError(400, f"{name} is missing, or not a phone number.")
        return caller

    def _parse_number(self, text: str) -> str:
        if not self._row.country:
            return read_msisdn(text)
        try:
            return parse_msisdn(text, self._row.country)
        except PhoneNumberError:
            return ""

    def _is_vouched_for(self, fields: Fields) -> bool:
        """Whether the network of this caller vouches for the number: an app or a shop of the provider does not."""
        if not (self._row.vouches_for_number and self._config.caller_number_verified):
            return False
        network = _read_text(fields, self._row.request.network)
        return not self._vouched_networks or network.casefold() in self._vouched_networks

    def _read_network(self, fields: Fields) -> str:
        """The code of the caller's network; what the provider says where the row does not know it."""
        network = _read_text(fields, self._row.request.network)
        return self._networks.get(network.casefold(), network)

    def _read_budget(self, fields: Fields) -> ScreenBudget:
        return self._config.network_budgets.get(self._read_network(fields), self._budget)


def find_budget(screen: Screen, default: ScreenBudget) -> ScreenBudget:
    """The screen budget of a row, with what it leaves open from the default."""
    given = {name: value for name, value in screen if value is not None}
    return default._replace(**given)


def _read_id(fields: Fields, name: str) -> str:
    found = _read_text(fields, name)
    if not found or len(found) > MAX_ID_LENGTH or not found.isprintable():
        problem = f"{name} is missing, longer than {MAX_ID_LENGTH} characters, or has some that are not printed."
        raise BadWebhookError(400, problem)
    return found


def _read_required_text(fields: Fields, name: str) -> str:
    if find_field(fields, name) is None:
        raise BadWebhookError(400, f"{name} is missing; it is there in every request.")
    return _read_text(fields, name)


def _read_text(fields: Fields, name: str) -> str:
    """The value of a field as text; empty where there is no such field.

    Raises:
        BadWebhookError: it is an object, a list or a fraction, or too long (400).
    """
    text = _as_text(find_field(fields, name)) if name else ""
    if text is None or len(text) > MAX_TEXT_LENGTH:
        raise BadWebhookError(400, f"{name} is not text, or longer than {MAX_TEXT_LENGTH} characters.")
    return text


def _as_text(value: object) -> str | None:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            return None
