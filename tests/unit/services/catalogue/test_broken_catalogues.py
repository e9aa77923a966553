"""Broken catalogues with one mistake each, and the lines that an editor reads."""

from pathlib import Path

import pytest

from core.errors import ValidationFailedError
from services.catalogue.loader import load_catalogue

FOLDER = Path(__file__).parents[3] / "broken" / "catalogue"
VALID_CATALOGUE = (FOLDER / "fee_that_is_a_word" / "demo.toml").read_text(encoding="utf-8").replace('"abc"', "5000")
ODD = (
    "[]",
    "{}",
    "[[1]]",
    "[{ a = 1 }]",
    "0",
    "-7",
    "1.5",
    "nan",
    "true",
    '""',
    '"\\u0000"',
    "1979-05-27",
    "99999999999999999999",
)


@pytest.mark.parametrize("case", sorted(path.name for path in FOLDER.iterdir()))
def test_says_where_what_is_wrong_and_what_would_be_right(case, monkeypatch):
    monkeypatch.chdir(FOLDER / case)

    with pytest.raises(ValidationFailedError) as broken:
        load_catalogue(FOLDER / case)

    assert str(broken.value) == (FOLDER / case / "expected.txt").read_text(encoding="utf-8").rstrip("\n")


def test_what_the_broken_ones_were_made_from_is_sound(tmp_path):
    (tmp_path / "demo.toml").write_text(VALID_CATALOGUE, encoding="utf-8")

    assert list(load_catalogue(tmp_path).services) == ["trade_licence"]


@pytest.mark.parametrize(
    ("written", "persons"),
    [
        ("", ("self", "another", "dependent")),
        ("for_others = false", ("self",)),
        ("for_others = false\nfor_dependents = true", ("self", "dependent")),
        ("for_self = false\nfor_dependents = false", ("another",)),
    ],
)
def test_a_service_says_whom_it_can_be_applied_for(written, persons, tmp_path):
    table = "[services.trade_licence]\n"
    (tmp_path / "demo.toml").write_text(VALID_CATALOGUE.replace(table, f"{table}{written}\n"), encoding="utf-8")

    assert load_catalogue(tmp_path).services["trade_licence"].for_whom == persons


def test_names_the_file_from_where_one_stands(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "brta.toml").write_text(VALID_CATALOGUE.replace("fee = 5000", 'fee = "abc"'), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ValidationFailedError) as broken:
        load_catalogue(tmp_path / "data")

    (fault,) = broken.value.problems
    assert (fault.file, fault.line, fault.key) == ("data/brta.toml", 22, "services.trade_licence.fee")
    assert fault.problem == "'abc' is not an amount in paisa"
    assert fault.fix == "write a whole number such as 5000"


def test_a_file_from_another_editor_is_read_all_the_same(tmp_path):
    marked = "\ufeff" + VALID_CATALOGUE.replace("\n", "\r\n")
    (tmp_path / "demo.toml").write_bytes(marked.encode())
    assert list(load_catalogue(tmp_path).services) == ["trade_licence"]

    (tmp_path / "demo.toml").write_bytes(marked.replace("fee = 5000", "fee = -1").encode())
    with pytest.raises(ValidationFailedError) as broken:
        load_catalogue(tmp_path)
    assert [fault.line for fault in broken.value.problems] == [22]


def test_a_folder_that_is_not_there_has_no_catalogue_files(tmp_path):
    with pytest.raises(ValidationFailedError, match="nowhere:1: has no catalogue files"):
        load_catalogue(tmp_path / "nowhere")


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_value_anywhere_is_told_on_its_own_line(odd, tmp_path):
    for position, line in enumerate(lines := VALID_CATALOGUE.splitlines()):
        key, equals, _ = line.partition(" = ")
        if equals:
            faults = load_problems(tmp_path, [*lines[:position], f"{key} = {odd}", *lines[position + 1 :]])
            assert not faults or position + 1 in {fault.line for fault in faults}, line


def test_any_line_may_be_lost_and_the_loss_is_told_or_harmless(tmp_path):
    for position in range(len(lines := VALID_CATALOGUE.splitlines())):
        faults = load_problems(tmp_path, [*lines[:position], *lines[position + 1 :]])
        assert all(1 <= fault.line <= len(lines) for fault in faults)


def load_problems(folder, lines):
    (folder / "demo.toml").write_text("\n".join(lines), encoding="utf-8")
    try:
        load_catalogue(folder)
    except ValidationFailedError as broken:
        return broken.problems
    return ()
