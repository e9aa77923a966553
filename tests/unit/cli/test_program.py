"""The program: its commands, how it starts and ends, and the line for each problem."""

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

from db.database import Database
from db.migrate import upgrade
from server import main
from services.departments.api_keys import ApiKeyHolder, ApiKeys
from tests.support.phone import WEBHOOK_TOKEN, Phone
from tests.support.program import (
    SECRET,
    ProgramProcess,
    build_environment,
    child_pids,
    run_gunicorn,
    run_program,
    run_program_file,
    run_server,
)
from tests.support.servers import new_database

pytestmark = pytest.mark.slow  # every test starts processes

WHY = ("--why", "ticket 4711", "--by", "nadia")


@pytest.fixture
def database(postgres_server) -> Iterator[str]:
    """A new PostgreSQL database without tables."""
    with new_database(postgres_server) as url:
        yield url


@pytest.fixture
def run_in_process(tmp_path, monkeypatch, capsys):
    """Run commands that do not serve in this process, without the seconds that a new Python process takes."""
    monkeypatch.chdir(tmp_path)
    configured = structlog.get_config()

    def runs(*arguments, **values):
        with monkeypatch.context() as for_this_run:
            for name, value in build_environment(tmp_path, **values).items():
                for_this_run.setenv(name, value)
            try:
                status = main(arguments)
            except SystemExit as ended:
                status = ended.code
        structlog.configure(**configured)
        return CompletedProcess(arguments, status, *capsys.readouterr())

    return runs


def problem_lines(ended):
    """The lines of a run that failed with problems."""
    assert ended.returncode == 2, ended
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    return ended.stderr.rstrip("\n").split("\n")


# Verbs ---------------------------------------------------------------------------------------------------------------


def test_help_lists_the_commands_with_one_line_each(tmp_path):
    ended = run_program_file(tmp_path, "--help")

    listed = re.findall(r"^    (\w+) +(\S.*)$", ended.stdout, re.MULTILINE)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [command for command, _ in listed] == [
        "serve",
        "check",
        "dial",
        "migrate",
        "keys",
        "operator",
        "staff",
        "citizen",
        "audit",
        "departments",
        "messages",
        "payments",
        "smpp",
        "graph",
    ]


LOG_EVERYTHING = (
    "environment: EKDIAL_SERVER__LOG_LEVEL: this is not one of what it may be;"
    " write 'debug', 'info', 'warning' or 'error'"
)


@pytest.mark.parametrize(
    "arguments", [["sreve"], ["keys"], ["keys", "ad"], ["check", "--confg", "x"], ["dial", "--keys", "{pni}"]]
)
def test_unknown_arguments_are_reported(arguments, run_in_process):
    *usage, line = problem_lines(run_in_process(*arguments))

    assert usage[0].startswith("usage: server.py")
    assert ": error: " in line


@pytest.mark.parametrize(
    "command",
    ["", "serve", "check", "dial", "migrate", "keys list", "keys add --department x --why x", "audit export", "graph"],
)
def test_every_command_takes_a_config_before_or_after_it_and_reports_all_problems(command, run_in_process, tmp_path):
    (tmp_path / "other.toml").write_text("[server]\nport = 65536\n\n[reddis]\n")
    loud = {"SERVER__LOG_LEVEL": "loud"}
    expected = [
        LOG_EVERYTHING,
        "other.toml:2: server.port: this is too large; write 65535 or less",
        "other.toml:4: reddis: there is no such setting; did you mean redis?",
    ]

    assert problem_lines(run_in_process("--config", "other.toml", *command.split(), **loud)) == expected
    assert problem_lines(run_in_process(*command.split(), "--config", "other.toml", **loud)) == expected


def test_the_default_config_is_beside_the_program(run_in_process, tmp_path):
    assert problem_lines(run_in_process("check", SERVER__LOG_LEVEL="loud")) == [LOG_EVERYTHING]
    assert problem_lines(run_in_process("check", "--config", "nowhere.toml")) == [
        "nowhere.toml: cannot be read: No such file or directory; name a file that exists",
    ]


# check and graph -----------------------------------------------------------------------------------------------------


def test_check_accepts_the_repository(run_in_process):
    ended = run_in_process("check")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.fullmatch(
        r"\d+ screens in 5 forms and \d+ services: no problems\n"
        r"Services that citizens can apply for: \d+ on ussd, \d+ on sms, \d+ on kaios, \d+ on web\n"
        r"Next free service numbers: [^\n]+\nNext free key of the main menu: [^\n]+\n",
        ended.stdout,
    )


