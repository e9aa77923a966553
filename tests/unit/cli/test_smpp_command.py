"""`server.py smpp`: one process a bind, restarted when it dies, and another machine that takes over in the middle of a call."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.smsc import Smsc, run_smsc
from tests.support.forked_program import ForkedProgram
from tests.support.program import SECRET, build_environment, run_program
from tests.support.servers import RedisServer
from tests.support.smpp_phone import SmppPhone, StrictNetwork, smpp_settings

SEVERAL_PROCESSES = (
    "redis.url: what memory:// stores is seen by one process only, and each bind has a process; "
    "write the address of a Redis, or hold one bind with --bind"
)


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    async with run_smsc() as smsc:
        yield smsc


def settings_for(smsc: Smsc, **values: str) -> Mapping[str, str]:
    return {**smpp_settings(smsc.port), "KEYS__SECRET": SECRET, "PROVIDERS__SMPP__TAKEOVER_AFTER": "3", **values}


@contextmanager
def run_smpp(folder: Path, name: str, *arguments: str, **values: str) -> Iterator[ForkedProgram]:
    out = folder / f"{name}.log"
    environment = build_environment(folder, **values)
    with ForkedProgram(("smpp", *arguments), folder, environment, out=out, err=out) as process:
        yield process


def find_children(log: Path) -> list[int]:
    """The process ids that a supervisor has logged."""
    lines = [line for line in log.read_text().splitlines() if "smpp_process_started" in line]
    return [int(line.rpartition("pid=")[2].split()[0]) for line in lines]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for another process, which may need long where many run."""
    async with asyncio.timeout(120):
        while not condition():  # noqa: ASYNC110 - the event is in another process
            await asyncio.sleep(0.02)


def is_written(log: Path, text: str) -> bool:
    return log.exists() and text in log.read_text()


async def test_another_machine_goes_on_with_a_call_when_the_holder_is_stopped_or_killed(
    smsc: Smsc, tmp_path: Path, redis_server: RedisServer
) -> None:
    redis_server.empty()
    settings = settings_for(smsc, REDIS__URL=redis_server.url)
    with run_smpp(tmp_path, "a", "--bind", "operator", **settings) as first:
        phone = SmppPhone(StrictNetwork(smsc))
        assert "1 English" in await phone.dial()
        main_menu = await phone.enter("1")
        with run_smpp(tmp_path, "b", "--bind", "operator", **settings) as second:
            await wait_for(lambda: is_written(tmp_path / "b.log", "or waits for it"))
            assert smsc.binds == 1
            first.send_signal(signal.SIGSTOP)
            await wait_for(lambda: smsc.binds == 2)
            assert "12-digit" in await phone.enter("2")
            submitted = len(smsc.submitted)
            first.send_signal(signal.SIGCONT)
            await wait_for(lambda: len(smsc.esmes) == 1)  # it finds that it holds the bind no more
            assert len(smsc.submitted) == submitted
            second.kill()
            await wait_for(lambda: smsc.binds == 3)
            assert await phone.enter("0") == main_menu
            first.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(first.wait, 60) == 0
    assert smsc.unbinds == 1


async def test_the_processes_of_a_supervisor_that_is_killed_give_their_binds_back(
    smsc: Smsc, tmp_path: Path, redis_server: RedisServer
) -> None:
    redis_server.empty()
    settings = settings_for(smsc, REDIS__URL=redis_server.url)
    with run_smpp(tmp_path, "a", **settings) as supervisor:
        await wait_for(lambda: smsc.binds == 1)
        with run_smpp(tmp_path, "b", "--bind", "operator", **settings):
            await wait_for(lambda: is_written(tmp_path / "b.log", "or waits for it"))
            supervisor.kill()
            await wait_for(lambda: smsc.binds == 2)
            assert smsc.unbinds == 1


async def test_a_process_that_dies_is_started_again_and_ends_with_its_supervisor(smsc: Smsc, tmp_path: Path) -> None:
    log = tmp_path / "s.log"
    with run_smpp(tmp_path, "s", **settings_for(smsc)) as supervisor:
        await wait_for(lambda: smsc.binds == 1)
        (child,) = find_children(log)
        os.kill(child, signal.SIGKILL)
        await wait_for(lambda: smsc.binds == 2)
        assert "smpp_process_ended" in log.read_text()
        supervisor.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(supervisor.wait, 60) == 0
        assert not any(map(is_alive, find_children(log)))
    assert smsc.unbinds == 1


@pytest.mark.parametrize(
    ("arguments", "values", "line"),
    [
        ((), {}, "providers.smpp.binds: there is no bind to hold; write a table [providers.smpp.binds.<name>]"),
        (("--bind", "robi"), {"binds": ("operator",)}, "--bind: there is no bind robi; write one of operator"),
        (
            (),
            {"binds": ("one", "two")},
            SEVERAL_PROCESSES,
        ),
    ],
    ids=["no-bind", "unknown-bind", "embedded-store"],
)
def test_what_cannot_be_held_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], values: Mapping[str, tuple[str, ...]], line: str
) -> None:
    tables = {name: {"host": "127.0.0.1"} for name in values.get("binds", ())}
    ended = run_program(tmp_path, "smpp", *arguments, PROVIDERS__SMPP__BINDS=json.dumps(tables))
    assert (ended.returncode, ended.stderr) == (2, f"{line}\n")


@pytest.mark.parametrize(
    ("bind", "problem"),
    [
        ({"ussd": "micah"}, "'micah' is no dialect"),
        ({"ussd": "mica", "mode": "transmitter"}, "USSD needs both directions"),
    ],
    ids=["dialect", "mode"],
)
def test_a_bind_that_cannot_work_is_refused_with_its_key(tmp_path: Path, bind: Mapping[str, str], problem: str) -> None:
    tables = json.dumps({"robi": {"host": "127.0.0.1", **bind}})
    ended = run_program(tmp_path, "smpp", PROVIDERS__SMPP__BINDS=tables)
    assert ended.returncode == 2
    assert problem in ended.stderr
    assert "EKDIAL_PROVIDERS__SMPP__BINDS.robi" in ended.stderr
