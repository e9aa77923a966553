"""`server.py staff` as an administrator types it."""

import pytest

from tests.support.program import run_program

WHY = ("--why", "ticket 4711", "--by", "nadia")
ASHA = ("--login", "asha", "--name", "Asha Rahman", "--role", "admin")


@pytest.fixture
def staff(tmp_path):
    """Run a verb; what it wrote, or the error that it ended with."""

    def run(*arguments):
        done = run_program(tmp_path, "staff", *arguments)
        return done.stdout if done.returncode == 0 else done.stderr.strip()

    assert run_program(tmp_path, "migrate").returncode == 0
    return run


def test_the_first_administrator_and_others_are_added_and_listed(staff):
    added = staff("add", *ASHA, *WHY)
    assert added.startswith("asha is added with the role admin\nThe password is ")
    staff("add", "--login", "omar", "--name", "Omar", "--role", "officer", "--department", "dncc", *WHY)
    header, *lines = (line.split("  ") for line in staff("list").splitlines())
    assert [cell.strip() for cell in header if cell] == [
        *("login", "name", "role", "department", "app", "last sign-in", "state")
    ]
    assert [[cell.strip() for cell in line if cell] for line in lines] == [
        ["asha", "Asha Rahman", "admin", "-", "-", "-", "first password"],
        ["omar", "Omar", "officer", "dncc", "-", "-", "first password"],
    ]


def test_what_cannot_be_done_says_why(staff):
    staff("add", *ASHA, *WHY)
    assert staff("add", *ASHA, *WHY).startswith("There is a member of staff with the login 'asha' already")
    assert staff("disable", "asha", *WHY).startswith("asha is the last administrator who can sign in")
    assert staff("set-role", "asha", "--role", "auditor", *WHY).startswith("asha is the last administrator")
    assert staff("enable", "asha", *WHY) == "There is nothing to change for asha; staff list shows how it is"
    assert staff("reset-password", "nobody", *WHY) == "There is no member of staff 'nobody'; staff list shows them"
    officer = ("set-role", "asha", "--role", "officer")
    assert staff(*officer, *WHY).startswith("An officer has a department")
    assert staff(*officer, "--department", "dnc", *WHY) == "There is no department 'dnc'; did you mean 'dncc'?"
    assert "is no login" in staff("add", "--login", "+8801700000001", *ASHA[2:], *WHY)


def test_a_reset_password_is_printed_once_and_another_each_time(staff):
    staff("add", *ASHA, *WHY)
    first, second = staff("reset-password", "asha", *WHY), staff("reset-password", "asha", *WHY)
    assert first.startswith("The password is ")
    assert first != second