def test_check_reports_problems_of_a_catalogue(run_in_process, tmp_path):
    (tmp_path / "brta.toml").write_text("[department]\n")

    lines = problem_lines(run_in_process("check", CATALOGUE__FOLDER=str(tmp_path)))

    assert lines[0].startswith("brta.toml:1: department.country: is missing; ")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"MENU__MAIN": '{"1": "find"}'}, "environment: EKDIAL_MENU__MAIN: no entry leads to track, which receipts mention; give track a number"),
        ({"MENU__MAIN": '{"1": "track", "98": "find"}'}, "environment: EKDIAL_MENU__MAIN.98: '98' is not the number of an option; write one from 1 to 97"),
        ({"MENU__MAIN": '{"1": "trakc", "2": "track"}'}, "environment: EKDIAL_MENU__MAIN.1: 'trakc' is not an entry of the main menu; choose from account, app, bills, complaint, documents, find, help, language, track"),
    ],
    ids=["no track", "a key of the gateway's", "no such door"],
)  # fmt: skip
def test_check_reports_problems_of_a_menu(values, line, run_in_process):
    lines = problem_lines(run_in_process("check", **values))

    assert lines[0].startswith(line)
    assert all(re.match(r"environment: |menus/|catalogue: ", one) for one in lines)


def test_graph_draws_the_menu_tree(run_in_process, tmp_path):
    ended = run_in_process("graph")
    to_a_file = run_in_process("graph", "--out", "menu.svg")

    assert ET.fromstring(ended.stdout).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 (our own)
    assert (tmp_path / "menu.svg").read_text(encoding="utf-8") == ended.stdout
    assert (to_a_file.returncode, to_a_file.stdout) == (0, "")


def test_graph_reports_a_file_that_cannot_be_written(run_in_process):
    (line,) = problem_lines(run_in_process("graph", "--out", "nowhere/menu.svg"))

    assert line == "nowhere/menu.svg: No such file or directory; name a file that can be written"


# keys and migrate ----------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_listed_and_revoked(run_in_process, tmp_path):
    key = run_in_process("keys", "add", "--department", "dncc", *WHY).stdout.strip()
    key_id = key.split("_")[1]

    async def holder() -> ApiKeyHolder | None:
        async with Database(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as database:
            return await ApiKeys(database).find_holder(key)

    assert re.fullmatch(rf"{key_id} dncc \d{{4}}-\d\d-\d\d\n", run_in_process("keys", "list").stdout)
    assert asyncio.run(holder()) == ApiKeyHolder("dncc", key_id)
    assert re.fullmatch(
        rf"{key_id} dncc \d{{4}}-\d\d-\d\d used \d{{4}}-\d\d-\d\d\n", run_in_process("keys", "list").stdout
    )
    assert run_in_process("keys", "revoke", key_id, *WHY).returncode == 0
    assert run_in_process("keys", "list").stdout.endswith(" revoked\n")
    (line,) = problem_lines(run_in_process("keys", "revoke", key_id, *WHY))
    assert line == f"There is no key '{key_id}' that is not revoked; keys list shows them"


def test_a_key_has_a_label_and_a_last_day(run_in_process):
    added = run_in_process(
        "keys", "add", "--department", "dncc", "--label", "licence system", "--until", "2099-12-31", *WHY
    )
    assert added.returncode == 0

    assert run_in_process("keys", "list").stdout.endswith(" until 2099-12-31 licence system\n")


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--until", "soon"], "'soon' is not a day; write one such as 2026-11-21"),
        (["--label", "x" * 65], "A label is one line of at most 64 characters"),
        (["--label", "two\nlines"], "A label is one line of at most 64 characters"),
    ],
)
def test_an_invalid_label_or_day_is_rejected(more, line, run_in_process):
    assert problem_lines(run_in_process("keys", "add", "--department", "dncc", *more, *WHY))[-1].endswith(line)


