"""The channel on which a caller acts, where the idempotency key names another one.

An intention that began in a call can be taken up by SMS. The act has the key of the call then, and is done by SMS.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_channel: ContextVar[str] = ContextVar("acting_channel", default="")


def find_acting_channel() -> str:
    """The channel that `acting_on` names; empty outside of it."""
    return _channel.get()


@contextmanager
def acting_on(channel: str) -> Iterator[None]:
    """Attribute what is done in the block to this channel."""
    token = _channel.set(channel)
    try:
        yield
    finally:
        _channel.reset(token)
