"""docs/features.md names existing screens and tests."""

import re
from pathlib import Path

import pytest

from app.bootstrap import build_checked_menu
from tests.support.phone import ROOT, build_settings

PAGE = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
FEATURES = {
    name: (screens, test)
    for name, screens, test in re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|([^|]*)\|$", PAGE, re.MULTILINE)
    if name != "feature"
}
PLANNED = {name for name, (screens, _) in FEATURES.items() if screens == "planned"}


def test_the_page_lists_every_feature_and_none_that_is_planned():
    assert len(FEATURES) == 21
    assert not PLANNED


@pytest.mark.parametrize("feature", sorted(FEATURES.keys() - PLANNED))
def test_a_feature_has_a_file_of_tests(feature):
    [file] = re.findall(r"\]\(\.\./(tests/features/\S+)\)", FEATURES[feature][1])
    assert re.findall(r"^(?:async )?def (test_\w+)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


async def test_every_screen_on_the_page_is_in_the_menu(tmp_path: Path):
    menu = (await build_checked_menu(build_settings(tmp_path))).menu
    screens = {name for screens, _ in FEATURES.values() for name in re.findall(r"`(\w+)`", screens)}
    assert screens
    assert screens <= menu.screens.keys()
