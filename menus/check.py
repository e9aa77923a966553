"""Proves every screen before it is served: that the tree leads somewhere, that every language says all of it, that it fits.

Refused: a name that leads nowhere, a screen nobody can reach, a step's way that is not mapped, a text that is missing,
left over or says other facts than the English one, `CON`, `END` or option digits written into a text, and a screen
that is over its budget with the longest facts it is likely to say.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, Union, get_args, get_origin

from faults import Fault
from menus.model import Choice, Form, Goodbye, Listing, Menu, Option, Question, Screen, Step, Texts, keyed
from menus.words import FORMS, ScreenWords, Template, Words, file_of, template
from screens.alphabet import BASIC
from screens.pages import BACK, HOME, MORE, MOST_OPTIONS, Budget, Showing, fit
from toml_lines import line_of, lines

LATIN_FORMS = frozenset({"en", "bn_Latn", "hi_Latn"})
MOST_PAGES = 3
MOST_UNICODE_PAGES = 8
REFERENCE = "en"
_prefixed = re.compile(r"\s*(CON|END)\b").match
_numbered = re.compile(r"^\s*\d{1,2}[.):\s]", re.MULTILINE).search

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


@dataclass(frozen=True, slots=True)
class Proof:
    """What is proved: the tree, its words with their sources, the names it can say, and every form it can ask."""

    menu: Menu
    words: Mapping[str, Words]
    sources: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    labels: Iterable[tuple[str, Texts]] = ()
    budget: Budget = field(default_factory=Budget)


def faults(proof: Proof) -> Iterator[Fault]:
    """Everything that is wrong, one fault a place."""
    yield from _tree(proof.menu)
    for form in FORMS:
        yield from _words(proof, form)
    yield from _labels(proof)


# The tree ------------------------------------------------------------------------------------------------------------


def ways_of(step: Step) -> frozenset[str] | None:
    """The ways that a step's function says it can go, or None where it does not say."""
    said = getattr(step.call, "__annotations__", {}).get("return")
    if not get_args(said):
        return None
    return frozenset(_literals(get_args(said)[0]))


def leads_to(screen: Screen) -> Iterator[str]:
    """The names of the screens that follow."""
    match screen:
        case Choice():
            yield from (option.goto for option in screen.options)
        case Listing():
            yield from (screen.goto, screen.empty)
        case Question():
            yield from (screen.goto, *(option.goto for option in screen.options))
        case Form():
            yield screen.goto
        case Step():
            yield from screen.outcomes.values()
        case Goodbye():
            return


def _tree(menu: Menu) -> Iterator[Fault]:
    yield from _twice(menu)
    for screen in menu.listed:
        for name in leads_to(screen):
            if name not in menu.screens:
                yield _fault(screen.name, f"leads to {name!r}, which is no screen", _meant(name, menu.screens))
        if isinstance(screen, Step):
            yield from _unmapped(screen)
        if isinstance(screen, Choice | Question):
            yield from _keys(screen.name, screen.options)
    for name in sorted(set(menu.screens) - _reached(menu)):
        yield _fault(name, "nothing leads here", "let a screen lead to it, or take it out")


def _twice(menu: Menu) -> Iterator[Fault]:
    seen: set[str] = set()
    for screen in menu.listed:
        if screen.name in seen:
            yield _fault(screen.name, "there are two screens of this name", "rename one")
        seen.add(screen.name)


def _unmapped(step: Step) -> Iterator[Fault]:
    ways = ways_of(step)
    if ways is None:
        yield _fault(step.name, "its function does not say its ways", 'annotate it: -> Outcome[Literal["done"]]')
        return
    for way in sorted(ways - set(step.outcomes)):
        yield _fault(step.name, f"its outcome {way!r} leads nowhere", "map it to a screen")
    for way in sorted(set(step.outcomes) - ways):
        yield _fault(step.name, f"it maps {way!r}, which its function never answers", "take it out")


def _keys(name: str, options: Sequence[Option]) -> Iterator[Fault]:
    keys = [key for key, _ in keyed(options)]
    for key in keys:
        if key in {BACK, HOME, MORE} or not key.isdigit() or not 1 <= int(key) <= MOST_OPTIONS:
            yield _fault(name, f"an option has the key {key!r}", f"give it one from 1 to {MOST_OPTIONS}")
        elif keys.count(key) > 1:
            yield _fault(name, f"two options have the key {key}", "give each its own")


def _reached(menu: Menu) -> set[str]:
    from menus.journeys.resume import resume

    starts = ["languages", menu.home, menu.stuck, *(screen.name for screen in resume())]
    reached: set[str] = set()
    while starts:
        name = starts.pop()
        if name in menu.screens and name not in reached:
            reached.add(name)
            starts.extend(leads_to(menu.screens[name]))
    return reached


