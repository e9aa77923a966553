"""Builds openapi.json (OpenAPI 3.1) from the operations and their models; no description is written twice."""

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from core.http.webhooks import MAX_BODY_BYTES
from web.api.errors import CONTENT_TYPE, INTERNAL_ERROR, UNAVAILABLE, ProblemSpec
from web.api.models.common import Problem
from web.api.operations import AnyOperation
from web.api.routes import (
    INVALID_REQUEST,
    JSON,
    MAX_KEY_LENGTH,
    MISSING_IDEMPOTENCY_KEY,
    NOT_JSON,
    OTHER_KIND_OF_KEY,
    PREFIX,
    TOO_MANY_REQUESTS,
    UNKNOWN_KEY,
    UNSUPPORTED_MEDIA_TYPE,
)

SCHEMA_REF: Final = "#/components/schemas/{model}"
TOO_LARGE: Final[ProblemSpec] = (413, "Too large", f"A body is at most {MAX_BODY_BYTES} bytes long.")
RETRIED_LATER: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
COMMON_PROBLEMS: Final = (UNKNOWN_KEY, OTHER_KIND_OF_KEY, TOO_MANY_REQUESTS, INTERNAL_ERROR, UNAVAILABLE)
QUERY_PROBLEMS: Final = (INVALID_REQUEST,)
BODY_PROBLEMS: Final = (MISSING_IDEMPOTENCY_KEY, NOT_JSON, UNSUPPORTED_MEDIA_TYPE, TOO_LARGE, INVALID_REQUEST)
NUMBER_SCHEMA: Final = {"type": "string", "pattern": "^[0-9]{12}$", "examples": ["123456789015"]}
IDEMPOTENCY_KEY_PARAMETER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Your own name for this change: the same one with the same body is answered as before.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "examples": ["2026-11-21-0001"]},
}
RATE_LIMIT_HEADERS: Final = {
    "RateLimit-Limit": "How many requests this key may make in a minute.",
    "RateLimit-Remaining": "How many of them are left.",
    "RateLimit-Reset": "In how many seconds the next minute begins.",
}
KEY_SCHEME: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A department's key, as `server.py keys add` showed it. It sees its own department only. A network has a key of its own kind.",
}


def build_document(operations: Sequence[AnyOperation], url: str) -> bytes:
    """openapi.json for a gateway at `url`, in UTF-8."""
    schemas = _build_schemas(operations)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Ekdial department API",
            "version": "1",
            "description": "What a department's own system reads and reports. Errors are RFC 9457 problem documents.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": f"{url}{PREFIX}"}],
        "security": [{"key": []}],
        "paths": _build_paths(operations, schemas),
        "components": {
            "schemas": {name: schema for name, schema in schemas.items() if name not in _query_model_names(operations)},
            "securitySchemes": {"key": KEY_SCHEME},
            "headers": {name: _describe_header(text) for name, text in RATE_LIMIT_HEADERS.items()},
        },
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _build_schemas(operations: Sequence[AnyOperation]) -> Mapping[str, Any]:
    requests = {model: None for one in operations for model in (one.query_model, one.body_model) if model}
    responses = dict.fromkeys((*(one.response_model for one in operations), Problem))
    models: list[Any] = [
        *((model, "validation") for model in requests),
        *((model, "serialization") for model in responses),
    ]
    definitions: Mapping[str, Any] = models_json_schema(models, ref_template=SCHEMA_REF)[1]["$defs"]
    return definitions


def _query_model_names(operations: Sequence[AnyOperation]) -> frozenset[str]:
    return frozenset(one.query_model.__name__ for one in operations)


