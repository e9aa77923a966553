"""Clock times as people say them: `9:30 am`, `সকাল ৯:৩০টা`, `शाम 5 बजे`.

The words are the table `[terms.clock]` of a locale. A key is the time of day from which its text is used, until the next key;
the first is `00:00`. `{time}` is the time on a clock of 12 hours, without the minutes on the full hour.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

CLOCK_TERMS: Final = "clock"
FIRST_TIME: Final = "00:00"
_match_time = re.compile(r"([01]\d|2[0-3]):[0-5]\d").fullmatch


def format_clock_time(texts: Mapping[str, str], time_of_day: str) -> str:
    """`time_of_day`, such as `17:30` or `17:30 (GMT+4)`, in the words of `texts`; what follows the time stays as it is."""
    clock, separator, zone = time_of_day.partition(" ")
    starts = _sorted_starts(tuple(texts))
    text = texts[starts[bisect_right(starts, clock) - 1]]
    return text.replace("{time}", _twelve_hours(clock)) + separator + zone


def longest_clock_time(texts: Mapping[str, str]) -> str:
    """The time of day whose text is the longest."""
    times = (f"{hour:02}:59" for hour in range(24))
    return max(times, key=lambda time: len(format_clock_time(texts, time)))


def find_clock_problems(keys: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the keys of `[terms.clock]`: the key, the problem and the fix."""
    known = list(keys)
    for key in known:
        if not _match_time(key):
            yield key, "this is not a time of day", 'write it as "17:00"'
    if FIRST_TIME not in known:
        yield FIRST_TIME, "the time after midnight has no text", f'add "{FIRST_TIME}"'


@lru_cache
def _sorted_starts(starts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(starts))


def _twelve_hours(clock: str) -> str:
    hour, _, minute = clock.partition(":")
    return f"{int(hour) % 12 or 12}" + (f":{minute}" if minute != "00" else "")
