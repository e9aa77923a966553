"""The settings in force: what every key of `config.toml` is now. Secrets are never shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute

PATH = "/console/settings"


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A setting: its section, its key, and its value as it is written.

    `place` is the variable or the line of a file that sets it, empty where nothing does. `is_changed`: it is not the default.
    """

    section: str
    key: str
    value: str
    place: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """Shows the settings."""

    lines: Sequence[SettingLine]

    def build_page(self) -> ConsolePage:
        """The page with its route."""
        route = ConsoleRoute("GET", PATH, self.show, "settings.view")
        return ConsolePage("settings", PATH, "settings.view", (route,))

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """Every section with its settings."""
        sections: dict[str, list[SettingLine]] = {}
        for line in self.lines:
            sections.setdefault(line.section, []).append(line)
        return request.render("settings/settings.html", sections=sections)
