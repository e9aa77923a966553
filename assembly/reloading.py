"""Takes up an edited catalogue while the gateway runs: proved as at start, put in force whole, or refused with every fault."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CollectorRegistry

from assembly.conversation import Conversation, edition_of, folders_of, proved_again
from assembly.now_and_then import beside
from failures import told
from faults import Broken
from services.catalogue.shelf import Edition
from services.catalogue.watching import edits
from settings import CatalogueFolder
from web.tallies import Tallies, Tally

log = structlog.get_logger()


class Reloading:
    """The catalogue of this process as its folders change; `loads` counts how the editions ended."""

    def __init__(self, where: CatalogueFolder, conversation: Conversation) -> None:
        self._where = where
        self.folders = folders_of(where)
        self.shelf = conversation.services.shelf
        self._conversation = conversation
        self.loads = Counter({"taken": 0, "refused": 0})

    async def look(self) -> None:
        """Take up what the folders hold now, or say what is wrong with it and leave everything as it was."""
        try:
            edition = await asyncio.to_thread(self._proved)
        except Broken as broken:
            self.loads["refused"] += 1
            for fault in broken.faults:
                log.error("the edited catalogue is not used, the one before it stays", fault=str(fault))
            return
        self.shelf.put(edition)
        self.loads["taken"] += 1
        log.info("the edited catalogue is in use", services=len(edition.catalogue.services))

    def _proved(self) -> Edition:
        edition = edition_of(self._where)
        proved_again(self._conversation, edition)
        return edition


@asynccontextmanager
async def reloading(
    where: CatalogueFolder, conversation: Conversation, registry: CollectorRegistry
) -> AsyncIterator[None]:
    """The catalogue follows its folders for as long as the block lasts, where the settings want it."""
    if not where.watch:
        yield
        return
    ours = Reloading(where, conversation)
    about = "Edited catalogues, by whether they were taken up or refused."
    Tallies(registry, Tally("ekdial_catalogue_edits", about, "how", ours.loads))
    async with beside(_follow(ours)):
        yield


async def _follow(ours: Reloading) -> None:
    """Looks whenever a file was edited, be it while the gateway began."""
    async for _ in edits(ours.folders, ours.shelf.edition.files):
        try:
            await ours.look()
        except Exception as error:  # noqa: BLE001 - the next edit may go better, and the catalogue in force stays
            log.error("the edited catalogue could not be read", **told(error))
