"""Draw the menu tree as SVG: outlines in which each screen stands under the screen that leads to it first.

A screen stands where the fewest steps from a root lead to it; all other links to it are drawn as references.

With the traffic of the menu, each screen has at the right how often it was shown, and what part of the callers left there.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from menus.model import Choice, Form, Goodbye, ListScreen, Menu, Question, Screen, Step, number_options, successors
from menus.rendering.localization import Locale

COLUMNS, PANEL_WIDTH, GAP, MARGIN = 2, 620, 40, 24
ROW_HEIGHT, INDENT, BOX_HEIGHT = 23, 22, 18
MIN_PREDECESSORS = 3  # predecessors of a screen that begins an outline of its own
MAX_LABEL_LENGTH = 44
NAME_LETTER_WIDTH, TEXT_LETTER_WIDTH = 6.8, 5.2  # approximate widths of the letters of names and of texts
FIGURES_WIDTH, BAR_WIDTH = 160, 60  # of the traffic of a screen, and of its bar
COLOURS: Mapping[type, str] = {
    Choice: "#dbeafe",
    ListScreen: "#cffafe",
    Question: "#fef3c7",
    Form: "#fed7aa",
    Step: "#e5e7eb",
    Goodbye: "#dcfce7",
}
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#111827}.title{font-size:14px;font-weight:600}"
    ".small{font-size:10px;fill:#4b5563}a text{fill:#1d4ed8}path{fill:none;stroke:#9ca3af}"
    ".shown{fill:#60a5fa}.left{fill:#dc2626}"
)

Link = tuple[str, str]
"""The label of a link (what is pressed, typed or returned) and the name of the screen it leads to."""

Traffic = Mapping[str, tuple[int, int]]
"""How often each screen was shown, and how many callers left there."""
NO_TRAFFIC: Traffic = {}


@dataclass(frozen=True, slots=True)
class OutlineRow:
    """One line of an outline: a screen and the link to it. `is_repeated`: the line is a reference to a screen drawn elsewhere."""

    depth: int
    label: str
    name: str
    is_repeated: bool = False


def render_svg(menu: Menu, locale: Locale, traffic: Traffic = NO_TRAFFIC) -> str:
    """The drawing as SVG text; each screen with the first line of its text in `locale`, and with its traffic where given."""
    drawing = _Drawing(menu, locale, traffic)
    above = _parents(menu)
    outlines = [list(_outline_rows(menu, locale, above, OutlineRow(0, "", root))) for root in _roots(menu)]
    columns = _split_into_columns(outlines)
    width = 2 * MARGIN + COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP
    height = 2 * MARGIN + ROW_HEIGHT * (1 + max(sum(len(outline) + 1 for outline in column) for column in columns))
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
            f"<title>Every screen of the menu, and what leads to it</title><style>{STYLE}</style>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *_render_legend(),
            *(line for number, column in enumerate(columns) for line in _render_column(drawing, column, number)),
            "</svg>\n",
        )
    )


# The outlines --------------------------------------------------------------------------------------------------------


def _roots(menu: Menu) -> Sequence[str]:
    """The screens that begin an outline: home and its successors, screens with many predecessors, and entries of keywords."""
    led_to = Counter(name for screen in menu.screen_list for name in set(successors(screen)))
    meeting = (name for name in menu.screens if led_to[name] >= MIN_PREDECESSORS or not led_to[name])
    return tuple(dict.fromkeys((menu.home, *successors(menu.screens[menu.home]), *meeting, *menu.entries)))


def _parents(menu: Menu) -> Mapping[str, str]:
    """The parent of each screen on the shortest path from a root; empty for a root."""
    above = dict.fromkeys(_roots(menu), "")
    near = deque(above)
    while near:
        name = near.popleft()
        for goto in successors(menu.screens[name]):
            if goto not in above:
                above[goto] = name
                near.append(goto)
    return above


def _outline_rows(menu: Menu, locale: Locale, parents: Mapping[str, str], row: OutlineRow) -> Iterator[OutlineRow]:
    yield row
    seen: set[str] = set()
    for label, goto in _labelled_successors(menu.screens[row.name], locale):
        under = OutlineRow(row.depth + 1, label, goto, is_repeated=parents[goto] != row.name or goto in seen)
        seen.add(goto)
        yield from [under] if under.is_repeated else _outline_rows(menu, locale, parents, under)


def _labelled_successors(screen: Screen, locale: Locale) -> Iterator[Link]:
    """The links from a screen, with a label for each."""
    match screen:
        case Choice():
            yield from _option_links(screen, locale)
        case ListScreen():
            yield from (
                ("one of the list", screen.goto),
                *_option_links(screen, locale),
                ("an empty list", screen.goto_if_empty),
            )
            yield from (("words", screen.free_text.goto),) if screen.free_text else ()
        case Question():
            yield from (("an answer", screen.goto), *_option_links(screen, locale))
        case Form():
            yield "every answer", screen.goto
        case Step():
            yield from ((name.replace("_", " "), goto) for name, goto in screen.outcomes.items())
        case Goodbye():
            return


def _option_links(screen: Choice | Question | ListScreen, locale: Locale) -> Iterator[Link]:
    """The links of the options; options that lead to the same screen share one. A list's options have no numbers here."""
    numbered = not isinstance(screen, ListScreen)
    labels = locale.screens[screen.name].options
    labels_by_screen: dict[str, list[str]] = {}
    for key, option in number_options(screen.options):
        label = labels[option.name].source
        labels_by_screen.setdefault(option.goto, []).append(f"{key} {label}" if numbered else label)
    yield from ((", ".join(said), goto) for goto, said in labels_by_screen.items())


