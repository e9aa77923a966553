"""What a server asks of the transport of a connection."""

import asyncio
import socket
from contextlib import suppress
from typing import Final

TCP_USER_TIMEOUT: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux


def peer_address(transport: asyncio.BaseTransport) -> str:
    """The address of the other side; empty for a Unix socket."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


def descriptor_number(transport: asyncio.BaseTransport) -> int:
    """The descriptor of the socket; -1 where there is none."""
    connection = transport.get_extra_info("socket")
    return -1 if connection is None else int(connection.fileno())


def limit_unacknowledged_time(transport: asyncio.BaseTransport, seconds: float) -> None:
    """Let the system drop a client that does not read the rest of a response after the connection was closed."""
    connection = transport.get_extra_info("socket")
    if TCP_USER_TIMEOUT is not None and connection is not None and connection.family != socket.AF_UNIX:
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, round(seconds * 1000))
