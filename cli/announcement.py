"""Tell that a server process is ready: in words on standard output, or as an event where the log is for machines."""

from typing import Final

import structlog

from config.settings import Settings

log: Final = structlog.get_logger()


def announce(settings: Settings, text: str, event: str, **facts: str) -> None:
    """Print the text; with `server.log_format = "json"` log the event instead, so that every line of the output is JSON."""
    if settings.server.log_format == "json":
        log.info(event, **facts)
    else:
        print(text, flush=True)
