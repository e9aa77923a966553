"""A gateway holds its ports from the start, and accepts connections only when it can answer them."""

import socket

import pytest

from app.admin import bind_listener
from core.errors import CommandError


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_bound_port_refuses_connections_until_it_is_served(host):
    with bind_listener(host, 0, "EKDIAL_SERVER__") as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, port), 5)
        listener.listen()
        socket.create_connection((host, port), 5).close()
        with pytest.raises(CommandError, match=f"{port}: Address already in use"):
            bind_listener(host, port, "EKDIAL_SERVER__")
