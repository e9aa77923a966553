"""The path of a provider: its new inputs, the literal `*` in it, and the hop metadata that the provider echoes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menus.model import Position
from sessions.session import (
    ORIGINS,
    HopMetadata,
    Reply,
    Session,
    decode_session,
    encode_session,
    extends,
    new_inputs,
    parse_hop_metadata,
)


@pytest.mark.parametrize(
    ("path", "consumed", "metadata", "allow_stars", "answers"),
    [
        ("1", 0, None, True, [("1", 1)]),
        ("1*2", 1, None, True, [("2", 3)]),
        ("1*House 5*B", 1, None, True, [("House 5*B", 11)]),
        ("1*House 5*B", 1, HopMetadata("main", 1), False, [("House 5*B", 11)]),
        ("1*2*3", 1, None, False, [("2", 3), ("3", 5)]),
        ("1*2*3*4*5", 1, HopMetadata("main", 5), True, [("2", 3), ("3", 5), ("4*5", 9)]),
        ("1*2*3", 0, HopMetadata("main", 3), False, [("1", 1), ("2", 3), ("3", 5)]),
        ("1*2*3", 0, HopMetadata("main", 5), False, [("1", 1), ("2", 3), ("3", 5)]),
        ("1*2*3", 0, HopMetadata("main", 99), False, [("1", 1), ("2", 3), ("3", 5)]),
        ("7", 0, HopMetadata("main", 0), False, [("7", 1)]),
        ("1*", 1, None, True, [("", 2)]),
        ("1**2", 1, None, False, [("", 2), ("2", 4)]),
        ("*", 0, None, False, [("", 0), ("", 1)]),
        ("*", 0, None, True, [("*", 1)]),
    ],
)
def test_new_inputs_of_a_path(
    path: str, consumed: int, metadata: HopMetadata | None, allow_stars: bool, answers: list[tuple[str, int]]
) -> None:
    assert new_inputs(path, consumed, metadata, allow_stars=allow_stars) == answers


@given(st.lists(st.text(alphabet="ab1 ", max_size=6), min_size=1, max_size=8), st.data())
def test_inputs_joined_again_are_the_path(typed: list[str], data: st.DataObject) -> None:
    path = "*".join(typed)
    cut = data.draw(st.integers(0, len(typed) - 1))
    consumed = len("*".join(typed[:cut]))
    if cut and not consumed:
        return  # an empty first answer cannot be told from none
    answers = new_inputs(path, consumed, None, allow_stars=False)
    assert [answer for answer, _ in answers] == typed[cut:]
    assert answers[-1][1] == len(path)


@pytest.mark.parametrize(
    ("path", "consumed", "is_extended"),
    [("", 0, False), ("1", 0, True), ("1", 1, False), ("1*2", 1, True), ("12", 1, False), ("1", 3, False)],
)
def test_a_path_extends_the_consumed_part_only_at_a_separator(path: str, consumed: int, is_extended: bool) -> None:
    assert extends(path, consumed) is is_extended


@pytest.mark.parametrize("origin", ORIGINS)
def test_hop_metadata_is_parsed_as_it_was_rendered(origin: str) -> None:
    assert parse_hop_metadata(str(HopMetadata(origin, 117))) == HopMetadata(origin, 117)


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
def test_other_metadata_is_parsed_as_none(odd: str) -> None:
    assert parse_hop_metadata(odd) is None


def test_hop_metadata_fits_99_characters_and_has_no_vertical_bar() -> None:
    longest = str(HopMetadata(max(ORIGINS, key=len), 9999, tuple(range(9000, 9100))))
    assert len(longest) <= 99
    assert "|" not in longest


def test_a_session_is_encoded_in_few_bytes_and_decoded_completely() -> None:
    place = Position(
        "form", "bn", field_index=2, history=(("main", 0), ("services", 0)), facts={"service": "birth", "account": 7}
    )
    session = Session("ATUid_0123456789abcdef0123456789abcdef", "main", 40, place, Reply("Type the date", ends=False))
    assert decode_session(encode_session(session)) == session
    assert len(encode_session(session)) < 160


@pytest.mark.parametrize(
    "data",
    [b"", b"junk", b"\x95\x01\x02", encode_session(Session("s", "main", 0, Position("m", "en"), Reply("a")))[:-3]],
)
def test_bytes_of_another_program_version_are_decoded_as_none(data: bytes) -> None:
    assert decode_session(data) is None
