"""Notices of a network that numbers were taken from their holders, as a file: one line for each number."""

from datetime import date
from typing import Final, NamedTuple

from core.errors import Problem, ValidationFailedError
from core.phone_numbers import is_e164

HEADER: Final = "number,taken_on"
EXAMPLE: Final = "+8801711000001,2026-11-01"
MAX_LINES: Final = 100_000


class NumberNotice(NamedTuple):
    """A number, the day on which the network took it from its holder, and the line of the file."""

    msisdn: str
    taken_on: date
    line: int


class NoticeCounts(NamedTuple):
    """The notices of a file: numbers that were released, were released by the same file before, and were not known."""

    released: int
    repeated: int
    unknown: int


def parse_notices(text: str, file: str, today: date) -> list[NumberNotice]:
    """The notices in a file: `number,taken_on`, with or without that line at the top. Empty lines are skipped.

    Raises:
        ValidationFailedError: names every line that is wrong; no line quotes a number.
    """
    notices: list[NumberNotice] = []
    problems: list[Problem] = []
    first_lines: dict[str, int] = {}
    for place, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if not line.strip() or (place == 1 and line.replace(" ", "").casefold() == HEADER):
            continue
        notice, problem = _parse_line(line, place, today)
        if notice is None:
            problems.append(Problem(file, place, "", problem, f"write {EXAMPLE}"))
        elif notice.msisdn in first_lines:
            earlier = first_lines[notice.msisdn]
            problems.append(Problem(file, place, "", f"this number is on line {earlier} too", "leave one of both out"))
        else:
            first_lines[notice.msisdn] = place
            notices.append(notice)
    if len(notices) > MAX_LINES:
        problems.append(Problem(file, 0, "", f"there are more than {MAX_LINES} numbers", "split the file"))
    if not notices and not problems:
        problems.append(Problem(file, 0, "", "there is no number", f"write lines such as {EXAMPLE}"))
    if problems:
        raise ValidationFailedError(problems)
    return notices


def _parse_line(line: str, place: int, today: date) -> tuple[NumberNotice | None, str]:
    """The notice, or what is wrong with the line."""
    cells = [cell.strip().strip('"') for cell in line.split(",")]
    if len(cells) != len(HEADER.split(",")):
        return None, "this is not a number and a day"
    msisdn, day = cells
    if not is_e164(msisdn):
        return None, "the first cell is not a phone number with a plus"
    try:
        taken_on = date.fromisoformat(day)
    except ValueError:
        return None, "the second cell is not a day"
    if not date(2000, 1, 1) <= taken_on <= today:
        return None, "the day is not in the past"
    return NumberNotice(msisdn, taken_on, place), ""
