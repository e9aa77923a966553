"""Builds the request that sends one SMS, as a row says."""

import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
import phonenumbers
from phonenumbers import PhoneNumberFormat

from core.gsm7 import count_septets
from core.http.client import HttpRequest
from providers.json_http.sms_row import NUMBER_FORMATS, PLACEHOLDER, SENDER, Request, SmsRow
from services.messaging.models import OutgoingMessage

JSON_TYPE: Final = "application/json"


def choose_reference(message: OutgoingMessage) -> str:
    """Our reference of the message; one by chance for a message that no outbox holds."""
    return message.reference or secrets.token_hex(8)


def build_request(
    row: SmsRow, message: OutgoingMessage, *, reference: str, values: Mapping[str, str], callback_url: str = ""
) -> HttpRequest:
    """The request for one message. `values` are the settings of the row, in plain text."""
    facts = {
        **values,
        **_message_facts(row, message, values),
        "reference": reference,
        "callback_url": callback_url,
    }
    request = row.request
    fields = _fill(request.fields, facts) or {}
    url = build_url(request.url, facts)
    headers = {**(_fill(request.headers, facts) or {}), **_authorize(request, facts)}
    match request.format:
        case "json":
            json_headers = {"Content-Type": JSON_TYPE, "Accept": JSON_TYPE, **headers}
            return HttpRequest(request.method, url, json_headers, body=msgspec.json.encode(fields))
        case "form":
            return HttpRequest(request.method, url, headers, form=_flatten(fields))
        case "query":
            return HttpRequest(request.method, _add_query(url, _flatten(fields)), headers)


def build_url(template: str, facts: Mapping[str, object]) -> str:
    """The address. A setting at its beginning may be an address with placeholders of its own; all else is quoted."""
    first = PLACEHOLDER.match(template)
    if first:
        template = str(facts[first[1]]).rstrip("/") + template[first.end() :]
    return PLACEHOLDER.sub(lambda found: quote(str(facts[found[1]]), safe=""), template)


def format_number(msisdn: str, number_format: str) -> str:
    """An E.164 number in the spelling that a provider wants: `e164`, `digits`, `national` or `significant`."""
    if number_format in {"e164", "digits"}:
        return msisdn if number_format == "e164" else msisdn.removeprefix("+")
    parsed = phonenumbers.parse(msisdn)
    if number_format == "significant":
        return phonenumbers.national_significant_number(parsed)
    return "".join(filter(str.isdecimal, phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)))


def _message_facts(row: SmsRow, message: OutgoingMessage, values: Mapping[str, str]) -> dict[str, object]:
    return {
        "to": format_number(message.to, row.number_format),
        **{f"to_{spelling}": format_number(message.to, spelling) for spelling in NUMBER_FORMATS},
        "text": message.text,
        "sender": message.sender or values.get(SENDER, ""),
        "dlt_entity": message.dlt.entity if message.dlt else "",
        "dlt_template": message.dlt.template if message.dlt else "",
        "unicode": _spell_unicode(row, message.text),
    }


def _spell_unicode(row: SmsRow, text: str) -> object:
    if row.unicode is None:
        return ""
    return row.unicode.other if count_septets(text) is None else row.unicode.plain


def _fill(value: object, facts: Mapping[str, object]) -> Any:
    """The value with its placeholders replaced; None for an empty text, and for a table or list of nothing else."""
    if isinstance(value, str):
        return _fill_text(value, facts)
    if isinstance(value, Mapping):
        filled = {key: _fill(inner, facts) for key, inner in value.items()}
        return {key: inner for key, inner in filled.items() if inner is not None} or None
    if isinstance(value, Sequence):
        return [inner for inner in (_fill(one, facts) for one in value) if inner is not None] or None
    return value


def _fill_text(text: str, facts: Mapping[str, object]) -> object:
    whole = PLACEHOLDER.fullmatch(text)
    filled = facts[whole[1]] if whole else PLACEHOLDER.sub(lambda found: str(facts[found[1]]), text)
    return None if filled == "" else filled


def _authorize(request: Request, facts: Mapping[str, object]) -> Mapping[str, str]:
    if request.basic:
        user, password = (str(_fill(text, facts) or "") for text in request.basic)
        return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}
    return {"Authorization": f"Bearer {_fill(request.bearer, facts) or ''}"} if request.bearer else {}


def _flatten(fields: Mapping[str, object]) -> dict[str, str]:
    return {name: _to_form_text(value) for name, value in fields.items()}


def _to_form_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _add_query(url: str, fields: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(fields, quote_via=quote)}" if fields else url
