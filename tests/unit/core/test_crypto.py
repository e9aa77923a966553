import re

import pytest

from core.crypto import Cipher, DecryptionError, UnknownKeyError, derive_key_id, read_key_id

SECRET = bytes(range(32))


@pytest.fixture
def cipher() -> Cipher:
    return Cipher(SECRET)


def test_a_value_is_decrypted_with_the_same_secret(cipher):
    assert Cipher(SECRET).decrypt(cipher.encrypt(b"session", "key"), "key") == b"session"


@pytest.mark.parametrize("plain", [b"", b"a", bytes(10_000)])
def test_an_encrypted_value_is_34_bytes_longer(cipher, plain):
    assert len(cipher.encrypt(plain, "key")) == len(plain) + 34


def test_the_same_value_is_encrypted_differently_each_time(cipher):
    assert cipher.encrypt(b"session", "key") != cipher.encrypt(b"session", "key")


def test_an_encrypted_value_does_not_contain_the_value(cipher):
    assert b"4821" not in cipher.encrypt(b"PIN 4821", "key")


def test_a_value_of_another_context_is_rejected(cipher):
    with pytest.raises(DecryptionError, match="another secret or context"):
        cipher.decrypt(cipher.encrypt(b"session", "key of A"), "key of B")


def test_another_secret_decrypts_nothing(cipher):
    with pytest.raises(DecryptionError, match="another secret"):
        Cipher(SECRET[::-1]).decrypt(cipher.encrypt(b"session", "key"), "key")


def test_a_change_of_any_byte_is_detected(cipher):
    sealed = cipher.encrypt(b"session", "key")
    for place in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[place] ^= 1
        with pytest.raises(DecryptionError, match="damaged"):
            cipher.decrypt(bytes(damaged), "key")


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(27)])
def test_a_value_that_is_too_short_is_rejected(cipher, sealed):
    with pytest.raises(DecryptionError, match="too short"):
        cipher.decrypt(sealed, "key")


def test_a_keyed_hash_is_the_same_in_every_process_with_the_secret(cipher):
    assert cipher.keyed_hash("session", "+8801711000001") == Cipher(SECRET).keyed_hash("session", "+8801711000001")


def test_a_keyed_hash_is_short_and_url_safe(cipher):
    for number in range(200):
        assert re.fullmatch(r"[0-9a-f]{32}", cipher.keyed_hash("session", f"+88017110{number:05}"))


def test_a_keyed_hash_depends_on_secret_purpose_and_value(cipher):
    names = {
        cipher.keyed_hash("session", "1"),
        cipher.keyed_hash("session", "2"),
        cipher.keyed_hash("claim", "1"),
        cipher.keyed_hash("sessio", "n1"),
        cipher.keyed_hash("sessio", "n 1"),
        Cipher(SECRET[::-1]).keyed_hash("session", "1"),
    }
    assert len(names) == 6


def test_a_short_secret_is_rejected():
    with pytest.raises(ValueError, match="at least 32 bytes; this one has 31"):
        Cipher(bytes(31))


# Key ids and former secrets -------------------------------------------------------------------------------------------

NEW_SECRET = bytes(range(32, 64))


@pytest.fixture
def after(cipher):
    """The cipher of a gateway with a new secret and the former one."""
    return Cipher(NEW_SECRET, [SECRET])


def test_an_encrypted_value_names_its_key(cipher):
    encrypted = cipher.encrypt(b"session", "key")
    assert encrypted[:1] + bytes.fromhex(cipher.key_id) == cipher.label == encrypted[:6]
    assert read_key_id(encrypted) == cipher.key_id == derive_key_id(SECRET)
    assert cipher.key_id not in SECRET.hex()


def test_a_value_of_a_former_secret_is_read_and_written_with_the_new_one(cipher, after):
    assert after.decrypt(cipher.encrypt(b"session", "key"), "key") == b"session"
    assert after.find_key_id(cipher.encrypt(b"session", "key"), "key") == cipher.key_id
    assert Cipher(NEW_SECRET).decrypt(after.encrypt(b"session", "key"), "key") == b"session"


@pytest.mark.parametrize("plain", [b"", b"session"])
def test_a_value_from_before_key_ids_is_read_by_whichever_key_made_it(cipher, after, plain):
    unlabelled = cipher.encrypt(plain, "key")[6:]
    assert cipher.decrypt(unlabelled, "key") == after.decrypt(unlabelled, "key") == plain
    assert after.find_key_id(unlabelled, "key") == cipher.key_id


def test_a_value_from_before_key_ids_that_begins_like_a_label_is_read(cipher, after, monkeypatch):
    nonce = cipher.label + bytes(6)
    monkeypatch.setattr("core.crypto.os.urandom", lambda _: nonce)
    unlabelled = cipher.encrypt(b"session", "key")[6:]
    assert unlabelled.startswith(cipher.label)
    assert cipher.decrypt(unlabelled, "key") == after.decrypt(unlabelled, "key") == b"session"


def test_the_context_of_a_former_value_counts(cipher, after):
    with pytest.raises(DecryptionError):
        after.decrypt(cipher.encrypt(b"session", "key of A"), "key of B")


def test_the_error_names_the_key_that_is_missing(cipher):
    stranger = Cipher(NEW_SECRET)
    with pytest.raises(DecryptionError, match=f"names the key {stranger.key_id}, which is not given"):
        cipher.decrypt(stranger.encrypt(b"session", "key"), "key")
    assert cipher.find_key_id(stranger.encrypt(b"session", "key"), "key") == ""


@pytest.mark.parametrize("length", range(40))
def test_a_label_and_too_little_behind_it_is_rejected(cipher, length):
    with pytest.raises(DecryptionError):
        cipher.decrypt((cipher.label + bytes(34))[:length], "key")


def test_a_keyed_hash_begins_with_the_key_id(cipher):
    assert cipher.keyed_hash("session", "1").startswith(cipher.key_id[:4])


def test_a_hash_of_before_is_among_the_forms_that_are_looked_up(cipher, after):
    forms = after.keyed_hashes("session", "1")
    assert forms[0] == after.keyed_hash("session", "1")
    assert cipher.keyed_hash("session", "1") in forms
    assert cipher.unlabelled_hash("session", "1", cipher.key_id) in forms
    assert len(set(forms)) == 4
    assert after.former_hashes("session", "1") == [cipher.keyed_hash("session", "1")]
    assert cipher.former_hashes("session", "1") == []


def test_a_hash_without_a_key_id_is_what_it_was_before_there_were_any(cipher):
    assert cipher.unlabelled_hash("session", "1", cipher.key_id) == "600497335676eb6759fb164abe97a8ad"
    with pytest.raises(UnknownKeyError):
        cipher.unlabelled_hash("session", "1", derive_key_id(NEW_SECRET))


@pytest.mark.parametrize("former", [[SECRET], [NEW_SECRET, NEW_SECRET]])
def test_a_secret_that_is_given_twice_is_rejected(former):
    with pytest.raises(ValueError, match="the same"):
        Cipher(SECRET, former)
