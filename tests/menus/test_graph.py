"""The menu drawn: every screen once, every way named, and nothing beside the picture."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from assembly.lifecycle import checked
from menus.graph import COLOURS, COLUMNS, GAP, MARGIN, PANEL, svg
from menus.model import Choice, Goodbye, Option, leads_to
from settings import Settings
from tests.menus.proofs import TREE, menu_of, proof, sources_for

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def drawn(menu, words):
    return ET.fromstring(svg(menu, words))  # noqa: S314 (our own)


@pytest.fixture
async def conversation():
    return await checked(Settings())


@pytest.fixture(params=["en", "bn", "hi"])
def picture(request, conversation):
    return drawn(conversation.menu, conversation.words[request.param])


def screens_in(picture):
    return [group.get("id") for group in picture.iter(f"{SVG}g")]


async def test_every_screen_stands_in_it_once(conversation, picture):
    assert sorted(screens_in(picture)) == sorted(conversation.menu.screens)


async def test_every_way_is_drawn_as_the_screen_it_leads_to_or_as_its_name(conversation, picture):
    links = Counter(link.get("href") for link in picture.iter(f"{SVG}a"))
    led_to = Counter(name for screen in conversation.menu.listed for name in leads_to(screen))

    assert {link.removeprefix("#") for link in links} <= set(screens_in(picture))
    assert set(led_to) <= {link.removeprefix("#") for link in links} | set(screens_in(picture))
    assert len(list(picture.iter(f"{SVG}path"))) >= len(led_to)


async def test_every_screen_has_a_line_of_its_column_to_itself(picture):
    boxes = [box for group in picture.iter(f"{SVG}g") for box in group.iter(f"{SVG}rect")]
    columns = [int(float(box.get("x")) - MARGIN) // (PANEL + GAP) for box in boxes]
    ends = [float(box.get("x")) + float(box.get("width")) for box in boxes]

    assert set(columns) == set(range(COLUMNS))
    assert all(end <= MARGIN + column * (PANEL + GAP) + PANEL for column, end in zip(columns, ends, strict=True))
    assert len({(column, box.get("y")) for column, box in zip(columns, boxes, strict=True)}) == len(boxes)


async def test_everything_stands_on_the_page(picture):
    height, width = float(picture.get("height")), float(picture.get("width"))

    assert picture.get("viewBox") == f"0 0 {width:g} {height:g}"
    assert all(
        0 < float(text.get("y")) < height and 0 < float(text.get("x")) < width for text in picture.iter(f"{SVG}text")
    )


def test_each_kind_of_screen_has_its_colour_and_its_name_in_the_legend():
    picture = drawn(menu_of(TREE), proof().words["en"])

    assert {box.get("fill") for box in picture.iter(f"{SVG}rect")} >= set(COLOURS.values())
    assert {kind.__name__ for kind in COLOURS} <= {"".join(text.itertext()) for text in picture.iter(f"{SVG}text")}


def test_options_that_lead_to_one_screen_are_one_way():
    tree = (
        Choice("main", tuple(Option(name, goto="help") for name in ("one", "two"))),
        Goodbye("help"),
        Goodbye("stuck"),
    )

    said = [
        "".join(text.itertext())
        for text in drawn(menu_of(tree), proof(tree, sources_for(tree)).words["en"]).iter(f"{SVG}text")
    ]

    assert "1 Label, 2 Label → help" in said


def test_words_that_mean_something_in_xml_are_only_words():
    tree = (Choice("main", (Option("a", goto="stuck"),)), Goodbye("stuck"))
    sources = {form: source.replace('"Text"', '"<b> & co"') for form, source in sources_for(tree).items()}

    picture = drawn(menu_of(tree), proof(tree, sources).words["en"])

    assert "<b> & co" in {"".join(text.itertext()) for text in picture.iter(f"{SVG}text")}


async def test_the_picture_in_the_docs_is_the_tree_as_it_is(conversation):
    picture = svg(conversation.menu, conversation.words["en"])

    assert (DOCS / "menu.svg").read_text(encoding="utf-8") == picture, (
        "draw it again: python server.py graph --out docs/menu.svg"
    )
