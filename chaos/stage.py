"""Everything that one event needs: fresh gateways over a fresh database, a provider, and processes of callers."""

import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaos.callers import Load, Tally
from chaos.carrier import KeyPress, LoadBalancer
from chaos.gateways import SECRET, TOKEN, Gateway, build_gateway_environment
from chaos.nginx import Nginx
from chaos.provider import SmsApi
from chaos.proxy import SlowProxy
from chaos.scripts import (
    LANGUAGE_KEY,
    LANGUAGE_SCREEN,
    NAME,
    NUMBER,
    SCRIPTS,
    RecordedScript,
    Script,
    find_number,
    normalise_screen,
)
from chaos.stores import Postgres, Redis
from core.crypto import Cipher
from tests.support.program import ROOT, run_program
from tests.support.redis_cluster import LocalCluster

if TYPE_CHECKING:
    from chaos.event import Event  # which needs the stage

TEMPLATE: Final = "chaos_template"
REGISTERED_PREFIX: Final = "+8801711"
RECORDED_PREFIX: Final = "+8801911"
TRACKED_APPLICATIONS: Final = 2
STRANGERS_OF_A_PROCESS: Final = 100_000
GATEWAYS: Final = 2
MAX_PROCESSES: Final = 8
ACCOUNTS_OF_CALLERS: Final = 1_000


@dataclass(frozen=True)
class Recording:
    """What an undisturbed run left: the scripts with their screens, accounts and tracking numbers of the template database."""

    scripts: tuple[RecordedScript, ...]
    registered: tuple[str, ...]
    tracking_numbers: tuple[str, ...]


@dataclass(kw_only=True)
class Stage:
    """The parts that an event acts upon. `caller_ports` are those that the callers' provider posts to."""

    redis: Redis
    postgres: Postgres
    gateways: tuple[Gateway, ...]
    sms_api: SmsApi
    database: str
    folder: Path
    caller_ports: tuple[int, ...]
    redis_proxy: SlowProxy | None = None
    clock_file: Path | None = None  # with the seconds by which the clock of the first gateway is ahead
    cluster: LocalCluster | None = None  # used instead of `redis` where it is there
    capacity: float = 0.0  # requests a second that callers without a pause are answered; 0: not measured
    caller_blocks: int = 0  # how often processes of callers were started
    notes: list[str] = field(default_factory=list)

    @property
    def gateway_ports(self) -> tuple[int, ...]:
        """The ports of the gateways themselves."""
        return tuple(gateway.port for gateway in self.gateways)


@dataclass(frozen=True, kw_only=True)
class CallerPlan:
    """How callers come: processes, rate of all of them together, and the others as in `Load`."""

    rate: float
    processes: int = 1
    delivery: str = "once"
    hides_language: bool = False
    think_time: float = 0.5
    drain: float = 25.0
    max_open: int = 0