def test_the_audit_export_has_the_acts_of_the_days_and_the_subject(run_in_process):
    key = run_in_process("keys", "add", "--department", "dncc", *WHY).stdout.split("_")[1]
    assert run_in_process("keys", "add", "--department", "epfo", *WHY).returncode == 0
    run_in_process("keys", "revoke", key, *WHY)

    def acts(*request: str) -> list[str]:
        exported = run_in_process("audit", "export", "--format", "jsonl", *request)
        assert (exported.returncode, exported.stderr) == (0, "")
        return [json.loads(line)["act"] for line in exported.stdout.splitlines()]

    assert acts() == ["key_added", "key_added", "key_revoked"]
    assert acts("--subject", key) == ["key_added", "key_revoked"]
    assert acts("--since", "2026-01-01", "--until", "2099-12-31", "--subject", key) == ["key_added", "key_revoked"]
    assert acts("--until", "2026-01-01") == []
    heading, *lines = run_in_process("audit", "export").stdout.splitlines()
    assert heading.split(",")[:5] == ["id", "at", "actor_kind", "actor", "act"]
    assert len(lines) == 3


def test_a_key_for_an_unknown_department_is_rejected(run_in_process, tmp_path):
    (line,) = problem_lines(run_in_process("keys", "add", "--department", "waterworks", *WHY))

    assert line.startswith("There is no department 'waterworks'; there are ")
    assert "dncc" in line
    (line,) = problem_lines(run_in_process("keys", "add", "--department", "dnnc", *WHY))

    assert line == "There is no department 'dnnc'; did you mean 'dncc'?"
    assert not (tmp_path / "ekdial.db").exists()


def test_secrets_are_generated_without_valid_settings(run_in_process):
    wanting = {"REDIS__URL": "redis://localhost"}
    (line,) = problem_lines(run_in_process("check", **wanting))
    assert "python server.py keys generate-secret" in line

    one, other = [run_in_process("keys", "generate-secret", **wanting).stdout.strip() for _ in range(2)]

    assert one != other
    assert run_in_process("check", KEYS__SECRET=one, **wanting).returncode == 0


def test_pending_migrations_are_reported_with_the_command_to_run(run_in_process, database, tmp_path):
    said = ["The database's tables are older than this program; run: python server.py migrate"]

    assert problem_lines(run_in_process("keys", "list", DATABASE__URL=database)) == said
    assert problem_lines(run_program(tmp_path, "serve", SERVER__PORT="0", DATABASE__URL=database)) == said


def test_migrate_says_what_it_ran_and_can_run_again(run_in_process, database):
    *migrations, last = run_in_process("migrate", DATABASE__URL=database).stdout.splitlines()
    assert migrations[:2] == [
        "0001: The initial tables.",
        "0002: Session epochs, attempts by class of channel, frozen accounts, the last use of an account.",
    ]
    assert last == f"The tables are up to date; migrations run now: {len(migrations)}"
    assert (
        run_in_process("migrate", DATABASE__URL=database).stdout == "The tables are up to date; migrations run now: 0\n"
    )

    assert run_in_process("keys", "list", DATABASE__URL=database).returncode == 0


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql+asyncpg://ekdial:hunter2@127.0.0.1:1/ekdial", "127.0.0.1|refused"),
        ("postgresql+asyncpg://ekdial:hunter2@127.0.0.1/ekdial?colour=red", "colour"),
        ("sqlite+aiosqlite:////proc/nowhere/ekdial.db", "No such file or directory"),
        ("sqlite+aiosqlite:////proc/self/status", "readonly|not a database|unable|disk"),
    ],
)
def test_an_unusable_database_is_reported_in_one_line(url, why, run_in_process):
    for command in ("migrate", "keys list"):
        (line,) = problem_lines(run_in_process(*command.split(), DATABASE__URL=url))
        assert re.match(
            rf"The database cannot be used: .*({why}).*; check database.url, and that the server runs", line
        )
        assert "hunter2" not in line


def test_a_gateway_does_not_start_on_an_unusable_database(tmp_path):
    (line,) = problem_lines(
        run_program(tmp_path, "serve", SERVER__PORT="0", DATABASE__URL="postgresql+asyncpg://x@127.0.0.1:1/x")
    )

    assert line == "The database cannot be used: Connection refused; check database.url, and that the server runs"


# serve ---------------------------------------------------------------------------------------------------------------


async def test_serve_prints_its_addresses_responds_and_ends_on_sigterm(tmp_path):
    with run_server(tmp_path) as gateway:
        async with ClientSession(gateway.url) as http:
            assert f"{gateway.url}/simulator" in gateway.output
            for url in ("/healthz", "/simulator", f"{gateway.admin_url}/readyz", f"{gateway.admin_url}/metrics"):
                async with http.get(url) as response:
                    assert response.status == 200
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait_for_exit() == 0
        assert "Traceback" not in gateway.output


