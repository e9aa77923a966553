"""Proving the menus: a folder of broken trees and one of broken words, one mistake each, with the line a person gets."""

import ast
import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from faults import Broken
from menus.check import faults
from menus.model import Goodbye, Menu
from menus.words import file_of, load
from screens.pages import Budget
from services.visits import DONE
from tests.menus.proofs import LABELS, SOURCES, TREE, proof, sources_for
from toml_lines import text_of

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


@pytest.mark.parametrize(("form", "most"), [("en", "1 screen"), ("bn_Latn", "1 screen"), ("bn", "8 screens")])
def test_a_question_of_the_catalogue_must_fit_as_its_form_asks_it(form, most):
    question = {**LABELS, form: " ".join(["Type what the letter says."] * 20)}

    said = [str(fault) for fault in faults(proof(labels=question))]

    cost = f"{len(question[form]) + len('5/5 ')} characters and no options need more than {most}"
    assert said == [f"catalogue: birth.child ({form}): {cost}; say it in fewer words"]


def test_a_question_that_a_language_lacks_is_proved_as_it_is_asked_in_english():
    assert list(faults(proof(labels={"en": LABELS["en"]}))) == []


def test_the_smaller_the_screen_the_less_can_be_said():
    small = replace(proof(), budget=Budget(septets=40, units=40))

    assert {fault.where for fault in faults(small)} >= {"ask_number.text", "birth.child (en)"}


def test_the_way_home_is_counted_where_its_name_is_the_longer_one():
    """A screen with nothing behind it says the name of home, and must hold it."""
    just_fits = "x" * (160 - len("CON \n7 Help\n0 Back"))
    sources = {**SOURCES, "en": SOURCES["en"].replace("Type the 12-digit tracking number", just_fits)}

    assert [fault.where for fault in faults(proof(sources=sources))] == ["ask_number.text"]
    sources["en"] = sources["en"].replace("Main menu", "Home")
    assert [fault.where for fault in faults(proof(sources=sources))] == []


def test_a_keyword_must_lead_to_a_screen_and_makes_it_one_that_is_reached():
    alone = Goodbye("app_sent")
    menu = Menu((*TREE, alone), home="main", stuck="stuck", keeps=frozenset(), entries=("app_sent", "app_snt"))

    said = [str(fault) for fault in faults(replace(proof((*TREE, alone), sources_for((*TREE, alone))), menu=menu))]

    assert said == ["menus: app_snt: a keyword leads here, and there is no such screen; did you mean 'app_sent'?"]


# What is said from elsewhere -----------------------------------------------------------------------------------------
# One rule: whoever says a text from elsewhere names it by a literal argument of a call: of `Refused("empty")`, of
# `say(language, "pin", facts)`, of `write(language, "verify", facts)`, or of a `Said("complaint_moved")` that is said
# later. DONE is the one table of texts that are chosen by what the audit calls an act.

ENGLISH = load("en", text_of(Path("menus/locales/en.toml").absolute()), {})


def test_every_reason_for_a_refusal_has_its_line_and_every_line_its_reason():
    files = [file for file in sources_of("assembly", "menus", "services") if not says_it_to_departments(file)]
    given = {reason for file in files for reason in texts_given_to("Refused", file)}

    assert given == set(ENGLISH.refused)


def test_every_sms_that_is_sent_has_its_words_and_no_words_are_left_over():
    given = {name for file in sources_of("assembly", "services", "sms") for name in texts_given_to("_?say|Said", file)}

    assert given | set(DONE.values()) == set(ENGLISH.sms)


def test_every_letter_that_is_written_has_its_words_and_no_words_are_left_over():
    given = {name for file in sources_of("services") for name in texts_given_to("_?write", file, arguments=3)}

    assert given == set(ENGLISH.mail)


def sources_of(*places):
    for place in places:
        found = list(Path(place).rglob("*.py"))
        assert found, f"there is no {place} to look into"
        yield from found


def says_it_to_departments(file):
    """Whether its `Refused` is the one of a department's system, which no caller hears."""
    return file.parts[:2] == ("services", "departments")


def texts_given_to(function, file, arguments=None):
    """The literal texts among the arguments of calls, such as `empty` in `Refused("empty")`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or arguments not in {None, len(node.args)}:
            continue
        if re.fullmatch(function, getattr(node.func, "id", getattr(node.func, "attr", ""))):
            yield from (it.value for it in node.args if isinstance(it, ast.Constant) and isinstance(it.value, str))
