"""Stream what happens now as server-sent events, until the browser goes, the sign-in ends, or the gateway does."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog
from aiohttp import web

from core.logging import error_facts
from web.console.now.board import LOOK_INTERVAL, NowBoard, Snapshot
from web.console.requests import ConsoleRequest

MAX_STREAMS: Final = 50
"""Streams of one process: each viewer has one."""
MAX_OF_ONE: Final = 5
"""Streams of one sign-in, each in a window of the browser: nobody takes the places of all others."""
CHECK_INTERVAL: Final = 60.0
"""Seconds between two looks whether the sign-in goes on."""
HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
RECONNECT_EVENT: Final = b"retry: 5000\n\n"  # ms between attempts of the browser to connect again
RETRY_AFTER: Final = "30"  # seconds

log = structlog.get_logger()

RenderPart = Callable[[ConsoleRequest, Snapshot], str]


class NowStream:
    """Sends the parts of the page to each viewer whenever they have changed. `parts` are rendered once for each language."""

    def __init__(
        self,
        board: NowBoard,
        parts: Mapping[str, RenderPart],
        is_open: Callable[[int], Awaitable[bool]],
        *,
        max_streams: int = MAX_STREAMS,
        interval: float = LOOK_INTERVAL,
        check_interval: float = CHECK_INTERVAL,
    ) -> None:
        """`is_open` tells whether the sign-in with an id goes on."""
        self._board = board
        self._parts = parts
        self._is_open = is_open
        self._max_streams = max_streams
        self._interval = interval
        self._check_interval = check_interval
        self._closing = asyncio.Event()
        self._rendered: dict[tuple[str, str], tuple[int, str]] = {}
        self.open_streams: Counter[int] = Counter()
        """By the id of the sign-in."""

    async def stream(self, request: ConsoleRequest) -> web.StreamResponse:
        """Stream events named as the parts; 503 where there are too many streams, or where the gateway ends."""
        viewer = request.session.id
        is_full = self.open_streams.total() >= self._max_streams or self.open_streams[viewer] >= MAX_OF_ONE
        if is_full or self._closing.is_set():
            return web.Response(status=web.HTTPServiceUnavailable.status_code, headers={"Retry-After": RETRY_AFTER})
        self.open_streams[viewer] += 1
        try:
            response = web.StreamResponse(headers=HEADERS)
            with suppress(ConnectionResetError):  # the browser has gone
                await response.prepare(request.http)
                await response.write(RECONNECT_EVENT)
                await self._send_until_end(request, response)
            return response
        finally:
            self.open_streams -= Counter([viewer])  # leaves out what is zero

    async def end(self) -> None:
        """End every stream."""
        self._closing.set()

    async def _send_until_end(self, request: ConsoleRequest, response: web.StreamResponse) -> None:
        """Send the parts. Where they cannot be computed, or the sign-in not looked up, the stream ends: browsers come again."""
        try:
            with suppress(ConnectionResetError):  # the browser has gone
                await self._send_parts(request, response)
        except Exception as error:  # noqa: BLE001 - the response has begun, so that no error page can be sent
            log.warning("now_stream_failed", **error_facts(error))

    async def _send_parts(self, request: ConsoleRequest, response: web.StreamResponse) -> None:
        loop, sent = asyncio.get_running_loop(), dict.fromkeys(self._parts, "")
        checked = loop.time()
        while not self._closing.is_set():
            if loop.time() - checked >= self._check_interval:
                checked = loop.time()
                if not await self._is_open(request.session.id):
                    await response.write(_build_event("signed_out", "."))
                    return
            snapshot = await self._board.look()
            texts = {name: self._render(name, request, snapshot) for name in self._parts}
            changed = [_build_event(name, text) for name, text in texts.items() if text != sent[name]]
            sent = texts
            await response.write(b"".join(changed) or b": here\n\n")
            await self._wait()

    def _render(self, name: str, request: ConsoleRequest, snapshot: Snapshot) -> str:
        """A part in the language of the viewer."""
        key = name, request.member.language
        number, text = self._rendered.get(key, (0, ""))
        if number != snapshot.number:
            text = self._parts[name](request, snapshot)
            self._rendered[key] = snapshot.number, text
        return text

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._interval):
                await self._closing.wait()


def _build_event(name: str, text: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"event: {name}\n{lines}\n".encode()
