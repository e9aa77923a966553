"""What an answer chooses on a screen: a key, an option, a row or a choice, as people type it.

The exact key comes first, so that a plain answer costs one look-up. Everything else is tried only where that failed.
"""

from typing import Final

from core.typed_numbers import read_option_number
from core.typed_options import index_labels, normalize_label, read_option_key
from menus.model import Facts, FormField, ListScreen, Menu, Option, Position, number_options
from menus.rendering.paging import BACK_KEY, HOME_KEY, MORE_KEY

MAX_DRESSED_KEY: Final = 8
"""Characters of a key with signs around it, as in `(00).`; a longer answer is none."""


def read_navigation_key(position: Position, answer: str) -> str:
    """The key that goes home, back, or to the next page; empty for every other answer."""
    if not answer.isalnum() and len(answer) <= MAX_DRESSED_KEY:
        answer = read_option_number(answer)
    if answer in {HOME_KEY, BACK_KEY}:
        return answer
    return MORE_KEY if answer == MORE_KEY and position.has_more else ""


def find_option(menu: Menu, screen: str, answer: str, facts: Facts) -> Option | None:
    """The option of a choice or question that an answer chooses: by its key, with signs or courtesies, or by its words."""
    options = menu.offered_options(screen, facts)
    if answer in options:
        return options[answer]
    key = read_option_key(answer)
    return options.get(key) or options.get(menu.option_words(screen).get(normalize_label(answer), ""))


def find_option_by_key(menu: Menu, screen: str, answer: str, facts: Facts) -> Option | None:
    """The option of a question whose key is the answer, but for signs and a zero around it.

    It comes before the question's own validator, which may accept any text.
    """
    options = menu.offered_options(screen, facts)
    if answer in options or not options or len(answer) > MAX_DRESSED_KEY:
        return options.get(answer)
    is_dressed = not answer.isalnum() or (answer.startswith("0") and len(answer) <= len(MORE_KEY))
    return options.get(read_option_number(answer).lstrip("0")) if is_dressed else None


def find_row_key(menu: Menu, position: Position, screen: ListScreen, answer: str) -> str:
    """The number of the row or option that an answer chooses; empty where it chooses none.

    The words of a row choose it only on a list that takes no other text.
    """
    rows = screen.rows(position.facts)
    for key in (answer, read_option_key(answer)):
        if is_row_number(key, len(rows) + len(screen.options)):
            return key
    if menu.labels is None:
        return ""
    texts = menu.labels.of_options(screen.name)
    labels = [(key, texts.get(option.name, ())) for key, option in number_options(screen.options, len(rows))]
    if screen.free_text is None:
        of_row = menu.labels.of_row
        labels += [(str(key), of_row(screen.name, row, position.language)) for key, row in enumerate(rows, 1)]
    return index_labels(labels).get(normalize_label(answer), "")


def find_field_choice(field: FormField, answer: str) -> str:
    """The code of the choice of a form field that an answer chooses; empty where it chooses none."""
    for key in (answer, read_option_key(answer)):
        if is_row_number(key, len(field.choices)):
            return field.choices[int(key) - 1][0]
    return index_labels((code, names.values()) for code, names in field.choices).get(normalize_label(answer), "")


def is_row_number(answer: str, count: int) -> bool:
    """Whether the answer is one of the numbers from 1 to `count`, without a zero before it."""
    return answer in map(str, range(1, count + 1))
