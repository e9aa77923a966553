"""What Weblate does to the files of texts: it writes back each octet that it read, and a changed text is a changed line."""

from itertools import zip_longest
from pathlib import Path

import pytest
from translate.storage.toml import TOMLFile

ROOT = Path(__file__).parents[3]
FILES = sorted(
    str(file.relative_to(ROOT)) for folder in ("menus/locales", "web") for file in (ROOT / folder).rglob("*.toml")
)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_written_as_it_was_read(name):
    source = (ROOT / name).read_bytes()
    store = TOMLFile.parsestring(source)
    assert store.units
    assert bytes(store) == source


@pytest.mark.parametrize("name", FILES)
def test_a_changed_text_is_a_changed_line(name):
    source = (ROOT / name).read_bytes()
    store = TOMLFile.parsestring(source)
    for unit in store.units:
        unit.target += "!"
    lines = zip_longest(source.decode().split("\n"), bytes(store).decode().split("\n"))
    changed = [(before, after) for before, after in lines if before != after]
    assert len(changed) == len(store.units)
    assert all(len(after) == len(before) + 1 for before, after in changed)
