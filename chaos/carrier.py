"""The USSD side of a provider in the form of Africa's Talking: it posts the whole path, and goes to another gateway if one fails."""

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote, urlencode

from chaos.http_client import METADATA_HEADER, ConnectionPool, RequestFailedError, Response

PROVIDER_TIMEOUT: Final = 10.0  # seconds that Africa's Talking waits for a screen
SERVICE_CODE: Final = "*123#"
NETWORK: Final = "99999"
BAD_GATEWAY: Final = 500


class KeyPress(NamedTuple):
    """One request: everything typed so far in this session, and the metadata that the provider echoes."""

    msisdn: str
    session_id: str
    path: str
    metadata: str


class ScreenReply(NamedTuple):
    """What the phone shows: `CON …` or `END …`, empty where no gateway answered in time. `seconds` is the whole wait.

    `is_cut_off`: the provider gave up by itself, and no gateway is to blame.
    """

    body: str
    metadata: str
    seconds: float
    is_cut_off: bool = False


class Delivery(Protocol):
    """How a provider brings a key press to the gateways; faults of a provider are other deliveries."""

    async def deliver(self, press: KeyPress) -> ScreenReply:
        """Return what the phone shows."""


class LoadBalancer:
    """Gateways in turn. A refused connection, a reset or a 5xx sends the same request to the next one."""

    def __init__(self, ports: Sequence[int], token: str) -> None:
        self._pools = [ConnectionPool(port) for port in ports]
        self._turn = itertools.count()
        self._target = f"/ussd/africastalking?token={quote(token)}"
        self.failures: Counter[str] = Counter()

    async def deliver(self, press: KeyPress) -> ScreenReply:
        """Return the first screen that any gateway answers with, within the provider's time-out."""
        started = time.monotonic()
        request = self.build_request(press)
        first = next(self._turn)
        for attempt in range(len(self._pools) * 2):
            left = started + PROVIDER_TIMEOUT - time.monotonic()
            if left <= 0:
                break
            pool = self._pools[(first + attempt) % len(self._pools)]
            response = await self.try_gateway(pool, request, left)
            if response is not None:
                return ScreenReply(response.body, response.metadata, time.monotonic() - started)
            if attempt % len(self._pools) == len(self._pools) - 1:
                await asyncio.sleep(0.2)
        return ScreenReply("", "", time.monotonic() - started)

    async def try_gateway(self, pool: ConnectionPool, request: bytes, timeout: float) -> Response | None:
        """Return the response of one gateway; None where it failed, which is counted by its reason."""
        try:
            response = await pool.send(request, timeout)
        except RequestFailedError as error:
            self.failures[error.reason] += 1
            return None
        if response.status >= BAD_GATEWAY:
            self.failures[f"status {response.status}"] += 1
            return None
        return response

    async def give_up(self, press: KeyPress, timeout: float) -> None:
        """Post a key press to one gateway, and close the connection after `timeout` seconds, answered or not."""
        pool = self._pools[next(self._turn) % len(self._pools)]
        with contextlib.suppress(RequestFailedError):
            await pool.send(self.build_request(press), timeout)

    def build_request(self, press: KeyPress) -> bytes:
        """The bytes of the request, as captured."""
        form = {
            "phoneNumber": press.msisdn,
            "serviceCode": SERVICE_CODE,
            "text": press.path,
            "sessionId": press.session_id,
            "networkCode": NETWORK,
        }
        body = urlencode(form).encode()
        echo = f"{METADATA_HEADER}: {press.metadata}\r\n" if press.metadata else ""
        head = (
            f"POST {self._target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n{echo}\r\n"
        )
        return head.encode() + body

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools:
            pool.close()
