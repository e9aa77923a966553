"""The rows: a TOML file for each provider that says how its requests are read and answered.

`rows/<name>.toml` may have the tables `[ussd]`, `[sms]` and `[settings]`. This module finds the files, reads them, and gives every
fault its file and line; `ussd_row.py` and `sms.py` know what the first two tables mean.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from config.validation_errors import describe_error, suggest_similar
from core.errors import KeyPath, Problem, ValidationFailedError, display_path
from core.toml_source import find_line, index_key_lines, parse_toml, read_utf8

BUILT_IN: Final = Path(__file__).parent / "rows"
TABLES: Final = ("ussd", "sms", "settings")
_is_name: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*").fullmatch

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Row:
    """The file of one provider. `settings` are the names that its table in config.toml may have, with their defaults."""

    name: str
    path: Path
    tables: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    @property
    def settings(self) -> Mapping[str, str]:
        """The declared settings and their defaults; an empty default must be replaced."""
        declared: Mapping[str, str] = self.tables.get("settings", {})
        return declared

    @property
    def ussd(self) -> Mapping[str, Any] | None:
        """The table `[ussd]`; None where the provider has no USSD."""
        return self.tables.get("ussd")

    @property
    def sms(self) -> Mapping[str, Any] | None:
        """The table `[sms]`; None where the provider has no SMS."""
        return self.tables.get("sms")

    def problem_at(self, key_path: KeyPath, problem: str, fix: str) -> Problem:
        """A problem with a key of the file, with the line of the key."""
        return Problem(display_path(self.path), find_line(key_path, self.lines), ".".join(key_path), problem, fix)


def find_rows(folder: str) -> Mapping[str, Path]:
    """The files of all rows by name; one in `folder` replaces the built-in row of its name. `folder` may be empty.

    Raises:
        OSError: the folder cannot be read.
    """
    own = _list_files(Path(folder)) if folder else {}
    return dict(sorted({**_list_files(BUILT_IN), **own}.items()))


def load_row(path: Path) -> Row:
    """The row in a file.

    Raises:
        ValidationFailedError: the file is no row; the problems have its lines.
    """
    source = read_utf8(path)
    row = Row(path.stem, path, parse_toml(source, display_path(path)), index_key_lines(source))
    if problems := [*_find_problems(row)]:
        raise ValidationFailedError(sorted(problems))
    return row


def read_table(row: Row, name: str, model: type[ModelT]) -> ModelT:
    """The table `name` of a row, as a value of `model`.

    Raises:
        ValidationFailedError: the table is not valid; there is a problem for each fault.
    """
    try:
        return model.model_validate(row.tables[name])
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        raise ValidationFailedError(
            sorted(row.problem_at((name, *map(str, error["loc"])), *describe_error(model, error)) for error in errors)
        ) from None


def _list_files(folder: Path) -> dict[str, Path]:
    """The rows in a folder; `hubtel.ussd.toml` is a sample and no row."""
    files = [path for path in folder.iterdir() if path.suffix == ".toml" and "." not in path.stem]
    return {path.stem: path for path in files}


def _find_problems(row: Row) -> list[Problem]:
    found = []
    if not _is_name(row.name):
        fix = "use small letters, digits and single underscores, such as acme_gh.toml"
        found.append(Problem(display_path(row.path), 0, "", "this is no name for a row", fix))
    if row.ussd is None and row.sms is None:
        found.append(row.problem_at((), "there is neither [ussd] nor [sms]", "add one of them"))
    for name, table in row.tables.items():
        if name not in TABLES:
            found.append(row.problem_at((name,), "there is no such table", suggest_similar(name, TABLES)))
        elif not isinstance(table, dict):
            found.append(row.problem_at((name,), "this is not a table", f"write its keys under [{name}]"))
        elif name == "settings":
            found += _find_settings_problems(row, table)
    return found


def _find_settings_problems(row: Row, settings: Mapping[str, object]) -> list[Problem]:
    found = []
    for name, default in settings.items():
        if not _is_name(name) or name == "enabled":
            problem = "this cannot be the name of a setting"
            found.append(row.problem_at(("settings", name), problem, "use small letters, such as api_key"))
        elif not isinstance(default, str):
            found.append(row.problem_at(("settings", name), "this is not text", "put it in quotes"))
    return found
