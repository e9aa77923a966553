"""Read a secret or another value from a file of its own, and take away what nobody sees around a value."""

import re
from pathlib import Path
from typing import Any, Final

_INVISIBLE: Final = r"[\s\u200b\u2060\ufeff]+"
_AROUND: Final = re.compile(f"^{_INVISIBLE}|{_INVISIBLE}$")


def read_value_file(path: Path) -> str:
    """The text of a file without blanks, line ends and byte order marks around it, which editors and shells write.

    Raises:
        OSError: the file cannot be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    return strip_invisible(path.read_text(encoding="utf-8"))


def strip_invisible(text: str) -> str:
    """The text without white space, byte order marks and other characters without width at its ends."""
    return _AROUND.sub("", text)


def strip_texts(value: Any) -> Any:
    """The value with every text in its lists and tables stripped."""
    if isinstance(value, dict):
        return {key: strip_texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [strip_texts(one) for one in value]
    return strip_invisible(value) if isinstance(value, str) else value
