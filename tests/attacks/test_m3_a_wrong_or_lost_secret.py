"""A wrong or lost master secret is noticed at every start, and locks nobody out."""

import asyncio
import shutil

import pytest

from core.crypto import Cipher
from db.database import Database
from server import COMMANDS
from services.assisted.operators import NewOperator, Operators
from services.citizens.pins import SecretHasher
from services.messaging.messages import Messages
from tests.support.databases import migrated_sqlite_url
from tests.support.program import SECRET, run_program
from tests.support.services import render_text
from tests.support.staff import staff_act

OTHER_SECRET = "another secret that somebody typed by mistake"
DATABASE_COMMANDS = (
    ("serve",),
    ("check",),
    ("migrate",),
    ("keys", "list"),
    ("keys", "status"),
    ("keys", "rotate", "--why", "ticket 4711"),
    ("operator", "list"),
    ("staff", "list"),
    ("audit", "export"),
    ("departments", "rejected"),
    ("payments", "report"),
    ("messages", "list"),
    ("citizen", "show", "+8801711000003"),
    ("smpp",),
)
BINDS = '{"operator": {"host": "127.0.0.1", "port": 9}}'  # nothing listens there, and nothing connects to it
WITHOUT_DATABASE = {"dial", "graph"}
KARIM = NewOperator("+8801711000003", "Karim Mia", "mirpur", "bn")


async def add_operator(folder, secret):
    """A database with a sealed name, a sealed SMS and a hash of a PIN, as a gateway with this secret leaves it."""
    cipher = Cipher(secret.encode())
    async with Database(migrated_sqlite_url(folder / "ekdial.db")) as database:
        hasher = SecretHasher(cipher)
        await Operators(database, Messages(database, cipher), hasher, cipher, render_text).add(KARIM, staff_act())
        hasher.close()


@pytest.fixture
def folder(tmp_path):
    asyncio.run(add_operator(tmp_path, SECRET))
    return tmp_path


def test_m3_every_command_is_tried():
    assert {command for command, *_ in DATABASE_COMMANDS} == COMMANDS.keys() - WITHOUT_DATABASE


@pytest.mark.parametrize("command", DATABASE_COMMANDS, ids=" ".join)
def test_m3_every_command_refuses_another_secret_for_a_full_database(folder, command):
    settings = {"KEYS__SECRET": OTHER_SECRET, "SERVER__PORT": "0", "PROVIDERS__SMPP__BINDS": BINDS}
    tried = run_program(folder, *command, **settings)

    assert tried.returncode == 2, tried.stdout + tried.stderr
    (line,) = tried.stderr.splitlines()
    assert line.startswith("environment: EKDIAL_KEYS__SECRET: the database has values of ")
    assert "; give the secret of " in line
    assert OTHER_SECRET not in line


@pytest.mark.parametrize("command", DATABASE_COMMANDS[1:3], ids=" ".join)
def test_m3_the_line_names_both_keys_once_the_right_one_has_been_used(folder, command):
    assert run_program(folder, "keys", "list", KEYS__SECRET=SECRET).returncode == 0

    line = run_program(folder, *command, KEYS__SECRET=OTHER_SECRET).stderr

    assert f"the database has values of key {Cipher(SECRET.encode()).key_id}" in line
    assert f"this is key {Cipher(OTHER_SECRET.encode()).key_id}" in line


@pytest.mark.parametrize("command", DATABASE_COMMANDS[:2], ids=" ".join)
def test_m3_a_deleted_embedded_secret_is_not_replaced_beside_a_full_database(tmp_path, command):
    assert run_program(tmp_path, "keys", "status").returncode == 0
    asyncio.run(add_operator(tmp_path, (tmp_path / "secret").read_text()))
    shutil.move(tmp_path / "secret", tmp_path / "elsewhere")

    tried = run_program(tmp_path, *command, SERVER__PORT="0")

    assert tried.returncode == 2
    assert tried.stderr.startswith(f"{tmp_path}/secret is missing, and the database has values that only its key can")
    assert not (tmp_path / "secret").exists()
    shutil.move(tmp_path / "elsewhere", tmp_path / "secret")
    assert run_program(tmp_path, "operator", "list").returncode == 0


def test_m3_a_former_secret_is_a_setting_and_reads_what_it_wrote(folder):
    given = {"KEYS__SECRET": OTHER_SECRET, "KEYS__FORMER": f'["{SECRET}"]'}

    listed = run_program(folder, "operator", "list", **given)

    assert "Karim Mia" in listed.stdout, listed.stderr
