"""Finding 5.1 of the field report: a misspelt fact is named in the file that is wrong, with the fact that was meant.

The names are derived from the code of the steps and of the services that send messages, and no text of today is refused.
"""

import random
import re
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache

import pytest

from app.menu import build_menu_definition, derive_text_facts
from core.toml_source import index_key_lines
from menus.journeys.bills import BILL_FACTS
from menus.journeys.centres import CENTRE_FACTS
from menus.journeys.forms import KNOWN_KEYS
from menus.rendering.localization import LOCALE_CODES, load_locale, locale_path
from menus.validation.check import find_problems
from menus.validation.code_facts import find_fact_names
from menus.validation.fact_names import find_fact_problems
from menus.validation.report import MenuDefinition
from menus.validation.translations import find_text_problems, texts_by_key
from services.catalogue.centres_model import Centre
from services.catalogue.profile_fields import PROFILE_FIELDS
from services.payments.bills import Bills
from tests.support.menu_facts import conversation

STATUS_FACT = "{status:status}"


@lru_cache(maxsize=1)
def definition() -> MenuDefinition:
    checked = conversation()
    facts = derive_text_facts(checked.menu, checked.locales)
    made = build_menu_definition(checked.menu, checked.services.current_catalogue.snapshot, checked.locales)
    return replace(made, facts=facts)


def with_source(locale_code: str, source: str) -> MenuDefinition:
    """The definition with another source of one locale."""
    locales, sources = dict(definition().locales), dict(definition().sources)
    locale = load_locale(locale_code, source, {})
    locales[locale_code] = replace(locale, formatters=locales[locale_code].formatters)
    sources[locale_code] = source
    return replace(definition(), locales=locales, sources=sources)


def test_the_facts_of_every_text_of_today_are_known() -> None:
    for locale_code in LOCALE_CODES:
        assert list(find_fact_problems(definition(), locale_code)) == []

    english = definition().locales["en"]
    shown = {key for key, text in texts_by_key(english).items() if text.placeholders and key in english.written}
    unchecked = {key[0] for key in shown - definition().facts.keys()}
    assert unchecked <= {"terms"}, "terms have only {n} and {time}"


def test_a_fact_misspelt_in_every_file_is_told_in_every_file() -> None:
    """The report's sed: who obeyed the check before emptied the line for every citizen."""
    broken = definition()
    for locale_code in LOCALE_CODES:
        source = definition().sources[locale_code].replace(STATUS_FACT, "{state:status}")
        made = with_source(locale_code, source)
        broken = replace(
            broken,
            locales={**broken.locales, locale_code: made.locales[locale_code]},
            sources={**broken.sources, locale_code: source},
        )

    found = [problem for problem in find_problems(broken) if problem.key == "status.text"]

    assert [problem.file for problem in found] == [locale_path(code) for code in LOCALE_CODES]
    assert {problem.problem for problem in found} == {"this screen has no fact 'state'"}
    assert {problem.fix for problem in found} == {"did you mean {status}?"}


def test_a_fact_misspelt_in_english_alone_is_told_in_english_alone() -> None:
    source = definition().sources["en"].replace(STATUS_FACT, "{state:status}")

    files = {problem.file for problem in find_problems(with_source("en", source))}

    assert files == {locale_path("en")}


def test_a_misspelt_formatter_in_english_is_told_in_english_alone() -> None:
    source = definition().sources["en"].replace(STATUS_FACT, "{status:statsu}")

    found = {(problem.file, problem.fix) for problem in find_problems(with_source("en", source))}

    assert found == {(locale_path("en"), "did you mean 'status'?")}


def test_a_fact_of_another_screen_is_refused() -> None:
    """A true name in the wrong place is as empty as a misspelt one."""
    source = definition().sources["en"].replace('text = "Ekdial"', 'text = "Ekdial {biller:biller}"', 1)

    messages = [str(problem) for problem in find_problems(with_source("en", source))]

    assert len([one for one in messages if "main.text: this screen has no fact 'biller'" in one]) == 1


def misspell(name: str, chance: random.Random) -> str:
    """The name with a letter left out, doubled or exchanged with the next."""
    place = chance.randrange(len(name) - 1) if len(name) > 1 else 0
    kind = chance.randrange(3)
    if kind == 0 and len(name) > 3:
        return name[:place] + name[place + 1 :]
    if kind == 1:
        return name[:place] + name[place] * 2 + name[place + 1 :]
    return name[:place] + name[place + 1 : place + 2] + name[place] + name[place + 2 :] if len(name) > 1 else name * 2


def misspell_all(locale_code: str, turn: int) -> tuple[str, dict[tuple[int, str], str]]:
    """The source with one fact of each text misspelt, the `turn`th; and that fact by the line and the wrong name."""
    source, chance = definition().sources[locale_code], random.Random(turn)
    everywhere = frozenset().union(*definition().facts.values())
    lines, starts = source.split("\n"), index_key_lines(source)
    ends = sorted({*starts.values(), len(lines) + 1})
    meant: dict[tuple[int, str], str] = {}
    for key, written in definition().locales[locale_code].written.items():
        names = sorted(set(re.findall(r"\{(\w+)[:}]", written)))
        if key not in definition().facts or turn >= len(names):
            continue
        name = names[turn]
        wrong = misspell(name, chance)
        while wrong in everywhere:
            wrong += "x"
        start = starts[key]
        end = next(line for line in ends if line > start)
        for place in range(start - 1, end - 1):
            lines[place] = re.sub(rf"\{{{name}([:}}])", rf"{{{wrong}\1", lines[place])
        meant[start, wrong] = name
    return "\n".join(lines), meant


@pytest.mark.parametrize("locale_code", LOCALE_CODES)
def test_each_fact_of_each_text_misspelt_is_told_with_the_one_that_was_meant(locale_code: str) -> None:
    count = 0
    for turn in range(20):
        source, meant = misspell_all(locale_code, turn)
        found = list(find_fact_problems(with_source(locale_code, source), locale_code)) if meant else []

        told = {(problem.line, problem.problem.split("'")[1]): problem for problem in found}
        assert told.keys() == meant.keys()
        for place, name in meant.items():
            assert told[place].file == locale_path(locale_code)
            if get_close_matches(place[1], [name], cutoff=0.6):
                assert told[place].fix != "remove it"
        count += sum(meant[place] in problem.fix for place, problem in told.items())
    assert count > 430, "nearly all are suggested as they were meant"


def test_declared_facts_are_those_that_the_services_make() -> None:
    assert set(CENTRE_FACTS) <= find_fact_names(Centre.facts)
    assert set(BILL_FACTS) <= find_fact_names(Bills._facts)
    assert set(KNOWN_KEYS) <= set(PROFILE_FIELDS)


def test_a_text_that_is_like_another_is_proved_on_its_own_screen() -> None:
    """What `like` gives a screen is proved for the facts of that screen, and told where the screen stands."""
    source = (
        definition().sources["en"].replace('[languages]\ntext = "', '[languages]\nlike = "bill_down"\nunused = "', 1)
    )

    messages = [str(problem) for problem in find_text_problems(with_source("en", source), "en")]
    messages += [str(problem) for problem in find_fact_problems(with_source("en", source), "en")]

    assert any("languages.text: this screen has no fact 'biller'" in one for one in messages)
