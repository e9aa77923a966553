"""Reads an edition from its folders: the catalogue and the centres, or everything that is wrong with either."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from faults import Broken
from services.catalogue import centre_files, load
from services.catalogue.shelf import Edition
from services.catalogue.watching import seen

Read = TypeVar("Read")


def read(services: Path, places: Path) -> Edition:
    """What the two folders hold now.

    Raises:
        Broken: with every fault of every file.
    """
    files = seen((services, places))  # before they are read, so that what changes meanwhile is noticed
    catalogue, centres = _tried(load.load, services), _tried(centre_files.load, places)
    if isinstance(catalogue, Broken) or isinstance(centres, Broken):
        raise Broken(fault for it in (catalogue, centres) if isinstance(it, Broken) for fault in it.faults)
    return Edition.of(catalogue, centres, files)


def _tried(load_from: Callable[[Path], Read], folder: Path) -> Read | Broken:
    try:
        return load_from(folder)
    except Broken as broken:
        return broken
