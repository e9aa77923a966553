"""A folder of broken catalogues, one mistake each, with the lines an editor is shown."""

from pathlib import Path

import pytest

from faults import Broken
from services.catalogue.load import load

FOLDER = Path(__file__).parents[1] / "broken" / "catalogue"
SOUND = (FOLDER / "fee_that_is_a_word" / "demo.toml").read_text(encoding="utf-8").replace('"abc"', "5000")
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

    with pytest.raises(Broken) as broken:
        load(FOLDER / case)

    assert str(broken.value) == (FOLDER / case / "expected.txt").read_text(encoding="utf-8").rstrip("\n")


def test_what_the_broken_ones_were_made_from_is_sound(tmp_path):
    (tmp_path / "demo.toml").write_text(SOUND, encoding="utf-8")

    assert list(load(tmp_path).services) == ["trade_licence"]


def test_names_the_file_from_where_one_stands(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "brta.toml").write_text(SOUND.replace("fee = 5000", 'fee = "abc"'), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(Broken) as broken:
        load(tmp_path / "data")

    (fault,) = broken.value.faults
    assert (fault.file, fault.line, fault.where) == ("data/brta.toml", 22, "services.trade_licence.fee")
    assert fault.problem == "'abc' is not an amount in paisa"
    assert fault.right == "write a whole number such as 5000"


def test_a_file_from_another_editor_is_read_all_the_same(tmp_path):
    marked = "\ufeff" + SOUND.replace("\n", "\r\n")
    (tmp_path / "demo.toml").write_bytes(marked.encode())
    assert list(load(tmp_path).services) == ["trade_licence"]

    (tmp_path / "demo.toml").write_bytes(marked.replace("fee = 5000", "fee = -1").encode())
    with pytest.raises(Broken) as broken:
        load(tmp_path)
    assert [fault.line for fault in broken.value.faults] == [22]


def test_a_folder_that_is_not_there_has_no_catalogue_files(tmp_path):
    with pytest.raises(Broken, match="nowhere:1: has no catalogue files"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_value_anywhere_is_told_on_its_own_line(odd, tmp_path):
    for position, line in enumerate(lines := SOUND.splitlines()):
        key, equals, _ = line.partition(" = ")
        if equals:
            faults = faults_of(tmp_path, [*lines[:position], f"{key} = {odd}", *lines[position + 1 :]])
            assert not faults or position + 1 in {fault.line for fault in faults}, line


def test_any_line_may_be_lost_and_the_loss_is_told_or_harmless(tmp_path):
    for position in range(len(lines := SOUND.splitlines())):
        faults = faults_of(tmp_path, [*lines[:position], *lines[position + 1 :]])
        assert all(1 <= fault.line <= len(lines) for fault in faults)


def faults_of(folder, lines):
    (folder / "demo.toml").write_text("\n".join(lines), encoding="utf-8")
    try:
        load(folder)
    except Broken as broken:
        return broken.faults
    return ()