# The drawing ---------------------------------------------------------------------------------------------------------


def _split_into_columns(outlines: Sequence[list[OutlineRow]]) -> Sequence[Sequence[list[OutlineRow]]]:
    """The outlines in order, in columns of about equal height."""
    half, first = sum(len(outline) + 1 for outline in outlines) / COLUMNS, 0
    columns: list[list[list[OutlineRow]]] = [[] for _ in range(COLUMNS)]
    for outline in outlines:
        columns[min(int((first + len(outline) / 2) / half), COLUMNS - 1)].append(outline)
        first += len(outline) + 1
    return columns


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What is drawn."""

    menu: Menu
    locale: Locale
    traffic: Traffic

    @property
    def text_end(self) -> int:
        """Where the text of a screen ends, from the left of its column."""
        return PANEL_WIDTH - FIGURES_WIDTH if self.traffic else PANEL_WIDTH

    @property
    def highest(self) -> int:
        """How often the busiest screen was shown."""
        return max((shown for shown, _ in self.traffic.values()), default=0) or 1


def _render_column(drawing: _Drawing, outlines: Sequence[list[OutlineRow]], number: int) -> Iterator[str]:
    left, top = MARGIN + number * (PANEL_WIDTH + GAP), MARGIN + ROW_HEIGHT
    for outline in outlines:
        for line, row in enumerate(outline):
            y = top + line * ROW_HEIGHT
            if row.depth:
                yield _render_elbow(left, y, row, line - _parent_line(outline, line))
            yield _render_reference(left, y, row) if row.is_repeated else _render_box(drawing, left, y, row)
            if not row.is_repeated and row.name in drawing.traffic:
                yield _render_figures(drawing, left + drawing.text_end, y, row.name)
        top += (len(outline) + 1) * ROW_HEIGHT


def _parent_line(outline: Sequence[OutlineRow], line: int) -> int:
    """The line of the parent of the screen on `line`."""
    return max(earlier for earlier in range(line) if outline[earlier].depth < outline[line].depth)


def _render_elbow(left: int, y: int, row: OutlineRow, lines: int) -> str:
    x, middle = left + row.depth * INDENT - INDENT // 2, y + BOX_HEIGHT // 2
    return f'<path d="M{x} {y - lines * ROW_HEIGHT + BOX_HEIGHT}V{middle}H{x + INDENT // 2 - 2}"/>'


def _render_reference(left: int, y: int, row: OutlineRow) -> str:
    label = f'<tspan class="small">{escape(_truncate(row.label, MAX_LABEL_LENGTH))}</tspan>'
    text = f'<text x="{left + row.depth * INDENT}" y="{y + 13}">{label} → {row.name}</text>'
    return f'<a href="#{row.name}">{text}</a>'


def _render_figures(drawing: _Drawing, x: int, y: int, name: str) -> str:
    """A bar for how often a screen was shown, with the part that left in red, and both in figures.

    Its length is the square root of the share of the busiest screen: screens with a hundredth of its calls are seen.
    """
    shown, left = drawing.traffic[name]
    length = BAR_WIDTH * (shown / drawing.highest) ** 0.5
    share = left / shown if shown else 0.0
    return (
        f'<rect class="shown" x="{x}" y="{y + 4}" width="{length:.1f}" height="10"/>'
        f'<rect class="left" x="{x}" y="{y + 4}" width="{length * share:.1f}" height="10"/>'
        f'<text class="small" x="{x + BAR_WIDTH + 6}" y="{y + 13}">{shown:,} · −{share:.0%}</text>'
    )


def _render_box(drawing: _Drawing, left: int, y: int, row: OutlineRow) -> str:
    start, label = left + row.depth * INDENT, _truncate(row.label, MAX_LABEL_LENGTH)
    x = start + len(label) * TEXT_LETTER_WIDTH + 6 * bool(label)
    name = len(row.name) * NAME_LETTER_WIDTH + 12
    text = _screen_text(drawing.locale, row.name, int((left + drawing.text_end - x - name) / TEXT_LETTER_WIDTH) - 2)
    width = name + len(text) * TEXT_LETTER_WIDTH + 8 * bool(text)
    return (
        f'<text class="small" x="{start}" y="{y + 13}">{escape(label)}</text><g id="{row.name}">'
        f'<rect x="{x:g}" y="{y}" width="{width:g}" height="{BOX_HEIGHT}" rx="4" fill="{_screen_colour(drawing.menu, row.name)}"/>'
        f'<text x="{x + 6:g}" y="{y + 13}">{row.name}</text>'
        f'<text class="small" x="{x + name:g}" y="{y + 13}">{escape(text)}</text></g>'
    )


def _screen_colour(menu: Menu, name: str) -> str:
    return COLOURS[type(menu.screens[name])]


def _screen_text(locale: Locale, name: str, max_length: int) -> str:
    texts = locale.screens.get(name)
    return _truncate(texts.text.source.split("\n")[0], max_length) if texts else ""


def _truncate(text: str, max_length: int) -> str:
    if len(text) <= max_length:
        return text
    return f"{text[: max_length - 1].rstrip()}…" if max_length > 1 else ""


def _render_legend() -> Iterator[str]:
    """The legend of the colours."""
    for index, (kind, colour) in enumerate(COLOURS.items()):
        x = MARGIN + index * 90
        yield f'<rect x="{x}" y="{MARGIN - 14}" width="80" height="{BOX_HEIGHT}" rx="4" fill="{colour}"/>'
        yield f'<text x="{x + 8}" y="{MARGIN - 1}">{kind.__name__}</text>'
