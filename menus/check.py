"""Proves every screen before it is served: that the tree leads somewhere, that every language says all of it, that it fits.

Refused: a name that leads nowhere, a screen nobody can reach, a step's way that is not mapped,
a text that is missing, left over or says other facts than the English one, `CON`, `END` or option digits written into a
text, and a screen that is over its budget with the longest facts it is likely to say.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, Union, get_args, get_origin

from faults import Fault
from menus.model import Choice, Form, Goodbye, Listing, Menu, Option, Question, Screen, Step, Texts, keyed
from menus.words import FORMS, RESERVED, ScreenWords, Template, Words, file_of, template
from screens.alphabet import BASIC
from screens.pages import MOST_OPTIONS, Budget, Showing, fit
from toml_lines import line_of, lines

LATIN_FORMS = frozenset({"en", "bn_Latn", "hi_Latn"})
MOST_PAGES = 3
MOST_UNICODE_PAGES = 8
REFERENCE = "en"
COMMON = ("back", "home", "more", "sorry", "abroad", "unheard")
"""What is said on every screen, and what is said when there is none."""
_KEYS = frozenset(map(str, range(1, MOST_OPTIONS + 1)))
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
    in_the_tree = list(_tree(proof.menu))
    yield from in_the_tree
    for form in FORMS:
        in_the_words = [*_keys_said(proof, form), *_texts(proof, form)]
        yield from in_the_words
        if not in_the_tree and not in_the_words:
            yield from _sizes(proof, form)


# The tree ------------------------------------------------------------------------------------------------------------


def ways_of(step: Step) -> frozenset[str] | None:
    """The ways that a step's function says it can go, or None where it does not say."""
    said = getattr(step.call, "__annotations__", {}).get("return")
    return frozenset(way for argument in get_args(said) for way in _literals(argument)) or None


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
    yield from _ends(menu)
    for screen in menu.listed:
        yield from _names(screen)
        for name in leads_to(screen):
            if name not in menu.screens:
                yield _fault(screen.name, f"leads to {name!r}, which is no screen", _meant(name, menu.screens))
        if isinstance(screen, Step):
            yield from _unmapped(screen)
        if isinstance(screen, Choice | Question):
            yield from _keys(screen.name, screen.options)
    for name in sorted(set(menu.screens) - _reached(menu)):
        yield _fault(name, "nothing leads here", "let a screen lead to it, or take it out")


def _ends(menu: Menu) -> Iterator[Fault]:
    """Where `00` leads to, and where a ring of steps does."""
    if not isinstance(menu.screens.get(menu.home), Choice):
        yield _fault(menu.home, "home is here, and this is no choice", "add a Choice of this name")
    if not isinstance(menu.screens.get(menu.stuck), Goodbye):
        yield _fault(menu.stuck, "a call that is stuck ends here, and this is no goodbye", "add a Goodbye of this name")


def _names(screen: Screen) -> Iterator[Fault]:
    if screen.name in RESERVED:
        yield _fault(screen.name, "locales have a table of this name already", "rename the screen")
    if isinstance(screen, Choice | Question):
        for option in screen.options:
            if option.name in {"text", "row"}:
                yield _fault(screen.name, f"an option is called {option.name!r} like what it stands under", "rename it")


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
    for key in dict.fromkeys(keys):
        if key not in _KEYS:
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


def _keys_said(proof: Proof, form: str) -> Iterator[Fault]:
    expected, said = _expected(proof), set(_said(proof.words[form]))
    for key in sorted(expected - said):
        if not _is_one_of_many(key, said):
            yield _where(proof, form, key, "this text is missing", "add it")
    for key in sorted(said - expected):
        if not _is_one_of_many(key, said):
            yield _where(proof, form, key, "nothing says this", "take it out")


def _is_one_of_many(key: Key, said: Container[Key]) -> bool:
    """Whether this is the term for one number in a language whose term `many` says every number."""
    return key[0] == "terms" and key[-1].isdecimal() and (*key[:-1], "many") in said


def _texts(proof: Proof, form: str) -> Iterator[Fault]:
    reference = _said(proof.words[REFERENCE])
    for key, text in _said(proof.words[form]).items():
        yield from _text(proof, form, key, text)
        if key in reference and text.placeholders != reference[key].placeholders:
            wanted = " ".join(sorted(f"{{{name}:{way}}}" for name, way in reference[key].placeholders)) or "none"
            yield _where(proof, form, key, "this says other facts than the English text", f"say {wanted}")


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
    shared = {key for key in reference if key[0] in RESERVED} | {("common", key) for key in COMMON}
    return keys | shared | (unused & reference)


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
    for kind, terms in words.terms.items():
        said |= {("terms", kind, key): template(text) for key, text in terms.items()}
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
        if isinstance(screen, Form):
            yield from _questions(proof, form, screen)
        elif not isinstance(screen, Step):
            most = _most_pages(screen, form, home=proof.menu.home)
            for said in _size(_showing(screen, proof, form, facts), _budget(proof, form), most):
                yield _where(proof, form, (screen.name, "text"), *said)


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
