"""What the tests of all pages of the console need from each page: rows to show, and a request for each of its actions.

One module a page, with `SAMPLES` and, where it shows rows, `seed`.
"""

import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final

from config.settings import Settings
from tests.support.console import StaffBrowser, StaffRoom, open_staff_room
from tests.support.phone import build_settings, run_gateway
from web.console.router import COOKIE

HOSTILE: Final = "<script>window.hacked=1</script>\"'><img src=x onerror=window.hacked=1>{{7*7}}"
"""Text that a citizen or an officer types: names, notes, complaints. No page may run it, and every page shows it as it is."""


@dataclass(frozen=True)
class Scene:
    """A running gateway with its staff."""

    url: str
    settings: Settings
    room: StaffRoom


@dataclass(frozen=True)
class Sample:
    """A request for an action; `{name}` in its path or fields is what a `seed` returned under this name."""

    method: str
    path: str
    fields: Mapping[str, str] = field(default_factory=dict)


Seed = Callable[[Scene], Awaitable[Mapping[str, str]]]

_MODULES: Final = [import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__)]
SAMPLES: Final[Mapping[str, Sequence[Sample]]] = {
    action: samples for module in _MODULES for action, samples in module.SAMPLES.items()
}
"""By action of `web.console.access`."""


async def seed_all(scene: Scene) -> Mapping[str, str]:
    """Add the rows of every page; the names that samples use."""
    names: dict[str, str] = {}
    for module in _MODULES:
        if hasattr(module, "seed"):
            names |= await module.seed(scene)
    return names


def fill(sample: Sample, names: Mapping[str, str]) -> Sample:
    """The sample with the names of rows."""
    fields = {key: value.format_map(names) for key, value in sample.fields.items()}
    return Sample(sample.method, sample.path.format_map(names), fields)


async def is_whole_page(browser: StaffBrowser, path: str) -> bool:
    """Whether the address answers with a page; a stream does not end, so its body is not read."""
    headers = {"Cookie": f"{COOKIE}={browser.token}"}
    async with browser.http.get(browser.url + path, headers=headers, allow_redirects=False) as response:
        return response.content_type == "text/html" and (await response.text()).lstrip().startswith("<!doctype")


@asynccontextmanager
async def open_scene(tmp_path: Path, **environment: str) -> AsyncIterator[Scene]:
    """A gateway with these settings for the block, and its staff."""
    settings = build_settings(tmp_path, **environment)
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        yield Scene(url, settings, room)
