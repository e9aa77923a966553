"""Check every screen before it is served: the structure of the menu, the completeness of every locale, the size of screens.

Rejected are: a name without a screen, an unreachable screen, an outcome without a screen; a missing or unused text, a text
with other facts than the English one, with `CON`, `END` or option numbers; a screen that exceeds its budget with the
longest likely facts.
"""

from collections.abc import Iterator

from core.errors import Problem
from core.languages import LOCALE_CODES
from menus.validation.fact_names import find_fact_problems
from menus.validation.repeated_texts import find_repeated_texts
from menus.validation.report import MenuDefinition
from menus.validation.screen_size import find_size_problems
from menus.validation.structure import find_structure_problems
from menus.validation.translations import find_key_problems, find_text_problems

__all__ = ["MenuDefinition", "find_problems"]


def find_problems(definition: MenuDefinition) -> Iterator[Problem]:
    """Every problem of the menu and its texts."""
    in_the_tree = list(find_structure_problems(definition.menu))
    yield from in_the_tree
    for form in LOCALE_CODES:
        in_the_words = [
            *find_key_problems(definition, form),
            *find_text_problems(definition, form),
            *find_repeated_texts(definition, form),
            *find_fact_problems(definition, form),
        ]
        yield from in_the_words
        if not in_the_tree and not in_the_words:
            yield from find_size_problems(definition, form)
