"""That every screen fits, with the longest facts it is likely to say."""

from collections.abc import Iterator, Mapping
from typing import Any

from faults import Fault
from menus.check.proof import LATIN_FORMS, Proof, in_words
from menus.check.texts import said_in
from menus.model import Choice, Form, Goodbye, Question, Screen, Step, keyed
from menus.words import ScreenWords, Words
from screens.pages import Budget, Showing, fit

MOST_PAGES = 3
MOST_UNICODE_PAGES = 8

LONGEST: Mapping[str, Any] = {
    "amount": [500_000, "BDT"],
    "changed": "2026-11-21",
    "promised": "2026-12-25",
    "date": "2026-12-25",
    "days": 120,
    "email": "helpdesk@services.example",
    "fee": [500_000, "BDT"],
    "item": 5,
    "items": 5,
    "left": 4,
    "name": "Mohammad Rafiqul Islam Chow",
    "number": "123456789012",
    "phone": "+880 1550-060060",
    "summary": ["Mohammad Rafiqul Islam Chow", "21-11-1990", "House 5, Road 27, Mirpur"],
    "track_key": "2",
    "until": "23:59",
}
"""The longest facts that are likely, by name; names of services, offices and the like are the longest there are."""


def longest_facts(proof: Proof, form: str) -> Mapping[str, Any]:
    """The longest likely fact for every name that the words of `form` say."""
    words = proof.words[form]
    facts = dict(LONGEST)
    for text in said_in(words).values():
        for name, way in text.placeholders:
            if name not in facts and way in words.ways:
                known = proof.codes.get(way, ())
                facts[name] = max(known, key=lambda code, say=words.ways[way]: len(say(code)), default="")  # type: ignore[misc]
    return facts


def sizes(proof: Proof, form: str) -> Iterator[Fault]:
    """Every screen that needs too many pages, and every question of a form."""
    facts = longest_facts(proof, form)
    for screen in proof.menu.listed:
        if isinstance(screen, Form):
            yield from _questions(proof, form, screen)
        elif not isinstance(screen, Step):
            most = _most_pages(screen, form, home=proof.menu.home)
            for said in _size(_showing(screen, proof, form, facts), _budget(proof, form), most):
                yield in_words(proof, form, (screen.name, "text"), *said)


def _showing(screen: Screen, proof: Proof, form: str, facts: Mapping[str, Any]) -> Showing:
    words = proof.words[form]
    spoken: ScreenWords = words.screens[screen.name]
    options: tuple[tuple[str, str], ...] = ()
    if isinstance(screen, Choice | Question):
        options = tuple((key, words.say(spoken.options[option.name], facts)) for key, option in keyed(screen.options))
    back = "" if isinstance(screen, Goodbye) or screen.name == proof.menu.home else _way_back(words)
    return Showing(words.say(spoken.text, facts), options, back, words.common["more"])


def _way_back(words: Words) -> str:
    """The longer of what `0` can be called: back, or home where there is nothing to go back to."""
    return max(words.common["back"], words.common["home"], key=len)


def _budget(proof: Proof, form: str) -> Budget:
    return proof.budget if form in LATIN_FORMS else Budget(proof.budget.septets, proof.budget.units, unicode=True)


def _most_pages(screen: Screen, form: str, *, home: str) -> int:
    """On one screen: what is asked, what is said last, and the way home, wherever the letters are Latin."""
    if form not in LATIN_FORMS:
        return MOST_UNICODE_PAGES
    return 1 if isinstance(screen, Question | Form | Goodbye) or screen.name == home else MOST_PAGES


def _size(showing: Showing, budget: Budget, most: int) -> Iterator[tuple[str, str]]:
    if fit(showing, budget, most - 1).more:
        cost = " and ".join((_counted(len(showing.text), "character"), _counted(len(showing.options), "option")))
        yield f"{cost} need more than {_counted(most, 'screen')}", "say it in fewer words"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number or 'no'} {what}s"


def _questions(proof: Proof, form: str, screen: Form) -> Iterator[Fault]:
    """The questions that a form can ask, which are the catalogue's, as each language shows them."""
    words = proof.words[form]
    most = _most_pages(screen, form, home=proof.menu.home)
    for where, labels in proof.labels:
        asked = words.say(words.screens[screen.name].text, {**LONGEST, "label": labels})
        for said in _size(Showing(asked, back=_way_back(words)), _budget(proof, form), most):
            yield Fault("catalogue", 0, f"{where} ({form})", *said)
