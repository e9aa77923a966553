"""Find fields in what a provider sends, and fill the templates of what it gets. Both halves of a row use them."""

import re
from collections.abc import Mapping
from typing import Any, Final

REQUEST_PREFIX: Final = "request."
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")


def find_field(fields: object, path: str) -> Any:
    """The value at a path such as `payload.response` or `messages.0.id`, the first of a list; None where there is none."""
    value: Any = fields
    for name in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value


def fill_template(template: object, values: Mapping[str, str], request: Mapping[str, Any]) -> Any:
    """The template with a value for each placeholder: of `values`, or `{request.NAME}` of the fields of a request.

    A placeholder that is the whole text keeps the JSON type of its value. Objects and lists are not brought back: they are null.
    """
    if isinstance(template, str):
        return _fill_text(template, values, request)
    if isinstance(template, Mapping):
        return {name: fill_template(value, values, request) for name, value in template.items()}
    if isinstance(template, list):
        return [fill_template(value, values, request) for value in template]
    return template


def _fill_text(template: str, values: Mapping[str, str], request: Mapping[str, Any]) -> Any:
    if whole := _PLACEHOLDER.fullmatch(template):
        return _find_value(whole[1], values, request)
    return _PLACEHOLDER.sub(lambda found: _as_text(_find_value(found[1], values, request)), template)


def _find_value(name: str, values: Mapping[str, str], request: Mapping[str, Any]) -> Any:
    if not name.startswith(REQUEST_PREFIX):
        return values[name]
    value = find_field(request, name.removeprefix(REQUEST_PREFIX))
    return None if isinstance(value, Mapping | list) else value


def _as_text(value: object) -> str:
    return "" if value is None else str(value)
