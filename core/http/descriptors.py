"""Keep the last file descriptors of a process for its stores and its admin server, and log when they are used up.

asyncio pauses for a second where accept() finds no descriptor. uvloop accepts on a spare one and closes the connection, and
tells nobody. So connections are refused before it comes to that, and `check` looks from time to time.
"""

import errno
import os
from collections.abc import Callable
from typing import Final

import structlog

from core.logging import LogThrottle

CHECK_INTERVAL: Final = 1.0  # seconds
NONE_LEFT: Final = frozenset({errno.EMFILE, errno.ENFILE})

log = structlog.get_logger()


class DescriptorGuard:
    """Says whether a connection may keep its descriptor: one above `highest` means that nearly all are in use.

    The system gives the lowest descriptor that is free. None is no limit.
    """

    def __init__(self, highest: int | None = None, *, open_file: Callable[[], int] | None = None) -> None:
        self._highest = highest
        self._open_file = open_file or _open_null_device
        self._throttle = LogThrottle(lines=1)

    def admit(self, descriptor: int) -> bool:
        """False where the connection must be closed at once."""
        if self._highest is None or descriptor <= self._highest:
            return True
        self._log("connection_refused")
        return False

    async def check(self) -> None:
        """Log it where not one descriptor is left.

        Raises:
            OSError: The null device cannot be opened for another reason.
        """
        try:
            os.close(self._open_file())
        except OSError as error:
            if error.errno not in NONE_LEFT:
                raise
            self._log("none_left")

    def _log(self, reason: str) -> None:
        left_out = self._throttle.admit(reason)
        if left_out is not None:
            log.error("file_descriptors_exhausted", reason=reason, **left_out)


def _open_null_device() -> int:
    return os.open(os.devnull, os.O_RDONLY)
