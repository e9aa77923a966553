"""The admin server: readiness and metrics, on an address of their own that only the machine's operators reach."""

import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from app.open_files import ADMIN_CONNECTIONS
from config.server import ServerSettings, join_address
from config.settings import Settings
from core.errors import CommandError
from core.http.fast_router import DRAIN, FAST_PATHS, HTTP_LIMITS
from core.http.limits import HttpLimits
from web import health

ADMIN_APP: Final = web.AppKey("admin_app", web.Application)
"""Key of the gateway's application under which it has that of its admin server."""
LOWEST_GAUGES: Final = frozenset({"ekdial_department_answers", "ekdial_ussd_start_limit"})
"""Gauges that are 0 where something is wrong: the lowest value of all workers is shown, of other gauges the highest."""


def build_admin_application(
    checks: health.HealthChecks, render_metrics: health.RenderMetrics, *, is_draining: Callable[[], bool]
) -> web.Application:
    """The application of the admin server."""
    admin = web.Application()
    admin.add_routes(health.admin_routes(checks, render_metrics, is_draining=is_draining))
    admin[FAST_PATHS], admin[HTTP_LIMITS] = frozenset(), HttpLimits(max_connections=ADMIN_CONNECTIONS)
    return admin


def add_admin_server(app: web.Application, listener: socket.socket, *, is_shared: bool = False) -> None:
    """Serve the gateway's admin application on this socket from the start of the gateway to its shutdown.

    A socket that `is_shared` with other workers is left to them when this one drains: they are ready. Where all workers drain,
    connections are refused. A gateway with its own socket answers that it is not ready.
    """
    from app.runner import build_runner

    runner = build_runner(app[ADMIN_APP])

    async def start(_: web.Application) -> None:
        await runner.setup()
        site = web.SockSite(runner, listener)
        await site.start()
        if is_shared:
            app[DRAIN].on_start.append(site.stop)

    async def stop(_: web.Application) -> None:
        await runner.cleanup()

    app.on_startup.append(start)
    app.on_shutdown.append(stop)


def bind_listener(host: str, port: int, setting: str) -> socket.socket:
    """Return a socket that is bound there, and listens as soon as it is served: before that, connections are refused.

    `setting` is the variable that sets the port.

    Raises:
        CommandError: The address is not of this machine, or in use.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if os.name == "posix":  # elsewhere it would take the port of another process
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        problem = str(error.strerror).partition(" (")[0]
        fix = f"choose another with {setting}PORT or {setting}HOST"
        raise CommandError(f"Cannot listen on {join_address(host, port)}: {problem}; {fix}") from None
    return listener


@asynccontextmanager
async def open_metrics(
    settings: Settings, registry: CollectorRegistry, *, is_shared: bool
) -> AsyncIterator[health.RenderMetrics]:
    """What renders the metrics of this process; with `is_shared`, of all worker processes of this server.

    Raises:
        CommandError: The folder for the metrics of worker processes is not writable.
    """
    if not is_shared:
        yield _render_with(registry)
        return
    from core.shared_metrics import SharedMetrics  # it needs file locks, which Windows does not have

    shared = SharedMetrics(registry, metrics_folder(settings.server), lowest=LOWEST_GAUGES)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(shared.share())
        except OSError as cause:
            error = _not_writable_error(settings.server, cause)
            raise error from None
        yield shared.render


def forget_ended_workers(server: ServerSettings) -> None:
    """Begin the counts of a new server at zero.

    Raises:
        CommandError: The folder for the metrics of worker processes is not writable.
    """
    from core.shared_metrics import remove_ended

    try:
        remove_ended(metrics_folder(server))
    except OSError as cause:
        error = _not_writable_error(server, cause)
        raise error from None


def metrics_folder(server: ServerSettings) -> Path:
    """The folder in which worker processes share their metrics."""
    return server.data_dir / "metrics"


def _render_with(registry: CollectorRegistry) -> health.RenderMetrics:
    async def render() -> bytes:
        return generate_latest(registry)

    return render


def _not_writable_error(server: ServerSettings, error: OSError) -> CommandError:
    return CommandError(
        f"Nothing can be stored in {server.data_dir}: {error.strerror}; set server.data_dir to a folder that is writable"
    )
