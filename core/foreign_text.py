"""Make the text of a stranger harmless where another program interprets it: a mail reader, a spreadsheet."""

import re
from typing import Final

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_SCHEME: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*):(?=//)")
_DOT_IN_HOST: Final = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2})")
_AT_IN_ADDRESS: Final = re.compile(r"(?<=\S)@(?=\S)")


def break_links(text: str) -> str:
    """The text with brackets in every URL, host name and e-mail address, so that no program makes a link of it."""
    return _AT_IN_ADDRESS.sub("[@]", _DOT_IN_HOST.sub("[.]", _SCHEME.sub(r"\1[:]", text)))


def escape_formula(cell: str) -> str:
    """The text for a cell of a spreadsheet; with an apostrophe before it where it would be read as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
