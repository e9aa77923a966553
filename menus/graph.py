"""The menu tree as a picture: every screen a box in the column of how many key presses away it is, every way a line."""

from collections.abc import Mapping
from html import escape

from menus.check import leads_to
from menus.model import Choice, Form, Goodbye, Listing, Menu, Question, Step
from menus.words import Words

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 150, 34, 90, 14, 24
COLOURS: Mapping[type, str] = {
    Choice: "#dbeafe",
    Listing: "#cffafe",
    Question: "#fef3c7",
    Form: "#fde68a",
    Step: "#e5e7eb",
    Goodbye: "#dcfce7",
}
STYLE = "text{font:11px system-ui,sans-serif}.said{fill:#4b5563;font-size:9px}path{fill:none;stroke:#9ca3af}"

Spot = tuple[int, int]


def svg(menu: Menu, words: Words) -> str:
    """The picture as SVG text, screens with the first line of what they say in `words`."""
    spots = _spots(menu)
    width = MARGIN * 2 + (max(x for x, _ in spots.values()) + 1) * (WIDTH + GAP_X) - GAP_X
    height = MARGIN * 2 + (max(y for _, y in spots.values()) + 1) * (HEIGHT + GAP_Y) - GAP_Y
    lines = [_line(spots[name], spots[goto]) for name, goto in _ways(menu)]
    boxes = [_box(menu, words, name, spot) for name, spot in spots.items()]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
            f"<style>{STYLE}</style>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *lines,
            *boxes,
            "</svg>\n",
        )
    )


def _ways(menu: Menu) -> list[tuple[str, str]]:
    return [
        (name, goto)
        for name, screen in menu.screens.items()
        for goto in dict.fromkeys(leads_to(screen))
        if goto != menu.home
    ]


def _spots(menu: Menu) -> Mapping[str, Spot]:
    """Column and row of every screen: columns by distance from the first screens, rows in the order of the tree."""
    depth = {name: 0 for name in menu.screens if name in {"languages", menu.home, "resume", "resume_form"}}
    ring = list(depth)
    while ring:
        reached = [goto for name in ring for goto in leads_to(menu.screens[name]) if goto not in depth]
        depth |= dict.fromkeys(reached, depth[ring[0]] + 1)
        ring = list(dict.fromkeys(reached))
    rows: dict[int, int] = {}
    spots: dict[str, Spot] = {}
    for name in menu.screens:
        column = depth.get(name, 0)
        spots[name] = (column, rows.get(column, 0))
        rows[column] = rows.get(column, 0) + 1
    return spots


def _corner(spot: Spot) -> Spot:
    return MARGIN + spot[0] * (WIDTH + GAP_X), MARGIN + spot[1] * (HEIGHT + GAP_Y)


def _line(start: Spot, end: Spot) -> str:
    x, y = _corner(start)
    to_x, to_y = _corner(end)
    x, y, to_y = x + WIDTH, y + HEIGHT // 2, to_y + HEIGHT // 2
    bend = GAP_X // 2
    return f'<path d="M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"/>'


def _box(menu: Menu, words: Words, name: str, spot: Spot) -> str:
    x, y = _corner(spot)
    spoken = words.screens.get(name)
    said = spoken.text.source.split("\n")[0][:30] if spoken else "…"
    colour = COLOURS[type(menu.screens[name])]
    return (
        f'<g><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="5" fill="{colour}" stroke="#9ca3af"/>'
        f'<text x="{x + 8}" y="{y + 14}">{escape(name)}</text>'
        f'<text class="said" x="{x + 8}" y="{y + 27}">{escape(said)}</text></g>'
    )
