"""hSenid TAP: post a request to a platform and read its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, ConnectionTimeoutError
from yarl import URL

from providers.tap.applications import Application
from providers.tap.dialects import API_VERSION

MAX_RESPONSE_BYTES: Final = 64 * 1024  # a real response has about 300 bytes
CONNECT_TIMEOUT: Final = 3.05  # seconds; half the deadline if that is shorter
OK: Final = 200


class NotSentError(Exception):
    """The request did not reach the platform: it can be sent again."""


class NoAnswerError(Exception):
    """The request may have reached the platform, and nothing came back that can be read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class HttpFailure:
    """A response with another status than 200: not the platform's own, but of a proxy or a server before it."""

    status: int


class DestinationResponse(msgspec.Struct, rename="camel"):
    """The answer for one recipient."""

    status_code: str = ""
    message_id: str | int = ""


class Answer(msgspec.Struct, rename="camel"):
    """The body of a response; ids are text, or numbers at some platforms."""

    status_code: str
    request_id: str | int = ""
    message_id: str | int = ""
    destination_responses: Sequence[DestinationResponse] = ()


class TapClient:
    """Posts requests. The password is in the body of each, and never in an error."""

    def __init__(self, http: ClientSession) -> None:
        self._http = http

    async def post(
        self, application: Application, path: str, fields: Mapping[str, Any], *, deadline: float
    ) -> Answer | HttpFailure:
        """The answer to a request of the application, after at most `deadline` seconds. Redirects are not followed.

        Raises:
            NotSentError: there was no connection.
            NoAnswerError: there was no answer in time, or none that can be read.
        """
        account = {"version": API_VERSION, "applicationId": application.id, "password": application.password}
        timeout = ClientTimeout(total=deadline, connect=min(CONNECT_TIMEOUT, deadline / 2))
        url = URL(f"{application.base_url}{path}")
        try:
            async with self._http.post(
                url, json={**account, **fields}, timeout=timeout, allow_redirects=False
            ) as response:
                body = await response.content.read(MAX_RESPONSE_BYTES)
                while len(body) < MAX_RESPONSE_BYTES and (more := await response.content.read(MAX_RESPONSE_BYTES)):
                    body += more
        except (ClientConnectorError, ConnectionTimeoutError):
            raise NotSentError from None
        except TimeoutError:
            raise NoAnswerError("NoAnswerInTime") from None
        except (ClientError, OSError):
            raise NoAnswerError("ConnectionLost") from None
        return _read_answer(response.status, body)


def _read_answer(status: int, body: bytes) -> Answer | HttpFailure:
    if status != OK:
        return HttpFailure(status)
    try:
        return msgspec.json.decode(body, type=Answer)
    except (msgspec.MsgspecError, RecursionError):
        raise NoAnswerError("UnreadableAnswer") from None
