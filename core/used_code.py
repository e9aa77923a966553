"""The short code that the caller dialled or wrote to, for all code that runs because of their message.

What is sent because of it can then go by the provider that serves this code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_code: ContextVar[str] = ContextVar("used_code", default="")


def find_used_code() -> str:
    """The code that `using_code` names, such as `*123#` or `16216`; empty for work that no caller causes."""
    return _code.get()


@contextmanager
def using_code(code: str) -> Iterator[None]:
    """Mark what runs in the block, and the tasks that it starts, as caused by a message to this code."""
    token = _code.set(code)
    try:
        yield
    finally:
        _code.reset(token)
