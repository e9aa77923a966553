"""Every screen of a conversation in every language with any likely fact: never over its segments, never an option lost."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.conversation import proof_of
from menus import check
from menus.by_sms import for_sms
from menus.engine import Reached
from menus.model import Goodbye, Place, Refused, Step
from menus.showing import show
from screens.pages import fit
from sms.room import Segments
from sms.segments import counted, parts
from tests.menus.test_every_screen import conversation, facts


@pytest.mark.parametrize("language", ["en", "bn", "hi"])
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_every_page_takes_no_more_than_its_segments(language: str, data: st.DataObject) -> None:
    menu = conversation().menu.on("sms")
    words = for_sms(conversation().words, menu)[language]
    room = Segments(data.draw(st.integers(1, 3)))
    said, refused = data.draw(facts()), data.draw(st.sampled_from([None, Refused("other_count", {"digits": 11})]))
    for screen in menu.listed:
        if isinstance(screen, Step):
            continue
        trail = () if isinstance(screen, Goodbye) else (("main", 0),)
        showing = show(menu, Reached(Place(screen.name, language, trail=trail, facts=said), refused), words)
        shown, number, more = "", 0, True
        while more:
            page = fit(showing, room, number)
            assert counted(page.text).segments <= room.most, f"{screen.name} in {language}: {page.text}"
            assert len(parts(page.text)) <= room.most
            shown, number, more = f"{shown}\n{page.text}", number + 1, page.more
        for key, _ in showing.options:
            assert f"\n{key} " in shown, f"{screen.name} in {language} loses {key}"


def test_what_is_asked_and_what_is_said_last_must_fit_one_sms() -> None:
    """As `python server.py check` proves it, with two segments; in one there is not room for everything."""
    spoken = conversation()
    proof = proof_of(spoken.menu, spoken.services.shelf.edition, spoken.words)
    assert proof.sms == Segments(2)
    assert list(check.faults(proof)) == []
    small = [str(fault) for fault in check.faults(replace(proof, sms=Segments(1)))]
    assert any(
        re.match(r"menus/locales/bn.toml:\d+: ask_pin.text: .* need more than 1 SMS page;", one) for one in small
    )


def test_an_sms_offers_nothing_by_sms() -> None:
    menu = conversation().menu
    assert "1" in menu.options["status"]
    assert "1" not in menu.on("sms").options["status"]
    assert menu.on("sms").options["status"]["2"].name == "complain", "and every other option keeps its number"
