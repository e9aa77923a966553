"""Ekdial, the one program: `python server.py` serves; its other verbs check, migrate, dial, draw, hand out keys, and more."""

import argparse
import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from commands import audit, departments, keys, operator, payments
from commands.verb import Verb, common
from configured import read
from faults import CannotRun
from settings import Server, Settings

HERE = Path(__file__).parent
WRONG = 2  # exit status of a run that a person must mend something for
INTERRUPTED = 130  # Ctrl-C, as shells have it
NOT_LOADED = 4  # what gunicorn takes for "do not try again"
TELL_VALUES = ("aiosqlite", "sqlalchemy", "urllib3")  # libraries whose debug lines hold what people typed
QUIET = {"info": "warning"}  # a gateway for one call in a terminal would write between its screens
YOUNG = 10_000  # new objects between two looks for garbage among them: more than the hops in flight hold between them
SHUTDOWN = 10.0  # seconds for hops in flight; a provider waits no longer


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; its exit status, 2 with one line a fault on stderr for everything that must be mended."""
    given = _parser().parse_args(arguments)
    try:
        settings = read(given.config) if given.configured else Settings()
        log_as(settings.server.log_level)
        return VERBS[given.verb or "serve"].run(settings, given)
    except CannotRun as refused:
        print(refused, file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED


async def application(settings: Settings | None = None) -> web.Application:
    """The gateway as gunicorn and `serve` run it; with no settings given, those of config.toml and the environment."""
    from assembly.lifecycle import opened

    settings = settings or _configured()
    stack = AsyncExitStack()
    app = await stack.enter_async_context(opened(settings))

    async def close(_: web.Application) -> None:
        await stack.aclose()

    app.on_cleanup.append(close)
    return app


async def lasting(settings: Settings | None = None) -> web.Application:
    """The gateway for as long as a process lives: what is loaded by now, nothing need look through for garbage again."""
    app = await application(settings)
    gc.freeze()
    gc.set_threshold(YOUNG)
    return app


async def worker() -> web.AppRunner:
    """What gunicorn loads, `server:worker`; a worker that cannot start says why in one line and is not tried again."""
    try:
        return straight(await lasting())
    except CannotRun as refused:
        print(refused, file=sys.stderr, flush=True)
        raise SystemExit(NOT_LOADED) from None


def _configured() -> Settings:
    settings = read(HERE / "config.toml")
    log_as(settings.server.log_level)
    return settings


def log_as(level: str) -> None:
    """One line an event on stderr, its facts as keys; nothing below `level`."""
    for library in TELL_VALUES:
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def serve(settings: Settings, _: argparse.Namespace) -> int:
    """Serves until it is told to stop, then finishes the hops in flight."""
    with _bound(settings.server) as listening, asyncio.Runner(loop_factory=_loop) as loop:
        settings = _at_port(settings, listening.getsockname()[1])
        with suppress(KeyboardInterrupt):
            loop.run(_serving(settings, listening))
    return 0


async def _serving(settings: Settings, listening: socket.socket) -> None:
    """Until SIGTERM or SIGINT; then the hops in flight are finished."""
    told_to_stop = asyncio.Event()
    with suppress(NotImplementedError):  # on Windows, where Ctrl+C cancels this instead
        for told in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(told, told_to_stop.set)
    runner = straight(await lasting(settings), access_log=_access_log(settings))
    try:
        await runner.setup()
        await web.SockSite(runner, listening).start()
        _announce(settings)
        await told_to_stop.wait()
    finally:
        await runner.cleanup()


def straight(app: web.Application, **options: Any) -> web.AppRunner:
    """What runs the gateway, here and in gunicorn's workers. A body refused unread holds its connection for a second."""
    from straight import StraightRunner
    from ussd.routes import KEY_PRESS

    return StraightRunner(app, frozenset({KEY_PRESS}), shutdown_timeout=SHUTDOWN, lingering_time=1, **options)


def _access_log(settings: Settings) -> logging.Logger | None:
    return logging.getLogger("access") if settings.server.log_level == "debug" else None


