"""The checks of the menu: one broken menu or locale a file, with the message that an editor gets."""

import ast
import re
import runpy
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from core.errors import ValidationFailedError
from core.toml_source import read_utf8
from menus.model import Goodbye, Menu
from menus.rendering.localization import load_locale, locale_path
from menus.rendering.paging import ScreenBudget
from menus.validation.check import find_problems
from services.assisted.visit_summary import ACT_TEXTS
from services.citizens.account_notices import Notice
from tests.support.small_menu import LABELS, LOCALE_SOURCES, TREE, build_report, locale_sources_for

BROKEN = Path(__file__).parents[2] / "broken"
TREES = sorted((BROKEN / "menus").glob("*.py"))
LOCALES = sorted((BROKEN / "locales").glob("*/*.toml"))


def test_what_the_broken_ones_were_made_from_is_sound():
    assert list(find_problems(build_report())) == []
    assert list(find_problems(build_report(TREE, locale_sources_for(TREE)))) == []


@pytest.mark.parametrize("file", TREES, ids=lambda file: file.stem)
def test_a_broken_tree_is_told_by_the_screen(file):
    broken = runpy.run_path(str(file))

    messages = [
        str(problem) for problem in find_problems(build_report(broken["TREE"], locale_sources_for(broken["TREE"])))
    ]

    assert [line for line in messages if line.startswith("menus: ")] == broken["__doc__"].split("\n")


@pytest.mark.parametrize("file", LOCALES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_broken_words_are_told_by_the_line(file):
    form = file.parent.name
    source = file.read_text(encoding="utf-8")
    expected = [line.removeprefix("# ") for line in source.split("\n") if line.startswith(f"# {locale_path(form)}:")]

    assert expected, "the file does not say what is expected"
    assert find_messages(form, {**LOCALE_SOURCES, form: source}) == expected


def find_messages(form, sources):
    """The messages about a locale that an editor gets."""
    try:
        found = list(find_problems(build_report(sources=sources)))
    except ValidationFailedError as broken:
        found = broken.problems
    return [str(problem) for problem in found if problem.file == locale_path(form)]


@pytest.mark.parametrize(("form", "limit"), [("en", "1 screen"), ("bn_Latn", "1 screen"), ("bn", "8 screens")])
def test_a_question_of_the_catalogue_must_fit_as_its_form_asks_it(form, limit):
    question = {**LABELS, form: " ".join(["Type what the letter says."] * 20)}

    messages = [str(problem) for problem in find_problems(build_report(labels=question))]

    cost = f"{len(question[form]) + len('5/5 ')} characters and no options need more than {limit}"
    assert messages == [f"catalogue: birth.child ({form}): {cost}; use fewer words"]


def test_a_question_that_a_language_lacks_is_proved_as_it_is_asked_in_english():
    assert list(find_problems(build_report(labels={"en": LABELS["en"]}))) == []


def test_the_smaller_the_screen_the_less_can_be_said():
    small = replace(build_report(), budget=ScreenBudget(septets=40, units=40))

    assert {problem.key for problem in find_problems(small)} >= {"ask_number.text", "birth.child (en)"}


def test_the_way_home_is_counted_where_its_name_is_the_longer_one():
    """A screen without history shows the label of home and must have room for it."""
    just_fits = "x" * (160 - len("CON \n7 Help\n0 Back"))
    sources = {**LOCALE_SOURCES, "en": LOCALE_SOURCES["en"].replace("Type the 12-digit tracking number", just_fits)}

    assert [problem.key for problem in find_problems(build_report(sources=sources))] == ["ask_number.text"]
    sources["en"] = sources["en"].replace("Main menu", "Home")
    assert [problem.key for problem in find_problems(build_report(sources=sources))] == []


def test_a_keyword_must_lead_to_a_screen_and_makes_it_one_that_is_reached():
    alone = Goodbye("app_sent")
    menu = Menu(
        (*TREE, alone), home="main", stuck="stuck", persistent_facts=frozenset(), entries=("app_sent", "app_snt")
    )

    messages = [
        str(problem)
        for problem in find_problems(
            replace(build_report((*TREE, alone), locale_sources_for((*TREE, alone))), menu=menu)
        )
    ]

    assert messages == [
        "menus: app_snt: an SMS keyword leads here, but there is no such screen; did you mean 'app_sent'?"
    ]


# Texts that other code names -------------------------------------------------------------------------------------------
# One rule: code outside the menus names a text by a literal argument of a call: `Invalid("empty")`, `PhoneNumberError("not_served")`,
# `render_text(language, "pin", facts)`, `render_email(language, "verify", facts)`, or `TextKey("complaint_moved")` or `CodeText("code", …)` for
# a text that is rendered later. ACT_TEXTS is the only table of texts chosen by an act of the audit log; `Notice` names the
# notices to accounts.

ENGLISH = load_locale("en", read_utf8(Path("menus/locales/en.toml").absolute()), {})


def test_every_reason_for_a_refusal_has_its_line_and_every_line_its_reason():
    files = [
        file
        for file in python_sources("app", "core", "menus", "services", "sessions")
        if not is_department_module(file)
    ]
    used = {reason for file in files for reason in literal_arguments("Invalid|PhoneNumberError", file)}

    assert used == set(ENGLISH.validation_messages)


def test_every_sms_that_is_sent_has_its_words_and_no_words_are_left_over():
    used = {
        name
        for file in python_sources("app", "services", "sms")
        for name in literal_arguments("_?render_text|_?render_sms|_?say|TextKey|CodeText", file)
    }

    assert used | set(ACT_TEXTS.values()) | set(get_args(Notice)) == set(ENGLISH.sms)


def test_every_letter_that_is_written_has_its_words_and_no_words_are_left_over():
    used = {
        name for file in python_sources("services") for name in literal_arguments("_?render_email", file, arguments=3)
    }

    assert used == set(ENGLISH.mail)


def python_sources(*places):
    for place in places:
        found = list(Path(place).rglob("*.py"))
        assert found, f"there is no {place} to look into"
        yield from found


def is_department_module(file):
    """Whether the module talks to a department's system, whose rejections no caller reads."""
    return file.parts[:2] == ("services", "departments")


def literal_arguments(function, file, arguments=None):
    """The literal texts among the arguments of calls, such as `empty` in `Invalid("empty")`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or arguments not in {None, len(node.args)}:
            continue
        if re.fullmatch(function, getattr(node.func, "id", getattr(node.func, "attr", ""))):
            branches = [
                one for it in node.args for one in ((it.body, it.orelse) if isinstance(it, ast.IfExp) else (it,))
            ]
            yield from (it.value for it in branches if isinstance(it, ast.Constant) and isinstance(it.value, str))
