"""Read equal files and validate equal menus once in a test process: most of a gateway's start is this work."""

import io
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import app.menu
from core.errors import Problem
from menus.rendering import localization
from menus.rendering.localization import LOCALES_FOLDER, Locale, NameLookups
from menus.validation import check
from menus.validation.report import MenuDefinition
from services.catalogue.current import CatalogueSnapshot
from services.catalogue.watcher import FileFingerprints, fingerprint_files

_valid: Final[set[bytes]] = set()
_snapshots: Final[dict[tuple[Path, Path, FileFingerprints], CatalogueSnapshot]] = {}
_locales: Final[dict[FileFingerprints, Mapping[str, Locale]]] = {}


@contextmanager
def equal_inputs_read_once() -> Iterator[None]:
    """Within the block, a gateway that starts takes what an earlier start made of the same files and the same menu."""
    originals = check.find_problems, localization.load_locales, app.menu.load_snapshot
    find_problems, load_locales, load_snapshot = originals

    def find_problems_once(definition: MenuDefinition) -> list[Problem]:
        key = _describe(definition)
        problems = [] if key in _valid else list(find_problems(definition))
        if not problems:
            _valid.add(key)
        return problems

    def load_locales_once(name_lookups: NameLookups) -> Mapping[str, Locale]:
        files = fingerprint_files([LOCALES_FOLDER])
        if files not in _locales:
            _locales[files] = load_locales(name_lookups)
        return localization.with_names(_locales[files], name_lookups)

    def load_snapshot_once(services_folder: Path, centres_folder: Path) -> CatalogueSnapshot:
        key = (services_folder, centres_folder, fingerprint_files((services_folder, centres_folder)))
        if key not in _snapshots:
            _snapshots[key] = load_snapshot(services_folder, centres_folder)
        return _snapshots[key]

    check.find_problems = find_problems_once
    localization.load_locales = load_locales_once
    app.menu.load_snapshot = load_snapshot_once
    try:
        yield
    finally:
        check.find_problems, localization.load_locales, app.menu.load_snapshot = originals


def _describe(definition: MenuDefinition) -> bytes:
    """Bytes that are equal for equal content."""
    buffer = io.BytesIO()
    pickler = _ContentPickler(buffer)
    pickler.dump(
        (
            vars(definition.menu),
            definition.sources,
            definition.codes,
            list(definition.field_labels),
            definition.budget,
            definition.sms_limit,
        )
    )
    return sha256(buffer.getbuffer()).digest()


class _ContentPickler(pickle.Pickler):
    """Pickles values by their content; of a function, and of an object that is no plain value, its name alone."""

    def reducer_override(self, value: Any) -> Any:
        if value is str or value is dict:
            return NotImplemented
        if isinstance(value, Mapping):
            return dict, (list(value.items()),)
        if is_dataclass(value) and not isinstance(value, type):
            return str, (type(value).__qualname__, *(getattr(value, field) for field in _field_names(type(value))))
        return str, (getattr(value, "__qualname__", type(value).__qualname__),)


@cache
def _field_names(model: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(model))
