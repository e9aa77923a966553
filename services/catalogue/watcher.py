"""Watches folders for edits: files saved in place, replaced by a rename, or swapped as a whole.

The system reports changes at once; where it does not, as on a network disk, polling finds them within seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias, TypedDict

from watchfiles import Change, awatch

POLL_INTERVAL: Final = 5.0  # seconds between two polls
DEBOUNCE_MS: Final = 400  # milliseconds in which related files are saved
CONFIGMAP_LINK: Final = "..data"  # the link that Kubernetes replaces to update a ConfigMap

FileFingerprints: TypeAlias = frozenset[tuple[str, int, int, int]]
"""Each watched file with the attributes that change with its content."""


class _WatchOptions(TypedDict):
    debounce: int
    rust_timeout: int
    yield_on_timeout: bool
    recursive: bool


def fingerprint_files(folders: Sequence[Path]) -> FileFingerprints:
    """The fingerprints of the files; none for a folder that does not exist."""
    files = (path for folder in folders for path in folder.glob("*.toml"))
    return frozenset(_fingerprint(path) for path in files)


async def watch_edits(
    folders: Sequence[Path], known: FileFingerprints, *, interval: float = POLL_INTERVAL
) -> AsyncIterator[FileFingerprints]:
    """The new fingerprints after each edit; `known` are the fingerprints of the files that were read."""
    async for _ in _check_times(folders, interval):
        now = await asyncio.to_thread(fingerprint_files, folders)
        if now != known:
            known = now
            yield now


async def _check_times(folders: Sequence[Path], interval: float) -> AsyncIterator[None]:
    """The moments to compare fingerprints: after each reported change, and at least every `interval` seconds."""
    how: _WatchOptions = {
        "debounce": DEBOUNCE_MS,
        "rust_timeout": int(interval * 1000),
        "yield_on_timeout": True,
        "recursive": False,
    }
    while True:
        there = await asyncio.to_thread(lambda: [folder for folder in folders if folder.is_dir()])
        try:
            async for _ in awatch(*there, watch_filter=_is_relevant, **how):
                yield
        except OSError:  # too many watches on this machine, or a folder was removed: poll only
            await asyncio.sleep(interval)
            yield


def _is_relevant(_: Change, path: str) -> bool:
    name = Path(path).name
    return name == CONFIGMAP_LINK or (name.endswith(".toml") and not name.startswith("."))


def _fingerprint(path: Path) -> tuple[str, int, int, int]:
    try:
        status = path.stat()
    except OSError:  # the file was just removed
        return path.as_posix(), 0, 0, 0
    return path.as_posix(), status.st_mtime_ns, status.st_size, status.st_ino
