"""What an operator can reach while acting for a citizen: every way is walked, and none asks what is the citizen's alone."""

from typing import Any

import pytest

from menus.engine import Reached
from menus.journeys.assist import CITIZENS_ALONE, ONLY_FOR, PURPOSES
from menus.model import Goodbye, Menu, Place, Question, Screen, Step, leads_to
from menus.showing import show
from menus.words import for_screens
from screens.pages import Budget, fit
from tests.menus.test_every_screen import conversation

CITIZEN = "+8801711000001"
ALWAYS = {"send_status"}
DONE = {
    "apply": {"submit", "withdraw_now", "ask_wallet"},
    "follow": set(),
    "pay": {"pay_bill", "ask_wallet"},
    "complain": {
        *("complain", "send_complaint", "settle_complaint", "raise_complaint"),
        *("send_feedback", "texted_feedback"),
    },
    "profile": {"profile_keep", "profile_remove", "paper_mark", "paper_remove"},
}
"""What can be done under a consent for each purpose, and not undone by going back."""


def facts_of(purpose: str) -> dict[str, Any]:
    return {
        "account": 7,
        "citizen": CITIZEN,
        "citizen_language": "bn",
        "consent": 3,
        "consent_for": purpose,
        "operator": 12,
    }


def reachable(menu: Menu, purpose: str) -> dict[str, Screen]:
    """Every screen that can be reached from the operator's menu and by keyword, until the visit is over."""
    facts = facts_of(purpose)
    reached: dict[str, Screen] = {}
    starts = [menu.home, *menu.entries]
    while starts:
        screen = menu.screen(starts.pop(), facts)
        if screen.name not in reached and screen.name != "assist_end":
            reached[screen.name] = screen
            starts.extend(leads_to(screen))
    return reached


@pytest.mark.parametrize("purpose", PURPOSES)
def test_row_14_no_pin_code_or_identity_number_of_a_citizen_is_ever_asked_of_an_operator(purpose: str) -> None:
    screens = reachable(conversation().menu, purpose)
    asked = {screen.saves for screen in screens.values() if isinstance(screen, Question)}
    assert not asked & {"pin", "code", "answer", "recovery_1", "aadhaar", "address"}, sorted(screens)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_row_14_what_is_the_citizens_alone_is_not_reached(purpose: str) -> None:
    assert not reachable(conversation().menu, purpose).keys() & set(CITIZENS_ALONE)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_row_14_a_consent_is_for_what_it_says(purpose: str) -> None:
    screens = reachable(conversation().menu, purpose)
    assert {name for name, purposes in ONLY_FOR.items() if purpose in purposes} >= screens.keys() & ONLY_FOR.keys()
    assert {name for name, screen in screens.items() if isinstance(screen, Step) and screen.commits} == DONE[
        purpose
    ] | ALWAYS


def test_row_14_without_a_consent_the_menu_is_everybodys() -> None:
    menu = conversation().menu
    assert menu.screen(menu.home, {}).name == menu.home
    assert all(menu.screen(name, {"operator": 12}).name == name for name in CITIZENS_ALONE)


def test_row_14_the_visit_is_ended_by_one_key_from_the_operators_menu() -> None:
    menu = conversation().menu
    assert "assist_end" in {option.goto for option in menu.options["assist_menu"].values()}


@pytest.mark.parametrize("form", ["en_Latn", "bn_Latn", "hi_Latn", "bn", "hi"])
def test_row_14_every_screen_names_the_citizen_and_a_goodbye_leads_back_to_the_visit(form: str) -> None:
    menu, words = conversation().menu, for_screens(conversation().words)[form]
    budget = Budget(unicode=form in {"bn", "hi"})
    for name in ("assist_menu", "assist_refused", "assist_unasked", "helpdesk", "app_sent", "received"):
        place = Place(name, form.removesuffix("_Latn"), facts={**facts_of("apply"), "number": "123456789012"})
        showing = show(menu, Reached(place), words)
        page = fit(showing, budget)
        assert page.text.startswith(words.common["citizen"].replace("{last}", "0001") + " ")
        assert not page.ends
        assert showing.back or name == "assist_menu"


def test_row_14_goodbyes_end_the_call_of_everybody_else() -> None:
    menu = conversation().menu
    goodbyes = [screen.name for screen in menu.listed if isinstance(screen, Goodbye)]
    assert goodbyes
    assert all(menu.ends(Place(name, "en", facts={"operator": 12})) for name in goodbyes)
    assert not any(isinstance(menu.screens[name], Step) for name in goodbyes)
