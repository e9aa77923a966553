"""The program: its verbs, how it starts and ends, and the one line a person gets where it cannot run."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from urllib.request import urlopen
from xml.etree import ElementTree as ET

import asyncpg
import pytest
import structlog
from aiohttp import ClientConnectorError, ClientSession, TCPConnector
from sqlalchemy import make_url

from server import main
from services.keys import Holder, Keys
from services.records.database import Records
from services.records.migrate import upgrade
from tests.phone import Phone
from tests.program import SECRET, Running, children_of, environment, gunicorn, run, serving
from tests.servers import new_database


@pytest.fixture
def database(postgres_server) -> Iterator[str]:
    """A new PostgreSQL database without tables."""
    with new_database(postgres_server) as url:
        yield url


@pytest.fixture
def program(tmp_path, monkeypatch, capsys):
    """Runs verbs that serve nobody in this process: what `run` does, without the seconds that starting Python takes."""
    monkeypatch.chdir(tmp_path)
    configured = structlog.get_config()

    def runs(*arguments, **given):
        with monkeypatch.context() as for_this_run:
            for name, value in environment(tmp_path, **given).items():
                for_this_run.setenv(name, value)
            try:
                status = main(arguments)
            except SystemExit as ended:
                status = ended.code
        structlog.configure(**configured)
        return CompletedProcess(arguments, status, *capsys.readouterr())

    return runs


def refused(ended):
    """The lines of a run that a person must mend something for."""
    assert ended.returncode == 2, ended
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    return ended.stderr.rstrip("\n").split("\n")


# Verbs ---------------------------------------------------------------------------------------------------------------


def test_help_lists_the_verbs_with_a_line_each(tmp_path):
    ended = run(tmp_path, "--help")

    listed = re.findall(r"^    (\w+) +(\S.*)$", ended.stdout, re.MULTILINE)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [verb for verb, _ in listed] == [
        "serve",
        "check",
        "dial",
        "migrate",
        "keys",
        "operator",
        "audit",
        "departments",
        "payments",
        "graph",
    ]


LOUD = (
    "environment: EKDIAL_SERVER__LOG_LEVEL: this is not one of what it may be;"
    " write 'debug', 'info', 'warning' or 'error'"
)


@pytest.mark.parametrize(
    "arguments", [["sreve"], ["keys"], ["keys", "ad"], ["check", "--confg", "x"], ["dial", "--keys", "{pni}"]]
)
def test_what_it_does_not_know_is_named(arguments, program):
    *usage, line = refused(program(*arguments))

    assert usage[0].startswith("usage: server.py")
    assert ": error: " in line


@pytest.mark.parametrize(
    "verb", ["", "serve", "check", "dial", "migrate", "keys list", "keys add --department x", "audit export", "graph"]
)
def test_every_verb_takes_a_config_before_or_behind_it_and_says_all_that_is_wrong(verb, program, tmp_path):
    (tmp_path / "other.toml").write_text("[server]\nport = 65536\n\n[reddis]\n")
    loud = {"SERVER__LOG_LEVEL": "loud"}
    expected = [
        LOUD,
        "other.toml:2: server.port: this is too large; write 65535 or less",
        "other.toml:4: reddis: there is no such setting; did you mean redis?",
    ]

    assert refused(program("--config", "other.toml", *verb.split(), **loud)) == expected
    assert refused(program(*verb.split(), "--config", "other.toml", **loud)) == expected


def test_the_config_is_the_one_beside_the_program_unless_another_is_named(program, tmp_path):
    assert refused(program("check", SERVER__LOG_LEVEL="loud")) == [LOUD]
    assert refused(program("check", "--config", "nowhere.toml")) == [
        "nowhere.toml: cannot be read: No such file or directory; name a file that is there",
    ]


# check and graph -----------------------------------------------------------------------------------------------------


def test_check_finds_nothing_wrong_with_what_is_here(program):
    ended = program("check")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.fullmatch(
        r"\d+ screens in 5 forms and \d+ services: nothing wrong\n"
        r"Services that can be done: \d+ on ussd, \d+ on sms, \d+ on kaios, \d+ on web\n",
        ended.stdout,
    )


def test_check_says_what_is_wrong_with_a_catalogue(program, tmp_path):
    (tmp_path / "brta.toml").write_text("[department]\n")

    lines = refused(program("check", CATALOGUE__FOLDER=str(tmp_path)))

    assert lines[0].startswith("brta.toml:1: department.country: is missing; ")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"MENU__MAIN": '{"1": "find"}'}, "environment: EKDIAL_MENU__MAIN: nothing leads to track, which receipts speak of; give track a number"),
        ({"MENU__MAIN": '{"1": "track", "98": "find"}'}, "environment: EKDIAL_MENU__MAIN.98: '98' is no number of an option; write one from 1 to 97"),
        ({"MENU__MAIN": '{"1": "trakc", "2": "track"}'}, "environment: EKDIAL_MENU__MAIN.1: 'trakc' is nothing it can lead to; choose from account, app, bills, complaint, documents, find, help, language, track"),
    ],
    ids=["no track", "a key of the gateway's", "no such door"],
)  # fmt: skip
def test_check_says_what_is_wrong_with_a_menu(given, line, program):
    lines = refused(program("check", **given))

    assert lines[0].startswith(line)
    assert all(re.match(r"environment: |menus/|catalogue: ", one) for one in lines)


def test_graph_draws_the_tree(program, tmp_path):
    ended = program("graph")
    to_a_file = program("graph", "--out", "menu.svg")

    assert ET.fromstring(ended.stdout).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 (our own)
    assert (tmp_path / "menu.svg").read_text(encoding="utf-8") == ended.stdout
    assert (to_a_file.returncode, to_a_file.stdout) == (0, "")


def test_graph_names_a_file_that_cannot_be_written(program):
    (line,) = refused(program("graph", "--out", "nowhere/menu.svg"))

    assert line == "nowhere/menu.svg: No such file or directory; name a file that can be written"


# keys and migrate ----------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_listed_and_revoked(program, tmp_path):
    key = program("keys", "add", "--department", "dncc").stdout.strip()
    key_id = key.split("_")[1]

    async def holder() -> Holder | None:
        async with Records(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as records:
            return await Keys(records).holder(key)

    assert re.fullmatch(rf"{key_id} dncc \d{{4}}-\d\d-\d\d\n", program("keys", "list").stdout)
    assert asyncio.run(holder()) == Holder("dncc", key_id)
    assert re.fullmatch(rf"{key_id} dncc \d{{4}}-\d\d-\d\d used \d{{4}}-\d\d-\d\d\n", program("keys", "list").stdout)
    assert program("keys", "revoke", key_id).returncode == 0
    assert program("keys", "list").stdout.endswith(" revoked\n")
    (line,) = refused(program("keys", "revoke", key_id))
    assert line == f"There is no key '{key_id}' that is not revoked; keys list shows them"


def test_a_key_has_a_label_and_a_last_day(program):
    added = program("keys", "add", "--department", "dncc", "--label", "licence system", "--until", "2099-12-31")
    assert added.returncode == 0

    assert program("keys", "list").stdout.endswith(" until 2099-12-31 licence system\n")


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--until", "soon"], "'soon' is no day; write one such as 2026-11-21"),
        (["--label", "x" * 65], "A label is one line of at most 64 characters"),
        (["--label", "two\nlines"], "A label is one line of at most 64 characters"),
    ],
)
def test_a_label_or_a_day_that_is_none_is_refused(more, line, program):
    assert refused(program("keys", "add", "--department", "dncc", *more))[-1].endswith(line)


def test_the_audit_is_a_file_of_lines_of_the_days_and_the_subject_asked_for(program):
    key = program("keys", "add", "--department", "dncc").stdout.split("_")[1]
    assert program("keys", "add", "--department", "epfo").returncode == 0
    program("keys", "revoke", key)

    def acts(*asked: str) -> list[str]:
        exported = program("audit", "export", "--format", "jsonl", *asked)
        assert (exported.returncode, exported.stderr) == (0, "")
        return [json.loads(line)["act"] for line in exported.stdout.splitlines()]

    assert acts() == ["key_added", "key_added", "key_revoked"]
    assert acts("--subject", key) == ["key_added", "key_revoked"]
    assert acts("--since", "2026-01-01", "--until", "2099-12-31", "--subject", key) == ["key_added", "key_revoked"]
    assert acts("--until", "2026-01-01") == []
    heading, *lines = program("audit", "export").stdout.splitlines()
    assert heading.split(",")[:5] == ["id", "at", "actor_kind", "actor", "act"]
    assert len(lines) == 3


def test_a_key_for_a_department_that_is_none_is_refused(program, tmp_path):
    (line,) = refused(program("keys", "add", "--department", "dnnc"))

    assert line.startswith("There is no department 'dnnc'; there are ")
    assert "dncc" in line
    assert not (tmp_path / "ekdial.db").exists()


def test_a_fresh_secret_can_be_had_before_there_is_a_config_that_works(program):
    wanting = {"REDIS__URL": "redis://localhost"}
    (line,) = refused(program("check", **wanting))
    assert "python server.py keys secret" in line

    one, other = [program("keys", "secret", **wanting).stdout.strip() for _ in range(2)]

    assert one != other
    assert program("check", KEYS__SECRET=one, **wanting).returncode == 0


def test_a_database_with_old_tables_is_one_line_that_says_what_to_run(program, database, tmp_path):
    said = ["The database's tables are older than this program; run: python server.py migrate"]

    assert refused(program("keys", "list", DATABASE__URL=database)) == said
    assert refused(run(tmp_path, "serve", SERVER__PORT="0", DATABASE__URL=database)) == said


def test_migrate_makes_them_new_and_may_be_run_again(program, database):
    for _ in range(2):
        assert program("migrate", DATABASE__URL=database).stdout == "The tables are up to date\n"

    assert program("keys", "list", DATABASE__URL=database).returncode == 0


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql+asyncpg://ekdial:hunter2@127.0.0.1:1/ekdial", "127.0.0.1|refused"),
        ("postgresql+asyncpg://ekdial:hunter2@127.0.0.1/ekdial?colour=red", "colour"),
        ("sqlite+aiosqlite:////proc/nowhere/ekdial.db", "No such file or directory"),
        ("sqlite+aiosqlite:////proc/self/status", "readonly|not a database|unable|disk"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(url, why, program):
    for verb in ("migrate", "keys list"):
        (line,) = refused(program(*verb.split(), DATABASE__URL=url))
        assert re.match(rf"The database cannot be used: .*({why}).*; see database.url, and that it runs", line)
        assert "hunter2" not in line


def test_nor_does_a_gateway_start_on_one(tmp_path):
    (line,) = refused(run(tmp_path, "serve", SERVER__PORT="0", DATABASE__URL="postgresql+asyncpg://x@127.0.0.1:1/x"))

    assert line == "The database cannot be used: Connection refused; see database.url, and that it runs"


# serve ---------------------------------------------------------------------------------------------------------------


async def test_serve_prints_its_addresses_answers_at_them_and_ends_when_it_is_told(tmp_path):
    with serving(tmp_path) as gateway:
        async with ClientSession(gateway.url) as http:
            for path in ("/healthz", "/readyz", "/simulator"):
                assert f"{gateway.url}/simulator" in gateway.said
                async with http.get(path) as response:
                    assert response.status == 200
        gateway.told(signal.SIGTERM)
        assert gateway.ends() == 0
        assert "Traceback" not in gateway.said


async def test_serve_is_what_it_does_when_nothing_is_said_and_ends_on_ctrl_c_too(tmp_path):
    with serving(tmp_path, "serve") as gateway:
        assert gateway.url.startswith("http://127.0.0.1:")
        gateway.told(signal.SIGINT)
        assert gateway.ends() == 0


async def test_a_gateway_that_is_told_to_end_finishes_the_hop_in_flight(tmp_path, database):
    await upgrade(database)
    with serving(tmp_path, DATABASE__URL=database) as gateway:
        async with ClientSession() as http, held(database, "accounts") as lock:
            phone = Phone(http, gateway.url)
            await phone.dials()
            await phone.types("1")
            hop = asyncio.create_task(phone.types("5"))  # asks whether the number is registered
            await lock.is_waited_for()
            gateway.told(signal.SIGTERM)
            await nobody_listens(gateway.url)
            assert not hop.done()
            await lock.release()
            assert "register" in await hop
        assert gateway.ends() == 0


WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


class Lock:
    """A table that nobody else can read until it is released: what stands still, a test can look at."""

    def __init__(self, holder: asyncpg.Connection) -> None:
        self._holder = holder

    async def is_waited_for(self) -> None:
        """Return once somebody does."""
        async with asyncio.timeout(10):
            while not await self._holder.fetchval(WAITING):  # noqa: ASYNC110 (another process waits)
                await asyncio.sleep(0.01)

    async def release(self) -> None:
        """Let them read."""
        await self._holder.execute("ROLLBACK")


@contextlib.asynccontextmanager
async def held(database: str, table: str):
    holder = await asyncpg.connect(
        make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    try:
        await holder.execute(f"BEGIN; LOCK TABLE {table}")
        yield Lock(holder)
    finally:
        await holder.close()


async def nobody_listens(url: str) -> None:
    """Return once a new caller is turned away."""
    async with asyncio.timeout(10), ClientSession() as http:
        with contextlib.suppress(ClientConnectorError):
            while True:
                async with http.get(f"{url}/healthz"):
                    await asyncio.sleep(0.01)


def test_the_embedded_store_is_one_processs(tmp_path):
    with serving(tmp_path) as gateway:
        assert gateway.url
        (line,) = refused(run(tmp_path, "serve", SERVER__PORT="0"))

    assert line == (
        f"Another gateway with the embedded store runs in {tmp_path}; end it, or set redis.url to a Redis that both can see"
    )


def test_a_port_that_is_taken_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        (line,) = refused(run(tmp_path, "serve", SERVER__PORT=address.split(":")[1]))

    right = "choose another with EKDIAL_SERVER__PORT or EKDIAL_SERVER__HOST"
    assert line == f"Cannot listen on {address}: Address already in use; {right}"


def test_a_host_that_is_not_this_machines_is_one_line(tmp_path):
    elsewhere = {"SERVER__HOST": "192.0.2.1", "KEYS__SECRET": SECRET, "AFRICASTALKING__CALLBACK_TOKEN": "t"}

    (line,) = refused(run(tmp_path, "serve", SERVER__PORT="0", **elsewhere))

    assert line.startswith("Cannot listen on 192.0.2.1:0: Cannot assign requested address; choose another")


def test_a_folder_in_which_nothing_can_be_kept_is_one_line(tmp_path):
    (tmp_path / "var").write_text("a file")

    (line,) = refused(run(tmp_path, "serve", SERVER__PORT="0", SERVER__VAR=str(tmp_path / "var")))

    assert line == f"Nothing can be kept in {tmp_path}/var: File exists; name a folder of one's own as server.var"


def test_the_key_that_is_made_on_first_start_is_kept_and_for_its_owner_alone(tmp_path):
    keys = []
    for _ in range(2):
        with serving(tmp_path) as gateway:
            assert gateway.url
            keys.append((tmp_path / "secret").read_text())

    assert keys[0] == keys[1]
    assert len(keys[0]) >= 32
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "secret.new").exists()


def test_a_key_that_was_damaged_is_not_made_anew(tmp_path):
    (tmp_path / "secret").write_text("")

    (line,) = refused(run(tmp_path, "serve", SERVER__PORT="0"))

    assert line == (f"The key in {tmp_path}/secret is damaged; put it back, or give what was in it as keys.secret")


def test_a_gateway_for_others_without_a_token_does_not_start(tmp_path):
    (line,) = refused(run(tmp_path, "serve", SERVER__HOST="192.0.2.1", SERVER__PORT="0", KEYS__SECRET=SECRET))

    assert "take callbacks from anyone; give a callback_token" in line


# gunicorn ------------------------------------------------------------------------------------------------------------


async def test_hops_of_one_call_may_land_on_any_worker(tmp_path, redis_server, database):
    await upgrade(database)
    redis_server.empty()
    given = {"REDIS__URL": redis_server.url, "DATABASE__URL": database, "KEYS__SECRET": SECRET}
    with gunicorn(tmp_path, "--workers", "2", **given) as master:
        async with ClientSession(connector=TCPConnector(force_close=True)) as http:
            phone = Phone(http, master.url)
            phone.echoes = False
            one, other = await workers_of(master, http)
            async with standing_still(other):
                assert "1 English" in await phone.dials()
            async with standing_still(one):
                assert "1 Find a service" in await phone.types("1")
            async with standing_still(other):
                assert "1 Register" in await phone.types("5")
            async with standing_still(one):
                assert "Type your full name" in await phone.types("1")
        master.told(signal.SIGTERM)
        assert master.ends() == 0
        assert "Traceback" not in master.said


async def workers_of(master: Running, http: ClientSession) -> list[int]:
    """The two workers, once each of them has answered while the other could not."""
    url = master.url
    async with asyncio.timeout(20):
        while len(workers := children_of(master.process.pid)) < 2:  # noqa: ASYNC110 (another process starts them)
            await asyncio.sleep(0.01)
        for worker in workers:
            async with standing_still(worker), http.get(f"{url}/healthz") as response:
                assert response.status == 200
    return workers


@contextlib.asynccontextmanager
async def standing_still(process: int):
    """Whatever happens meanwhile, this process has no part in it."""
    os.kill(process, signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            while stopped_or_not(process) != "T":  # noqa: ASYNC110 (another process's state)
                await asyncio.sleep(0.001)
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def stopped_or_not(process: int) -> str:
    """The letter that Linux has for what a process does."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def test_one_worker_may_have_the_embedded_store(tmp_path):
    with gunicorn(tmp_path) as master:
        with urlopen(f"{master.url}/readyz") as response:  # noqa: S310 (our own)
            assert response.status == 200
        master.told(signal.SIGTERM)
        assert master.ends() == 0
        assert "Traceback" not in master.said


