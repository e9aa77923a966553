"""Identity numbers: the validators of python-stdnum by name, such as `in_.aadhaar` or `in_.pan`."""

import importlib
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from stdnum.exceptions import ValidationError

_NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?")
_EXAMPLE_PATTERN = re.compile(r"""validate\(['"]([^'"]+)['"]\)""")


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


def list_samples(name: str) -> Sequence[str]:
    """The valid numbers among the examples in the scheme's documentation, in their compact form.

    None are found where Python runs without docstrings (`-OO`).

    Raises:
        UnknownSchemeError: python-stdnum has no such scheme.
    """
    documentation = importlib.import_module(find_validator(name).__module__).__doc__ or ""
    numbers = (normalize_number(name, example) for example in _EXAMPLE_PATTERN.findall(documentation))
    return [number for number in numbers if number]
