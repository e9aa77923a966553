"""Every attack has a number; each has a test whose name begins with it, and the threat model names it."""

import ast
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
THREAT_MODEL = (FOLDER.parents[1] / "docs" / "threat-model.md").read_text(encoding="utf-8")
COUNTS = {"C": 1, "H": 8, "M": 12, "L": 15}
NUMBERS = [f"{letter}{number}" for letter, count in COUNTS.items() for number in range(1, count + 1)]
DOCUMENTED_ONLY = {
    "L11": "a stolen folder with the embedded defaults has the key beside the data: docs/deploy.md says so"
}
FILE = re.compile(r"test_(?P<number>[chml]\d+)_\w+\.py")


def list_tests(path):
    """The names of the test functions in a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [node.name for node in functions if node.name.startswith("test_")]


TESTS = {path.name: list_tests(path) for path in sorted(FOLDER.glob("test_*.py")) if FILE.fullmatch(path.name)}


@pytest.mark.parametrize("number", [one for one in NUMBERS if one not in DOCUMENTED_ONLY])
def test_every_attack_is_replayed(number):
    begin = f"test_{number.lower()}_"
    assert any(name.startswith(begin) for names in TESTS.values() for name in names), f"no test replays {number}"


@pytest.mark.parametrize("file", TESTS)
def test_every_test_begins_with_the_number_of_its_file(file):
    begin = f"test_{FILE.fullmatch(file)['number']}_"
    assert TESTS[file]
    assert [name for name in TESTS[file] if not name.startswith(begin)] == []
    assert begin[5:-1].upper() in NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_the_threat_model_names_every_attack(number):
    assert re.search(rf"\b{number}\b|test_{number.lower()}_", THREAT_MODEL), (
        f"docs/threat-model.md does not name {number}"
    )


def test_what_is_documented_only_is_documented():
    assert "What a stolen folder opens" in (FOLDER.parents[1] / "docs" / "deploy.md").read_text(encoding="utf-8")
