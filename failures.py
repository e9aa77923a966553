"""A failure as a log may have it: which, and where; its text may quote a number or what somebody typed."""

import traceback
from pathlib import Path


def told(error: BaseException) -> dict[str, str]:
    """The kind of error and the place that raised it, as facts of a log line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return {"error": type(error).__name__, "at": f"{Path(last.filename).name}:{last.lineno}"}
