"""The limits of the connections of a server."""

from dataclasses import dataclass

from core.http.addresses import IpNetwork


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The deadlines of a connection in seconds, and the number of connections."""

    header_deadline: float = 10.0
    """From the connection, or from the first byte of a next request, to the end of the headers."""
    body_deadline: float = 10.0
    """From the end of the headers to the end of the body."""
    send_deadline: float = 60.0
    """For which a client may stop reading a response."""
    keep_alive: float = 75.0
    """For which a connection without a request stays open."""
    max_connections: int = 2000
    max_connections_per_address: int = 200
    trusted_proxies: tuple[IpNetwork, ...] = ()
    """Networks of our own proxies, which may use all connections."""
