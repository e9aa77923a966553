"""`server.py serve`: run the gateway in this process."""

import argparse
import asyncio
import errno
import logging
import signal
import socket
from contextlib import suppress
from typing import Final

from aiohttp import web

from app.admin import add_admin_server, bind_listener
from app.first_sign_in import FIRST_SIGN_IN
from app.runner import build_long_running_app, build_runner
from cli.announcement import announce
from config.server import ServerSettings
from config.settings import Settings
from core.errors import CommandError
from core.http.fast_router import DRAIN

PORT_TAKEN: Final = (
    "Another program began to listen on a port of the gateway while it started; "
    "choose another with EKDIAL_SERVER__PORT or EKDIAL_SERVER__ADMIN_PORT"
)
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run_serve(settings: Settings, _: argparse.Namespace) -> int:
    """Run the gateway until SIGTERM or SIGINT, then drain it; a second signal ends it at once.

    Raises:
        CommandError: Something that the gateway needs is missing or invalid, or a port is in use.
        OSError: The system refuses to listen for another reason.
    """
    # bind before anything else is opened, so that a port in use is reported first; listen when the gateway can answer
    with _bind(settings.server) as listener, _bind_admin(settings.server) as admin_listener:
        settings = _with_actual_ports(settings, port=_port(listener), admin_port=_port(admin_listener))
        with asyncio.Runner(loop_factory=_new_event_loop) as loop, suppress(KeyboardInterrupt):
            try:
                loop.run(_serve_until_stopped(settings, listener, admin_listener))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                raise CommandError(PORT_TAKEN) from None
    return 0


async def _serve_until_stopped(settings: Settings, listener: socket.socket, admin_listener: socket.socket) -> None:
    stopped: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    with suppress(NotImplementedError):  # on Windows, where Ctrl+C cancels this task instead
        for number in STOP_SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, _stop, stopped, number)
    app = await build_long_running_app(settings)
    add_admin_server(app, admin_listener)
    runner = build_runner(app, drains=True, access_log=_access_logger(settings))
    try:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        _print_addresses(settings, app[FIRST_SIGN_IN])
        await stopped
    finally:
        if not stopped.done() or stopped.result() == signal.SIGINT:
            app[DRAIN].cut_short()
        await runner.cleanup()


def _stop(stopped: "asyncio.Future[signal.Signals]", number: signal.Signals) -> None:
    """Tell the server to end, and let the next signal end the process."""
    for each in STOP_SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(each)
        signal.signal(each, signal.SIG_DFL)
    stopped.set_result(number)


def _access_logger(settings: Settings) -> logging.Logger | None:
    return logging.getLogger("access") if settings.server.log_level == "debug" else None


def _bind(server: ServerSettings) -> socket.socket:
    return bind_listener(server.host, server.port, "EKDIAL_SERVER__")


def _bind_admin(server: ServerSettings) -> socket.socket:
    return bind_listener(server.admin_host, server.admin_port, "EKDIAL_SERVER__ADMIN_")


def _with_actual_ports(settings: Settings, **ports: int) -> Settings:
    """The settings with the ports that were bound: a setting is 0 if any free port will do."""
    return settings.model_copy(update={"server": settings.server.model_copy(update=ports)})


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # uvloop does not exist for Windows and PyPy
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _print_addresses(settings: Settings, first_sign_in: str) -> None:
    lines = [f"Ekdial listens on {settings.server.url}"]
    if settings.is_simulator_enabled:
        lines.append(f"Phone simulator: {settings.server.url}/simulator   dial {settings.ussd.service_codes[0]}")
        lines.append("In a terminal:   python server.py dial")
    if settings.console.enabled:
        lines.append(
            f"Console for staff: {settings.server.url}/console" + (f"   {first_sign_in}" if first_sign_in else "")
        )
    if settings.kaios.enabled:
        lines.append(f"Page for KaiOS:  {settings.server.url}/kaios")
    lines.append(f"Metrics: http://{settings.server.admin_address}/metrics   readiness: /readyz")
    admin = f"http://{settings.server.admin_address}"
    announce(settings, "\n".join(lines), "gateway_listens", url=settings.server.url, admin=admin)
