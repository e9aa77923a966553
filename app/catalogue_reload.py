"""Reloads an edited catalogue while the gateway runs. It is checked as at start: used as a whole, or rejected."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CollectorRegistry

from app.menu import CheckedMenu, catalogue_folders, check_menu, read_catalogue
from config.settings import CatalogueSettings
from core.errors import ValidationFailedError
from core.logging import error_facts
from core.metrics import CounterExporter, CounterSpec
from core.periodic import background
from services.catalogue.current import CatalogueSnapshot
from services.catalogue.watcher import watch_edits

log = structlog.get_logger()


class CatalogueReloader:
    """Reloads the catalogue of this process from its folders; `outcomes` counts reloads by result."""

    def __init__(self, settings: CatalogueSettings, menu: CheckedMenu) -> None:
        self._settings = settings
        self.folders = catalogue_folders(settings)
        self.current_catalogue = menu.services.current_catalogue
        self._menu = menu
        self.outcomes = Counter({"taken": 0, "refused": 0})

    async def reload(self) -> None:
        """Use the catalogue in the folders, or log its problems and keep the one in use."""
        try:
            snapshot = await asyncio.to_thread(self._load_checked_snapshot)
        except ValidationFailedError as error:
            self.outcomes["refused"] += 1
            for problem in error.problems:
                log.error("catalogue_edit_rejected", problem=str(problem))
            return
        self.current_catalogue.replace(snapshot)
        self.outcomes["taken"] += 1
        log.info("catalogue_reloaded", services=len(snapshot.catalogue.services))

    def _load_checked_snapshot(self) -> CatalogueSnapshot:
        snapshot = read_catalogue(self._settings)
        check_menu(self._menu, snapshot)
        return snapshot


@asynccontextmanager
async def follow_catalogue_edits(
    settings: CatalogueSettings, menu: CheckedMenu, registry: CollectorRegistry
) -> AsyncIterator[None]:
    """Reload the catalogue after every edit of its folders during the block, if the settings say so."""
    if not settings.watch:
        yield
        return
    reloader = CatalogueReloader(settings, menu)
    description = "Edited catalogues, by whether they were taken up or refused."
    CounterExporter(registry, CounterSpec("ekdial_catalogue_edits", description, "outcome", reloader.outcomes))
    async with background(_reload_on_edits(reloader)):
        yield


async def _reload_on_edits(reloader: CatalogueReloader) -> None:
    """Reload after every edit, including one during the start of the gateway."""
    async for _ in watch_edits(reloader.folders, reloader.current_catalogue.snapshot.fingerprints):
        try:
            await reloader.reload()
        except Exception as error:  # noqa: BLE001 - the catalogue in use stays, and the next edit may succeed
            log.error("catalogue_reload_failed", **error_facts(error))
