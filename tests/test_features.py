"""docs/features.md names screens, files and rows as they are."""

import re
from pathlib import Path

import pytest

from assembly.lifecycle import checked
from tests.phone import ROOT, settings_for

PAGE = (ROOT / "docs" / "features.md").read_text()
ROWS = {int(row): cells.split(" | ") for row, cells in re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE)}
NOT_BUILT = {16}


def test_every_row_of_the_product_is_there_once():
    assert list(ROWS) == list(range(1, 19))


@pytest.mark.parametrize("row", sorted(ROWS.keys() - NOT_BUILT))
def test_a_row_has_a_conversation_whose_tests_carry_its_number(row):
    [named] = re.findall(r"\]\(\.\./(tests/rows/\S+)\)", ROWS[row][-1])
    tests = re.findall(r"^(?:async )?def (test_\w+)", (ROOT / named).read_text(), re.MULTILINE)
    assert tests
    assert {name.split("_")[2] for name in tests} == {str(row)}


async def test_every_screen_that_is_named_is_there(tmp_path: Path):
    menu = (await checked(settings_for(tmp_path))).menu
    named = {name for cells in ROWS.values() for name in re.findall(r"`([a-z_0-9]{3,})`", cells[1])}
    assert named - menu.screens.keys() == set()
    assert named
