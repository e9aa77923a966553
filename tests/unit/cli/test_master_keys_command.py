"""`server.py keys status`, `rotate` and `retire`: which secrets are needed, and until when."""

from subprocess import CompletedProcess

import pytest
import structlog

from core.crypto import derive_key_id
from server import main
from tests.support.program import SECRET, build_environment

KARIM = "+8801712345678"
NEW_SECRET = "the secret that takes its place, long enough"
FORMER, CURRENT = derive_key_id(SECRET.encode()), derive_key_id(NEW_SECRET.encode())
BEFORE = {"KEYS__SECRET": SECRET}
AFTER = {"KEYS__SECRET": NEW_SECRET, "KEYS__FORMER": SECRET}  # as in a file: one secret a line
WHY = ("--why", "ticket 4711")
ALONE = {"KEYS__SECRET": NEW_SECRET}


@pytest.fixture
def run_command(tmp_path, monkeypatch, capsys):
    """Run a command in this process."""
    monkeypatch.chdir(tmp_path)
    configured = structlog.get_config()

    def run(values, *arguments):
        with monkeypatch.context() as for_this_run:
            for name, value in build_environment(tmp_path, **values).items():
                for_this_run.setenv(name, value)
            status = main(arguments)
        structlog.configure(**configured)
        return CompletedProcess(arguments, status, *capsys.readouterr())

    return run


@pytest.fixture
def operator(run_command):
    """An operator who was added with the former secret: a name, an SMS with its variables, and a PIN."""
    added = run_command(BEFORE, "operator", "add", "--number", KARIM, "--centre", "mirpur", "--name", "Karim Mia", *WHY)
    assert added.returncode == 0, added.stderr


def test_the_status_counts_what_each_key_is_needed_for(run_command, operator):
    assert run_command(BEFORE, "keys", "status").stdout == (
        f"Key {FORMER}, the current one: 3 encrypted values, 1 hashes of PINs and answers, 0 keyed hashes\n"
    )
    assert run_command(AFTER, "keys", "status").stdout == (
        f"Key {CURRENT}, the current one: 0 encrypted values, 0 hashes of PINs and answers, 0 keyed hashes\n"
        f"Key {FORMER}, a former one: 3 encrypted values, 1 hashes of PINs and answers, 0 keyed hashes\n"
        "  still needed for 1 in messages.text, 1 in messages.variables, 1 in operators.name; run: python server.py keys rotate --why TEXT\n"
    )


def test_a_rotation_says_what_still_needs_the_former_secret(run_command, operator):
    rotated = run_command(AFTER, "keys", "rotate", *WHY)
    assert (rotated.returncode, rotated.stderr) == (0, "")
    assert rotated.stdout.splitlines()[:3] == [
        *("messages.text: 1 encrypted again", "messages.variables: 1 encrypted again"),
        "operators.name: 1 encrypted again",
    ]
    assert "never right again: 1 in operators.pin_hash; a PIN is hashed again at the next sign-in" in rotated.stdout
    refused = run_command(ALONE, "operator", "list")
    assert refused.returncode == 2
    assert f"the database has values of key {FORMER}, and this is key {CURRENT}" in refused.stderr


def test_a_former_secret_that_encrypts_values_is_not_retired(run_command, operator):
    refused = run_command(AFTER, "keys", "retire", FORMER, *WHY)
    assert refused.returncode == 2
    assert f"3 values are encrypted with key {FORMER}; run: python server.py keys rotate" in refused.stderr


def test_a_retired_secret_can_be_taken_out(run_command, operator):
    run_command(AFTER, "keys", "rotate", *WHY)
    retired = run_command(AFTER, "keys", "retire", FORMER, *WHY)
    assert retired.stdout.startswith(f"Key {FORMER} is retired: take its secret out of keys.former")
    assert "Karim Mia" in run_command(ALONE, "operator", "list").stdout
    assert (
        f"Key {FORMER}, a former one that is not given: 0 encrypted values"
        in run_command(ALONE, "keys", "status").stdout
    )


@pytest.mark.parametrize(
    ("key_id", "problem"), [(CURRENT, "is the key of keys.secret"), ("4711", "No former secret has the key id '4711'")]
)
def test_only_a_former_key_is_retired(run_command, operator, key_id, problem):
    refused = run_command(AFTER, "keys", "retire", key_id, *WHY)
    assert refused.returncode == 2
    assert problem in refused.stderr


def test_an_unused_former_secret_is_forgotten_by_the_rotation(run_command):
    run_command(BEFORE, "keys", "list")
    assert "no longer needed in the database" in run_command(AFTER, "keys", "rotate", *WHY).stdout
    assert run_command(ALONE, "keys", "list").returncode == 0
