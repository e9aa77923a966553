"""The tables `[providers.json]` and `[providers.json.<name>]` of config.toml: one for each row in use."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import ConfigDict, SecretStr

from config.section import Section
from config.settings import Contradiction, ProviderSection, Settings
from config.validation_errors import suggest_similar
from core.errors import ValidationFailedError
from providers.json_http.provider_rows import Row, find_rows, load_row


class RowSettings(Section):
    """One row in use: whether it is, and the settings that its `[settings]` declares, each a secret."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)
    __pydantic_extra__: dict[str, SecretStr]

    enabled: bool = False

    @property
    def values(self) -> Mapping[str, SecretStr]:
        """The values of the settings that the row declares; of those that are set."""
        return self.__pydantic_extra__

    def find_value(self, row: Row, name: str) -> str:
        """The value of a declared setting in plain text: what was given, else the row's default."""
        secret = self.values.get(name)
        return row.settings[name] if secret is None else secret.get_secret_value()


class JsonSettings(ProviderSection):
    """The providers that are described by rows: the folder of rows of one's own, and a table for each row in use."""

    provider: ClassVar[str] = "json"
    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)
    __pydantic_extra__: dict[str, RowSettings]

    folder: str = ""

    @property
    def rows(self) -> Mapping[str, RowSettings]:
        """The settings of each row that has a table, by its name."""
        return self.__pydantic_extra__

    @property
    def enabled_rows(self) -> tuple[str, ...]:
        """The names of the rows in use, in order."""
        return tuple(sorted(name for name, row in self.rows.items() if row.enabled))

    def sms_provider_names(self) -> tuple[str, ...]:
        """Return the names of the rows in use that send SMS; those with faults too, which are reported as such."""
        rows = {name: self._find_row(name) for name in self.enabled_rows}
        return tuple(name for name, row in rows.items() if row is None or row.sms is not None)

    def find_values(self, row: Row) -> Mapping[str, str]:
        """Return the settings that the row declares, in plain text: what was given, else the defaults."""
        given = self.rows.get(row.name, RowSettings())
        return {name: given.find_value(row, name) for name in row.settings}

    def find_contradictions(self, settings: Settings) -> Iterator[Contradiction]:
        """Yield each table without a row, each setting that its row does not declare, and each that sending SMS lacks."""
        try:
            files = find_rows(self.folder)
        except (OSError, ValueError):
            yield ("providers", self.provider, "folder"), "this folder cannot be read", "name a folder that exists"
            return
        for name, row in self.rows.items():
            if name in files:
                yield from self._find_undeclared(name, row)
                yield from self._find_empty(name) if name in settings.sms.providers else ()
            else:
                place = ("providers", self.provider, name)
                yield (
                    place,
                    "there is no row of this name",
                    f"add {name}.toml to providers.json.folder, or write one of {', '.join(files)}",
                )

    def _find_row(self, name: str) -> Row | None:
        """The row of this name; None where there is none, or one with faults, which are reported where it is used."""
        try:
            return load_row(find_rows(self.folder)[name])
        except (OSError, ValueError, KeyError, ValidationFailedError):
            return None

    def _find_undeclared(self, name: str, settings: RowSettings) -> Iterator[Contradiction]:
        row = self._find_row(name)
        for key in settings.values if row else ():
            if row and key not in row.settings:
                fix = suggest_similar(key, ["enabled", *row.settings])
                yield ("providers", self.provider, name, key), "there is no such setting", fix

    def _find_empty(self, name: str) -> Iterator[Contradiction]:
        """Each setting of a row that sends SMS that is empty, and must not be."""
        row = self._find_row(name)
        for key, value in self.find_values(row).items() if row and row.sms is not None else ():
            if not value:
                yield (
                    ("providers", self.provider, name, key),
                    "sending SMS needs it",
                    "give it, or name another provider in sms.provider",
                )