def _bound(server: Server) -> socket.socket:
    """The socket, before anything else is opened: a port that is taken is told as that."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        return socket.create_server((server.host, server.port), family=family)
    except OSError as taken:
        why = str(taken.strerror).partition(" (")[0]
        right = "choose another with EKDIAL_SERVER__PORT or EKDIAL_SERVER__HOST"
        raise CannotRun(f"Cannot listen on {server.address}: {why}; {right}") from None


def _at_port(settings: Settings, port: int) -> Settings:
    """The settings with the port that is listened on, where any that is free was asked for."""
    return settings.model_copy(update={"server": settings.server.model_copy(update={"port": port})})


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # on Windows and PyPy, which it is not made for
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _announce(settings: Settings) -> None:
    lines = [f"Ekdial listens on {settings.server.url}"]
    if settings.simulated:
        lines.append(f"The phone on the desk: {settings.server.url}/simulator   dial {settings.ussd.service_codes[0]}")
        lines.append("In a terminal:         python server.py dial")
    print("\n".join(lines), flush=True)


def check(settings: Settings, _: argparse.Namespace) -> int:
    """Proves config, menus, catalogue and translations; exit status 2 with a line for every fault."""
    from assembly.lifecycle import checked
    from services.catalogue.model import CHANNELS

    conversation = asyncio.run(checked(settings))
    catalogue, screens = conversation.services.shelf.now, len(conversation.menu.screens)
    print(f"{screens} screens in {len(conversation.words)} forms and {len(catalogue.services)} services: nothing wrong")
    offered = (f"{len(catalogue.offered(channel))} on {channel}" for channel in CHANNELS)
    print(f"Services that can be done: {', '.join(offered)}")
    return 0


def dial(settings: Settings, given: argparse.Namespace) -> int:
    """A phone in the terminal, on the running gateway or, where none runs, on one of its own."""
    from web.simulator import terminal

    if not settings.simulated:
        raise CannotRun("The phone is off here: simulator.enabled is not true and the gateway is not on loopback only.")
    return terminal.run(given, _somewhere(settings, given.url))


@asynccontextmanager
async def _somewhere(settings: Settings, url: str | None) -> AsyncIterator[str]:
    """The address given, the configured one where a gateway answers there, else that of a gateway for this call alone."""
    configured = settings.server
    if url or await _listens(configured.host, configured.port):
        yield url or configured.url
        return
    log_as(QUIET.get(settings.server.log_level, settings.server.log_level))
    runner = straight(await application(settings))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _dial_options(parser: argparse.ArgumentParser) -> None:
    from web.simulator import terminal

    terminal.add_arguments(parser)


def migrate(settings: Settings, _: argparse.Namespace) -> int:
    """Brings the database's tables up to date."""
    from services.records.migrate import upgrade

    asyncio.run(upgrade(settings.database.url.get_secret_value()))
    print("The tables are up to date")
    return 0


def graph(settings: Settings, given: argparse.Namespace) -> int:
    """Draws the menu tree as SVG."""
    from assembly.lifecycle import checked
    from menus.graph import svg

    conversation = asyncio.run(checked(settings))
    picture = svg(conversation.menu, conversation.words["en"])
    if given.out is None:
        sys.stdout.write(picture)
    else:
        _write(given.out, picture)
    return 0


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as refused:
        raise CannotRun(f"{file}: {refused.strerror}; name a file that can be written") from None


def _graph_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, help="the file to write (default: standard output)")


VERBS: Mapping[str, Verb] = {
    "serve": Verb(serve, "run the gateway (the default)"),
    "check": Verb(check, "prove config, menus, catalogue and translations"),
    "dial": Verb(dial, "a phone in the terminal", _dial_options),
    "migrate": Verb(migrate, "bring the database's tables up to date"),
    "keys": Verb(keys.keys, "keys of departments' systems, and a fresh keys.secret", keys.options),
    "operator": Verb(operator.operator, "operators who act for citizens at village centres", operator.options),
    "audit": Verb(audit.audit, "who did what to whose record, as a file", audit.options),
    "departments": Verb(
        departments.departments,
        "departments' own systems: who answers, what waits, what was refused",
        departments.options,
    ),
    "payments": Verb(
        payments.payments, "what was asked and paid, refunds, and what waits for a person", payments.options
    ),
    "graph": Verb(graph, "draw the menu tree as SVG", _graph_options),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="server.py", description="Every public service, from any phone, on one number.", parents=[common()]
    )
    parser.set_defaults(config=HERE / "config.toml", configured=True)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for name, verb in VERBS.items():
        verb.options(verbs.add_parser(name, help=verb.help, description=verb.run.__doc__, parents=[common()]))
    return parser


if __name__ == "__main__":
    sys.exit(main())
