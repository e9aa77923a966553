"""Every screen by SMS, in every language, with generated facts: it fits its segments and loses no option."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.menu import build_menu_definition
from core.validation import Invalid
from menus.model import Goodbye, Navigation, Position, Step
from menus.rendering.paging import iter_pages
from menus.rendering.sms_texts import build_sms_locales
from menus.rendering.view import build_view
from menus.validation import check
from sms.conversation_size import SegmentLimit
from sms.segments import measure, split_segments
from tests.support.menu_facts import conversation, draw_facts

pytestmark = pytest.mark.slow  # every screen is drawn many times


@pytest.mark.parametrize("language", ["en", "bn", "hi"])
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_every_page_fits_its_segments(language: str, data: st.DataObject) -> None:
    menu = conversation().menu.for_channel("sms")
    words = build_sms_locales(conversation().locales, menu)[language]
    room = SegmentLimit(data.draw(st.integers(1, 3)))
    said, refused = data.draw(draw_facts()), data.draw(st.sampled_from([None, Invalid("other_count", {"digits": 11})]))
    for screen in menu.screen_list:
        if isinstance(screen, Step):
            continue
        trail = () if isinstance(screen, Goodbye) else (("main", 0),)
        showing = build_view(
            menu, Navigation(Position(screen.name, language, history=trail, facts=said), refused), words
        )
        shown = ""
        for page in iter_pages(showing, room):
            assert measure(page.text).segments <= room.max_segments, f"{screen.name} in {language}: {page.text}"
            assert len(split_segments(page.text)) <= room.max_segments
            shown = f"{shown}\n{page.text}"
        for key, _ in showing.options:
            assert f"\n{key} " in shown, f"{screen.name} in {language} loses {key}"


def test_questions_and_final_texts_must_fit_one_sms() -> None:
    """As `python server.py check` proves it, with two segments; in one there is not room for everything."""
    spoken = conversation()
    proof = build_menu_definition(spoken.menu, spoken.services.current_catalogue.snapshot, spoken.locales)
    assert proof.sms_limit == SegmentLimit(2)
    assert list(check.find_problems(proof)) == []
    small = [str(fault) for fault in check.find_problems(replace(proof, sms_limit=SegmentLimit(1)))]
    assert any(
        re.match(r"menus/locales/bn.toml:\d+: ask_pin.text: .* need more than 1 SMS page;", one) for one in small
    )


def test_menus_by_sms_do_not_offer_to_send_an_sms() -> None:
    menu = conversation().menu
    assert "1" in menu.options["status"]
    assert "1" not in menu.for_channel("sms").options["status"]
    assert menu.for_channel("sms").options["status"]["2"].name == "complain", "and every other option keeps its number"
