"""`server.py dial`: a phone in the terminal."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from app.runner import build_app, build_runner
from config.settings import Settings
from core.errors import CommandError
from core.logging import configure_logging

LOG_LEVELS = {"info": "warning"}
"""Configured log level to the level during a call in the terminal: info lines would appear between the screens."""


def run_dial(settings: Settings, args: argparse.Namespace) -> int:
    """Open a phone in the terminal, on the running gateway or on one that is started for this call.

    Raises:
        CommandError: The simulator is disabled.
    """
    from web.simulator import terminal

    if not settings.is_simulator_enabled:
        raise CommandError(
            "The simulator is disabled; set simulator.enabled to auto, and take out server.public_url and other providers of SMS"
        )
    return terminal.run(args, _gateway_url(settings, args.url))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dial`."""
    from web.simulator import terminal

    terminal.add_arguments(parser)


@asynccontextmanager
async def _gateway_url(settings: Settings, url: str | None) -> AsyncIterator[str]:
    """The given address, else that of the configured gateway if it listens, else that of a gateway for this call."""
    server = settings.server
    if url or await _is_listening(server.host, server.port):
        yield url or server.url
        return
    configure_logging(LOG_LEVELS.get(server.log_level, server.log_level), server.log_format)
    runner = build_runner(await build_app(settings))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _is_listening(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
