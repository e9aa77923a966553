"""Limits the open connections of a process, in all and by the network of the other side."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import structlog

from core.http.addresses import IpNetwork, describe_network, is_in_any, parse_address

LOG_INTERVAL: Final = 60.0  # seconds between two log events about refused connections

Limit: TypeAlias = Literal["total", "address"]
"""The limit that a connection would exceed: of all connections, or of those from its address."""

log = structlog.get_logger()


class ConnectionLimiter:
    """Counts open connections. Those of `exempt` networks, our own proxies, are limited only in total."""

    def __init__(
        self,
        *,
        max_connections: int,
        max_per_address: int,
        exempt: tuple[IpNetwork, ...] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_connections = max_connections
        self._max_per_address = max_per_address
        self._exempt = exempt
        self._monotonic = monotonic
        self._by_network: Counter[str] = Counter()
        self._open = 0
        self._refused: Counter[Limit] = Counter()
        self._log_after = 0.0

    def admit(self, address: str) -> str | None:
        """The network under which one more connection from this address is counted; None where a limit is reached.

        A connection through a Unix socket has no address, and is limited only in total.
        """
        network = self._find_network(address)
        if self._open >= self._max_connections:
            self._record_refusal("total")
            return None
        if network and self._by_network[network] >= self._max_per_address:
            self._record_refusal("address")
            return None
        self._open += 1
        if network:
            self._by_network[network] += 1
        return network

    def release(self, network: str) -> None:
        """Count one connection less; `network` is what `admit` returned."""
        self._open -= 1
        if network:
            self._by_network[network] -= 1
            if not self._by_network[network]:
                del self._by_network[network]

    def _find_network(self, text: str) -> str:
        address = parse_address(text)
        if address is None or is_in_any(address, self._exempt):
            return ""
        return describe_network(address)

    def _record_refusal(self, limit: Limit) -> None:
        self._refused[limit] += 1
        now = self._monotonic()
        if now >= self._log_after:
            self._log_after = now + LOG_INTERVAL
            log.warning("connections_refused", open=self._open, **{f"by_{one}": n for one, n in self._refused.items()})
            self._refused.clear()
