"""Numbers as people type them: in groups, in any digits, with the letter O for a nought and I or l for a one."""

from collections.abc import Iterator, Sequence

from sms.keywords.spelling import Token, as_digits

NUMBER = 12  # digits of a tracking number


def leading(words: Sequence[Token]) -> tuple[str, int]:
    """The digits that a text begins with, and of how many of its words they are; `("", 0)` where it begins with none.

    Groups are one number as long as it has fewer digits than a tracking number.
    """
    taken = ""
    for used, _ in enumerate(words):
        digits = _digits(words, used)
        if not digits or len(taken) == NUMBER:
            return taken, used
        taken += digits
    return taken, len(words)


def runs(words: Sequence[Token]) -> Iterator[str]:
    """Every number of a text."""
    at = 0
    while at < len(words):
        number, used = leading(words[at : at + NUMBER])
        if number:
            yield number
        at += used or 1


def numbers_only(words: Sequence[Token]) -> bool:
    """Whether there is a word, and every one is a number or letters like digits that touch one."""
    return bool(words) and all(_digits(words, at) for at in range(len(words)))


def _digits(words: Sequence[Token], at: int) -> str:
    """The digits of a word, where it is a number or letters like digits that touch one."""
    token = words[at]
    if token.is_number:
        return token.key
    before, after = words[max(at - 1, 0) : at], words[at + 1 : at + 2]
    touches = any(it.is_number and it.end == token.start for it in before)
    touches = touches or any(it.is_number and it.start == token.end for it in after)
    return as_digits(token.key) if touches else ""
