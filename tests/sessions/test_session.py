"""The path that a provider sends: what of it is new, where its answers begin, and the trace that it brings back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menus.model import Place
from sessions.session import (
    BEGINNINGS,
    Answer,
    Session,
    Trace,
    follows,
    packed,
    trace_of,
    unheard,
    unpacked,
)


@pytest.mark.parametrize(
    ("path", "heard", "trace", "whole", "answers"),
    [
        ("1", 0, None, True, [("1", 1)]),
        ("1*2", 1, None, True, [("2", 3)]),
        ("1*House 5*B", 1, None, True, [("House 5*B", 11)]),
        ("1*House 5*B", 1, Trace("main", 1), False, [("House 5*B", 11)]),
        ("1*2*3", 1, None, False, [("2", 3), ("3", 5)]),
        ("1*2*3*4*5", 1, Trace("main", 5), True, [("2", 3), ("3", 5), ("4*5", 9)]),
        ("1*2*3", 0, Trace("main", 3), False, [("1", 1), ("2", 3), ("3", 5)]),
        ("1*2*3", 0, Trace("main", 5), False, [("1", 1), ("2", 3), ("3", 5)]),
        ("1*2*3", 0, Trace("main", 99), False, [("1", 1), ("2", 3), ("3", 5)]),
        ("7", 0, Trace("main", 0), False, [("7", 1)]),
        ("1*", 1, None, True, [("", 2)]),
        ("1**2", 1, None, False, [("", 2), ("2", 4)]),
        ("*", 0, None, False, [("", 0), ("", 1)]),
        ("*", 0, None, True, [("*", 1)]),
    ],
)
def test_what_is_new_in_a_path(
    path: str, heard: int, trace: Trace | None, whole: bool, answers: list[tuple[str, int]]
) -> None:
    assert unheard(path, heard, trace, whole=whole) == answers


@given(st.lists(st.text(alphabet="ab1 ", max_size=6), min_size=1, max_size=8), st.data())
def test_answers_put_together_again_are_the_path(typed: list[str], data: st.DataObject) -> None:
    path = "*".join(typed)
    cut = data.draw(st.integers(0, len(typed) - 1))
    heard = len("*".join(typed[:cut]))
    if cut and not heard:
        return  # an empty first answer cannot be told from none
    answers = unheard(path, heard, None, whole=False)
    assert [answer for answer, _ in answers] == typed[cut:]
    assert answers[-1][1] == len(path)


@pytest.mark.parametrize(
    ("path", "heard", "goes_on"),
    [("", 0, False), ("1", 0, True), ("1", 1, False), ("1*2", 1, True), ("12", 1, False), ("1", 3, False)],
)
def test_whether_a_path_goes_on_from_what_was_heard(path: str, heard: int, goes_on: bool) -> None:
    assert follows(path, heard) is goes_on


@pytest.mark.parametrize("began", BEGINNINGS)
def test_a_trace_comes_back_as_it_went(began: str) -> None:
    assert trace_of(str(Trace(began, 117))) == Trace(began, 117)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "main",
        "main.",
        "main.x",
        "main.-1",
        "main.²",
        "home.3",
        ".3",
        "main.3|x",
        "main.3.",
        "main.3.x",
        "main.3.4-",
        "x" * 500,
    ],
)
def test_what_is_no_trace_of_ours_is_none(odd: str) -> None:
    assert trace_of(odd) is None


def test_a_trace_fits_the_99_characters_that_there_are_and_has_no_bar() -> None:
    longest = str(Trace(max(BEGINNINGS, key=len), 9999, tuple(range(9000, 9100))))
    assert len(longest) <= 99
    assert "|" not in longest


def test_a_session_is_packed_small_and_unpacked_whole() -> None:
    place = Place("form", "bn", item=2, trail=(("main", 0), ("services", 0)), facts={"service": "birth", "account": 7})
    session = Session("ATUid_0123456789abcdef0123456789abcdef", "main", 40, place, Answer("Type the date", ends=False))
    assert unpacked(packed(session)) == session
    assert len(packed(session)) < 160


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"\x95\x01\x02", packed(Session("s", "main", 0, Place("m", "en"), Answer("a")))[:-3]]
)
def test_what_another_program_packed_is_forgotten(data: bytes) -> None:
    assert unpacked(data) is None
