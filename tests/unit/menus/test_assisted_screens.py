"""What an operator can reach for a citizen: every path is walked, and none leads to what is the citizen's alone."""

import re
from itertools import combinations
from typing import Any

import pytest

from menus.journeys.assisted import CITIZEN_ONLY_SCREENS, REQUIRED_PURPOSES, VARIANT_SUFFIX, VISIT_VARIANTS
from menus.model import (
    Choice,
    Goodbye,
    ListScreen,
    Menu,
    Navigation,
    Position,
    Question,
    Screen,
    Step,
    number_options,
    successors,
)
from menus.rendering.localization import build_screen_locales
from menus.rendering.paging import ScreenBudget, paginate
from menus.rendering.view import build_view
from services.assisted.models import PURPOSES
from tests.support.menu_facts import conversation

CITIZEN = "+8801711000001"
ALWAYS = {"send_status"}
DONE = {
    "apply": {"answer", "answer_by_sms", "submit", "withdraw_now", "ask_wallet", "record_cash"},
    "follow": set(),
    "pay": {"pay_bill", "ask_wallet", "record_cash"},
    "complain": {
        *("complain", "send_complaint", "settle_complaint", "raise_complaint"),
        *("send_feedback", "texted_feedback"),
    },
    "profile": {"profile_keep", "profile_keep_identity", "profile_remove", "paper_mark", "paper_remove"},
}
"""The steps that a consent for each purpose permits and that going back does not undo."""


def facts_for(purpose: str) -> dict[str, Any]:
    return {
        "account": 7,
        "citizen": CITIZEN,
        "citizen_language": "bn",
        "consent": 3,
        "consent_for": purpose,
        "operator": 12,
    }


def reachable_screens(menu: Menu, purpose: str) -> dict[str, Screen]:
    """The screens that are reachable from the operator's menu and by keyword before the visit ends."""
    facts = facts_for(purpose)
    reached: dict[str, Screen] = {}
    starts = [menu.home, *menu.entries]
    while starts:
        screen = menu.resolve_screen(starts.pop(), facts)
        if screen.name not in reached and screen.name != "assist_end":
            reached[screen.name] = screen
            starts.extend(successors(screen))
    return reached


@pytest.mark.parametrize("purpose", PURPOSES)
def test_no_pin_code_or_identity_number_of_a_citizen_is_ever_asked_of_an_operator(purpose: str) -> None:
    screens = reachable_screens(conversation().menu, purpose)
    asked = {screen.save_as for screen in screens.values() if isinstance(screen, Question)}
    assert not asked & {"pin", "code", "answer", "recovery_1", "aadhaar", "address"}, sorted(screens)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_is_the_citizens_alone_is_not_reached(purpose: str) -> None:
    assert not reachable_screens(conversation().menu, purpose).keys() & set(CITIZEN_ONLY_SCREENS)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_consent_is_for_what_it_says(purpose: str) -> None:
    screens = reachable_screens(conversation().menu, purpose)
    assert {
        name for name, purposes in REQUIRED_PURPOSES.items() if purpose in purposes
    } >= screens.keys() & REQUIRED_PURPOSES.keys()
    assert {name for name, screen in screens.items() if isinstance(screen, Step) and screen.commits} == DONE[
        purpose
    ] | ALWAYS


def offered_screens(menu: Menu, screen: Screen, facts: dict[str, Any]) -> list[str]:
    """The names of the screens that may follow, by an option that is offered, an answer or an outcome."""
    after = list(successors(screen))
    if isinstance(screen, Choice | Question | ListScreen):
        hidden = [option.goto for _, option in number_options(screen.options) if not menu.is_offered(option, facts)]
        for goto in hidden:
            after.remove(goto)
    return after


SETS = [" ".join(some) for count in range(1, len(PURPOSES) + 1) for some in combinations(PURPOSES, count)]


