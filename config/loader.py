"""Read config.toml and the environment into `Settings`, or report everything that is wrong with them at once."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from inspect import isclass
from json import JSONDecodeError
from pathlib import Path
from typing import Any, TypeAlias
from warnings import catch_warnings, filterwarnings

from pydantic import BaseModel, ValidationError, create_model
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

from config.contradictions import find_contradictions
from config.renamed import RENAMED_SETTINGS
from config.settings import (
    ENV_PREFIX,
    ENVIRONMENT,
    ProviderSection,
    ProviderSections,
    Settings,
    SettingsOrigin,
    environment_variable,
)
from config.validation_errors import describe_error, find_extra_type, suggest_similar
from config.value_files import read_value_file, strip_invisible, strip_texts
from core.errors import KeyPath, Problem, ValidationFailedError, display_path
from core.toml_source import index_key_lines, parse_toml, read_utf8

FILE_SUFFIX = "_FILE"
TABLE_AND_KEY = 2  # names in a variable after the prefix of an open table
IGNORED_PREFIXES = ("EKDIAL_TEST_",)
_DEPARTMENT_PREFIX = environment_variable(("departments", ""))
_is_department_variable = re.compile(_DEPARTMENT_PREFIX + "[A-Z](_?[A-Z0-9])*").fullmatch
_is_variable_part = re.compile("[A-Z](_?[A-Z0-9])*").fullmatch
_RENAMED_VARIABLES = {
    environment_variable(old): environment_variable(new) for old, new in RENAMED_SETTINGS.items() if "*" not in old
}

TomlTables: TypeAlias = dict[str, Any]
"""Section to key to value, as TOML and JSON give them."""


def load_settings(
    path: Path,
    environment: Mapping[str, str] | None = None,
    *,
    provider_models: Sequence[type[ProviderSection]],
) -> Settings:
    """Return the settings of the file at `path`, overridden by the `EKDIAL_` variables of `environment`.

    `environment` is that of the process by default. `provider_models` are the known tables `[providers.<name>]`.

    Raises:
        ValidationFailedError: The file is missing or not TOML, or a setting in it or in a variable is invalid.
    """
    return _Loader(
        _build_settings_class(tuple(provider_models)), os.environ if environment is None else environment
    ).load(path)


@lru_cache(maxsize=8)
def _build_settings_class(provider_models: tuple[type[ProviderSection], ...]) -> type[Settings]:
    """`Settings` with one field for each provider in its section `providers`."""
    fields: dict[str, Any] = {model.provider: (model, model()) for model in provider_models}
    with catch_warnings():
        # `providers.json` is a table; the method of this name is deprecated, and nobody calls it
        filterwarnings("ignore", 'Field name "json"', UserWarning)
        sections = create_model("ProviderSections", __base__=ProviderSections, **fields)
    return create_model("Settings", __base__=Settings, providers=(sections, sections()))


@lru_cache(maxsize=256)
def _build_section_class(settings_class: type[Settings], section: str) -> type[BaseSettings]:
    """Settings with one of the tables: to parse a variable, pydantic-settings looks at every field."""
    field = settings_class.model_fields[section]
    base = type("OneSection", (BaseSettings,), {"model_config": settings_class.model_config})
    fields: dict[str, Any] = {section: (field.annotation, field)}
    return create_model("OneSection", __base__=base, **fields)


@lru_cache(maxsize=8)
def _map_variables(settings_class: type[Settings]) -> Mapping[str, KeyPath]:
    """Each variable and the key path of its setting."""
    return {environment_variable(key_path): key_path for key_path in _leaf_paths(settings_class) if len(key_path) > 1}


class _VariablesSource(EnvSettingsSource):
    """The parser of pydantic-settings for nested variables, reading the given ones instead of the process's."""

    def __init__(self, settings_class: type[BaseSettings], variables: Mapping[str, str]) -> None:
        self._variables = {name.lower(): value for name, value in variables.items()}
        super().__init__(settings_class)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._variables


