import re

import pytest

from sealing import Seal, SealBroken

SECRET = bytes(range(32))


@pytest.fixture
def seal() -> Seal:
    return Seal(SECRET)


def test_what_was_closed_is_opened_with_the_same_secret(seal):
    assert Seal(SECRET).open(seal.close(b"session", "key"), "key") == b"session"


@pytest.mark.parametrize("plain", [b"", b"a", bytes(10_000)])
def test_a_sealed_value_is_28_octets_longer(seal, plain):
    assert len(seal.close(plain, "key")) == len(plain) + 28


def test_the_same_value_is_never_sealed_the_same_way_twice(seal):
    assert seal.close(b"session", "key") != seal.close(b"session", "key")


def test_a_sealed_value_tells_nothing(seal):
    assert b"4821" not in seal.close(b"PIN 4821", "key")


def test_a_value_moved_to_another_name_is_refused(seal):
    with pytest.raises(SealBroken, match="moved"):
        seal.open(seal.close(b"session", "key of A"), "key of B")


def test_another_secret_opens_nothing(seal):
    with pytest.raises(SealBroken, match="another secret"):
        Seal(SECRET[::-1]).open(seal.close(b"session", "key"), "key")


def test_a_change_of_any_octet_is_noticed(seal):
    sealed = seal.close(b"session", "key")
    for place in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[place] ^= 1
        with pytest.raises(SealBroken, match="damaged"):
            seal.open(bytes(damaged), "key")


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(27)])
def test_what_is_too_short_to_have_been_sealed_is_refused(seal, sealed):
    with pytest.raises(SealBroken, match="too short"):
        seal.open(sealed, "key")


def test_a_name_is_the_same_in_every_process_with_the_secret(seal):
    assert seal.name("session", "+8801711000001") == Seal(SECRET).name("session", "+8801711000001")


def test_a_name_is_short_and_url_safe(seal):
    for number in range(200):
        assert re.fullmatch(r"[0-9a-f]{32}", seal.name("session", f"+88017110{number:05}"))


def test_a_name_depends_on_secret_purpose_and_value(seal):
    names = {
        seal.name("session", "1"),
        seal.name("session", "2"),
        seal.name("claim", "1"),
        seal.name("sessio", "n1"),
        seal.name("sessio", "n 1"),
        Seal(SECRET[::-1]).name("session", "1"),
    }
    assert len(names) == 6


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="at least 32 octets; this one has 31"):
        Seal(bytes(31))
