"""Configure the structured log, and describe errors in it without the text that people typed."""

import json
import logging
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, TypeAlias

import structlog
from structlog.typing import EventDict, Processor

LogFormat: TypeAlias = Literal["console", "json"]

VALUE_LOGGING_LIBRARIES: Final = ("aiosqlite", "sqlalchemy", "urllib3")
"""Libraries whose debug lines contain values that people typed."""
THROTTLE_LINES: Final = 10
THROTTLE_WINDOW: Final = 60.0  # seconds
MAX_THROTTLED_KEYS: Final = 1000


def configure_logging(level: str, log_format: LogFormat = "console") -> None:
    """Write one line for each event of at least `level` to stderr: its facts as `key=value`, or as a JSON object.

    Of what libraries log, warnings and errors are written, each without its message. In JSON, so is the error that ends the
    program, in place of a traceback of many lines.
    """
    for library in VALUE_LOGGING_LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.basicConfig(level=logging.WARNING, handlers=[LibraryLogHandler()])
    if log_format == "json":
        sys.excepthook = _log_crash
        logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            RENDERERS[log_format],
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def report_problems(problems: str, log_format: LogFormat) -> None:
    """Write each line of the reasons why a server does not start to stderr, in the format of the log."""
    for problem in problems.splitlines():
        if log_format == "json":
            structlog.get_logger().critical("not_started", problem=problem)
        else:
            sys.stderr.write(f"{problem}\n")
    sys.stderr.flush()


def _render_json(_logger: Any, _method: str, event: EventDict) -> str:
    """The event as one line of JSON with the same keys as in the other format, in the same order."""
    ordered = {key: event.pop(key) for key in LEADING_KEYS if key in event} | dict(event)
    return json.dumps(ordered, ensure_ascii=False, default=str)


LEADING_KEYS: Final = ("timestamp", "level", "event")
RENDERERS: Final[dict[LogFormat, Processor]] = {
    "console": structlog.processors.LogfmtRenderer(key_order=LEADING_KEYS, bool_as_flag=False),
    "json": _render_json,
}


def _log_crash(_kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
    structlog.get_logger().critical("program_crashed", **error_facts(error))


def error_facts(error: BaseException) -> dict[str, str]:
    """Return the facts of an error for a log line: its class, and the file and line that raised it.

    The message of the error is left out, because it can quote a phone number or what somebody typed.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return {"error": type(error).__name__, "at": place}


class LogThrottle:
    """Limits events that strangers can cause: at most `lines` of one key in `window` seconds."""

    def __init__(
        self,
        *,
        lines: int = THROTTLE_LINES,
        window: float = THROTTLE_WINDOW,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lines = lines
        self._window = window
        self._monotonic = monotonic
        self._states: dict[str, _ThrottleState] = {}

    def admit(self, key: str) -> dict[str, int] | None:
        """None for an event that is not logged; else facts for its line: the number of events left out before it, if any."""
        if key not in self._states and len(self._states) >= MAX_THROTTLED_KEYS:
            self._states.clear()
        state = self._states.setdefault(key, _ThrottleState(deque(maxlen=self._lines)))
        now = self._monotonic()
        if len(state.logged_at) == self._lines and now - state.logged_at[0] < self._window:
            state.left_out += 1
            return None
        state.logged_at.append(now)
        left_out, state.left_out = state.left_out, 0
        return {"left_out": left_out} if left_out else {}


class _ThrottleState:
    """When the last lines of one key were logged, and the number of events left out since."""

    __slots__ = ("left_out", "logged_at")

    def __init__(self, logged_at: deque[float]) -> None:
        self.logged_at = logged_at
        self.left_out = 0


class LibraryLogHandler(logging.Handler):
    """Logs what libraries log as one event that says which library, what kind of error, and where.

    A message is left out: aiohttp quotes malformed requests in it, asyncio the values of a task that failed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._throttle = LogThrottle()

    def emit(self, record: logging.LogRecord) -> None:
        """Log the event."""
        error = record.exc_info[1] if record.exc_info else None
        facts = error_facts(error) if error else {"at": f"{record.module}.py:{record.lineno}"}
        left_out = self._throttle.admit(f"{record.name} {facts}")
        if left_out is not None:
            event = "library_error" if record.levelno >= logging.ERROR else "library_warning"
            structlog.get_logger().log(record.levelno, event, logger=record.name, **facts, **left_out)


class ServerLogHandler(logging.Handler):
    """Logs what the server of our processes says of itself, such as that a worker starts, as an event with its message.

    Only for a logger that never quotes a request.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Log the event."""
        error = record.exc_info[1] if record.exc_info else None
        facts = error_facts(error) if error else {}
        message = record.getMessage()
        structlog.get_logger().log(record.levelno, "server", message=message, pid=record.process, **facts)