async def test_serve_is_the_default_command_and_ends_on_ctrl_c(tmp_path):
    with run_server(tmp_path, "serve") as gateway:
        assert gateway.url.startswith("http://127.0.0.1:")
        gateway.send_signal(signal.SIGINT)
        assert gateway.wait_for_exit() == 0


async def test_a_gateway_finishes_the_request_in_flight_before_it_ends(tmp_path, database):
    await upgrade(database)
    with run_server(tmp_path, DATABASE__URL=database, SERVER__DRAIN_SECONDS="0") as gateway:
        url = gateway.url  # once it listens: a start reads the tables
        async with ClientSession() as http, lock_table(database, "accounts") as lock:
            phone = Phone(http, url)
            await phone.dial()
            await phone.enter("1")
            hop = asyncio.create_task(phone.enter("5"))  # asks whether the number is registered
            await lock.wait_until_contended()
            gateway.send_signal(signal.SIGTERM)
            await wait_until_refused(gateway.url)
            assert not hop.done()
            await lock.release()
            assert "register" in await hop
        assert gateway.wait_for_exit() == 0


async def test_a_gateway_that_was_told_to_end_is_not_ready_and_serves_on(tmp_path):
    with run_server(tmp_path) as gateway:
        url, admin_url = gateway.url, gateway.admin_url
        async with ClientSession() as http, http.get(f"{url}/healthz") as first:
            assert first.headers.get("Connection") != "close"
            gateway.send_signal(signal.SIGTERM)
            await wait_until_draining(http, admin_url)
            async with http.get(f"{url}/healthz") as response:
                assert (response.status, response.headers["Connection"]) == (200, "close")
            gateway.send_signal(signal.SIGTERM)  # the second one ends it at once
            assert gateway.wait_for_exit() == -signal.SIGTERM


async def wait_until_draining(http: ClientSession, admin_url: str) -> None:
    async with asyncio.timeout(10):
        while True:
            async with http.get(f"{admin_url}/readyz") as response:
                if response.status == 503:
                    assert await response.json() == {"gateway": "draining"}
                    return


WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


class TableLock:
    """A table that is locked until it is released, so that a request waits where the test can see it."""

    def __init__(self, holder: asyncpg.Connection) -> None:
        self._holder = holder

    async def wait_until_contended(self) -> None:
        """Return once a reader waits."""
        async with asyncio.timeout(10):
            while not await self._holder.fetchval(WAITING):  # noqa: ASYNC110 (another process waits)
                await asyncio.sleep(0.01)

    async def release(self) -> None:
        """Release the lock."""
        await self._holder.execute("ROLLBACK")


@contextlib.asynccontextmanager
async def lock_table(database: str, table: str):
    holder = await asyncpg.connect(
        make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    try:
        await holder.execute(f"BEGIN; LOCK TABLE {table}")
        yield TableLock(holder)
    finally:
        await holder.close()


async def wait_until_refused(url: str) -> None:
    """Return once new connections are refused."""
    async with asyncio.timeout(10), ClientSession() as http:
        with contextlib.suppress(ClientConnectorError):
            while True:
                async with http.get(f"{url}/healthz"):
                    await asyncio.sleep(0.01)


def test_the_embedded_store_belongs_to_one_process(tmp_path):
    with run_server(tmp_path) as gateway:
        assert gateway.url
        (line,) = problem_lines(run_program(tmp_path, "serve", SERVER__PORT="0"))

    assert line == (
        f"Another gateway with the embedded store runs in {tmp_path}; end it, or set redis.url to a Redis that both use"
    )


def test_a_port_in_use_is_reported_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        (line,) = problem_lines(run_program(tmp_path, "serve", SERVER__PORT=address.split(":")[1]))

    right = "choose another with EKDIAL_SERVER__PORT or EKDIAL_SERVER__HOST"
    assert line == f"Cannot listen on {address}: Address already in use; {right}"


def test_an_admin_port_in_use_is_reported_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        given = {"SERVER__PORT": "0", "SERVER__ADMIN_PORT": address.split(":")[1]}
        (line,) = problem_lines(run_program(tmp_path, "serve", **given))
        with run_gunicorn(tmp_path, **given) as master:
            assert master.wait_for_exit() == 2

    right = "choose another with EKDIAL_SERVER__ADMIN_PORT or EKDIAL_SERVER__ADMIN_HOST"
    assert line == f"Cannot listen on {address}: Address already in use; {right}"
    assert [one for one in master.output.split("\n") if "INFO" not in one and one] == [line]


def test_a_host_of_another_machine_is_reported_in_one_line(tmp_path):
    elsewhere = {"SERVER__HOST": "192.0.2.1", "KEYS__SECRET": SECRET, "WEBHOOKS__TOKENS": WEBHOOK_TOKEN}

    (line,) = problem_lines(run_program(tmp_path, "serve", SERVER__PORT="0", **elsewhere))

    assert line.startswith("Cannot listen on 192.0.2.1:0: Cannot assign requested address; choose another")


def test_a_data_dir_that_is_not_writable_is_reported_in_one_line(tmp_path):
    (tmp_path / "var").write_text("a file")

    (line,) = problem_lines(run_program(tmp_path, "serve", SERVER__PORT="0", SERVER__DATA_DIR=str(tmp_path / "var")))

    assert (
        line
        == f"Nothing can be stored in {tmp_path}/var: File exists; set server.data_dir to a folder that is writable"
    )


def test_the_secret_made_on_first_start_is_stored_for_its_owner_only(tmp_path):
    keys = []
    for _ in range(2):
        with run_server(tmp_path) as gateway:
            assert gateway.url
            keys.append((tmp_path / "secret").read_text())

    assert keys[0] == keys[1]
    assert len(keys[0]) >= 32
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "secret.new").exists()


