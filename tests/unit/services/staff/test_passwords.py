"""Passwords of staff: which are accepted."""

import pytest

from services.staff.passwords import MAX_LENGTH, find_password_problem, generate_password, normalize_password


@pytest.mark.parametrize(
    "password",
    [
        "vier kraehen im regen",
        "tea with four old crows",
        "ডালিম গাছের নিচে বসি",
        "zq8!vT2#mW5^",
        "correct horse battery staple",
    ],
)
def test_a_long_password_is_good(password):
    assert find_password_problem(password, "asha") is None


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("", "too_short"),
        ("elevenchars", "too_short"),
        ("x" * (MAX_LENGTH + 1), "too_long"),
        ("asharahman-12", "like_login"),
        ("2026asharahman", "like_login"),
        ("AshaRahman2026", "like_login"),
        ("Password1234!", "common"),
        ("P@ssw0rd2026", "common"),
        ("qwertyuiop123", "common"),
        ("1qaz2wsx3edc", "common"),
        ("q1w2e3r4t5y6", "common"),
        ("012345678901", "common"),
        ("+8801700000001", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("welcomedhaka1", "common"),
        ("EkdialAdmin2026", "common"),
    ],
)
def test_what_attackers_try_first_is_refused(password, problem):
    assert find_password_problem(password, "asharahman") == problem


def test_a_generated_password_is_good_and_never_the_same():
    passwords = {generate_password() for _ in range(50)}
    assert len(passwords) == 50
    assert {find_password_problem(one, "asha") for one in passwords} == {None}


def test_the_same_characters_in_another_form_are_the_same_password():
    assert normalize_password("Caf\u00e9 au lait bleu") == normalize_password("Cafe\u0301 au lait bleu")
