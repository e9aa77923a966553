"""Check that every locale is complete: no key missing or unused, the same facts as in English, nothing that the gateway adds.

The wording of each text is checked by `core.wording`.
"""

import re
from collections.abc import Container, Iterator, Mapping

from core.errors import Problem
from core.gsm7 import BASIC_CHARACTERS
from core.languages import LANGUAGE_CODES, LATIN_LOCALES
from core.wording import find_wording_problems
from menus.journeys.main import MAIN_MENU_ENTRIES
from menus.model import Choice, ListScreen, Question, Step
from menus.rendering.clock_times import CLOCK_TERMS
from menus.rendering.localization import LANGUAGE_SCREENS, RESERVED_TABLES, Locale, Template, parse_template
from menus.validation.report import (
    REFERENCE_LOCALE,
    LocaleKey,
    MenuDefinition,
    locale_problem,
    suggest_name,
)

NUMBER_FORMATTERS = frozenset({"count", "date", "money", "tracking"})
NUMBER_FACTS = frozenset({"n", "phone", "last", "last_four", "code", "pin"})
"""Formatters that end in a digit, and facts that do although they are shown as they are."""
COMMON_KEYS = ("back", "home", "more", "sorry", "abroad", "unheard", "busy", "busy_go_on", "unsure")
"""Texts for every screen, and for replies without one."""
MAX_CACHED_LOCALES = 16
_texts_by_locale: dict[int, tuple[Locale, Mapping[LocaleKey, Template]]] = {}
"""The texts of the locales of one check, which are asked for again for each locale that is compared with them."""
_match_ussd_prefix = re.compile(r"\s*(CON|END)\b").match
_find_option_number = re.compile(r"^\s*\d{1,2}[.):\s]", re.MULTILINE).search


def find_key_problems(definition: MenuDefinition, locale_code: str) -> Iterator[Problem]:
    """Texts that the locale lacks, and texts that no screen uses."""
    expected, used = _expected_keys(definition), set(texts_by_key(definition.locales[locale_code]))
    for key in sorted(expected - used):
        if not _may_differ(key, used):
            yield locale_problem(definition, locale_code, key, "this text is missing", "add it")
    inherited = used - set(definition.locales[locale_code].written)
    for key in sorted(used - expected - inherited):
        if not _may_differ(key, used):
            yield locale_problem(definition, locale_code, key, "no screen uses this text", "remove it")


def _may_differ(key: LocaleKey, keys: Container[LocaleKey]) -> bool:
    """Whether only some locales need the key: a part of the day, or a number's term where the term `many` covers all numbers."""
    if key[0] != "terms":
        return False
    return key[1] == CLOCK_TERMS or (key[-1].isdecimal() and (*key[:-1], "many") in keys)


def find_text_problems(definition: MenuDefinition, locale_code: str) -> Iterator[Problem]:
    """Problems of a text itself, or compared with the other languages."""
    others = {code: texts_by_key(locale) for code, locale in definition.locales.items()}
    written = definition.locales[locale_code].written
    for key, text in others[locale_code].items():
        if key in written:
            yield from _text_problems(definition, locale_code, key, text)
        if key in others[REFERENCE_LOCALE] and not _has_unknown(definition, key):
            yield from _placeholder_problems(definition, locale_code, key, others)


def _placeholder_problems(
    definition: MenuDefinition, locale_code: str, key: LocaleKey, texts: Mapping[str, Mapping[LocaleKey, Template]]
) -> Iterator[Problem]:
    """Other placeholders than English has; or, where English stands alone against all others, than those have."""
    english = texts[REFERENCE_LOCALE][key].placeholders
    rest = {one[key].placeholders for code, one in texts.items() if code != REFERENCE_LOCALE and key in one}
    is_alone = len(rest) == 1 and len(texts) > len(("English", "one more")) and english not in rest
    is_alone = is_alone and texts[REFERENCE_LOCALE][key].source.strip() != ""
    expected, whose = (next(iter(rest)), "in every other language") if is_alone else (english, "the English one")
    if texts[locale_code][key].placeholders != expected:
        fix = " ".join(sorted(f"{{{name}:{formatter}}}" for name, formatter in expected)) or "none"
        problem = f"this text has other placeholders than {whose}"
        yield locale_problem(definition, locale_code, key, problem, f"use {fix}")


