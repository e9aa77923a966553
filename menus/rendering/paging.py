"""Fit a screen into the size of a phone's display: whole, or split into pages without losing a character.

Pages are split between options, after a comma or a sentence, between words, and within a word that is longer than a screen
between graphemes. No page but the last is less than half full, if a line can be split. An option keeps its number on every
page. A note about a rejected input stands on the page that the caller sees and moves no line to another page. The key of the next page is 98, which no option has; `0` on a
later page goes to the previous one.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import regex

from core.gsm7 import count_septets, count_utf16_units, to_basic_alphabet

BACK_KEY, HOME_KEY, MORE_KEY = "0", "00", "98"
MAX_OPTIONS = 97
OPTIONS_PER_PAGE = 10  # options; few pages have room for more
PREFIX_LENGTH = 4  # "CON " and "END " are part of the reply and may count
_graphemes = regex.compile(r"\X").findall
PAUSES = frozenset(",;।.?!")
_find_spaces = regex.compile(r"(?<=\S) ").finditer
# A date, a number in groups, and the key of an option with the word after it.
_find_units = regex.compile(r"\d{1,2} [\p{L}\p{M}]+ \d{4}|\+?\d+(?:[ -]\d+)+|^\d{1,2} +\S+").finditer


class ScreenBudget(NamedTuple):
    """The size of a network's USSD screen, prefix included, in GSM-7 septets or UTF-16 units.

    The provider states a limit per network; 160 septets is the smallest (Safaricom, Nigeria; Airtel Kenya 184, the protocol
    182). The same 140 bytes hold 70 UTF-16 units.
    """

    septets: int = 160
    units: int = 70
    unicode: bool = False

    def fits(self, text: str) -> bool:
        """Whether the text fits on one screen together with its prefix."""
        cost = count_septets(text)
        if cost is not None:
            return cost + PREFIX_LENGTH <= self.septets
        return self.unicode and count_utf16_units(text) + PREFIX_LENGTH <= self.units


class SizeLimit(Protocol):
    """The size that a text must fit into: a USSD screen with its prefix, or an SMS."""

    @property
    def unicode(self) -> bool:
        """Whether characters beyond GSM-7 are displayed."""

    def fits(self, text: str) -> bool:
        """Whether the whole text fits."""


class ScreenView(NamedTuple):
    """The contents of a screen before paging."""

    text: str
    options: Sequence[tuple[str, str]] = ()
    back_label: str = ""
    more_label: str = "More"
    note: str = ""
    ends_session: bool = False


class Page(NamedTuple):
    """One page. `has_more`: 98 leads to another page, or where `is_partial` to the same one without its note."""

    text: str
    has_more: bool = False
    ends_session: bool = False
    is_partial: bool = False


def paginate(view: ScreenView, limit: SizeLimit, page_number: int = 0) -> Page:
    """Page `page_number` of a screen, counted from 0; past the end, the last page.

    Pages begin and end at the same lines with a note and without one. Of a long list only the rows of the pages up to this
    one are rendered.
    """
    enough = OPTIONS_PER_PAGE * (page_number + 2)
    if len(view.options) > enough:
        pages = _build_pages(view._replace(options=view.options[:enough]), limit)
        if page_number + 2 < len(pages):  # the last two pages differ where more options follow
            return pages[page_number]
    pages = _build_pages(view, limit)
    return pages[min(page_number, len(pages) - 1)]


def iter_pages(view: ScreenView, limit: SizeLimit) -> Iterator[Page]:
    """The pages that a caller sees who presses 98 until the last one: the note stands on the first."""
    page, number = paginate(view, limit), 0
    yield page
    while page.has_more:
        number += not page.is_partial
        page = paginate(view._replace(note=""), limit, number)
        yield page


def _build_pages(view: ScreenView, limit: SizeLimit) -> Sequence[Page]:
    foot = f"{BACK_KEY} {view.back_label}" if view.back_label else ""
    options = "\n".join(f"{key} {label}" for key, label in view.options)
    parts = view.note, view.text, options, foot, f"{MORE_KEY} {view.more_label}"
    note, text, options, foot, more = parts if limit.unicode else map(to_basic_alphabet, parts)
    frame = PageFrame(limit, _join_blocks(more, foot), foot)
    lines = [line for line in _join_blocks(text, options).split("\n") if line]
    if limit.fits(_join_blocks(text, options, foot)):
        pages = [Page(_join_blocks(text, options, foot), ends_session=view.ends_session)]
        contents = [lines]
    else:
        contents = list(_split_lines(lines, frame))
        *first, last = contents
        pages = [Page(_join_blocks(*page, frame.continuation), has_more=True) for page in first]
        pages.append(Page(_join_blocks(*last, frame.footer), ends_session=view.ends_session))
    if not note:
        return pages
    choices = frozenset(options.split("\n"))
    return [_add_note(note, page, content, choices, frame) for page, content in zip(pages, contents, strict=True)]


def _add_note(note: str, page: Page, lines: Sequence[str], choices: Collection[str], frame: "PageFrame") -> Page:
    """The page under a note.

    Where both do not fit: the note with the first options of the page, or with its first lines where it has none.
    """
    noted = _join_blocks(note, page.text)
    if frame.budget.fits(noted):
        return page._replace(text=noted)
    if not frame.fits(note):
        note, _ = _split_line(note, frame)
    rest = [line for line in lines if line in choices] or list(lines)
    shown = next(rest[:count] for count in range(len(rest), -1, -1) if frame.fits(note, *rest[:count]))
    return Page(_join_blocks(note, *shown, frame.continuation), has_more=True, is_partial=True)


@dataclass(frozen=True, slots=True)
class PageFrame:
    """What is below the lines of a page: the way to the next page, or on the last page only back."""

    budget: SizeLimit
    continuation: str
    footer: str

    def fits(self, *lines: str) -> bool:
        """Whether a page that leads on has room for these lines."""
        return self.budget.fits(_join_blocks(*lines, self.continuation))

    def fits_last_page(self, *lines: str) -> bool:
        """Whether the last page has room for these lines."""
        return self.budget.fits(_join_blocks(*lines, self.footer))

    def is_less_than_half_full(self, lines: Sequence[str]) -> bool:
        """Whether a page that leads on has room for as much again."""
        return self.fits(*lines, *lines)


def _split_lines(lines: list[str], frame: PageFrame) -> Iterator[list[str]]:
    """Split lines into pages. A line is cut where it is longer than a page, or the page before it less than half full."""
    remaining = list(lines)
    while remaining and not frame.fits_last_page(*remaining):
        page: list[str] = []
        while remaining and frame.fits(*page, remaining[0]):
            page.append(remaining.pop(0))
        if not remaining:
            remaining.append(page.pop())
        if remaining and frame.is_less_than_half_full(page):
            head, rest = _split_line(remaining[0], frame, page)
            if head:
                page.append(head)
                remaining[0] = rest
        yield page
    yield remaining


def _split_line(line: str, frame: PageFrame, before: Sequence[str] = ()) -> tuple[str, str]:
    """Split a line where the page is full: after a comma or a sentence in its second half, else at a space if there is one.

    A date or a number in groups is split only if no page holds it, and so is a grapheme. Below the lines `before` the first
    part is empty where there is no place to split.

    Raises:
        ValueError: the screen is too small for a single character.
    """
    graphemes = _graphemes(line)
    if not before and not frame.fits(graphemes[0]):
        graphemes = list(line)  # a character with more marks on it than a screen holds
    count_that_fits = bisect_right(
        range(len(graphemes)),
        False,
        key=lambda count: not frame.fits(*before, "".join(graphemes[: count + 1])),
    )
    if count_that_fits == 0:
        if before:
            return "", line
        raise ValueError("The screen is too small for a single character; give it at least 40 septets.")
    head = "".join(graphemes[:count_that_fits])
    if count_that_fits < len(graphemes):
        end = _find_split(line, len(head))
        head = head[:end] if end or before else head
    return head, line[len(head) :].lstrip(" ")


def _find_split(line: str, end: int) -> int:
    """Where to split a line of which `end` characters fit; 0 where there is no place."""
    beginning = line[: end + 1]  # it may end in the space at which the page is full
    units = [match.span() for match in _find_units(line)]
    ends = [match.start() for match in _find_spaces(beginning)]
    spaces = [at for at in ends if not any(start < at < stop for start, stop in units)]
    pauses = [at for at in spaces if line[at - 1] in PAUSES and at > end // 2]
    return max(pauses or spaces, default=0)


def _join_blocks(*blocks: str) -> str:
    return "\n".join(block for block in blocks if block)
