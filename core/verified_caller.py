"""Whether the number of the caller is verified, for all code that runs because of their message.

An SMS, a missed call and some networks name a number that can be forged. What such a message causes is counted apart from
what a verified caller causes, so that forged messages use up no limit of the person whose number they name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_verified: ContextVar[bool] = ContextVar("caller_number_verified", default=True)


def is_caller_verified() -> bool:
    """Whether the number of the caller is verified; True for work that no caller causes."""
    return _is_verified.get()


@contextmanager
def unverified_caller() -> Iterator[None]:
    """Mark what runs in the block, and the tasks that it starts, as caused by an unverified caller."""
    token = _is_verified.set(False)
    try:
        yield
    finally:
        _is_verified.reset(token)
