"""Fits what is to be said to a phone's screen: whole if it can be, else on pages that lose nothing.

A page is cut between options, between words, and, where a word is longer than a screen, between graphemes.
An option keeps its number whatever page it stands on. The key for the next page is 98, which no option has;
`0` on a later page goes to the one before it.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import regex

from screens.alphabet import in_basic, septets, units

BACK, HOME, MORE = "0", "00", "98"
MOST_OPTIONS = 97
A_PAGEFUL = 10  # options: few pages have room for more
PREFIX = 4  # "CON " and "END " are part of what is sent, and may count
_graphemes = regex.compile(r"\X").findall


class Budget(NamedTuple):
    """How much a network's screen holds, prefix included.

    160 septets are the least of the limits that the provider gives for its networks (Safaricom, Nigeria; Airtel
    Kenya shows 184, the protocol carries 182). The same 140 octets hold 70 UTF-16 units.
    """

    septets: int = 160
    units: int = 70
    unicode: bool = False

    def holds(self, text: str) -> bool:
        """Whether `text` and the prefix before it fit on one screen."""
        cost = septets(text)
        if cost is not None:
            return cost + PREFIX <= self.septets
        return self.unicode and units(text) + PREFIX <= self.units


class Room(Protocol):
    """What a text is to fit into: a screen with the prefix before it, or an SMS with nothing around it."""

    @property
    def unicode(self) -> bool:
        """Whether it shows letters beyond GSM-7."""

    def holds(self, text: str) -> bool:
        """Whether all of `text` fits."""


class Showing(NamedTuple):
    """What a screen says, before anyone has asked how large the screen is."""

    text: str
    options: Sequence[tuple[str, str]] = ()
    back: str = ""
    more: str = "More"
    note: str = ""
    ends: bool = False


class Page(NamedTuple):
    """What one screen of the phone shows; `more` says whether 98 leads to another."""

    text: str
    more: bool = False
    ends: bool = False


def fit(showing: Showing, budget: Room, number: int = 0) -> Page:
    """Page `number` (from 0; past the end, the last) of what is to be said.

    Of a long list no more is put into words than its first pages have room for.
    """
    enough = A_PAGEFUL * (number + 2)
    if len(showing.options) > enough:
        pages = _pages_of(showing._replace(options=showing.options[:enough]), budget)
        if number + 2 < len(pages):  # the last two are made otherwise where more follows
            return pages[number]
    pages = _pages_of(showing, budget)
    return pages[min(number, len(pages) - 1)]


def _pages_of(showing: Showing, budget: Room) -> Sequence[Page]:
    foot = f"{BACK} {showing.back}" if showing.back else ""
    options = "\n".join(f"{key} {label}" for key, label in showing.options)
    parts = showing.note, showing.text, options, foot, f"{MORE} {showing.more}"
    note, text, options, foot, more = parts if budget.unicode else map(in_basic, parts)
    whole = _lines(note, text, options, foot)
    if budget.holds(whole):
        return [Page(whole, ends=showing.ends)]
    lines = [line for line in _lines(text, options).split("\n") if line]
    return _pages(lines, Frame(budget, note, _lines(more, foot), foot), ends=showing.ends)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the lines of every page: a note above, and below it the way on, or on the last page only back."""

    budget: Room
    note: str
    onward: str
    foot: str

    def holds(self, *lines: str) -> bool:
        """Whether a page that leads on has room for these lines."""
        return self.budget.holds(_lines(self.note, *lines, self.onward))

    def ends_with(self, *lines: str) -> bool:
        """Whether the last page has room for these lines."""
        return self.budget.holds(_lines(self.note, *lines, self.foot))


def _pages(lines: list[str], frame: Frame, *, ends: bool) -> Sequence[Page]:
    if frame.note and not frame.holds(_graphemes(lines[0])[0]):
        frame = replace(frame, note="")  # a note that leaves no room is worth less than the screen it is about
    *first, last = _split(lines, frame)
    onward = [Page(_lines(frame.note, text, frame.onward), more=True) for text in first]
    return [*onward, Page(_lines(frame.note, last, frame.foot), ends=ends)]


def _split(lines: list[str], frame: Frame) -> Iterator[str]:
    """Pages of whole lines; only a line that is longer than a page is cut."""
    left = list(lines)
    while left and not frame.ends_with(*left):
        page: list[str] = []
        while left and frame.holds(*page, left[0]):
            page.append(left.pop(0))
        if not page:
            head, left[0] = _cut(left[0], frame)
            page.append(head)
        elif not left:
            left.append(page.pop())
        yield _lines(*page)
    yield _lines(*left)


def _cut(line: str, frame: Frame) -> tuple[str, str]:
    """As much of `line` as fits, up to a space where there is one and never inside a grapheme, and the rest."""
    graphemes = _graphemes(line)
    most = bisect_right(
        range(len(graphemes)), False, key=lambda count: not frame.holds("".join(graphemes[: count + 1]))
    )
    if most == 0:
        raise ValueError("The screen is too small for a single character; give it at least 40 septets.")
    head = "".join(graphemes[:most])
    space = head.rfind(" ")
    if space > 0 and most < len(graphemes):
        head = head[:space]
    return head, line[len(head) :].lstrip(" ")


def _lines(*blocks: str) -> str:
    return "\n".join(block for block in blocks if block)
