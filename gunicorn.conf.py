"""Settings of gunicorn: one independent worker for each processor core. Usage: `gunicorn server:worker`.

More than one worker needs a Redis: the embedded store is in the memory of one process.
"""

import asyncio
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from app.admin import bind_listener, forget_ended_workers
from app.gunicorn_worker import GatewayWorker
from app.runner import SHUTDOWN_TIMEOUT, STOP_TIMEOUT
from app.settings import load_settings
from core.errors import CommandError, ValidationFailedError
from core.logging import LogFormat, configure_logging, report_problems


def _exit_with_message(message: object, log_format: LogFormat = "console") -> NoReturn:
    report_problems(str(message), log_format)
    sys.exit(2)


try:
    _settings = load_settings(Path(__file__).parent / "config.toml")
except ValidationFailedError as broken:
    _exit_with_message(broken)

configure_logging(_settings.server.log_level, _settings.server.log_format)
if _settings.server.log_format == "json":
    logconfig_dict = {
        "handlers": {
            "server": {"class": "core.logging.ServerLogHandler"},
            "libraries": {"class": "core.logging.LibraryLogHandler"},
        },
        "root": {"level": "WARNING", "handlers": ["libraries"]},
        "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["server"], "propagate": False}},
    }
bind = [_settings.server.address, _settings.server.admin_address]
workers = int(os.environ.get("WEB_CONCURRENCY", "1" if _settings.redis.is_embedded else str(os.cpu_count() or 1)))
GatewayWorker.admin_address = (_settings.server.admin_host.lower(), _settings.server.admin_port)
worker_class = GatewayWorker
max_requests = 500_000  # a worker that has answered so many ends, and another takes its place
max_requests_jitter = 100_000  # not all workers at the same time
graceful_timeout = math.ceil(_settings.server.drain_seconds + SHUTDOWN_TIMEOUT + STOP_TIMEOUT)
accesslog = None
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Check once, before anything listens, that the gateway can start; otherwise exit with one line for each problem."""
    from app.bootstrap import check_startup

    if _settings.redis.is_embedded and server.num_workers > 1:
        _exit_with_message(
            f"{server.num_workers} workers cannot share the embedded store; set redis.url to a Redis, or run one worker",
            _settings.server.log_format,
        )
    try:
        _check_addresses(server.cfg.address)
        forget_ended_workers(_settings.server)
        asyncio.run(check_startup(_settings))
    except CommandError as refused:
        _exit_with_message(refused, _settings.server.log_format)


def _check_addresses(addresses: Sequence[Any]) -> None:
    """Report an address in use at once; gunicorn itself tries for seconds, and does not say which setting it is."""
    if "GUNICORN_FD" in os.environ:  # a new master takes over the sockets of the former one
        return
    for number, (host, port) in enumerate(one for one in addresses if isinstance(one, tuple)):
        bind_listener(host, port, "EKDIAL_SERVER__ADMIN_" if number else "EKDIAL_SERVER__").close()
