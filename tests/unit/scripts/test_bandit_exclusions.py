"""What bandit is told to overlook: single findings by their id, each with a reason in its line, and nothing as a whole."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MARKED = [
    (path.relative_to(ROOT).as_posix(), number, line)
    for path in sorted(ROOT.rglob("*.py"))
    if not {".venv", "var", "chaos", "tests"} & set(path.relative_to(ROOT).parts)
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
    if "nosec" in line
]


@pytest.mark.parametrize(("file", "number", "line"), MARKED, ids=[f"{file}:{number}" for file, number, _ in MARKED])
def test_every_overlooked_finding_has_its_id_and_a_reason(file, number, line):
    comment = re.search(r"# nosec B\d{3}(?P<reason> +#.*)$", line)
    assert comment, f"{file}:{number} needs an id and a reason: # nosec B101 # it was just written"
    reason = re.sub(r"#|noqa: [A-Z]+\d+|[-()]", "", comment["reason"]).split()
    assert len(reason) >= 2, f"{file}:{number} has no reason"


def test_no_check_is_skipped_as_a_whole():
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["bandit"]
    assert set(options) == {"exclude_dirs", "assert_used"}
    assert set(options["exclude_dirs"]) == {".venv", "var", "chaos", "tests"}
