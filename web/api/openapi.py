"""openapi.json: the operations and their models, as OpenAPI 3.1 has them. Nothing is described here a second time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from callbacks import MOST
from web.api.models.common import Problem
from web.api.operations import AnyOperation
from web.api.problems import CONTENT_TYPE, FAILED, Said
from web.api.routes import (
    JSON,
    KEY_NOT_KNOWN,
    LONGEST_KEY,
    NO_KEY,
    NOT_AS_IT_MUST_BE,
    NOT_JSON,
    NOT_SENT_AS_JSON,
    PREFIX,
    TOO_MANY,
)

REF: Final = "#/components/schemas/{model}"
TOO_LARGE: Final[Said] = (413, "Too large", f"A body is at most {MOST} octets long.")
ALWAYS: Final = (KEY_NOT_KNOWN, TOO_MANY, FAILED)
OF_A_QUERY: Final = (NOT_AS_IT_MUST_BE,)
OF_A_BODY: Final = (NO_KEY, NOT_JSON, NOT_SENT_AS_JSON, TOO_LARGE, NOT_AS_IT_MUST_BE)
NUMBER: Final = {"type": "string", "pattern": "^[0-9]{12}$", "examples": ["123456789015"]}
IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Your own name for this change: the same one with the same body is answered as before.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "examples": ["2026-11-21-0001"]},
}
HEADERS: Final = {
    "RateLimit-Limit": "How many requests this key may make in a minute.",
    "RateLimit-Remaining": "How many of them are left.",
    "RateLimit-Reset": "In how many seconds they are counted anew.",
}
KEY: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A department's key, as `server.py keys add` showed it. It sees its own department only.",
}


def document(operations: Sequence[AnyOperation], url: str) -> bytes:
    """The whole description, for a gateway at `url`."""
    schemas = _schemas(operations)
    written = {
        "openapi": "3.1.0",
        "info": {
            "title": "Ekdial department API",
            "version": "1",
            "description": "What a department's own system reads and reports. Errors are RFC 9457 problem documents.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": f"{url}{PREFIX}"}],
        "security": [{"key": []}],
        "paths": _paths(operations, schemas),
        "components": {
            "schemas": {name: schema for name, schema in schemas.items() if name not in _queries(operations)},
            "securitySchemes": {"key": KEY},
            "headers": {name: _header(says) for name, says in HEADERS.items()},
        },
    }
    return json.dumps(written, ensure_ascii=False).encode()


def _schemas(operations: Sequence[AnyOperation]) -> Mapping[str, Any]:
    heard = {model: None for one in operations for model in (one.query, one.body) if model}
    told = dict.fromkeys((*(one.gives for one in operations), Problem))
    asked: list[Any] = [*((model, "validation") for model in heard), *((model, "serialization") for model in told)]
    definitions: Mapping[str, Any] = models_json_schema(asked, ref_template=REF)[1]["$defs"]
    return definitions


def _queries(operations: Sequence[AnyOperation]) -> frozenset[str]:
    return frozenset(one.query.__name__ for one in operations)


def _paths(operations: Sequence[AnyOperation], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
        if links := _links(operation, operations):
            paths[operation.path][operation.method.lower()]["responses"]["200"]["links"] = links
    return paths


def _links(operation: AnyOperation, operations: Sequence[AnyOperation]) -> Mapping[str, Any]:
    """What can be asked with a number out of a list."""
    about = [one for one in operations if one.path.startswith(f"{operation.path}/{{")] if _is_list(operation) else []
    return {
        one.name: {
            "operationId": one.name,
            "parameters": {name: f"$response.body#/items/0/{name}" for name in _numbers(one)},
        }
        for one in about
    }


def _is_list(operation: AnyOperation) -> bool:
    return "cursor" in operation.query.model_fields


def _numbers(operation: AnyOperation) -> list[str]:
    return [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]


def _operation(operation: AnyOperation, schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    body = {"requestBody": {"required": True, "content": _content(operation.body)}} if operation.body else {}
    return {
        "operationId": operation.name,
        "tags": [operation.path.split("/")[1]],
        "summary": operation.summary,
        "description": operation.says,
        "parameters": _parameters(operation, schemas),
        **body,
        "responses": _responses(operation),
    }


def _parameters(operation: AnyOperation, schemas: Mapping[str, Any]) -> list[Any]:
    numbers = [{"name": name, "in": "path", "required": True, "schema": NUMBER} for name in _numbers(operation)]
    fields = schemas[operation.query.__name__].get("properties", {})
    asked = [_asked(name, schema) for name, schema in fields.items()]
    return [*numbers, *([IDEMPOTENCY_KEY] if operation.body else []), *asked]


def _asked(name: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field of a query's model; what is empty is as if it was not given."""
    kept = {key: value for key, value in schema.items() if key not in {"title", "description"}}
    says = {"description": schema["description"], "allowEmptyValue": True}
    return {"name": name, "in": "query", **says, "schema": kept}


def _responses(operation: AnyOperation) -> Mapping[str, Any]:
    good = (201, 200) if operation.body else (200,)
    refused = [*ALWAYS, *(OF_A_BODY if operation.body else OF_A_QUERY), *operation.refusals.values()]
    return {**{str(status): _good(operation, status) for status in good}, **_refusals(refused)}


def _good(operation: AnyOperation, status: int) -> Mapping[str, Any]:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
    if _is_list(operation):
        headers["Link"] = _header('The next page, with `rel="next"`.', "string")
    if operation.body and status == HTTPStatus.OK:
        headers["Idempotency-Replayed"] = _header("`true`: it was done before, and is not done again.", "string")
    return {
        "description": "As before" if "Idempotency-Replayed" in headers else HTTPStatus(status).phrase,
        "headers": headers,
        "content": _content(operation.gives),
    }


def _refusals(said: Iterable[Said]) -> Mapping[str, Any]:
    """One response for each status, with every title that it can have."""
    by_status: dict[int, list[Said]] = {}
    for one in dict.fromkeys(said):
        by_status.setdefault(one[0], []).append(one)
    return {str(status): _refusal(status, ones) for status, ones in sorted(by_status.items())}


def _refusal(status: int, said: Sequence[Said]) -> Mapping[str, Any]:
    headers = {"Retry-After": _header("Seconds to wait.")} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
    examples = {
        title: {"value": {"type": "about:blank", "title": title, "status": status, "detail": detail}}
        for _, title, detail in said
    }
    content = {CONTENT_TYPE: {"schema": {"$ref": REF.format(model=Problem.__name__)}, "examples": examples}}
    return {"description": "; ".join(title for _, title, _ in said), "headers": headers, "content": content}


def _content(model: type[Any]) -> Mapping[str, Any]:
    return {JSON: {"schema": {"$ref": REF.format(model=model.__name__)}}}


def _header(says: str, kind: str = "integer") -> dict[str, Any]:
    return {"description": says, "schema": {"type": kind}}