def test_two_workers_may_not_and_the_master_says_why_and_ends(tmp_path):
    with gunicorn(tmp_path, "--workers", "2") as master:
        assert master.ends() == 2

    said = "2 workers would not see each other's calls in the embedded store"
    assert [line for line in master.said.split("\n") if "INFO" not in line and line] == [
        f"{said}; set redis.url to a Redis that all of them can see, or run one worker"
    ]


def test_nor_may_they_when_gunicorn_is_configured_by_somebody_else(tmp_path):
    """Each holds the store alone: the second ends, and is not started again and again."""
    (tmp_path / "own.py").write_text('bind = "127.0.0.1:0"\ncontrol_socket_disable = True\n')
    worker = ["--config", str(tmp_path / "own.py"), "--worker-class", "aiohttp.GunicornWebWorker", "--workers", "2"]

    with gunicorn(tmp_path, *worker) as master:
        assert master.ends() == 4
        assert master.said.count("Another gateway with the embedded store runs in") == 1
        assert master.said.count("Booting worker") == 2
        assert "Traceback" not in master.said


def test_what_is_wrong_with_the_settings_is_said_once_and_not_by_every_worker(tmp_path):
    with gunicorn(tmp_path, SERVER__LOG_LEVEL="loud", REDIS__ULR="x") as master:
        assert master.ends() == 2

    assert master.said == (
        "environment: EKDIAL_REDIS__ULR: there is no such setting; did you mean EKDIAL_REDIS__URL?\n"
        "environment: EKDIAL_SERVER__LOG_LEVEL: this is not one of what it may be;"
        " write 'debug', 'info', 'warning' or 'error'\n"
    )


def test_what_would_keep_every_worker_from_starting_is_said_once_too(tmp_path, database):
    given = {"REDIS__URL": "redis://127.0.0.1:1", "DATABASE__URL": database, "KEYS__SECRET": SECRET}
    with gunicorn(tmp_path, "--workers", "2", **given) as master:
        assert master.ends() == 2

    assert [line for line in master.said.split("\n") if "INFO" not in line and line] == [
        "The database's tables are older than this program; run: python server.py migrate"
    ]
