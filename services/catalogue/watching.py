"""Notices that an editor has changed a file of a folder, be it saved in place, put beside and renamed, or swapped whole.

Told of at once where the system tells, and found by looking every few seconds where it does not, as on a network's disk.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias, TypedDict

from watchfiles import Change, awatch

EVERY: Final = 5.0  # seconds between two looks at what nobody told of
SETTLES: Final = 400  # milliseconds in which what belongs together is saved
SWAPPED: Final = "..data"  # what Kubernetes replaces when it changes the files of a ConfigMap

Seen: TypeAlias = frozenset[tuple[str, int, int, int]]
"""Each file that matters, with what changes when its content does."""


class _How(TypedDict):
    debounce: int
    rust_timeout: int
    yield_on_timeout: bool
    recursive: bool


def seen(folders: Sequence[Path]) -> Seen:
    """What the files look like from outside; those of a folder that is not there are none."""
    files = (path for folder in folders for path in folder.glob("*.toml"))
    return frozenset(_looks(path) for path in files)


async def edits(folders: Sequence[Path], known: Seen, *, every: float = EVERY) -> AsyncIterator[Seen]:
    """What the files look like, each time that it is not as it was; `known` is how they were when they were read."""
    async for _ in _moments(folders, every):
        now = await asyncio.to_thread(seen, folders)
        if now != known:
            known = now
            yield now


async def _moments(folders: Sequence[Path], every: float) -> AsyncIterator[None]:
    """The times at which to look: when a file was changed, and now and then in any case."""
    how: _How = {"debounce": SETTLES, "rust_timeout": int(every * 1000), "yield_on_timeout": True, "recursive": False}
    while True:
        there = await asyncio.to_thread(lambda: [folder for folder in folders if folder.is_dir()])
        try:
            async for _ in awatch(*there, watch_filter=_matters, **how):
                yield
        except OSError:  # too much is watched on this machine, or a folder went away: then by looking alone
            await asyncio.sleep(every)
            yield


def _matters(_: Change, path: str) -> bool:
    name = Path(path).name
    return name == SWAPPED or (name.endswith(".toml") and not name.startswith("."))


def _looks(path: Path) -> tuple[str, int, int, int]:
    try:
        it = path.stat()
    except OSError:  # removed a moment ago
        return path.as_posix(), 0, 0, 0
    return path.as_posix(), it.st_mtime_ns, it.st_size, it.st_ino
