"""The SMS API of Africa's Talking on real HTTP, in a thread of its own. It records each message with its id."""

from collections.abc import Sequence
from typing import Self

from chaos.loop_thread import LoopThread
from tests.fakes.africastalking_server import AcceptedSms, AfricasTalkingServer


class SmsApi:
    """A provider that accepts every message, unless `server.default_behaviour` or `server.respond_with` says otherwise."""

    def __init__(self) -> None:
        self.server = AfricasTalkingServer()
        self._thread = LoopThread()

    def __enter__(self) -> Self:
        self._thread.__enter__()
        self._thread.run(self.server.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self.server.__aexit__())
        self._thread.__exit__()

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return self.server.url

    @property
    def accepted(self) -> Sequence[AcceptedSms]:
        """Every message that was accepted, whether or not the gateway heard of it."""
        return tuple(self.server.accepted)