def _literals(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        for part in get_args(annotation):
            yield from _literals(part)


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else "name one that is there"


def _fault(screen: str, problem: str, right: str) -> Fault:
    return Fault("menus", 0, screen, problem, right)


# The words -----------------------------------------------------------------------------------------------------------

Key = tuple[str, ...]


def _words(proof: Proof, form: str) -> Iterator[Fault]:
    expected, said = _expected(proof), _said(proof.words[form])
    reference = _said(proof.words[REFERENCE])
    for key in sorted(expected - set(said)):
        yield _where(proof, form, key, "this text is missing", "add it")
    for key in sorted(set(said) - expected):
        yield _where(proof, form, key, "no screen says this", "take it out")
    for key, text in said.items():
        yield from _text(proof, form, key, text)
        if key in reference and text.placeholders != reference[key].placeholders:
            wanted = " ".join(sorted(f"{{{name}:{way}}}" for name, way in reference[key].placeholders)) or "none"
            yield _where(proof, form, key, "this says other facts than the English text", f"say {wanted}")
    if expected <= set(said):
        yield from _sizes(proof, form)


def _expected(proof: Proof) -> set[Key]:
    """The keys that a locale must have: those of the tree, and outside the screens those of the English locale."""
    keys: set[Key] = set()
    for screen in proof.menu.listed:
        if isinstance(screen, Step):
            continue
        keys.add((screen.name, "text"))
        if isinstance(screen, Listing):
            keys.add((screen.name, "row"))
        if isinstance(screen, Choice | Question):
            keys.update((screen.name, option.name) for option in screen.options)
    unused = {("languages", language) for language in ("en", "bn", "hi")} | _doors()
    reference = set(_said(proof.words[REFERENCE]))
    return keys | {key for key in reference if key[0] in {"common", "refused", "sms"}} | (unused & reference)


def _doors() -> set[Key]:
    """What the main menu could offer; a deployment may leave some out, the words stay."""
    from menus.journeys.main import DOORS

    return {("main", door) for door in DOORS}


def _said(words: Words) -> dict[Key, Template]:
    said: dict[Key, Template] = {}
    for name, screen in words.screens.items():
        said[name, "text"] = screen.text
        said |= {(name, option): label for option, label in screen.options.items()}
        if screen.row is not None:
            said[name, "row"] = screen.row
    said |= {("refused", key): text for key, text in words.refused.items()}
    said |= {("sms", key): text for key, text in words.sms.items()}
    return said | {("common", key): template(text) for key, text in words.common.items()}


def _text(proof: Proof, form: str, key: Key, text: Template) -> Iterator[Fault]:
    if not text.source.strip():
        yield _where(proof, form, key, "this text is empty", "write it")
    if _prefixed(text.source):
        yield _where(proof, form, key, "CON and END are the provider's", "begin with another word")
    if key[0] != "sms" and _numbered(text.source):
        yield _where(proof, form, key, "options are numbered by the gateway", "leave the number out")
    for name, way in sorted(text.placeholders):
        if way not in proof.words[form].ways:
            yield _where(
                proof, form, key, f"there is no way {way!r} to say {name}", _meant(way, proof.words[form].ways)
            )
    if form in LATIN_FORMS:
        strange = sorted({one for line in text.lines for literal, _, _ in line for one in literal if one not in BASIC})
        if strange:
            yield _where(
                proof, form, key, f"a simple phone cannot show {' '.join(strange)}", "write it in plain letters"
            )


def _where(proof: Proof, form: str, key: Key, problem: str, right: str) -> Fault:
    line = line_of(key, lines(proof.sources.get(form, "")))
    return Fault(file_of(form), line, ".".join(key), problem, right)


# The sizes -----------------------------------------------------------------------------------------------------------


def longest_facts(proof: Proof, form: str) -> Mapping[str, Any]:
    """The longest likely fact for every name that the words of `form` say."""
    words = proof.words[form]
    facts = dict(LONGEST)
    for text in _said(words).values():
        for name, way in text.placeholders:
            if name not in facts and way in words.ways:
                known = proof.codes.get(way, ())
                facts[name] = max(known, key=lambda code, say=words.ways[way]: len(say(code)), default="")  # type: ignore[misc]
    return facts


def _sizes(proof: Proof, form: str) -> Iterator[Fault]:
    facts = longest_facts(proof, form)
    for screen in proof.menu.listed:
        if not isinstance(screen, Step | Form):
            yield from _size(proof, form, (screen.name, "text"), _showing(screen, proof, form, facts), screen)


def _showing(screen: Screen, proof: Proof, form: str, facts: Mapping[str, Any]) -> Showing:
    words = proof.words[form]
    spoken: ScreenWords = words.screens[screen.name]
    options: tuple[tuple[str, str], ...] = ()
    if isinstance(screen, Choice | Question):
        options = tuple((key, words.say(spoken.options[option.name], facts)) for key, option in keyed(screen.options))
    back = "" if isinstance(screen, Goodbye) or screen.name == proof.menu.home else words.common["back"]
    return Showing(words.say(spoken.text, facts), options, back, words.common["more"])


def _size(proof: Proof, form: str, key: Key, showing: Showing, screen: Screen | None) -> Iterator[Fault]:
    latin = form in LATIN_FORMS
    budget = proof.budget if latin else Budget(proof.budget.septets, proof.budget.units, unicode=True)
    at_once = isinstance(screen, Question | Goodbye) or screen is None or screen.name == proof.menu.home
    most = 1 if latin and at_once else MOST_PAGES if latin else MOST_UNICODE_PAGES
    if fit(showing, budget, most - 1).more:
        cost = f"{len(showing.text)} characters and {len(showing.options)} options"
        yield _where(
            proof, form, key, f"{cost} need more than {most} screen{'s' * (most > 1)}", "say it in fewer words"
        )


def _labels(proof: Proof) -> Iterator[Fault]:
    """The questions of the catalogue's forms, as each language shows them."""
    for where, labels in proof.labels:
        for form in FORMS:
            text = labels.get(form) or labels[REFERENCE]
            showing = Showing(f"5/5 {text}", back=proof.words[form].common["back"])
            for fault in _size(proof, form, ("form", "text"), showing, None):
                yield Fault("catalogue", 0, f"{where} ({form})", fault.problem, fault.right)