def _has_unknown(definition: MenuDefinition, key: LocaleKey) -> bool:
    """Whether the English text names a fact or a formatter that does not exist: then the others are not measured by it."""
    english = definition.locales[REFERENCE_LOCALE]
    known = definition.facts.get(key)
    return any(
        formatter not in english.formatters or (known is not None and name not in known)
        for name, formatter in texts_by_key(english)[key].placeholders
    )


def _expected_keys(definition: MenuDefinition) -> set[LocaleKey]:
    """The keys that a locale must have: those of the screens, and outside of screens those of the English locale."""
    keys: set[LocaleKey] = set()
    for screen in definition.menu.screen_list:
        if isinstance(screen, Step):
            continue
        keys.add((screen.name, "text"))
        if isinstance(screen, ListScreen):
            keys.add((screen.name, "row"))
        if isinstance(screen, Choice | Question | ListScreen):
            keys.update((screen.name, option.name) for option in screen.options)
    unused = {(screen, language) for screen in LANGUAGE_SCREENS for language in LANGUAGE_CODES} | _menu_entry_keys()
    reference = set(texts_by_key(definition.locales[REFERENCE_LOCALE]))
    shared = {key for key in reference if key[0] in RESERVED_TABLES} | {("common", key) for key in COMMON_KEYS}
    return keys | shared | (unused & reference)


def _menu_entry_keys() -> set[LocaleKey]:
    """The entries that a main menu may have: locales keep the texts of entries that a deployment leaves out."""
    return {("main", entry) for entry in MAIN_MENU_ENTRIES} | {("assist_menu", entry) for entry in MAIN_MENU_ENTRIES}


def texts_by_key(locale: Locale) -> Mapping[LocaleKey, Template]:
    """Every text of a locale by its key."""
    found = _texts_by_locale.get(id(locale))
    if found is None or found[0] is not locale:
        if len(_texts_by_locale) >= MAX_CACHED_LOCALES:
            _texts_by_locale.clear()
        found = _texts_by_locale[id(locale)] = (locale, _collect_texts(locale))
    return found[1]


def _collect_texts(locale: Locale) -> dict[LocaleKey, Template]:
    texts: dict[LocaleKey, Template] = {}
    for name, screen in locale.screens.items():
        texts[name, "text"] = screen.text
        texts |= {(name, option): label for option, label in screen.options.items()}
        if screen.row is not None:
            texts[name, "row"] = screen.row
    texts |= {("refused", key): text for key, text in locale.validation_messages.items()}
    texts |= {("sms", key): text for key, text in locale.sms.items()}
    texts |= {("mail", key): text for key, text in locale.mail.items()}
    for kind, terms in locale.terms.items():
        texts |= {("terms", kind, key): parse_template(text) for key, text in terms.items()}
    return texts | {("common", key): parse_template(text) for key, text in locale.common.items()}


def _text_problems(definition: MenuDefinition, locale_code: str, key: LocaleKey, text: Template) -> Iterator[Problem]:
    if not text.source.strip():
        yield locale_problem(definition, locale_code, key, "this text is empty", "write it")
    if _match_ussd_prefix(text.source):
        yield locale_problem(
            definition, locale_code, key, "a text must not begin with CON or END", "begin with another word"
        )
    if key[0] not in {"sms", "mail"} and _find_option_number(text.source):
        yield locale_problem(definition, locale_code, key, "the gateway numbers the options", "remove the number")
    for problem, fix in find_wording_problems(locale_code, _fill_in(text)):
        yield locale_problem(definition, locale_code, key, problem, fix)
    for name, formatter in sorted(text.placeholders):
        if formatter not in definition.locales[locale_code].formatters:
            yield locale_problem(
                definition,
                locale_code,
                key,
                f"there is no formatter {formatter!r} for {name}",
                suggest_name(formatter, definition.locales[locale_code].formatters),
            )
    if locale_code in LATIN_LOCALES:
        unsupported = sorted(
            {
                character
                for line in text.lines
                for literal, _, _ in line
                for character in literal
                if character not in BASIC_CHARACTERS
            }
        )
        if unsupported:
            yield locale_problem(
                definition,
                locale_code,
                key,
                f"a simple phone cannot show {' '.join(unsupported)}",
                "write it in plain letters",
            )


def _fill_in(text: Template) -> str:
    """The text with a digit for each number that is inserted, and an ellipsis for everything else."""
    return "\n".join(
        "".join(literal + _stand_in(name, formatter) for literal, name, formatter in line) for line in text.lines
    )


def _stand_in(name: str, formatter: str) -> str:
    if not name:
        return ""
    return "0" if formatter in NUMBER_FORMATTERS or name in NUMBER_FACTS else "…"
