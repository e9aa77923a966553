"""Identity numbers: the checks of python-stdnum, found by name, such as `in_.aadhaar` or `in_.pan`."""

import importlib
import re
from collections.abc import Callable
from functools import lru_cache

from stdnum.exceptions import ValidationError

_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?")


class UnknownScheme(Exception):
    """python-stdnum has no scheme of this name."""


@lru_cache
def scheme(name: str) -> Callable[[str], str]:
    """The check of a scheme: a number as typed to its compact form.

    The check raises `stdnum.exceptions.ValidationError` for a number that cannot be one.

    Raises:
        UnknownScheme: python-stdnum has no such module, or it checks nothing.
    """
    if not _NAME.fullmatch(name):
        raise UnknownScheme(name)
    try:
        validate: Callable[[str], str] = importlib.import_module(f"stdnum.{name}").validate
    except (ImportError, AttributeError):
        raise UnknownScheme(name) from None
    return validate


def compact(name: str, typed: str) -> str | None:
    """The number in the form in which it is kept, or None when it cannot be one of this scheme."""
    try:
        return scheme(name)(typed)
    except ValidationError:
        return None
