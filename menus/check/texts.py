"""That every language says all of it: no key missing or left over, the same facts, nothing that is the gateway's to say."""

import re
from collections.abc import Container, Iterator

from faults import Fault
from menus.check.proof import LATIN_FORMS, REFERENCE, Key, Proof, in_words, meant
from menus.journeys.main import DOORS
from menus.model import Choice, Listing, Question, Step
from menus.words import RESERVED, Template, Words, template
from screens.alphabet import BASIC

COMMON = ("back", "home", "more", "sorry", "abroad", "unheard")
"""What is said on every screen, and what is said when there is none."""
_prefixed = re.compile(r"\s*(CON|END)\b").match
_numbered = re.compile(r"^\s*\d{1,2}[.):\s]", re.MULTILINE).search


def keys_said(proof: Proof, form: str) -> Iterator[Fault]:
    """Every text that a form lacks, and every one that no screen says."""
    expected, said = _expected(proof), set(said_in(proof.words[form]))
    for key in sorted(expected - said):
        if not _is_one_of_many(key, said):
            yield in_words(proof, form, key, "this text is missing", "add it")
    for key in sorted(said - expected):
        if not _is_one_of_many(key, said):
            yield in_words(proof, form, key, "nothing says this", "take it out")


def _is_one_of_many(key: Key, said: Container[Key]) -> bool:
    """Whether this is the term for one number in a language whose term `many` says every number."""
    return key[0] == "terms" and key[-1].isdecimal() and (*key[:-1], "many") in said


def texts(proof: Proof, form: str) -> Iterator[Fault]:
    """Everything that is wrong with a text itself, or beside the English one."""
    reference = said_in(proof.words[REFERENCE])
    for key, text in said_in(proof.words[form]).items():
        yield from _text(proof, form, key, text)
        if key in reference and text.placeholders != reference[key].placeholders:
            wanted = " ".join(sorted(f"{{{name}:{way}}}" for name, way in reference[key].placeholders)) or "none"
            yield in_words(proof, form, key, "this says other facts than the English text", f"say {wanted}")


def _expected(proof: Proof) -> set[Key]:
    """The keys that a locale must have: those of the tree, and outside the screens those of the English locale."""
    keys: set[Key] = set()
    for screen in proof.menu.listed:
        if isinstance(screen, Step):
            continue
        keys.add((screen.name, "text"))
        if isinstance(screen, Listing):
            keys.add((screen.name, "row"))
        if isinstance(screen, Choice | Question | Listing):
            keys.update((screen.name, option.name) for option in screen.options)
    unused = {("languages", language) for language in ("en", "bn", "hi")} | _doors()
    reference = set(said_in(proof.words[REFERENCE]))
    shared = {key for key in reference if key[0] in RESERVED} | {("common", key) for key in COMMON}
    return keys | shared | (unused & reference)


def _doors() -> set[Key]:
    """What the main menu could offer; a deployment may leave some out, the words stay."""
    return {("main", door) for door in DOORS} | {("assist_menu", door) for door in DOORS}


def said_in(words: Words) -> dict[Key, Template]:
    """Every text of a form by its key in the locale."""
    said: dict[Key, Template] = {}
    for name, screen in words.screens.items():
        said[name, "text"] = screen.text
        said |= {(name, option): label for option, label in screen.options.items()}
        if screen.row is not None:
            said[name, "row"] = screen.row
    said |= {("refused", key): text for key, text in words.refused.items()}
    said |= {("sms", key): text for key, text in words.sms.items()}
    said |= {("mail", key): text for key, text in words.mail.items()}
    for kind, terms in words.terms.items():
        said |= {("terms", kind, key): template(text) for key, text in terms.items()}
    return said | {("common", key): template(text) for key, text in words.common.items()}


def _text(proof: Proof, form: str, key: Key, text: Template) -> Iterator[Fault]:
    if not text.source.strip():
        yield in_words(proof, form, key, "this text is empty", "write it")
    if _prefixed(text.source):
        yield in_words(proof, form, key, "CON and END are the provider's", "begin with another word")
    if key[0] not in {"sms", "mail"} and _numbered(text.source):
        yield in_words(proof, form, key, "options are numbered by the gateway", "leave the number out")
    for name, way in sorted(text.placeholders):
        if way not in proof.words[form].ways:
            yield in_words(
                proof, form, key, f"there is no way {way!r} to say {name}", meant(way, proof.words[form].ways)
            )
    if form in LATIN_FORMS:
        strange = sorted({one for line in text.lines for literal, _, _ in line for one in literal if one not in BASIC})
        if strange:
            yield in_words(
                proof, form, key, f"a simple phone cannot show {' '.join(strange)}", "write it in plain letters"
            )