def test_a_damaged_secret_is_not_replaced(tmp_path):
    (tmp_path / "secret").write_text("")

    (line,) = problem_lines(run_program(tmp_path, "serve", SERVER__PORT="0"))

    assert line == (f"The key in {tmp_path}/secret is damaged; restore the file, or set keys.secret to the former key")


def test_a_gateway_for_other_machines_needs_a_token(tmp_path):
    (line,) = problem_lines(
        run_program(tmp_path, "serve", SERVER__HOST="192.0.2.1", SERVER__PORT="0", KEYS__SECRET=SECRET)
    )

    assert "accept webhooks from anyone; give a token" in line


# gunicorn ------------------------------------------------------------------------------------------------------------


async def test_requests_of_one_session_are_served_by_any_worker(tmp_path, redis_server, database):
    await upgrade(database)
    redis_server.empty()
    given = {"REDIS__URL": redis_server.url, "DATABASE__URL": database, "KEYS__SECRET": SECRET}
    with run_gunicorn(tmp_path, "--workers", "2", **given) as master:
        async with ClientSession(connector=TCPConnector(force_close=True)) as http:
            phone = Phone(http, master.url)
            phone.echoes_metadata = False
            one, other = await worker_pids(master, http)
            async with paused(other):
                assert "1 English" in await phone.dial()
            async with paused(one):
                assert "1 Find a service" in await phone.enter("1")
            async with paused(other):
                assert "1 Register" in await phone.enter("5")
            async with paused(one):
                assert "Type your full name" in await phone.enter("1")
        master.send_signal(signal.SIGTERM)
        assert master.wait_for_exit() == 0
        assert "Traceback" not in master.output


async def worker_pids(master: ProgramProcess, http: ClientSession) -> list[int]:
    """The two workers, once each of them has responded while the other was stopped."""
    url = master.url
    async with asyncio.timeout(20):
        while len(workers := child_pids(master.process.pid)) < 2:  # noqa: ASYNC110 (another process starts them)
            await asyncio.sleep(0.01)
        for worker in workers:
            async with paused(worker), http.get(f"{url}/healthz") as response:
                assert response.status == 200
    return workers


