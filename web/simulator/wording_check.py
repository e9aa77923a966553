"""Check the wording of the demo phone's texts in `words.js`, as the locales and the catalogue are checked."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from core.errors import Problem, display_path
from core.languages import LANGUAGE_CODES
from core.toml_source import read_utf8
from core.wording import find_wording_problems

WORDS_FILE: Final = Path(__file__).with_name("words.js")
_match_language = re.compile(rf"const ({'|'.join(LANGUAGE_CODES)}) = \{{").match
_match_text = re.compile(r'  (\w+):\s+"(.*)",$').match


def find_simulator_problems(path: Path = WORDS_FILE) -> Iterator[Problem]:
    """The problems of each text. A text is a line `key: "…",` of the object of its language."""
    language = ""
    for number, line in enumerate(read_utf8(path).split("\n"), 1):
        if found := _match_language(line):
            language = found[1]
        elif line.startswith("}"):
            language = ""
        elif language and (text := _match_text(line)):
            for problem, fix in find_wording_problems(language, text[2]):
                yield Problem(display_path(path), number, f"{language}.{text[1]}", problem, fix)
