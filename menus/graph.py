"""The menu tree as a picture: an outline of every screen under the one that leads to it first, so that no lines cross.

A screen stands where the fewest steps from the main menu lead to it; wherever else is led to it, its name is said.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from menus.model import Choice, Form, Goodbye, Listing, Menu, Question, Screen, Step, keyed, leads_to
from menus.words import Words

COLUMNS, PANEL, GAP, MARGIN = 2, 620, 40, 24
ROW, INDENT, BOX = 23, 22, 18
MANY = 3  # screens that lead to one, which then has an outline of its own
LONGEST_WAY = 44
LETTER, SMALL = 6.8, 5.2  # how wide letters of names and of what is said are, about
COLOURS: Mapping[type, str] = {
    Choice: "#dbeafe",
    Listing: "#cffafe",
    Question: "#fef3c7",
    Form: "#fed7aa",
    Step: "#e5e7eb",
    Goodbye: "#dcfce7",
}
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#111827}.title{font-size:14px;font-weight:600}"
    ".small{font-size:10px;fill:#4b5563}a text{fill:#1d4ed8}path{fill:none;stroke:#9ca3af}"
)

Way = tuple[str, str]
"""What is pressed, typed or found, and the name of the screen that it leads to."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an outline: a screen and the way to it; `again` where the screen itself stands elsewhere."""

    depth: int
    way: str
    name: str
    again: bool = False


def svg(menu: Menu, words: Words) -> str:
    """The picture as SVG text, screens with the first line of what they say in `words`."""
    above = _above(menu)
    outlines = [list(_outline(menu, words, above, Row(0, "", root))) for root in _roots(menu)]
    columns = _columns(outlines)
    width = 2 * MARGIN + COLUMNS * PANEL + (COLUMNS - 1) * GAP
    height = 2 * MARGIN + ROW * (1 + max(sum(len(outline) + 1 for outline in column) for column in columns))
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
            f"<title>Every screen of the menu, and what leads to it</title><style>{STYLE}</style>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *_legend(),
            *(line for number, column in enumerate(columns) for line in _column(menu, words, column, number)),
            "</svg>\n",
        )
    )


# The outlines --------------------------------------------------------------------------------------------------------


def _roots(menu: Menu) -> Sequence[str]:
    """Where an outline begins: at home and its doors, where many ways meet, and where keywords or the gateway lead."""
    led_to = Counter(name for screen in menu.listed for name in set(leads_to(screen)))
    meeting = (name for name in menu.screens if led_to[name] >= MANY or not led_to[name])
    return tuple(dict.fromkeys((menu.home, *leads_to(menu.screens[menu.home]), *meeting, *menu.entries)))


def _above(menu: Menu) -> Mapping[str, str]:
    """Each screen's place: the one that leads to it on the shortest way from a root; a root's is nothing."""
    above = dict.fromkeys(_roots(menu), "")
    near = deque(above)
    while near:
        name = near.popleft()
        for goto in leads_to(menu.screens[name]):
            if goto not in above:
                above[goto] = name
                near.append(goto)
    return above


def _outline(menu: Menu, words: Words, above: Mapping[str, str], row: Row) -> Iterator[Row]:
    yield row
    seen: set[str] = set()
    for way, goto in _ways(menu.screens[row.name], words):
        under = Row(row.depth + 1, way, goto, again=above[goto] != row.name or goto in seen)
        seen.add(goto)
        yield from [under] if under.again else _outline(menu, words, above, under)


def _ways(screen: Screen, words: Words) -> Iterator[Way]:
    """The ways on from a screen, as whoever is there knows them."""
    match screen:
        case Choice():
            yield from _options(screen, words)
        case Listing():
            yield from (("one of the list", screen.goto), *_options(screen, words), ("an empty list", screen.empty))
            yield from (("words", screen.typed.goto),) if screen.typed else ()
        case Question():
            yield from (("an answer", screen.goto), *_options(screen, words))
        case Form():
            yield "every answer", screen.goto
        case Step():
            yield from ((name.replace("_", " "), goto) for name, goto in screen.outcomes.items())
        case Goodbye():
            return


