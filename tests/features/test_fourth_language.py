"""Finding 5.2 of the field report: a fourth language is files alone. Nepali is added to a copy of the tree and used."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEPALI = ROOT / "tests/fixtures/ne"
PAGE = (ROOT / "docs/how-to/add-a-language.md").read_text(encoding="utf-8")
OFFERED = 'offered = ["en", "bn", "hi"]'
TIMEOUT = 300  # seconds; a few on an idle machine
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", "fixtures", ".*_cache", "data.*", "*.db*")


def added_files() -> list[str]:
    return sorted(file.relative_to(NEPALI).as_posix() for file in NEPALI.rglob("*.toml"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the files of Nepali beside the others, and the language offered."""
    tree = tmp_path_factory.mktemp("fourth") / "tree"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT, symlinks=True)
    for file in added_files():
        assert not (tree / file).exists()
        shutil.copy(NEPALI / file, tree / file)
    config = (tree / "config.toml").read_text(encoding="utf-8")
    assert OFFERED in config
    (tree / "config.toml").write_text(config.replace(OFFERED, 'offered = ["en", "bn", "hi", "ne"]'), encoding="utf-8")
    return tree


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EKDIAL_")}
    environment |= {"EKDIAL_SERVER__DATA_DIR": str(tree.parent / "data"), "PYTHONPATH": str(tree)}
    command = [sys.executable, *arguments]
    return subprocess.run(  # noqa: S603 (our own program)
        command, cwd=tree, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )


def test_the_page_names_exactly_the_files_that_a_language_adds() -> None:
    named = set(re.findall(r"\| `([\w/.]+XX\.toml)` \|", PAGE))

    assert {name.replace("XX", "ne") for name in named} == set(added_files())


def test_the_check_takes_it_and_says_what_callers_read_in_english(tree: Path) -> None:
    checked = run(tree, "server.py", "check")

    assert checked.returncode == 0, checked.stderr
    assert "in 6 forms" in checked.stdout
    assert "Nepali has no texts in Latin letters: on networks without Unicode" in checked.stdout
    assert re.search(r"Nepali \(ne\) lacks \d+ names; callers read the English ones:\n  services/", checked.stdout)
    assert "more: check --verbose" in checked.stdout
    assert "more: check --verbose" not in run(tree, "server.py", "check", "--verbose").stdout


def test_a_call_two_sms_and_the_demo_phone_are_in_nepali(tree: Path, tmp_path: Path) -> None:
    talked = run(tree, "-m", "tests.support.nepali_conversation", str(tmp_path))

    assert talked.returncode == 0, talked.stderr[-2000:]
    said = json.loads(talked.stdout.strip().split("\n")[-1])
    assert said["first"].endswith("\n4 नेपाली")
    assert said["main"].startswith("Ekdial\n1 सेवा खोज्नुहोस्\n2 निवेदनको अवस्था\n")
    assert said["track"] == "ट्र्याकिङ नम्बरका १२ अङ्क लेख्नुहोस्\n1 मेरा निवेदन\n0 पछाडि"
    assert said["unknown"].startswith("एउटा अङ्क मिलेको छैन जस्तो छ\n")
    assert said["help"].startswith("Ekdial. 123 मा पठाउनुहोस्: STATUS र नम्बर")
    assert said["status"].startswith("ट्र्याकिङ नम्बरका १२ अङ्क लेख्नुहोस्\n")
    assert said["stranger"].startswith("ट्र्याकिङ नम्बरका १२ अङ्क"), "who never called is answered by the words"
    assert said["nepali_country"].startswith("माफ गर्नुहोस्"), (
        "words that no language has alone, from a number of its country"
    )
    assert said["hindi_country"].startswith("माफ़ करें"), "the same words from a number of the other country"
    assert json.loads(said["languages"]) == ["en", "bn", "hi", "ne"]
    texts = json.loads(said["texts"].removeprefix("export const TEXTS = ").removesuffix(";\n"))
    assert (texts["ne"]["name"], texts["ne"]["tag"], texts["ne"]["words"]["title"]) == ("नेपाली", "ne-NP", "डेमो फोन")


def test_a_file_without_its_language_is_told(tree: Path) -> None:
    """`ne.toml` was ignored in silence."""
    described = tree / "languages/ne.toml"
    described.rename(tree / "ne.toml")
    try:
        checked = run(tree, "server.py", "check")
    finally:
        (tree / "ne.toml").rename(described)

    assert checked.returncode == 2
    assert (
        "languages.offered.3: there is no such language; write 'en', 'bn' or 'hi', or add its files" in checked.stderr
    )


def test_a_language_that_nobody_can_choose_is_told(tree: Path) -> None:
    config = tree / "config.toml"
    offered = config.read_text(encoding="utf-8")
    config.write_text(offered.replace(', "ne"]', "]"), encoding="utf-8")
    try:
        checked = run(tree, "server.py", "check")
    finally:
        config.write_text(offered, encoding="utf-8")

    assert checked.returncode == 0, checked.stderr
    assert "Nepali (ne) has its files, but callers cannot choose it: add it to languages.offered" in checked.stdout


def test_a_mistake_in_the_file_of_a_language_is_told_by_its_line(tree: Path) -> None:
    described = tree / "languages/ne.toml"
    source = described.read_text(encoding="utf-8")
    described.write_text(source.replace('script = "Devanagari"', 'script = "Nagri"'), encoding="utf-8")
    try:
        checked = run(tree, "server.py", "check")
    finally:
        described.write_text(source, encoding="utf-8")

    assert checked.returncode == 2
    assert checked.stderr.startswith("languages/ne.toml:7: script: this value cannot be used; write the Unicode name")
