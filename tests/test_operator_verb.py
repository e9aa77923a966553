"""`server.py operator`: who is enrolled gets a PIN by SMS, and staff sees who there is and what they did."""

import re
from subprocess import CompletedProcess

import pytest
import structlog

from server import main
from tests.program import environment

KARIM = "+8801712345678"


@pytest.fixture
def operator(tmp_path, monkeypatch, capsys):
    """Runs the verb in this process."""
    monkeypatch.chdir(tmp_path)
    configured = structlog.get_config()

    def runs(*arguments, **given):
        with monkeypatch.context() as for_this_run:
            for name, value in environment(tmp_path, **given).items():
                for_this_run.setenv(name, value)
            try:
                status = main(("operator", *arguments))
            except SystemExit as ended:
                status = ended.code
        structlog.configure(**configured)
        return CompletedProcess(arguments, status, *capsys.readouterr())

    return runs


@pytest.fixture
def karim(operator):
    """An operator who is enrolled."""
    return operator("add", "--number", KARIM, "--centre", "mirpur", "--name", "Karim Mia")


def test_in_the_sandbox_the_pin_is_told_once(operator, karim):
    said = r"Operator 1 is enrolled; the PIN goes to their number by SMS\nThis is the sandbox, so here it is: \d{4}\n"
    assert re.fullmatch(said, karim.stdout)
    listed = rf"1 \{KARIM} mirpur \d{{4}}-\d\d-\d\d Karim Mia has not signed in yet\n"
    assert re.fullmatch(listed, operator("list").stdout)


def test_anywhere_else_nobody_but_the_operator_sees_it(operator):
    account = {"AFRICASTALKING__API_KEY": "of a test", "SERVER__PUBLIC_URL": "https://ekdial.example"}
    said = operator("add", "--number", KARIM, "--centre", "mirpur", SMS__PROVIDER="africastalking", **account).stdout
    assert said == "Operator 1 is enrolled; the PIN goes to their number by SMS\n"


def test_a_suspended_operator_is_listed_as_one_until_resumed(operator, karim):
    assert operator("suspend", "1").returncode == 0
    assert operator("list").stdout.endswith(" suspended\n")
    assert operator("resume", "1").returncode == 0
    assert not operator("list").stdout.endswith(" suspended\n")


def test_another_pin_can_be_sent(operator, karim):
    assert operator("reset-pin", "1").stdout.startswith("Another PIN goes to their number by SMS\n")


def test_the_report_has_a_line_for_each_and_no_citizen(operator, karim):
    header, line, note = operator("report", "--since", "2026-11-01").stdout.splitlines()
    assert header.split() == [
        *("operator", "centre", "asked", "given", "refused", "wrong"),
        *("applications", "citizens", "nights"),
    ]
    assert line.split() == ["1", "mirpur", *["0"] * 7]
    assert note == "! is far above what most operators have"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (("add", "--number", "12", "--centre", "mirpur"), "'12' is no phone number; write it with a plus"),
        (("add", "--number", "+33612345678", "--centre", "mirpur"), "+33612345678 is of a country that is not served"),
        (("add", "--number", KARIM, "--centre", "mirpurr"), "There is no centre 'mirpurr'; write the code of one that"),
        (("suspend", "7"), "There is no operator 7 who is not suspended"),
        (("resume", "7"), "There is no operator 7 who is suspended"),
        (("reset-pin", "7"), "There is no operator 7; operator list shows them"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(operator, said, why):
    ended = operator(*said)
    assert ended.returncode == 2
    assert ended.stderr.startswith(why)
    assert ended.stderr.count("\n") == 1


def test_a_number_is_enrolled_once(operator, karim):
    ended = operator("add", "--number", KARIM, "--centre", "mirpur")
    assert (ended.returncode, ended.stderr) == (2, "Operator 1 has this number already; operator list shows it\n")


@pytest.mark.parametrize(
    "said",
    [
        ("report", "--since", "yesterday"),
        ("report", "--since", "0001-01-01"),
        ("suspend", "one"),
        ("suspend", "9" * 19),
        ("add", "--number", KARIM),
        ("add", "--number", KARIM, "--centre", "mirpur", "--name", "K" * 61),
    ],
)
def test_what_is_not_understood_is_named(operator, said):
    ended = operator(*said)
    assert ended.returncode == 2
    assert ": error: " in ended.stderr
