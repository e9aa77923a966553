"""The check that keeps replaced names from coming back."""

import pytest

from scripts.check_names import ROOT, describe_refusal, find_definitions


def refusals(folder, source, name="module.py"):
    (folder / name).write_text(source, encoding="utf-8")
    return [line for it in find_definitions(folder) if (line := describe_refusal(it))]


def test_the_repository_has_no_replaced_names():
    assert not [line for it in find_definitions(ROOT) if (line := describe_refusal(it))]


@pytest.mark.parametrize(
    ("source", "kind", "name"),
    [
        ("class Desk: ...", "class", "Desk"),
        ("def told(error): ...", "function", "told"),
        ("def _told(error): ...", "function", "_told"),
        ("def call_of(form): ...", "function", "call_of"),
        ("async def send(text, *, effect): ...", "parameter", "effect"),
        ("class Worker:\n    def __init__(self, seal): ...", "parameter", "seal"),
    ],
)
def test_a_replaced_name_is_reported_with_its_line_and_what_to_write(tmp_path, source, kind, name):
    (line,) = refusals(tmp_path, source)
    assert line.startswith(f"module.py:{source.count(chr(10)) + 1}: the {kind} name {name!r} is replaced; ")


def test_a_module_is_reported_by_its_file(tmp_path):
    assert refusals(tmp_path, "", "together.py") == [
        "together.py:1: the module name 'together' is replaced; an adverb; core/batching.py"
    ]


def test_prose_and_locals_may_use_the_words(tmp_path):
    assert not refusals(tmp_path, '"""The desk told the courier."""\ntold = 1\n\n\ndef test_who_it_is_told_of(): ...\n')
