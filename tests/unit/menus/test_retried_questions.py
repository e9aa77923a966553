"""Of two refusals only the newest is read: a minor of section 2 of the field report, "two refusals stacked"."""

import pytest

from core.validation import Invalid
from menus.model import Navigation, Position, Question, Step, successors
from menus.rendering.localization import build_screen_locales
from menus.rendering.view import build_view
from tests.support.menu_facts import conversation

MENU = conversation().menu
QUESTIONS = [it for it in MENU.screen_list if isinstance(it, Question)]
RETRIES = [it for it in QUESTIONS if it.retry_of]


def steps_after(name: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """The steps that an answer runs before the next screen."""
    screen = MENU.screens[name]
    if not isinstance(screen, Step) or name in seen:
        return seen
    for following in successors(screen):
        seen |= steps_after(following, seen | {name})
    return seen | {name}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda it: it.name)
def test_a_question_that_only_a_rejected_answer_leads_to_says_what_it_repeats(question: Question) -> None:
    leads_to = {it.name for it in MENU.screen_list if question.name in set(successors(it))}
    is_retry = bool(leads_to) and leads_to <= steps_after(question.goto) and question.goto not in MENU.entries
    assert bool(question.retry_of) or not (is_retry or question.name.endswith(("_wrong", "_again")))


@pytest.mark.parametrize("form", ["en_Latn", "bn", "hi", "bn_Latn", "hi_Latn"])
@pytest.mark.parametrize("question", RETRIES, ids=lambda it: it.name)
def test_the_newest_refusal_stands_alone(question: Question, form: str) -> None:
    locale = build_screen_locales(conversation().locales)[form]
    place = Position(question.name, form[:2], facts={"left": 3, "label": {"en": "Number"}, "wallet": "0100"})
    view = build_view(MENU, Navigation(place, Invalid("empty")), locale)
    assert view.note == locale.render(locale.validation_messages["empty"], {})
    assert view.text == locale.render(locale.screens[question.retry_of].text, place.facts)
    assert view.text != build_view(MENU, Navigation(place), locale).text, "the refusal of the answer before"
    assert [key for key, _ in view.options] == list(MENU.options[question.name]), "the keys stay"
