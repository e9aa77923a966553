"""The drawing of the menu: every screen once, every link labelled, nothing outside the canvas."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from app.bootstrap import build_checked_menu
from config.settings import Settings
from menus.model import Choice, Goodbye, Option, successors
from menus.svg import COLOURS, COLUMNS, GAP, MARGIN, PANEL_WIDTH, render_svg
from tests.support.small_menu import TREE, build_menu, build_report, locale_sources_for

DOCS = Path(__file__).parents[3] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def draw(menu, words):
    return ET.fromstring(render_svg(menu, words))  # noqa: S314 (our own)


@pytest.fixture
async def conversation():
    return await build_checked_menu(Settings())


@pytest.fixture(params=["en", "bn", "hi"])
def picture(request, conversation):
    return draw(conversation.menu, conversation.locales[request.param])


def screen_names(picture):
    return [group.get("id") for group in picture.iter(f"{SVG}g")]


async def test_every_screen_stands_in_it_once(conversation, picture):
    assert sorted(screen_names(picture)) == sorted(conversation.menu.screens)


async def test_every_way_is_drawn_as_the_screen_it_leads_to_or_as_its_name(conversation, picture):
    links = Counter(link.get("href") for link in picture.iter(f"{SVG}a"))
    led_to = Counter(name for screen in conversation.menu.screen_list for name in successors(screen))

    assert {link.removeprefix("#") for link in links} <= set(screen_names(picture))
    assert set(led_to) <= {link.removeprefix("#") for link in links} | set(screen_names(picture))
    assert len(list(picture.iter(f"{SVG}path"))) >= len(led_to)


async def test_every_screen_has_a_line_of_its_column_to_itself(picture):
    boxes = [box for group in picture.iter(f"{SVG}g") for box in group.iter(f"{SVG}rect")]
    columns = [int(float(box.get("x")) - MARGIN) // (PANEL_WIDTH + GAP) for box in boxes]
    ends = [float(box.get("x")) + float(box.get("width")) for box in boxes]

    assert set(columns) == set(range(COLUMNS))
    assert all(
        end <= MARGIN + column * (PANEL_WIDTH + GAP) + PANEL_WIDTH for column, end in zip(columns, ends, strict=True)
    )
    assert len({(column, box.get("y")) for column, box in zip(columns, boxes, strict=True)}) == len(boxes)


async def test_everything_stands_on_the_page(picture):
    height, width = float(picture.get("height")), float(picture.get("width"))

    assert picture.get("viewBox") == f"0 0 {width:g} {height:g}"
    assert all(
        0 < float(text.get("y")) < height and 0 < float(text.get("x")) < width for text in picture.iter(f"{SVG}text")
    )


def test_each_kind_of_screen_has_its_colour_and_its_name_in_the_legend():
    picture = draw(build_menu(TREE), build_report().locales["en"])

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
        for text in draw(build_menu(tree), build_report(tree, locale_sources_for(tree)).locales["en"]).iter(
            f"{SVG}text"
        )
    ]

    assert "1 Label, 2 Label → help" in said


def test_words_that_mean_something_in_xml_are_only_words():
    tree = (Choice("main", (Option("a", goto="stuck"),)), Goodbye("stuck"))
    sources = {form: source.replace('"Text"', '"<b> & co"') for form, source in locale_sources_for(tree).items()}

    picture = draw(build_menu(tree), build_report(tree, sources).locales["en"])

    assert "<b> & co" in {"".join(text.itertext()) for text in picture.iter(f"{SVG}text")}


async def test_the_picture_in_the_docs_is_the_tree_as_it_is(conversation):
    picture = render_svg(conversation.menu, conversation.locales["en"])

    assert (DOCS / "menu.svg").read_text(encoding="utf-8") == picture, (
        "draw it again: python server.py graph --out docs/menu.svg"
    )
