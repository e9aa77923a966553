"""How gunicorn runs the gateway on one machine: a worker a core, none of which knows another.

`gunicorn server:worker`; the embedded store is refused with more than one worker, for what lives in one process's
memory another would not see.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from configured import read
from faults import Broken, CannotRun


def _refuse(why: object) -> NoReturn:
    sys.stderr.write(f"{why}\n")
    sys.exit(2)


try:
    _settings = read(Path(__file__).parent / "config.toml")
except Broken as broken:
    _refuse(broken)

bind = _settings.server.address
workers = int(os.environ.get("WEB_CONCURRENCY", "1" if _settings.redis.embedded else str(os.cpu_count() or 1)))
worker_class = "aiohttp.GunicornUVLoopWebWorker"
graceful_timeout = 15
accesslog = None
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Before anything listens, and once: a line for what cannot be, instead of workers that end as they are started."""
    from assembly.lifecycle import startable

    if _settings.redis.embedded and server.num_workers > 1:
        _refuse(
            f"{server.num_workers} workers would not see each other's calls in the embedded store;"
            " set redis.url to a Redis that all of them can see, or run one worker"
        )
    try:
        asyncio.run(startable(_settings))
    except CannotRun as refused:
        _refuse(refused)