@contextlib.asynccontextmanager
async def paused(process: int):
    """Stop the process for the duration of the block."""
    os.kill(process, signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            while process_state(process) != "T":  # noqa: ASYNC110 (another process's state)
                await asyncio.sleep(0.001)
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def process_state(process: int) -> str:
    """The process state of Linux, one letter."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def test_one_gunicorn_worker_can_use_the_embedded_store(tmp_path):
    with run_gunicorn(tmp_path) as master:
        with urlopen(f"{master.admin_url}/readyz") as response:  # noqa: S310 (our own)
            assert response.status == 200
        master.send_signal(signal.SIGTERM)
        assert master.wait_for_exit() == 0
        assert "Traceback" not in master.output


async def test_the_metrics_are_those_of_all_workers(tmp_path, redis_server, database):
    await upgrade(database)
    redis_server.empty()
    given = {"REDIS__URL": redis_server.url, "DATABASE__URL": database, "KEYS__SECRET": SECRET}
    with run_gunicorn(tmp_path, "--workers", "2", **given) as master:
        async with ClientSession(connector=TCPConnector(force_close=True)) as http:
            for worker in await worker_pids(master, http):
                async with paused(worker):  # the other one answers
                    await Phone(http, master.url).dial()
            await wait_for_metric(
                http,
                master.admin_url,
                'ekdial_hops_total{channel="ussd",outcome="answered",provider="africastalking"} 2.0',
            )

            (first, _) = await worker_pids(master, http)
            os.kill(first, signal.SIGTERM)
            await wait_until_ended(first)
            await wait_for_metric(
                http,
                master.admin_url,
                'ekdial_hops_total{channel="ussd",outcome="answered",provider="africastalking"} 2.0',
            )
            await worker_pids(master, http)
            await Phone(http, master.url).dial()
            await wait_for_metric(
                http,
                master.admin_url,
                'ekdial_hops_total{channel="ussd",outcome="answered",provider="africastalking"} 3.0',
            )
        for pid in child_pids(master.process.pid):
            assert process_umask(pid) == "0077"
        master.send_signal(signal.SIGTERM)
        assert master.wait_for_exit() == 0
        assert "Traceback" not in master.output
    with run_gunicorn(tmp_path, **given) as master:
        async with ClientSession() as http, http.get(f"{master.admin_url}/metrics") as response:
            assert (
                'ekdial_hops_total{channel="ussd",outcome="answered",provider="africastalking"} 0.0'
                in await response.text()
            ), "a new server counts from zero"


async def wait_for_metric(http: ClientSession, url: str, line: str) -> None:
    """Return once the metrics have this line: they show the other workers as they were a second ago."""
    async with asyncio.timeout(10):
        while True:
            async with http.get(f"{url}/metrics") as response:
                if line in await response.text():
                    return
            await asyncio.sleep(0.05)


def process_umask(process: int) -> str:
    status = Path(f"/proc/{process}/status").read_text()
    return status.partition("Umask:\t")[2].split("\n")[0]


def is_running(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


async def wait_until_ended(process: int) -> None:
    async with asyncio.timeout(15):
        while is_running(process):  # noqa: ASYNC110 (another process's state)
            await asyncio.sleep(0.02)


def test_two_gunicorn_workers_with_the_embedded_store_are_rejected_at_start(tmp_path):
    with run_gunicorn(tmp_path, "--workers", "2") as master:
        assert master.wait_for_exit() == 2

    said = "2 workers cannot share the embedded store"
    assert [line for line in master.output.split("\n") if "INFO" not in line and line] == [
        f"{said}; set redis.url to a Redis, or run one worker"
    ]


def test_two_workers_are_rejected_with_another_gunicorn_config_too(tmp_path):
    """The second worker cannot lock the store: it ends and is not started again."""
    (tmp_path / "own.py").write_text('bind = "127.0.0.1:0"\ncontrol_socket_disable = True\n')
    worker = ["--config", str(tmp_path / "own.py"), "--worker-class", "aiohttp.GunicornWebWorker", "--workers", "2"]

    with run_gunicorn(tmp_path, *worker) as master:
        assert master.wait_for_exit() == 4
        assert master.output.count("Another gateway with the embedded store runs in") == 1
        assert master.output.count("Booting worker") == 2
        assert "Traceback" not in master.output


def test_gunicorn_reports_invalid_settings_once(tmp_path):
    with run_gunicorn(tmp_path, SERVER__LOG_LEVEL="loud", REDIS__ULR="x") as master:
        assert master.wait_for_exit() == 2

    assert master.output == (
        "environment: EKDIAL_REDIS__ULR: there is no such setting; did you mean EKDIAL_REDIS__URL?\n"
        "environment: EKDIAL_SERVER__LOG_LEVEL: this is not one of what it may be;"
        " write 'debug', 'info', 'warning' or 'error'\n"
    )


def test_gunicorn_reports_a_startup_problem_once(tmp_path, database):
    given = {"REDIS__URL": "redis://127.0.0.1:1", "DATABASE__URL": database, "KEYS__SECRET": SECRET}
    with run_gunicorn(tmp_path, "--workers", "2", **given) as master:
        assert master.wait_for_exit() == 2

    assert [line for line in master.output.split("\n") if "INFO" not in line and line] == [
        "The database's tables are older than this program; run: python server.py migrate"
    ]
