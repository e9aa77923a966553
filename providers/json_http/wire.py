"""The simulator as a provider that a row describes: the requests that the row reads, and the screens in the replies to them."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from providers.json_http.provider_rows import Row
from providers.json_http.ussd import find_budget
from providers.json_http.ussd_row import Format, SessionState, Template, read_ussd_row
from ussd.provider import ShortCodeConfig
from web.simulator.network import SimulatedNetwork
from web.simulator.wires import ANSWER_TIMEOUT, KeyPress, WireError, WireScreen

JSON_WORDS: Final[Mapping[str, object]] = {"true": True, "false": False}
BODIES: Final[Mapping[Format, tuple[Callable[[Mapping[str, Any]], str | None], str]]] = {
    "json": (json.dumps, "application/json"),
    "form": (urlencode, "application/x-www-form-urlencoded"),
    "query": (lambda _: None, "text/plain"),
}
"""How each format encodes the fields of a body, and its content type."""
_find_parts: Final = re.compile(r"\{([^{}]+)\}").split


class JsonWire:
    """Sends a row's requests to the gateway over HTTP, and reads the screens in its responses."""

    def __init__(self, row: Row, config: ShortCodeConfig, *, token: str) -> None:
        self._name = row.name
        self._ussd = read_ussd_row(row)
        self._token = token
        budget = find_budget(self._ussd.screen, config.default_budget)
        self._metadata: dict[str, str] = {}
        self.networks: Sequence[SimulatedNetwork] = (
            SimulatedNetwork(
                row.name,
                row.name.capitalize(),
                budget.unicode,
                budget.septets,
                budget.units,
                replaced={"serviceCode": config.service_codes[0]},
            ),
        )

    def routes(self) -> Sequence[web.RouteDef]:
        """None: the gateway calls nothing at such a provider."""
        return ()

    async def press(self, _network: str, press: KeyPress) -> WireScreen:
        """Send a key press.

        Raises:
            WireError: the gateway refuses it, or its response is none of the row's forms.
        """
        state: SessionState = "new" if press.starts_session else "goes_on"
        body = await self._request(press, self._build_fields(press, state))
        for ends, template in ((False, self._ussd.reply.goes_on), (True, self._ussd.reply.ends)):
            if (found := match_template(template, body)) is not None:
                self._metadata[press.session_id] = found.get("metadata", "")
                return WireScreen(found["text"], ends=ends)
        raise WireError("the response is none of the row's forms")

    async def hang_up(self, _network: str, press: KeyPress) -> None:
        """Tell of the end, where the row has a value for it."""
        self._metadata.pop(press.session_id, None)
        if "released" in self._ussd.states.values():
            await self._request(press, self._build_fields(press, "released"))

    def _build_fields(self, press: KeyPress, state: SessionState) -> Mapping[str, Any]:
        names, fields = self._ussd.request, dict[str, Any]()
        for path, value in (
            (names.session, press.session_id),
            (names.caller, press.msisdn if self._ussd.country else press.msisdn.removeprefix("+")),
            (names.message_id, str(press.number)),
            (names.network, next(iter(self._ussd.networks), "")),
            (names.service_code, press.service_code),
            (names.metadata, self._metadata.get(press.session_id, "")),
            (names.state, self._write_state(state)),
            (names.text, self._write_text(press)),
            (names.first_text, self._write_first_text(press) if state == "new" else None),
        ):
            if path and value is not None:
                _set_field(fields, path, value)
        return fields

    def _write_state(self, state: SessionState) -> object:
        value = next((value for value, meaning in self._ussd.states.items() if meaning == state), "")
        return JSON_WORDS.get(value, value) if self._ussd.format == "json" else value

    def _write_text(self, press: KeyPress) -> str:
        match self._ussd.input:
            case "path":
                return press.path
            case "dialled_path":
                return press.dial_string
            case _ if press.starts_session and not self._ussd.request.first_text:
                return self._write_first_text(press)
            case _:
                return press.text

    def _write_first_text(self, press: KeyPress) -> str:
        return {"dialled": press.dial_string, "past_code": press.path}.get(self._ussd.first_text, "")

    async def _request(self, press: KeyPress, fields: Mapping[str, Any]) -> str:
        is_query = self._ussd.format == "query"
        query = {**({"token": self._token} if self._token else {}), **(fields if is_query else {})}
        encode, content_type = BODIES[self._ussd.format]
        url, headers = f"{press.gateway}/ussd/{self._name}", {"Content-Type": content_type}
        try:
            async with (
                ClientSession(timeout=ClientTimeout(ANSWER_TIMEOUT)) as http,
                http.request(
                    "GET" if is_query else "POST", url, params=query, data=encode(fields), headers=headers
                ) as response,
            ):
                body = await response.text()
        except (ClientError, TimeoutError) as error:
            raise WireError(type(error).__name__) from None
        if response.status != self._ussd.reply.status:
            raise WireError(f"HTTP {response.status}")
        return body


def match_template(template: Template, body: str) -> Mapping[str, str] | None:
    """What a body has in place of the placeholders of a template; None where the body is not of this template."""
    if isinstance(template, str):
        return _match_text(template, body)
    try:
        found = dict(_match_members(template, json.loads(body)))
    except (ValueError, _DifferentError):
        return None
    return found


class _DifferentError(Exception):
    """The body is not of the template."""


def _match_members(template: object, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(template, Mapping):
        if not isinstance(value, Mapping) or value.keys() != template.keys():
            raise _DifferentError
        for name, part in template.items():
            yield from _match_members(part, value[name])
    elif isinstance(template, str):
        yield from _match_value(template, value)
    elif template != value:
        raise _DifferentError


def _match_value(template: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        matched = _match_text(template, value)
        if matched is None:
            raise _DifferentError
        yield from matched.items()
    elif not template.startswith("{request."):  # only a field that is brought back keeps its JSON type
        raise _DifferentError


def _match_text(template: str, text: str) -> Mapping[str, str] | None:
    *pairs, last = _pair(_find_parts(template))
    pattern = "".join(f"{re.escape(before)}(.*)" for before, _ in pairs) + re.escape(last[0])
    matched = re.fullmatch(pattern, text, re.DOTALL)
    return None if matched is None else {name: matched[at] for at, (_, name) in enumerate(pairs, 1)}


def _pair(parts: Sequence[str]) -> list[tuple[str, str]]:
    """`["CON ", "text", ""]` → the text before each placeholder with its name, and at last the text after all of them."""
    return list(zip(parts[::2], [*parts[1::2], ""], strict=True))


def _set_field(fields: dict[str, Any], path: str, value: object) -> None:
    *outer, name = path.split(".")
    reduce(lambda table, step: table.setdefault(step, {}), outer, fields)[name] = value
