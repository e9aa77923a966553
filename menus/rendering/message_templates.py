"""The form of a text of `[sms]` that an operator registers, and the variables of one message in it.

A placeholder is a variable of the registered form; placeholders side by side are one, such as `service+biller`, because
nobody can say where one of two values ends that have no text between them. Variables without a value are omitted, and with
them the lines that have no others: what is sent then has a registered form of its own.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias

from menus.rendering.localization import Formatter, Template, TemplatePart

JOINT: Final = "+"
"""Joins the names of placeholders that are one variable."""

Placeholder: TypeAlias = tuple[str, str]
"""The name of a fact and its formatter."""


class Variable(NamedTuple):
    """One variable: its name, and its placeholders as names of facts and their formatters.

    The name is that of the fact, or of the facts, joined. A text that has one fact in several formats, as in
    `{service:service}` and `{service:bring}`, has the variables `service_service` and `service_bring`.
    """

    name: str
    placeholders: tuple[Placeholder, ...]

    def render(self, facts: Mapping[str, Any], formatters: Mapping[str, Formatter]) -> str:
        """The rendered facts of its placeholders, one after the other."""
        return "".join(formatters[formatter](facts.get(name)) for name, formatter in self.placeholders)


Piece: TypeAlias = str | Variable
"""A part of a line: literal text, or a variable."""
Line: TypeAlias = tuple[Piece, ...]


class FilledText(NamedTuple):
    """A rendered text, its variables with their values, and the names of the variables that have none."""

    text: str
    variables: tuple[tuple[str, str], ...]
    omitted: tuple[str, ...]


def fill_template(template: Template, facts: Mapping[str, Any], formatters: Mapping[str, Formatter]) -> FilledText:
    """The text that `Template.render` returns, with the variables of its form."""
    variables = list_variables(template)
    values = {variable: variable.render(facts, formatters) for variable in variables}
    known = {variable.name for variable, value in values.items() if value.strip()}
    omitted = tuple(dict.fromkeys(variable.name for variable in variables if variable.name not in known))
    lines = [_fill_line(line, values) for line in build_form(template, omitted)]
    text = "\n".join("".join(value for _, value in line) for line in lines)
    return FilledText(text, tuple(pair for pair in chain.from_iterable(lines) if pair[0]), omitted)


def list_variables(template: Template) -> Sequence[Variable]:
    """The variables of a text in their order; one that is named twice is in it twice."""
    return [piece for line in _split_lines(template) for piece in line if isinstance(piece, Variable)]


def build_form(template: Template, omitted: Collection[str] = ()) -> Sequence[Line]:
    """The lines of the registered form: of the whole text, or of the one without the variables of these names."""
    lines = _split_lines(template)
    if not any(isinstance(piece, Variable) for piece in chain.from_iterable(lines)):
        return lines
    return [_omit(line, omitted) for line in lines if not _is_omitted(line, omitted)]


def write_form(lines: Sequence[Line], mark: str) -> str:
    """The registered form as text, with `mark` in the place of each variable."""
    return "\n".join("".join(mark if isinstance(piece, Variable) else piece for piece in line) for line in lines)


def _split_lines(template: Template) -> Sequence[Line]:
    formats = Counter(name for name, _ in template.placeholders)
    several = {name for name, count in formats.items() if count > 1}
    return [tuple(_merge_parts(line, several)) for line in template.lines]


def _merge_parts(parts: Sequence[TemplatePart], several: Collection[str]) -> Iterator[Piece]:
    """The pieces of a line: placeholders without text between them are one variable."""
    waiting: list[Placeholder] = []
    for text, name, formatter in parts:
        if text:
            yield from _build_variable(waiting, several)
            waiting = []
            yield text
        if name:
            waiting.append((name, formatter))
    yield from _build_variable(waiting, several)


def _build_variable(placeholders: Sequence[Placeholder], several: Collection[str]) -> Iterator[Variable]:
    if placeholders:
        names = [
            f"{name}_{formatter}" if name in several and formatter != "text" else name
            for name, formatter in placeholders
        ]
        yield Variable(JOINT.join(names), tuple(placeholders))


def _is_omitted(line: Line, omitted: Collection[str]) -> bool:
    names = [piece.name for piece in line if isinstance(piece, Variable)]
    return bool(names) and all(name in omitted for name in names)


def _omit(line: Line, omitted: Collection[str]) -> Line:
    """The line without these variables and without the spaces that then end it."""
    pieces = [piece for piece in line if isinstance(piece, str) or piece.name not in omitted]
    while pieces and isinstance(pieces[-1], str):
        pieces[-1] = pieces[-1].rstrip()
        if pieces[-1]:
            break
        pieces.pop()
    return tuple(pieces)


def _fill_line(line: Line, values: Mapping[Variable, str]) -> list[tuple[str, str]]:
    """The pieces with the names of their variables; a value that ends the line does so without spaces."""
    filled = [(piece.name, values[piece]) if isinstance(piece, Variable) else ("", piece) for piece in line]
    if filled and filled[-1][0]:
        filled[-1] = (filled[-1][0], filled[-1][1].rstrip())
    return filled
