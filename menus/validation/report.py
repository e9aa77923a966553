"""The input of the checks, and problems with their place: file and line of a text, name of a screen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from core.errors import Problem
from core.toml_source import find_line, index_key_lines
from core.types import Translations
from menus.model import Fact, Menu
from menus.rendering.localization import Locale, locale_path
from menus.rendering.paging import ScreenBudget, SizeLimit

REFERENCE_LOCALE = "en"
LocaleKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MenuDefinition:
    """What is checked: the menu, its locales with their sources, the codes with names, and the labels of all form fields.

    `budget` is the size of a screen, `smallest_budget` that of the smallest one of any network, `sms_limit` that of an SMS;
    without `sms_limit` SMS are not checked.
    `facts` has the names of the facts of each text; placeholders of a text that it lacks are compared with English only.
    """

    menu: Menu
    locales: Mapping[str, Locale]
    sources: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, Sequence[Fact]] = field(default_factory=dict)
    field_labels: Iterable[tuple[str, Translations]] = ()
    budget: ScreenBudget = field(default_factory=ScreenBudget)
    sms_limit: SizeLimit | None = None
    facts: Mapping[LocaleKey, frozenset[str]] = field(default_factory=dict)
    smallest_budget: ScreenBudget = field(default_factory=ScreenBudget)


def locale_problem(definition: MenuDefinition, locale_code: str, key: LocaleKey, problem: str, fix: str) -> Problem:
    """A problem at a key of a locale."""
    line = find_line(key, index_key_lines(definition.sources.get(locale_code, "")))
    return Problem(locale_path(locale_code), line, ".".join(key), problem, fix)


def suggest_name(name: str, known: Iterable[str]) -> str:
    """A fix for a misspelt name: the closest known one."""
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else "use an existing name"