class _Loader:
    """Collects every problem while it reads one file and one environment."""

    def __init__(self, settings_class: type[Settings], environment: Mapping[str, str]) -> None:
        self._settings_class = settings_class
        self._environment = environment
        self._key_paths = _map_variables(settings_class)
        self._open_tables = tuple(_open_tables(settings_class))
        self._problems: list[Problem] = []

    def load(self, path: Path) -> Settings:
        source, tables = self._read_file(path)
        variables = self._collect_variables()
        origin = SettingsOrigin(display_path(path), index_key_lines(source), frozenset(variables))
        for name, value in variables.items():
            self._apply_variable(tables, name, value)
        self._reject_renamed(tables, origin)
        tables = strip_texts(tables)
        settings = self._validate(tables, origin)
        if settings and not self._problems:
            self._problems += [origin.problem_at(*it) for it in find_contradictions(settings)]
        if self._problems or not settings:
            raise ValidationFailedError(sorted(self._problems))
        settings.set_origin(origin)
        return settings

    def _read_file(self, path: Path) -> tuple[str, TomlTables]:
        try:
            source = read_utf8(path)
            return source, parse_toml(source, display_path(path))
        except ValidationFailedError as error:
            self._problems += error.problems
            return "", {}

    def _collect_variables(self) -> dict[str, str]:
        """The `EKDIAL_` variables and their values; a `…_FILE` variable counts as the text of that file."""
        resolved = [self._resolve_variable(name) for name in self._environment if _is_ekdial_variable(name)]
        self._problems += [it for it in resolved if isinstance(it, Problem)]
        return dict(it for it in resolved if not isinstance(it, Problem))

    def _resolve_variable(self, name: str) -> tuple[str, str] | Problem:
        variable = name.removesuffix(FILE_SUFFIX)
        if variable in _RENAMED_VARIABLES:
            new = _RENAMED_VARIABLES[variable] + name.removeprefix(variable)
            return Problem(ENVIRONMENT, 0, name, *_renamed_to(new))
        if not self._is_known(variable):
            fix = suggest_similar(variable, self._key_paths, ENV_PREFIX)
            return Problem(ENVIRONMENT, 0, name, "there is no such setting", fix)
        if name == variable:
            return variable, strip_invisible(self._environment[name])
        if variable in self._environment:
            return Problem(ENVIRONMENT, 0, name, f"{variable} is given too", "give one of the two")
        return _read_value_file(name, self._environment[name])

    def _is_known(self, variable: str) -> bool:
        return (
            variable in self._key_paths
            or _is_department_variable(variable) is not None
            or _find_open_key(variable, self._open_tables) is not None
        )

    def _apply_variable(self, tables: TomlTables, name: str, value: str) -> None:
        """Put the variable's value into `tables` in place of the file's."""
        try:
            key_path, parsed = self._parse_variable(name, value)
        except (SettingsError, JSONDecodeError):
            fix = 'write lists and tables as JSON, such as ["en", "bn"]'
            self._problems.append(Problem(ENVIRONMENT, 0, name, "this is not JSON", fix))
            return
        table = tables
        for key in key_path[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                return  # not a table; validation reports it
        table[key_path[-1]] = parsed

    def _parse_variable(self, name: str, value: str) -> tuple[KeyPath, object]:
        if (open_key := _find_open_key(name, self._open_tables)) and name not in self._key_paths:
            return open_key, value
        if name not in self._key_paths:
            return ("departments", name.removeprefix(_DEPARTMENT_PREFIX).lower()), json.loads(value)
        key_path = self._key_paths[name]
        parsed: Any = _VariablesSource(_build_section_class(self._settings_class, key_path[0]), {name: value})()
        for key in key_path:
            parsed = parsed[key]
        return key_path, parsed

    def _reject_renamed(self, tables: TomlTables, origin: SettingsOrigin) -> None:
        """Report and remove settings under a name of an earlier version."""
        for old, new in RENAMED_SETTINGS.items():
            for key_path in _matching_paths(tables, old):
                name = ".".join(key_path[: new.index("*") + 1] + new[new.index("*") + 1 :] if "*" in new else new)
                self._problems.append(origin.problem_at(key_path, *_renamed_to(name)))
        for old in RENAMED_SETTINGS:
            for key_path in [*_matching_paths(tables, old)]:
                _remove(tables, key_path)

    def _validate(self, tables: TomlTables, origin: SettingsOrigin) -> Settings | None:
        try:
            return self._settings_class(**tables)
        except ValidationError as invalid:
            for error in invalid.errors(include_url=False, include_input=False):
                key_path = tuple(map(str, error["loc"]))
                self._problems.append(origin.problem_at(key_path, *describe_error(self._settings_class, error)))
            return None


def _leaf_paths(model: type[BaseModel], above: KeyPath = ()) -> Iterator[KeyPath]:
    """The key paths of the settings that a variable can hold: every field that is not a section."""
    for name, field in model.model_fields.items():
        if isclass(field.annotation) and issubclass(field.annotation, BaseModel):
            yield from _leaf_paths(field.annotation, (*above, name))
        else:
            yield (*above, name)


def _open_tables(model: type[BaseModel], above: KeyPath = ()) -> Iterator[KeyPath]:
    """The tables that hold others under any name, such as `providers.json`."""
    for name, field in model.model_fields.items():
        if isclass(field.annotation) and issubclass(field.annotation, BaseModel):
            if find_extra_type(field.annotation) is not None:
                yield (*above, name)
            yield from _open_tables(field.annotation, (*above, name))


def _find_open_key(variable: str, tables: Sequence[KeyPath]) -> KeyPath | None:
    """The key path of a variable that names a key in a table of an open one: `EKDIAL_PROVIDERS__JSON__ACME__API_KEY`."""
    for table in tables:
        prefix = environment_variable((*table, ""))
        names = variable.removeprefix(prefix).split("__")
        if variable.startswith(prefix) and len(names) == TABLE_AND_KEY and all(map(_is_variable_part, names)):
            return (*table, *map(str.lower, names))
    return None


def _matching_paths(tables: object, pattern: KeyPath) -> Iterator[KeyPath]:
    """The key paths in `tables` that match `pattern`, in which `*` is any key."""
    if not pattern:
        yield ()
    elif isinstance(tables, dict):
        for key in tables if pattern[0] == "*" else [pattern[0]]:
            if key in tables:
                yield from ((key, *rest) for rest in _matching_paths(tables[key], pattern[1:]))


def _remove(tables: TomlTables, key_path: KeyPath) -> None:
    """Remove the key, and the tables above it that hold nothing else."""
    table, *rest = key_path
    if rest:
        _remove(tables[table], tuple(rest))
    if not rest or not tables[table]:
        del tables[table]


def _renamed_to(name: str) -> tuple[str, str]:
    return f"this setting is renamed to {name}", "use that name"


def _is_ekdial_variable(name: str) -> bool:
    return name.startswith(ENV_PREFIX) and not name.startswith(IGNORED_PREFIXES)


def _read_value_file(name: str, file: str) -> tuple[str, str] | Problem:
    try:
        return name.removesuffix(FILE_SUFFIX), read_value_file(Path(file))
    except OSError as error:
        return Problem(ENVIRONMENT, 0, name, f"{file}: {error.strerror}", "name a file that can be read")
    except ValueError:
        return Problem(ENVIRONMENT, 0, name, f"{file} is not a text file", "save it as UTF-8")
