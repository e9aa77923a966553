"""Describe what pydantic rejects in our words: a problem and its fix, without the value, which may be a secret."""

import difflib
from collections.abc import Iterable, Mapping
from inspect import get_annotations, isclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails


def describe_error(model: type[BaseModel], error: ErrorDetails) -> tuple[str, str]:
    """The problem and its fix of an error that the validation of `model` has found."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "plain":
        return context["problem"], context["fix"]
    if kind == "extra_forbidden":
        *above, name = error["loc"]
        return "there is no such setting", suggest_similar(str(name), _keys_at(model, above))
    problem, fix = _ERROR_TEXTS[kind]
    if kind == "literal_error" and error["loc"][0] == "languages":
        return "there is no such language", f"write {context['expected']}, or {_NEW_LANGUAGE}"
    return problem, fix.format(**context)


def suggest_similar(name: str, known: Iterable[str], prefix: str = "") -> str:
    """The fix of an unknown name: the known one that is most like it. All names begin with `prefix`."""
    close = difflib.get_close_matches(name.removeprefix(prefix), [one.removeprefix(prefix) for one in known], n=1)
    return f"did you mean {prefix}{close[0]}?" if close else "take it out, or see config.toml for what there is"


def find_extra_type(model: object) -> Any:
    """The type of the values that a model takes under names that it does not list; None where it takes none."""
    if not isclass(model) or not issubclass(model, BaseModel) or model.model_config.get("extra") != "allow":
        return None
    annotations = (get_annotations(base).get("__pydantic_extra__") for base in model.__mro__)
    return get_args(next(filter(None, annotations), dict[str, Any]))[-1]


def _keys_at(model: type[BaseModel], key_path: Iterable[int | str]) -> Iterable[str]:
    """The keys that the table at `key_path` can have."""
    annotation: Any = model
    for key in key_path:
        annotation = _type_at(annotation, str(key))
    fields: Mapping[str, object] = annotation.model_fields
    return fields


def _type_at(annotation: Any, key: str) -> Any:
    if not isclass(annotation) or not issubclass(annotation, BaseModel):
        values = [one for one in get_args(annotation) if one is not Ellipsis]
        return values[-1]  # a mapping: the type of its values; a list: that of its items
    field = annotation.model_fields.get(key)
    return field.annotation if field else find_extra_type(annotation)


_NEW_LANGUAGE = "add its files languages/XX.toml, menus/locales/XX.toml and sms/keywords/words/XX.toml (docs/how-to/add-a-language.md)"
_NOT_AN_INTEGER = "this is not a whole number", "write one such as 300"
_NOT_A_NUMBER = "this is not a number", "write one such as 1.5"
_NOT_A_BOOLEAN = "this is neither true nor false", "write true or false"
_NOT_A_STRING = "this is not text", "put it in quotes"
_NOT_A_TABLE = "this is not a table", "write its keys under a [header]"
_MISSING = "this key is missing", "add it"
_ERROR_TEXTS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("int_parsing", "int_parsing_size", "int_type", "int_from_float"), _NOT_AN_INTEGER),
    **dict.fromkeys(("float_parsing", "float_type", "finite_number"), _NOT_A_NUMBER),
    **dict.fromkeys(("bool_parsing", "bool_type"), _NOT_A_BOOLEAN),
    **dict.fromkeys(("string_type", "path_type"), _NOT_A_STRING),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type"), _NOT_A_TABLE),
    "missing": _MISSING,
    "tuple_type": ("this is not a list", 'write one such as ["en", "bn"]'),
    "literal_error": ("this is not one of what it may be", "write {expected}"),
    "greater_than_equal": ("this is too small", "write {ge} or more"),
    "greater_than": ("this is too small", "write more than {gt:g}"),
    "less_than_equal": ("this is too large", "write {le:g} or less"),
    "less_than": ("this is too large", "write less than {lt:g}"),
}
"""Kind of error of pydantic to our problem and fix. A test gives odd values to every key."""
