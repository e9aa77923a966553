"""`server.py smpp`: hold the binds of `[providers.smpp.binds]`, one process each."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Final

import structlog
from aiohttp import web

from app.admin import bind_listener
from app.bootstrap import check_startup
from app.open_files import fit_connections
from app.runner import STOP_TIMEOUT, build_runner
from app.smpp import open_bind
from cli.announcement import announce
from config.settings import Settings
from core.errors import CommandError
from core.retry import Backoff
from providers.smpp.settings import SmppSettings

PROGRAM: Final = Path(__file__).parents[1] / "server.py"
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
RESTART_BACKOFF: Final = Backoff(initial=1.0, maximum=30.0)
LONG_LIFE: Final = 60.0  # seconds after which an end of a process counts as the first one

log = structlog.get_logger()


def run_smpp(settings: Settings, args: argparse.Namespace) -> int:
    """Hold the binds at operators' SMSCs until SIGTERM: send the SMS of this provider, answer SMS and USSD.

    Of several machines that run it, one holds a bind, and another takes over within ten seconds when it ends.

    Raises:
        CommandError: There is no such bind, or something that the gateway needs is missing or invalid.
    """
    binds = settings.provider_section(SmppSettings).binds
    if not binds:
        raise CommandError(
            "providers.smpp.binds: there is no bind to hold; write a table [providers.smpp.binds.<name>]"
        )
    if args.bind is None:
        _check_shared(settings, len(binds))
        asyncio.run(_supervise(settings, list(binds), args.config))
        return 0
    if args.bind not in binds:
        raise CommandError(f"--bind: there is no bind {args.bind}; write one of {', '.join(binds)}")
    asyncio.run(_hold(settings, args.bind, ends_with_stdin=args.ends_with_stdin))
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smpp`."""
    parser.add_argument(
        "--bind", metavar="NAME", help="hold this bind alone, in this process (default: a process each)"
    )
    parser.add_argument("--ends-with-stdin", action="store_true", help=argparse.SUPPRESS)


def _check_shared(settings: Settings, bind_count: int) -> None:
    """Check that all processes have one store of sessions.

    Raises:
        CommandError: Each would have its own.
    """
    if settings.redis.is_embedded and bind_count > 1:
        problem = "redis.url: what memory:// stores is seen by one process only, and each bind has a process"
        raise CommandError(f"{problem}; write the address of a Redis, or hold one bind with --bind")


async def _hold(settings: Settings, name: str, *, ends_with_stdin: bool) -> None:
    """Hold one bind until a signal, or until stdin ends: then the process that started this one has ended."""
    stopped = _await_signals()
    if ends_with_stdin:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _stop_at_end, stopped)
    async with open_bind(fit_connections(settings), name) as admin, _serve_admin(settings, name, admin):
        announce(settings, f"Ekdial holds the bind {name}, or waits for it", "smpp_bind_ready", bind=name)
        await stopped.wait()


@asynccontextmanager
async def _serve_admin(settings: Settings, name: str, admin: web.Application) -> AsyncIterator[None]:
    """Serve readiness and metrics inside the block where the bind has a port for them.

    Raises:
        CommandError: The port is in use.
    """
    port, host = settings.provider_section(SmppSettings).binds[name].admin_port, settings.server.admin_host
    if not port:
        yield
        return
    try:
        listener = bind_listener(host, port, "")
    except CommandError as error:
        problem = str(error).partition(";")[0]
        raise CommandError(f"{problem}; choose another admin_port in [providers.smpp.binds.{name}]") from None
    with listener:
        runner = build_runner(admin)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            yield
        finally:
            await runner.cleanup()


async def _supervise(settings: Settings, names: Sequence[str], config: Path) -> None:
    """Run a process for each bind, and start each again when it ends, until a signal."""
    stopped = _await_signals()
    await check_startup(settings)
    listed = ", ".join(names)
    text = f"Ekdial holds {len(names)} binds, one process each: {listed}"
    announce(settings, text, "smpp_binds_ready", binds=listed)
    await asyncio.gather(*(_BindProcess(name, config, stopped).run() for name in names))


class _BindProcess:
    """The process of one bind."""

    def __init__(self, name: str, config: Path, stopped: asyncio.Event) -> None:
        self._name = name
        self._command = (sys.executable, str(PROGRAM), "smpp", "--bind", name, "--config", str(config.absolute()))
        self._stopped = stopped
        self._failures = 0

    async def run(self) -> None:
        """Run it, and again after a pause that grows, until the supervisor is stopped."""
        while not self._stopped.is_set():
            started = monotonic()
            status = await self._run_once()
            if self._stopped.is_set():
                return
            self._failures = 1 if monotonic() - started > LONG_LIFE else self._failures + 1
            wait = RESTART_BACKOFF.delay(self._failures).total_seconds()
            log.error("smpp_process_ended", bind=self._name, status=status, again_after=round(wait, 1))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), wait)

    async def _run_once(self) -> int:
        """Run it to its end; return its exit status. Its stdin ends with this process, and with it the process."""
        process = await asyncio.create_subprocess_exec(
            *self._command, "--ends-with-stdin", stdin=asyncio.subprocess.PIPE
        )
        log.info("smpp_process_started", bind=self._name, pid=process.pid)
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopped.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not ended.done():
            process.terminate()
            await asyncio.wait({ended}, timeout=STOP_TIMEOUT)
        if not ended.done():
            log.error("smpp_process_killed", bind=self._name, pid=process.pid)
            process.kill()
        return await ended


def _await_signals() -> asyncio.Event:
    """An event that is set by the first signal to stop; the next one ends the process."""
    stopped = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, _stop, stopped)
    return stopped


def _stop(stopped: asyncio.Event) -> None:
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)
    stopped.set()


def _stop_at_end(stopped: asyncio.Event) -> None:
    """Stop at the end of stdin."""
    if not os.read(sys.stdin.fileno(), 1):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stopped.set()
