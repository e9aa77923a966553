"""That every screen fits, with the longest facts it is likely to say."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from faults import Fault
from menus.by_sms import for_sms
from menus.check.proof import LATIN_FORMS, Proof, in_words
from menus.check.texts import said_in
from menus.model import Choice, Form, Goodbye, Question, Screen, Step, keyed
from menus.words import LANGUAGES, ScreenWords, Words
from screens.pages import Budget, Room, Showing, fit

MOST_PAGES = 3
MOST_UNICODE_PAGES = 8

LONGEST: Mapping[str, Any] = {
    "address": "mohammad.rafiqul.islam@services.example",
    "amount": [500_000, "BDT"],
    "about": "123456789012",
    "answer_by": "2026-12-25",
    "begun": "2026-12-25",
    "beneficiary": "+8801711000002",
    "bringing": 4,
    "changed": "2026-11-21",
    "closes": "17:00",
    "complaint": "123456789012",
    "promised": "2026-12-25",
    "date": "2026-12-25",
    "days": 120,
    "differing": ["XXXX 1234"],
    "document_holder": "Mohammad Rafiqul Islam Chow",
    "document_issued": "2026-12-25",
    "document_number": "SAMPLE/LIFE/1234567",
    "document_title": "",  # it is said where the kind is none of ours, whose names are as long
    "document_valid": "2026-12-25",
    "due": [500_000, "BDT"],
    "email": "helpdesk@services.example",
    "event_day": "2026-12-25",
    "fee": [500_000, "BDT"],
    "feedback": "123456789012",
    "hint": "XXXX 1234",
    "item": 5,
    "items": 5,
    "known_area": "Mirpur Section 10",
    "known_born": "21-11-1990",
    "known_district": "Dhaka",
    "known_father": "Karim Uddin Chowdhury",
    "known_gender": {"en": "Female", "bn": "নারী", "hi": "महिला"},
    "known_house": "House 5, Road 27",
    "known_mother": "Ayesha Begum",
    "known_name": "Mohammad Rafiqul Islam Chow",
    "known_phone": "+8801711000002",
    "known_postcode": "1216",
    "last_four": "1234",
    "late": 120,
    "left": 4,
    "name": "Mohammad Rafiqul Islam Chow",
    "number": "123456789012",
    "opens": "09:00",
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


class _Shown(NamedTuple):
    """One way in which the screens of a form are shown.

    `page` is what a page of it is called; what is asked, what is said last and the way home may take `once` pages, and
    anything else `most`.
    """

    words: Words
    room: Room
    page: str
    once: int
    most: int

    def pages_of(self, screen: Screen, home: str) -> int:
        """How many pages this screen may take."""
        return self.once if isinstance(screen, Question | Form | Goodbye) or screen.name == home else self.most


def sizes(proof: Proof, form: str) -> Iterator[Fault]:
    """Every screen that needs too many pages, and every question of a form, in each way in which they are shown."""
    facts = longest_facts(proof, form)
    for shown in _ways_of_showing(proof, form):
        for screen in proof.menu.listed:
            if isinstance(screen, Form):
                yield from _questions(proof, form, shown, screen)
            elif not isinstance(screen, Step):
                most = shown.pages_of(screen, proof.menu.home)
                for said in _size(_showing(screen, proof, shown.words, facts), shown, most):
                    yield in_words(proof, form, (screen.name, "text"), *said)


def _ways_of_showing(proof: Proof, form: str) -> Iterator[_Shown]:
    """On screens in this form's letters, Latin ones without a second page to a question; by SMS in a language's own."""
    words = proof.words[form]
    if form in LATIN_FORMS:
        yield _Shown(words, proof.budget, "screen", 1, MOST_PAGES)
    else:
        unicode = Budget(proof.budget.septets, proof.budget.units, unicode=True)
        yield _Shown(words, unicode, "screen", MOST_UNICODE_PAGES, MOST_UNICODE_PAGES)
    if proof.sms is not None and form in LANGUAGES:
        yield _Shown(for_sms(proof.words, proof.menu)[form], proof.sms, "SMS page", 1, MOST_PAGES)


def _showing(screen: Screen, proof: Proof, words: Words, facts: Mapping[str, Any]) -> Showing:
    spoken: ScreenWords = words.screens[screen.name]
    options: tuple[tuple[str, str], ...] = ()
    if isinstance(screen, Choice | Question):
        options = tuple((key, words.say(spoken.options[option.name], facts)) for key, option in keyed(screen.options))
    back = "" if isinstance(screen, Goodbye) or screen.name == proof.menu.home else _way_back(words)
    return Showing(words.say(spoken.text, facts), options, back, words.common["more"])


def _way_back(words: Words) -> str:
    """The longer of what `0` can be called: back, or home where there is nothing to go back to."""
    return max(words.common["back"], words.common["home"], key=len)


def _size(showing: Showing, shown: _Shown, most: int) -> Iterator[tuple[str, str]]:
    if fit(showing, shown.room, most - 1).more:
        cost = " and ".join((_counted(len(showing.text), "character"), _counted(len(showing.options), "option")))
        yield f"{cost} need more than {_counted(most, shown.page)}", "say it in fewer words"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number or 'no'} {what}s"


def _questions(proof: Proof, form: str, shown: _Shown, screen: Form) -> Iterator[Fault]:
    """The questions that a form can ask, which are the catalogue's, as each language shows them."""
    words = shown.words
    for where, labels in proof.labels:
        asked = words.say(words.screens[screen.name].text, {**LONGEST, "label": labels})
        for said in _size(Showing(asked, back=_way_back(words)), shown, shown.pages_of(screen, proof.menu.home)):
            yield Fault("catalogue", 0, f"{where} ({form})", *said)
