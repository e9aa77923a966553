"""The page with the settings in force."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr

from web.console.requests import ConsolePage
from web.console.settings.routes import SettingLine, SettingsPage

if TYPE_CHECKING:
    from app.console import ConsoleContext


def build_page(context: "ConsoleContext") -> ConsolePage:
    """The page. Settings do not change while the gateway runs."""
    settings = context.app.settings
    defaults = {(section, key): value for section, key, value in _flatten(type(settings)().model_dump(), ())}
    lines = tuple(
        SettingLine(
            section=section,
            key=key,
            value=value,
            place=settings.origin.find_place((section, *key.split("."))),
            is_changed=defaults.get((section, key), "") != value,
        )
        for section, key, value in _flatten(settings.model_dump(), ())
    )
    return SettingsPage(lines).build_page()


def _flatten(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """The section, the key and the value of every setting. A secret says only whether it is set."""
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _flatten(one, (*path, str(key)))
        return
    yield path[0], ".".join(path[1:]), _format(value)


def _format(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "•••" if value.get_secret_value() else ""
    if isinstance(value, list | tuple):
        return ", ".join(map(_format, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
