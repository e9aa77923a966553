"""Fit a screen into the size of a phone's display: whole, or split into pages without losing a character.

Pages are split between options, after a comma or a sentence, between words, and within a word that is longer than a screen
between graphemes. An option keeps its number on every page. The key of the next page is 98, which no option has; `0` on a
later page goes to the previous one.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import regex

from core.gsm7 import count_septets, count_utf16_units, to_basic_alphabet

BACK_KEY, HOME_KEY, MORE_KEY = "0", "00", "98"
MAX_OPTIONS = 97
OPTIONS_PER_PAGE = 10  # options; few pages have room for more
PREFIX_LENGTH = 4  # "CON " and "END " are part of the reply and may count
_graphemes = regex.compile(r"\X").findall
_find_pauses = regex.compile(r"[,;।.?!] ").finditer


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
    """One page. `has_more`: 98 leads to another page."""

    text: str
    has_more: bool = False
    ends_session: bool = False


def paginate(view: ScreenView, limit: SizeLimit, page_number: int = 0) -> Page:
    """Page `page_number` of a screen, counted from 0; past the end, the last page.

    Of a long list only the rows of the pages up to this one are rendered.
    """
    enough = OPTIONS_PER_PAGE * (page_number + 2)
    if len(view.options) > enough:
        pages = _build_pages(view._replace(options=view.options[:enough]), limit)
        if page_number + 2 < len(pages):  # the last two pages differ where more options follow
            return pages[page_number]
    pages = _build_pages(view, limit)
    return pages[min(page_number, len(pages) - 1)]


def _build_pages(view: ScreenView, limit: SizeLimit) -> Sequence[Page]:
    foot = f"{BACK_KEY} {view.back_label}" if view.back_label else ""
    options = "\n".join(f"{key} {label}" for key, label in view.options)
    parts = view.note, view.text, options, foot, f"{MORE_KEY} {view.more_label}"
    note, text, options, foot, more = parts if limit.unicode else map(to_basic_alphabet, parts)
    whole = _join_blocks(note, text, options, foot)
    if limit.fits(whole):
        return [Page(whole, ends_session=view.ends_session)]
    lines = [line for line in _join_blocks(text, options).split("\n") if line]
    return _split_into_pages(
        lines, PageFrame(limit, note, _join_blocks(more, foot), foot), ends_session=view.ends_session
    )


@dataclass(frozen=True, slots=True)
class PageFrame:
    """The parts around the lines of a page: a note above, and below them the way to the next page, or on the last page only back."""

    budget: SizeLimit
    note: str
    continuation: str
    footer: str

    def fits(self, *lines: str) -> bool:
        """Whether a page that leads on has room for these lines."""
        return self.budget.fits(_join_blocks(self.note, *lines, self.continuation))

    def fits_last_page(self, *lines: str) -> bool:
        """Whether the last page has room for these lines."""
        return self.budget.fits(_join_blocks(self.note, *lines, self.footer))


def _split_into_pages(lines: list[str], frame: PageFrame, *, ends_session: bool) -> Sequence[Page]:
    if frame.note and not all(frame.fits(grapheme) for line in lines for grapheme in set(_graphemes(line))):
        frame = replace(frame, note="")  # the screen matters more than a note that leaves no room for it
    *first, last = _split_lines(lines, frame)
    onward = [Page(_join_blocks(frame.note, text, frame.continuation), has_more=True) for text in first]
    return [*onward, Page(_join_blocks(frame.note, last, frame.footer), ends_session=ends_session)]


def _split_lines(lines: list[str], frame: PageFrame) -> Iterator[str]:
    """Split lines into pages; only a line that is longer than a page is cut."""
    remaining = list(lines)
    while remaining and not frame.fits_last_page(*remaining):
        page: list[str] = []
        while remaining and frame.fits(*page, remaining[0]):
            page.append(remaining.pop(0))
        if not page:
            head, remaining[0] = _split_line(remaining[0], frame)
            page.append(head)
        elif not remaining:
            remaining.append(page.pop())
        yield _join_blocks(*page)
    yield _join_blocks(*remaining)


def _split_line(line: str, frame: PageFrame) -> tuple[str, str]:
    """Split a line where the page is full: after a comma or a sentence in its second half, else at a space if there is one.

    A grapheme is split only if no page holds it.

    Raises:
        ValueError: the screen is too small for a single character.
    """
    graphemes = _graphemes(line)
    if not frame.fits(graphemes[0]):
        graphemes = list(line)  # a character with more marks on it than a screen holds
    count_that_fits = bisect_right(
        range(len(graphemes)), False, key=lambda count: not frame.fits("".join(graphemes[: count + 1]))
    )
    if count_that_fits == 0:
        raise ValueError("The screen is too small for a single character; give it at least 40 septets.")
    head = "".join(graphemes[:count_that_fits])
    if count_that_fits < len(graphemes):
        beginning = line[: len(head) + 1]  # it may end in the space at which the page is full
        pause = max((match.start() + 1 for match in _find_pauses(beginning)), default=0)
        space = beginning.rfind(" ")
        head = head[: pause if pause > len(head) // 2 else space if space > 0 else None]
    return head, line[len(head) :].lstrip(" ")


def _join_blocks(*blocks: str) -> str:
    return "\n".join(block for block in blocks if block)
