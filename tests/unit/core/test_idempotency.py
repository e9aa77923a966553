import pytest

from core.idempotency import (
    build_effect_key,
    build_intention_key,
    build_request_key,
    build_step_key,
    channel_from_key,
    is_earlier_in_session,
    is_intention_key,
    is_same_or_later_in_session,
    next_intention_key,
    session_of_key,
    session_prefix,
    was_recorded_before,
)


def test_a_step_key_names_its_session_and_position():
    key = build_step_key("ATUid:7", 12)
    assert (key, session_of_key(key), session_prefix(key)) == ("ATUid:7:12", "ATUid:7", "ATUid:7:")


@pytest.mark.parametrize(
    ("key", "other", "earlier", "same_or_later"),
    [
        ("s:2", "s:10", True, False),
        ("s:10", "s:2", False, True),
        ("s:2", "s:2", False, True),
        ("s:2", "t:10", False, False),
        ("", "s:1", False, False),
    ],
)
def test_keys_are_compared_by_number_within_one_session(key, other, earlier, same_or_later):
    assert is_earlier_in_session(key, other) is earlier
    assert is_same_or_later_in_session(key, other) is same_or_later


def test_intentions_of_a_session_are_compared_whatever_their_effects() -> None:
    first, second = build_intention_key("ATUid:7", 0), next_intention_key("ATUid:7:12")
    assert (first, second) == ("ATUid:7:0+", "ATUid:7:12+")
    complaint = build_effect_key(first, "send_complaint", ["", "birth_certificate"])
    assert session_of_key(f"{complaint}/email") == "ATUid:7"
    assert was_recorded_before(f"{complaint}/email", second)
    assert not was_recorded_before(complaint, first)
    assert not was_recorded_before(build_effect_key(second, "pay"), first)
    assert [is_intention_key(key) for key in (first, complaint, "ATUid:7:12", "account:7", "api:case:ab+", "")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def test_another_subject_is_another_effect_and_its_key_does_not_name_it() -> None:
    keys = {build_effect_key("s:0+", "pay", subject) for subject in (["812"], ["813"], ["81", "2"], [None])}
    assert len(keys) == 4
    assert not any("81" in key.partition("/pay.")[0] for key in keys)
    assert build_effect_key("s:0+", "pay", ["812"]) == build_effect_key("s:0+", "pay", ["812"])


def test_an_effect_of_another_session_or_of_an_earlier_input_was_recorded_before():
    assert was_recorded_before("other:99", "s:5")
    assert was_recorded_before("s:4", "s:5")
    assert not was_recorded_before("s:5", "s:5")
    assert not was_recorded_before("s:6", "s:5")
    assert not was_recorded_before(None, "s:5")


def test_a_key_tells_its_channel():
    assert channel_from_key("sms/ATXid:1") == "sms"
    assert channel_from_key("kaios/5f3a/91c2:1") == "kaios"
    assert channel_from_key("ATUid:1") == "ussd"


def test_an_api_request_key_differs_by_kind_department_and_header():
    keys = {build_request_key(*args) for args in (("a", "b", "c"), ("x", "b", "c"), ("a", "x", "c"), ("a", "b", "x"))}
    assert len(keys) == 4
    assert build_request_key("a", "b", "c") in keys