class Callers:
    """Processes of callers that run from `start` to `stop`."""

    def __init__(self, *, plan: CallerPlan, stage: Stage, recording: Recording) -> None:
        """Callers that nobody before on this stage was."""
        self._event = stage.caller_blocks
        stage.caller_blocks += 1
        self._results = [stage.folder / f"callers-{self._event}-{number}.json" for number in range(plan.processes)]
        self._plan, self._ports, self._recording = plan, stage.caller_ports, recording
        self._processes: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        """Start all processes."""
        for number, result in enumerate(self._results):
            process = subprocess.Popen(
                [sys.executable, "-m", "chaos.caller_process"], cwd=ROOT, stdin=subprocess.PIPE, text=True
            )
            self._processes.append(process)
            self._write(process, json.dumps(self._build_orders(number, result)))

    def stop(self) -> Tally:
        """Let the conversations under way end, and return what all processes saw."""
        for process in self._processes:
            self._write(process, "stop")
        for process in self._processes:
            process.wait(self._plan.drain + 60)
        return merge_tallies([json.loads(result.read_text(encoding="utf-8")) for result in self._results])

    def kill(self) -> None:
        """End the processes that still run."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    def _write(self, process: "subprocess.Popen[str]", line: str) -> None:
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(line + "\n")
                process.stdin.flush()

    def _build_orders(self, number: int, result: Path) -> dict[str, Any]:
        plan, recording, per_event = self._plan, self._recording, ACCOUNTS_OF_CALLERS
        block = self._event * MAX_PROCESSES + number
        load = Load(
            rate=plan.rate / plan.processes,
            think_time=plan.think_time,
            drain=plan.drain,
            max_open=plan.max_open,
            hides_language=plan.hides_language,
        )
        return {
            "seed": block,
            "ports": list(self._ports),
            "token": TOKEN,
            "delivery": plan.delivery,
            "scripts": [script.to_json() for script in recording.scripts],
            "load": asdict(load),
            "registered": recording.registered[self._event * per_event :][:per_event][number :: plan.processes],
            "first_stranger": block * STRANGERS_OF_A_PROCESS,
            "tracking_numbers": recording.tracking_numbers,
            "result": str(result),
        }


def merge_tallies(values: Sequence[dict[str, Any]]) -> Tally:
    """The tallies of several processes as one."""
    merged = Tally()
    for value in values:
        merged.add(Tally.from_json(value))
    return merged


def record_template(*, redis: Redis, postgres: Postgres, accounts: int) -> Recording:
    """Play every script on a quiet gateway, and leave a database with accounts and applications as the template of all events.

    Raises:
        RuntimeError: the gateway did not serve, or a screen is missing.
    """
    postgres.create_database(TEMPLATE)
    with tempfile.TemporaryDirectory(prefix="ekdial-chaos-") as name, SmsApi() as sms_api:
        folder = Path(name)
        environment = build_gateway_environment(
            database_url=postgres.build_url(TEMPLATE), redis_url=redis.url, sms_url=sms_api.url
        )
        migrated = run_program(folder, "migrate", **environment)
        if migrated.returncode:
            raise RuntimeError(migrated.stderr)
        gateway = Gateway(folder=folder, environment=environment)
        gateway.start()
        try:
            gateway.wait_until_ready()
            recording = asyncio.run(_record(gateway.port))
            return replace(recording, registered=copy_account(postgres, recording.registered[0], accounts))
        finally:
            gateway.stop()
            redis.empty()


@contextmanager
def build_stage(*, redis: Redis, postgres: Postgres, event: "Event") -> Iterator[Stage]:
    """Fresh gateways over a copy of the template and an empty Redis; with what the event needs."""
    database = "chaos"
    redis.empty()
    postgres.drop_database(database)
    postgres.create_database(database, TEMPLATE)
    with ExitStack() as stack:
        stack.callback(postgres.drop_database, database)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ekdial-chaos-")))
        sms_api = stack.enter_context(SmsApi())
        proxy = stack.enter_context(SlowProxy(redis.port)) if event.slow_redis else None
        nodes = stack.enter_context(LocalCluster(masters=3, replicas=1)) if event.store == "cluster" else None
        redis_url = nodes.url if nodes else f"redis://127.0.0.1:{proxy.port}/0" if proxy else redis.url
        environment = build_gateway_environment(
            database_url=postgres.build_url(database),
            redis_url=redis_url,
            sms_url=sms_api.url,
            REDIS__CLUSTER="true" if nodes else "false",
        )
        processes = [Gateway(folder=folder, environment={**environment, **event.settings}) for _ in range(GATEWAYS)]
        clock_file = processes[0].move_clock_by_file() if event.moves_clock else None
        for gateway in processes:
            stack.callback(gateway.stop)
            gateway.start()
        for gateway in processes:
            gateway.wait_until_ready()
        ports = tuple(gateway.port for gateway in processes)
        front = stack.enter_context(Nginx(ports)) if event.nginx else None
        yield Stage(
            redis=redis,
            postgres=postgres,
            gateways=tuple(processes),
            sms_api=sms_api,
            database=database,
            folder=folder,
            caller_ports=(front.port,) if front else ports,
            redis_proxy=proxy,
            clock_file=clock_file,
            cluster=nodes,
        )


def copy_account(postgres: Postgres, source: str, accounts: int) -> tuple[str, ...]:
    """Give so many numbers the account of one, with its PIN and its language: hashing a PIN for each takes minutes."""
    numbers = tuple(f"{REGISTERED_PREFIX}{number:06}" for number in range(accounts))
    cipher = Cipher(SECRET.encode())
    names = [(number, cipher.encrypt(NAME.encode(), f"account:{number}")) for number in numbers]
    copied = "language, pin_hash, created_at, last_used_at"
    account = (
        f"INSERT INTO accounts (msisdn, name, {copied}) SELECT $1, $2, {copied} FROM accounts WHERE msisdn = '{source}'"  # noqa: S608
    )
    copied = "language, session, chosen_at, seen_on"
    caller = f"INSERT INTO callers (msisdn, {copied}) SELECT $1, {copied} FROM callers WHERE msisdn = '{source}'"  # noqa: S608
    registered = """
        INSERT INTO account_events (account, kind, outcome, idempotency_key, created_at)
        SELECT id, 'registered', 'done', 'copied-' || id || ':1', created_at FROM accounts WHERE msisdn = $1"""
    postgres.run_many(account, names, database=TEMPLATE)
    postgres.run_many(registered, [(number,) for number in numbers], database=TEMPLATE)
    postgres.run_many(caller, [(number,) for number in numbers], database=TEMPLATE)
    return numbers


async def _record(port: int) -> Recording:
    balancer = LoadBalancer([port], TOKEN)
    by_name = {script.name: script for script in SCRIPTS}
    strangers = (f"{RECORDED_PREFIX}{number:06}" for number in itertools.count())
    tracking_numbers, registered = [], ""
    for _ in range(TRACKED_APPLICATIONS):
        registered = next(strangers)
        await _play(balancer, by_name["register"], registered)
        bodies = await _play(balancer, by_name["apply"], registered, leaves_offer=True)
        tracking_numbers.append(find_number(bodies[-1]))
    scripts = []
    for script in SCRIPTS:
        msisdn = registered if script.caller == "registered" else next(strangers)
        bodies = await _play(balancer, script, msisdn, number=tracking_numbers[0], leaves_offer=True)
        screens = tuple(normalise_screen(body) for body in bodies)
        scripts.append(RecordedScript(**asdict(script) | {"keys": script.keys, "screens": screens}))
    balancer.close()
    return Recording(tuple(scripts), (registered,), tuple(tracking_numbers))


async def _play(
    balancer: LoadBalancer, script: Script, msisdn: str, *, number: str = "", leaves_offer: bool = False
) -> list[str]:
    """The screens of an undisturbed run, from the main menu on.

    Raises:
        RuntimeError: a screen is missing.
    """
    session, path, bodies = f"ATUid_record_{msisdn}_{script.name}_{time.monotonic_ns()}", "", []
    first = await balancer.deliver(KeyPress(msisdn, session, path, ""))
    keys = [number if key == NUMBER else key for key in script.keys]
    before = [LANGUAGE_KEY] if normalise_screen(first.body) == LANGUAGE_SCREEN else []
    if leaves_offer and "2 Start again" in first.body:
        before = ["2"]
    screens = [first.body]
    for key in (*before, *keys):
        path = f"{path}*{key}" if path else key
        reply = await balancer.deliver(KeyPress(msisdn, session, path, ""))
        screens.append(reply.body)
    bodies = screens[len(before) :]
    if not all(bodies) or len(bodies) != len(keys) + 1:
        raise RuntimeError(f"{script.name} was disturbed: {bodies}")
    return bodies
