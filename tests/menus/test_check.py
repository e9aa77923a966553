"""Proving the menus: a folder of broken trees and one of broken words, one mistake each, with the line a person gets."""

import runpy
from pathlib import Path

import pytest

from faults import Broken
from menus.check import faults
from menus.words import FORMS, file_of
from tests.menus.proofs import LABELS, SOURCES, TREE, proof, sources_for

BROKEN = Path(__file__).parents[1] / "broken"
TREES = sorted((BROKEN / "menus").glob("*.py"))
LOCALES = sorted((BROKEN / "locales").glob("*/*.toml"))


def test_what_the_broken_ones_were_made_from_is_sound():
    assert list(faults(proof())) == []
    assert list(faults(proof(TREE, sources_for(TREE)))) == []


@pytest.mark.parametrize("file", TREES, ids=lambda file: file.stem)
def test_a_broken_tree_is_told_by_the_screen(file):
    broken = runpy.run_path(str(file))

    said = [str(fault) for fault in faults(proof(broken["TREE"], sources_for(broken["TREE"])))]

    assert [line for line in said if line.startswith("menus: ")] == broken["__doc__"].split("\n")


@pytest.mark.parametrize("file", LOCALES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_broken_words_are_told_by_the_line(file):
    form = file.parent.name
    source = file.read_text(encoding="utf-8")
    expected = [line.removeprefix("# ") for line in source.split("\n") if line.startswith(f"# {file_of(form)}:")]

    assert expected, "the file does not say what is expected"
    assert said_of(form, {**SOURCES, form: source}) == expected


def said_of(form, sources):
    """What an editor of this form's locale is told."""
    try:
        found = list(faults(proof(sources=sources)))
    except Broken as broken:
        found = broken.faults
    return [str(fault) for fault in found if fault.file == file_of(form)]
