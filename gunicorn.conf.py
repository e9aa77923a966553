"""How gunicorn runs the gateway on one machine: a worker a core, none of which knows another.

`gunicorn server:worker`; the embedded store is refused with more than one worker, for what lives in one process's
memory another would not see.
"""

import os
from pathlib import Path

from settings import read

_settings = read(Path(__file__).parent / "config.toml")

bind = f"{_settings.server.host}:{_settings.server.port}"
workers = int(os.environ.get("WEB_CONCURRENCY", "1" if _settings.redis.embedded else str(os.cpu_count() or 1)))
worker_class = "aiohttp.GunicornUVLoopWebWorker"
graceful_timeout = 15
accesslog = None
