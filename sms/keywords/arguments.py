"""What stands after a keyword, read as that keyword takes it."""

from collections.abc import Callable, Mapping
from typing import Final

import regex

from sms.keywords.numerals import NUMBER, leading, runs
from sms.keywords.phrases import Said, first, without_courtesies
from sms.keywords.spelling import tokens
from sms.keywords.vocabulary import Name, known

FEW: Final = 4  # words after a keyword: with more of them, what begins like a command is a sentence
NUMBER_WITHIN: Final = 3  # words of a complaint
CLOSED: Final = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "<": ">", "[": "]", "(": ")", "{": "}"}
_only_punctuation = regex.compile(r"[\p{P}\s]*").fullmatch
_separators = regex.compile(r"[\s\x1c-\x1f\p{Cf}#*\-–—,.:;=/\\|_।]*").match


def unquoted(text: str) -> str:
    """Without a quote or bracket that a text begins with, wherever it is closed."""
    bare = _bare(text)
    closed = CLOSED.get(bare[:1])
    return bare[1:].replace(closed, "", 1) if closed else bare


def _unwrapped(rest: str) -> str:
    """Without the separators before it, and without the quotes or brackets around it that instructions have."""
    rest = _bare(rest).rstrip()
    if len(rest) > 1 and CLOSED.get(rest[0]) == rest[-1]:
        return rest[1:-1].strip()
    return rest


def _bare(text: str) -> str:
    separators = _separators(text)
    return text[separators.end() :] if separators else text


def _nothing(said: Said) -> str | None:
    return None if said.extras() else ""


def _stop(said: Said) -> str | None:
    """Nothing; but who is angry says it more than once."""
    left = said.extras()
    while (again := first(left)) and again.word.table == "stop" and not again.word.near:
        left = left[again.length :]
    return None if left else ""


def _everything(said: Said) -> str:
    rest = _unwrapped(said.text[said.end :])
    return "" if _only_punctuation(rest) else rest


def _words(said: Said) -> str:
    """Everything, where there is more than courtesies."""
    return _everything(said) if without_courtesies(said.after) else ""


def _line(said: Said) -> str:
    """The rest of the line or, where nothing is on it, the next; a number alone as its digits."""
    if not without_courtesies(said.after):
        return ""
    number, used = leading(said.after)
    if used and not said._replace(after=said.after[used:]).extras():
        return number
    return _unwrapped(next(line for line in _everything(said).splitlines() if tokens(line)))


def _little(said: Said) -> str | None:
    return _line(said) if len(said.extras()) < FEW else None


def _name(said: Said) -> str | None:
    """A name, or nothing where what stands there can be none; then it is asked for."""
    extras = said.extras()
    if len(extras) > FEW:
        return None
    unlike = known().not_names
    return "" if any(token.is_number or token.key in unlike for token in extras) else _line(said)


def _tracking(said: Said) -> str:
    """The tracking number, wherever it stands; else what could be meant as one; else the words there are."""
    numbers = list(runs(said.after))
    if right := next((number for number in numbers if len(number) == NUMBER), ""):
        return right
    longest = max(numbers, key=len, default="")
    return longest if len(longest) >= NUMBER - FEW else _line(said)


def _refused(said: Said) -> str | None:
    """The tracking number; without one, who says no means something else."""
    number = _tracking(said)
    return number if number.isdigit() else None


def _complaint(said: Said) -> str:
    """Everything, with a tracking number at its beginning (or after `no.`) in twelve digits."""
    for before in range(NUMBER_WITHIN):
        number, used = leading(said.after[before:])
        if len(number) == NUMBER:
            return f"{number} {_unwrapped(said.text[said.after[before + used - 1].end :])}".rstrip()
    return _everything(said)


def _language(said: Said) -> str | None:
    if len(said.extras()) >= FEW:
        return None
    called = known().languages.get(said.after[0].key) if said.after else None
    return called.table if called else _line(said)


TAKES: Mapping[Name, Callable[[Said], str | None]] = {
    "status": _tracking,
    "reg": _name,
    "pin": _nothing,
    "apply": _line,
    "services": _little,
    "documents": _little,
    "complain": _complaint,
    "feedback": _everything,
    "app": _little,
    "menu": _little,
    "lang": _language,
    "refuse": _refused,
    "help": _words,
    "stop": _stop,
    "start": _nothing,
    "operator": _nothing,
}
"""How what follows each keyword is read; None where it is not what follows that keyword."""
