"""Files that a person broke: the settings, a catalogue, the centres. Each is read, or refused with every problem named."""

import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from app.channels import build_short_code_config
from app.menu_plan import validated_plan
from app.settings import load_settings
from core.errors import CommandError
from services.catalogue.centres_loader import load_centres
from services.catalogue.current import CatalogueSnapshot
from services.catalogue.form_fields import build_form_fields
from services.catalogue.loader import load_catalogue
from tests.support.phone import ROOT

VALUES = (
    *("[]", "{}", "[[1]]", "[{ a = 1 }]", "0", "-7", "1.5", "nan", "-inf", "true", '""', '" "', '"\\u0000"', '"\\u202e1"', "1979-05-27"),
    *("99999999999999999999", "-9223372036854775809", "9" * 4000, "1e400", "0x7fffffffffffffff", "07:32:00", "1979-05-27T07:32:00Z"),
    *('"' + "x" * 5000 + '"', '"ক্ষ"', '"😀"', '"{name}"', '"%s"', "'''a\nb'''", "[1, [2, [3, [4]]]]", "[" * 400 + "]" * 400),
    *('"en"', '"bn"', '["en", "en"]', '"*123#"', '"BD"', '"http://["', '"::1"', '"0.0.0.0/99"', '"../../etc"', '"\\\\"'),
)  # fmt: skip
LINES = (
    "[",
    "]",
    "[[a]]",
    "[server]",
    "[a.b.c]",
    "= 1",
    "a",
    "a = ",
    '"" = 1',
    "a.b = 1",
    "\ufeff",
    "\x00",
    "'",
    '"""',
    "#",
    "[redis]\nurl = 1",
)
_ends_with_value = re.compile(r"^(\s*[^#\s\[=][^=]*=\s*)(.*)$").match


@cache
def read_base(name: str) -> str:
    """The valid file that is broken."""
    if name == "config":
        lines = (ROOT / "config.toml").read_text(encoding="utf-8").split("\n")
        return "\n".join(line for line in lines if line and not line.startswith("#"))
    if name == "centres":
        return "\n".join((ROOT / "services/catalogue/centres/bd.toml").read_text(encoding="utf-8").split("\n")[:60])
    broken = ROOT / "tests/broken/catalogue/fee_that_is_a_word/demo.toml"
    return broken.read_text(encoding="utf-8").replace('"abc"', "5000")


def changes(*bases: str) -> st.SearchStrategy[Any]:
    """Changes to a file as JSON: its name, and what is done to which line."""
    line = st.integers(0, 400)
    change = st.one_of(
        st.tuples(st.just("value"), line, st.sampled_from(VALUES)),
        st.tuples(st.just("value"), line, st.text(max_size=20).map(lambda text: f'"{text}"')),
        st.tuples(st.just("delete"), line, st.just("")),
        st.tuples(st.just("repeat"), line, st.just("")),
        st.tuples(st.just("insert"), line, st.sampled_from(LINES) | st.text(max_size=30)),
        st.tuples(st.just("cut"), st.integers(0, 4000), st.just("")),
    )
    return st.fixed_dictionaries(
        {"base": st.sampled_from(bases), "changes": st.lists(change.map(list), min_size=1, max_size=4)}
    )


def build_file(value: Any) -> bytes:
    """The broken file."""
    lines = read_base(value["base"]).split("\n")
    for kind, at, text in value["changes"]:
        lines = CHANGES[kind](lines, at % max(1, len(lines)) if kind != "cut" else at, text) or [""]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _replace_value(lines: list[str], at: int, text: str) -> list[str]:
    found = _ends_with_value(lines[at])
    return [*lines[:at], f"{found[1]}{text}" if found else text, *lines[at + 1 :]]


CHANGES: dict[str, Callable[[list[str], int, str], list[str]]] = {
    "value": _replace_value,
    "delete": lambda lines, at, _: [*lines[:at], *lines[at + 1 :]],
    "repeat": lambda lines, at, _: [*lines[:at], lines[at], *lines[at:]],
    "insert": lambda lines, at, text: [*lines[:at], text, *lines[at:]],
    "cut": lambda lines, at, _: "\n".join(lines)[:at].split("\n"),
}


def check_file(value: Any) -> object:
    """The file is used, or refused with a list of problems; nothing else comes of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{'config' if value['base'] == 'config' else 'demo'}.toml"
        path.write_bytes(build_file(value))
        try:
            return value["base"], USES[value["base"]](path)
        except CommandError as refused:
            problems = str(refused)
            assert problems.strip(), "it is refused without a reason"
            problems.encode()
            return value["base"], re.sub(r"[^:]*:\d+: |'.*?'|\d+", "", problems.partition("\n")[0])[:80]


def _use_config(path: Path) -> str:
    settings = load_settings(path, {})
    validated_plan(settings)
    build_short_code_config(settings, "africastalking")
    return "used"


def _use_catalogue(path: Path) -> str:
    catalogue = load_catalogue(path.parent)
    CatalogueSnapshot.build(catalogue).service_search("birth")
    for service in catalogue.services.values():
        build_form_fields(service)
    return "used"


def _use_centres(path: Path) -> str:
    load_centres(path.parent)
    return "used"


USES: dict[str, Callable[[Path], str]] = {"config": _use_config, "catalogue": _use_catalogue, "centres": _use_centres}
