"""Bring the path of a request into the form in which routes are registered."""

import re
from typing import Final

_SLASHES: Final = re.compile("/{2,}")


def normalize_path(path: str) -> str:
    """The path without a slash at its end and without two in a row, which people add when they type a webhook's address.

    No route has either. Dots and percent-encoded slashes stay as they are.
    """
    if "//" not in path and path[-1:] != "/":
        return path
    return _SLASHES.sub("/", path).rstrip("/") or "/"