@pytest.mark.parametrize("purposes", SETS)
def test_the_menu_offers_what_was_agreed_to_and_nothing_that_is_refused(purposes: str) -> None:
    """Personas 3.1: the menu listed what the citizen had not agreed to."""
    menu, facts = conversation().menu, facts_for(purposes)
    starts, seen = [menu.home], set[str]()
    while starts:
        screen = menu.resolve_screen(starts.pop(), facts)
        assert screen.name not in {"assist_unasked", "assist_refused"}
        if screen.name not in seen and screen.name != "assist_end":
            seen.add(screen.name)
            starts.extend(offered_screens(menu, screen, facts))
    names = {option.name for option in menu.offered_options("assist_menu", facts).values()}
    of_purpose = {"find": "apply", "complaint": "complain", "account": "profile", "bills": "pay"}
    agreed = purposes.split()
    assert names >= {"help", "end"}
    assert {entry for entry, purpose in of_purpose.items() if purpose in agreed} == names & of_purpose.keys()
    assert ("more" in names) == (len(agreed) < len(PURPOSES))


def test_the_entries_of_a_visit_have_the_keys_of_the_main_menu_in_order() -> None:
    """Personas 3.1: the keys stood in the order 7, 9, 8."""
    menu = conversation().menu
    keys = {option.name: key for key, option in menu.options["assist_menu"].items()}
    of_main = {option.name: key for key, option in menu.options["main"].items()}
    assert {name: key for name, key in keys.items() if name in of_main} == {
        name: key for name, key in of_main.items() if name in keys
    }
    assert list(keys.values()) == sorted(keys.values())


def test_only_what_is_missing_can_be_asked_for_during_a_visit() -> None:
    menu = conversation().menu
    offered = menu.offered_options("consent_more", facts_for("apply pay"))
    assert [option.name for option in offered.values()] == ["follow", "complain", "profile"]


def test_without_a_consent_the_menu_is_everybodys() -> None:
    menu = conversation().menu
    assert menu.resolve_screen(menu.home, {}).name == menu.home
    assert all(menu.resolve_screen(name, {"operator": 12}).name == name for name in CITIZEN_ONLY_SCREENS)


def test_the_visit_is_ended_by_one_key_from_the_operators_menu() -> None:
    menu = conversation().menu
    assert "assist_end" in {option.goto for option in menu.options["assist_menu"].values()}


@pytest.mark.parametrize("form", ["en_Latn", "bn_Latn", "hi_Latn", "bn", "hi"])
def test_every_screen_names_the_citizen_and_a_goodbye_leads_back_to_the_visit(form: str) -> None:
    menu, words = conversation().menu, build_screen_locales(conversation().locales)[form]
    budget = ScreenBudget(unicode=form in {"bn", "hi"})
    for name in ("assist_menu", "assist_refused", "assist_unasked", "helpdesk", "app_sent", "received"):
        place = Position(name, form.removesuffix("_Latn"), facts={**facts_for("apply"), "number": "123456789012"})
        showing = build_view(menu, Navigation(place), words)
        page = paginate(showing, budget)
        assert page.text.startswith(words.common["citizen"].replace("{last}", "0001") + " ")
        assert not page.ends_session
        assert showing.back_label or name == "assist_menu"


def test_goodbyes_end_the_call_of_everybody_else() -> None:
    menu = conversation().menu
    goodbyes = [screen.name for screen in menu.screen_list if isinstance(screen, Goodbye)]
    assert goodbyes
    assert all(menu.ends_session(Position(name, "en", facts={"operator": 12})) for name in goodbyes)
    assert not any(isinstance(menu.screens[name], Step) for name in goodbyes)


@pytest.mark.parametrize("name", VISIT_VARIANTS)
def test_a_screen_that_speaks_to_the_citizen_speaks_of_the_citizen_in_a_visit(name: str) -> None:
    """Section 3 of the field report, minor: `All of it is in your SMS` said to an operator, whose SMS is it?"""
    for locale in conversation().locales.values():
        assert locale.screens[name + VARIANT_SUFFIX].text != locale.screens[name].text, locale.code
    spoken = conversation().locales["en"].screens[name + VARIANT_SUFFIX].text.source
    assert "citizen" in spoken
    assert not re.search(r"\byour?\b", spoken, re.IGNORECASE)
