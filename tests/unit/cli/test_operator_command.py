"""`server.py operator`: adding operators, their PIN by SMS, and the report."""

import re
import sqlite3
from contextlib import closing
from subprocess import CompletedProcess

import pytest
import structlog

from server import main
from tests.support.phone import PUBLIC_SETTINGS
from tests.support.program import SECRET, build_environment

KARIM = "+8801712345678"
READING_VERBS = ("list", "report")
WHY = ("--why", "ticket 4711", "--by", "nadia")


@pytest.fixture
def run_operator(tmp_path, monkeypatch, capsys):
    """Run the command in this process."""
    monkeypatch.chdir(tmp_path)
    configured = structlog.get_config()

    def runs(*arguments, **values):
        with monkeypatch.context() as for_this_run:
            for name, value in build_environment(tmp_path, **values).items():
                for_this_run.setenv(name, value)
            try:
                status = main(("operator", *arguments, *(() if arguments[0] in READING_VERBS else WHY)))
            except SystemExit as ended:
                status = ended.code
        structlog.configure(**configured)
        return CompletedProcess(arguments, status, *capsys.readouterr())

    return runs


@pytest.fixture
def karim(run_operator):
    """An operator who was added."""
    return run_operator("add", "--number", KARIM, "--centre", "mirpur", "--name", "Karim Mia")


def test_the_sandbox_prints_the_pin_of_a_new_operator(run_operator, karim):
    said = r"Operator 1 is added; the PIN is sent to their number by SMS\nThe sandbox sends no SMS; the PIN is \d{4}\n"
    assert re.fullmatch(said, karim.stdout)
    header, line, note = run_operator("list").stdout.splitlines()
    assert header.split() == ["operator", "number", "centre", "added", "name", "a", "day"]
    assert re.fullmatch(rf"1 +\{KARIM} +mirpur +\d{{4}}-\d\d-\d\d +Karim Mia +-/- +has not signed in yet", line), line
    assert note.startswith("a day: limits of consents and applications")


def test_the_list_has_the_limits_of_an_operator_and_the_day_of_the_zone(run_operator, tmp_path):
    run_operator("add", "--number", KARIM, "--centre", "mirpur", "--consents-a-day", "12")
    with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database, database:
        database.execute("UPDATE operators SET created_at = '2026-11-29 20:00:00.000000'")
    assert "2026-11-30" in run_operator("list").stdout, "20:00 UTC is the next day in Dhaka"
    assert "12/-" in run_operator("list").stdout


def test_a_real_provider_hides_the_pin_of_a_new_operator(run_operator):
    account = {"PROVIDERS__AFRICASTALKING__API_KEY": "of a test", "KEYS__SECRET": SECRET, **PUBLIC_SETTINGS}
    said = run_operator(
        "add", "--number", KARIM, "--centre", "mirpur", SMS__PROVIDER="africastalking", **account
    ).stdout
    assert said == "Operator 1 is added; the PIN is sent to their number by SMS\n"


def test_a_suspended_operator_is_listed_as_suspended_until_resumed(run_operator, karim):
    assert run_operator("suspend", "1").returncode == 0
    assert " suspended\n" in run_operator("list").stdout
    assert run_operator("resume", "1").returncode == 0
    assert " suspended\n" not in run_operator("list").stdout


def test_an_operator_gets_a_new_pin(run_operator, karim):
    assert run_operator("reset-pin", "1").stdout.startswith("A new PIN is sent to their number by SMS\n")


def test_the_report_has_a_line_for_each_operator_and_no_citizen(run_operator, karim):
    header, line, note = run_operator("report", "--since", "2026-11-01").stdout.splitlines()
    assert header.split() == [
        *("operator", "centre", "asked", "given", "refused", "wrong"),
        *("applications", "cash", "citizens", "nights"),
    ]
    assert line.split() == ["1", "mirpur", *["0"] * 8]
    assert note == "! marks a count far above that of most operators"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (("add", "--number", "12", "--centre", "mirpur"), "'12' is not a phone number; write it with a plus"),
        (
            ("add", "--number", "+33612345678", "--centre", "mirpur"),
            "+33612345678 belongs to a country that is not supported",
        ),
        (("add", "--number", KARIM, "--centre", "mirpurr"), "There is no centre 'mirpurr'; write the code of one that"),
        (("suspend", "7"), "There is no operator 7 who is not suspended"),
        (("resume", "7"), "There is no operator 7 who is suspended"),
        (("reset-pin", "7"), "There is no operator 7; operator list lists them"),
    ],
)
def test_an_impossible_action_is_reported_in_one_line(run_operator, said, why):
    ended = run_operator(*said)
    assert ended.returncode == 2
    assert ended.stderr.startswith(why)
    assert ended.stderr.count("\n") == 1


def test_a_phone_number_belongs_to_one_operator(run_operator, karim):
    ended = run_operator("add", "--number", KARIM, "--centre", "mirpur")
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
def test_invalid_arguments_are_reported(run_operator, said):
    ended = run_operator(*said)
    assert ended.returncode == 2
    assert ": error: " in ended.stderr
