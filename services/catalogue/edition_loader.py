"""Loads a snapshot from its folders: the catalogue and the centres, or every problem of both."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.errors import ValidationFailedError
from services.catalogue import centres_loader, loader
from services.catalogue.current import CatalogueSnapshot
from services.catalogue.watcher import fingerprint_files

Loaded = TypeVar("Loaded")


def load_snapshot(services_folder: Path, centres_folder: Path) -> CatalogueSnapshot:
    """The snapshot of what the two folders contain.

    Raises:
        ValidationFailedError: with every problem of every file.
    """
    # Before the files are read, so that an edit during the reading is noticed.
    fingerprints = fingerprint_files((services_folder, centres_folder))
    catalogue, centres = (
        _load_or_error(loader.load_catalogue, services_folder),
        _load_or_error(centres_loader.load_centres, centres_folder),
    )
    if isinstance(catalogue, ValidationFailedError) or isinstance(centres, ValidationFailedError):
        raise ValidationFailedError(
            problem
            for result in (catalogue, centres)
            if isinstance(result, ValidationFailedError)
            for problem in result.problems
        )
    return CatalogueSnapshot.build(catalogue, centres, fingerprints)


def _load_or_error(load_from: Callable[[Path], Loaded], folder: Path) -> Loaded | ValidationFailedError:
    try:
        return load_from(folder)
    except ValidationFailedError as error:
        return error
