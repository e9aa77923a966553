"""Identity numbers: the validators of python-stdnum by name, such as `in_.aadhaar` or `in_.pan`."""

import importlib
import re
from collections.abc import Callable
from functools import lru_cache

from stdnum.exceptions import ValidationError

_NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?")


class UnknownSchemeError(Exception):
    """python-stdnum has no scheme of this name."""


@lru_cache
def find_validator(name: str) -> Callable[[str], str]:
    """The validator of a scheme, which returns a number in its compact form.

    The validator raises `stdnum.exceptions.ValidationError` for an invalid number.

    Raises:
        UnknownSchemeError: python-stdnum has no such module, or the module has no validator.
    """
    if not _NAME_PATTERN.fullmatch(name):
        raise UnknownSchemeError(name)
    try:
        validate: Callable[[str], str] = importlib.import_module(f"stdnum.{name}").validate
    except (ImportError, AttributeError):
        raise UnknownSchemeError(name) from None
    return validate


def normalize_number(name: str, text: str) -> str | None:
    """The number in its compact form, or None if it is invalid in this scheme."""
    try:
        return find_validator(name)(text)
    except ValidationError:
        return None