def _build_paths(operations: Sequence[AnyOperation], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe_operation(operation, schemas)
        if links := _build_links(operation, operations):
            paths[operation.path][operation.method.lower()]["responses"]["200"]["links"] = links
    return paths


def _build_links(operation: AnyOperation, operations: Sequence[AnyOperation]) -> Mapping[str, Any]:
    """The operations that take a number out of this list, as OpenAPI links."""
    if not _is_list(operation):
        return {}
    same_resource = [one for one in operations if one.path.startswith(f"{operation.path}/{{")]
    return {
        one.name: {
            "operationId": one.name,
            "parameters": {name: f"$response.body#/items/0/{name}" for name in _path_parameters(one)},
        }
        for one in same_resource
    }


def _is_list(operation: AnyOperation) -> bool:
    return "cursor" in operation.query_model.model_fields


def _path_parameters(operation: AnyOperation) -> list[str]:
    return [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]


def _describe_operation(operation: AnyOperation, schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    body = (
        {"requestBody": {"required": True, "content": _json_content(operation.body_model)}}
        if operation.body_model
        else {}
    )
    return {
        "operationId": operation.name,
        "tags": [operation.path.split("/")[1]],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": _parameters(operation, schemas),
        **body,
        "responses": _build_responses(operation),
    }


def _parameters(operation: AnyOperation, schemas: Mapping[str, Any]) -> list[Any]:
    numbers = [
        {"name": name, "in": "path", "required": True, "schema": NUMBER_SCHEMA} for name in _path_parameters(operation)
    ]
    fields = schemas[operation.query_model.__name__].get("properties", {})
    query = [_query_parameter(name, schema) for name, schema in fields.items()]
    return [*numbers, *([IDEMPOTENCY_KEY_PARAMETER] if operation.body_model else []), *query]


def _query_parameter(name: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field of a query model; an empty value counts as missing."""
    value_schema = {key: value for key, value in schema.items() if key not in {"title", "description"}}
    description = {"description": schema["description"], "allowEmptyValue": True}
    return {"name": name, "in": "query", **description, "schema": value_schema}


def _build_responses(operation: AnyOperation) -> Mapping[str, Any]:
    statuses = (201, 200) if operation.body_model else (200,)
    problems = [
        *COMMON_PROBLEMS,
        *(BODY_PROBLEMS if operation.body_model else QUERY_PROBLEMS),
        *operation.problems.values(),
    ]
    return {
        **{str(status): _success_response(operation, status) for status in statuses},
        **_problem_responses(problems),
    }


def _success_response(operation: AnyOperation, status: int) -> Mapping[str, Any]:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in RATE_LIMIT_HEADERS}
    if _is_list(operation):
        headers["Link"] = _describe_header('The next page, with `rel="next"`.', "string")
    if operation.body_model and status == HTTPStatus.OK:
        headers["Idempotency-Replayed"] = _describe_header(
            "`true`: it was done before, and is not done again.", "string"
        )
    return {
        "description": "As before" if "Idempotency-Replayed" in headers else HTTPStatus(status).phrase,
        "headers": headers,
        "content": _json_content(operation.response_model),
    }


def _problem_responses(specs: Iterable[ProblemSpec]) -> Mapping[str, Any]:
    """One response for each status, with an example for every title."""
    by_status: dict[int, list[ProblemSpec]] = {}
    for one in dict.fromkeys(specs):
        by_status.setdefault(one[0], []).append(one)
    return {str(status): _problem_response(status, ones) for status, ones in sorted(by_status.items())}


def _problem_response(status: int, specs: Sequence[ProblemSpec]) -> Mapping[str, Any]:
    headers = {"Retry-After": _describe_header("Seconds to wait.")} if status in RETRIED_LATER else {}
    examples = {
        title: {"value": {"type": "about:blank", "title": title, "status": status, "detail": detail}}
        for _, title, detail in specs
    }
    content = {CONTENT_TYPE: {"schema": {"$ref": SCHEMA_REF.format(model=Problem.__name__)}, "examples": examples}}
    return {"description": "; ".join(title for _, title, _ in specs), "headers": headers, "content": content}


def _json_content(model: type[Any]) -> Mapping[str, Any]:
    return {JSON: {"schema": {"$ref": SCHEMA_REF.format(model=model.__name__)}}}


def _describe_header(description: str, kind: str = "integer") -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}