def _options(screen: Choice | Question | Listing, words: Words) -> Iterator[Way]:
    """Numbered options; those that lead to one screen are one way. A list's are numbered after its rows."""
    numbered = not isinstance(screen, Listing)
    labels = words.screens[screen.name].options
    together: dict[str, list[str]] = {}
    for key, option in keyed(screen.options):
        label = labels[option.name].source
        together.setdefault(option.goto, []).append(f"{key} {label}" if numbered else label)
    yield from ((", ".join(said), goto) for goto, said in together.items())


# The drawing ---------------------------------------------------------------------------------------------------------


def _columns(outlines: Sequence[list[Row]]) -> Sequence[Sequence[list[Row]]]:
    """The outlines in their order, as evenly high as that allows."""
    half, first = sum(len(outline) + 1 for outline in outlines) / COLUMNS, 0
    columns: list[list[list[Row]]] = [[] for _ in range(COLUMNS)]
    for outline in outlines:
        columns[min(int((first + len(outline) / 2) / half), COLUMNS - 1)].append(outline)
        first += len(outline) + 1
    return columns


def _column(menu: Menu, words: Words, outlines: Sequence[list[Row]], number: int) -> Iterator[str]:
    left, top = MARGIN + number * (PANEL + GAP), MARGIN + ROW
    for outline in outlines:
        for line, row in enumerate(outline):
            y = top + line * ROW
            if row.depth:
                yield _elbow(left, y, row, line - _line_above(outline, line))
            yield _said_again(left, y, row) if row.again else _box(menu, words, left, y, row)
        top += (len(outline) + 1) * ROW


def _line_above(outline: Sequence[Row], line: int) -> int:
    """The line of the screen that the one on `line` stands under."""
    return max(before for before in range(line) if outline[before].depth < outline[line].depth)


def _elbow(left: int, y: int, row: Row, lines: int) -> str:
    x, middle = left + row.depth * INDENT - INDENT // 2, y + BOX // 2
    return f'<path d="M{x} {y - lines * ROW + BOX}V{middle}H{x + INDENT // 2 - 2}"/>'


def _said_again(left: int, y: int, row: Row) -> str:
    way = f'<tspan class="small">{escape(_shortened(row.way, LONGEST_WAY))}</tspan>'
    text = f'<text x="{left + row.depth * INDENT}" y="{y + 13}">{way} → {row.name}</text>'
    return f'<a href="#{row.name}">{text}</a>'


def _box(menu: Menu, words: Words, left: int, y: int, row: Row) -> str:
    start, way = left + row.depth * INDENT, _shortened(row.way, LONGEST_WAY)
    x = start + len(way) * SMALL + 6 * bool(way)
    name = len(row.name) * LETTER + 12
    said = _said(words, row.name, int((left + PANEL - x - name) / SMALL) - 2)
    width = name + len(said) * SMALL + 8 * bool(said)
    return (
        f'<text class="small" x="{start}" y="{y + 13}">{escape(way)}</text><g id="{row.name}">'
        f'<rect x="{x:g}" y="{y}" width="{width:g}" height="{BOX}" rx="4" fill="{_colour(menu, row.name)}"/>'
        f'<text x="{x + 6:g}" y="{y + 13}">{row.name}</text>'
        f'<text class="small" x="{x + name:g}" y="{y + 13}">{escape(said)}</text></g>'
    )


def _colour(menu: Menu, name: str) -> str:
    return COLOURS[type(menu.screens[name])]


def _said(words: Words, name: str, most: int) -> str:
    spoken = words.screens.get(name)
    return _shortened(spoken.text.source.split("\n")[0], most) if spoken else ""


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: most - 1].rstrip()}…" if most > 1 else ""


def _legend() -> Iterator[str]:
    """What the colours mean."""
    for place, (kind, colour) in enumerate(COLOURS.items()):
        x = MARGIN + place * 90
        yield f'<rect x="{x}" y="{MARGIN - 14}" width="80" height="{BOX}" rx="4" fill="{colour}"/>'
        yield f'<text x="{x + 8}" y="{MARGIN - 1}">{kind.__name__}</text>'
