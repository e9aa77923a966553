"""Files of a page that are the same for everybody: styles, scripts, pictures."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from aiohttp import web

CONTENT_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """The files of a folder, served below a path. The address of a file changes with its content: a browser may keep it."""

    folder: Path
    path: str

    def url(self, name: str) -> str:
        """The address of a file."""
        return f"{self.path}/{_digest(self.folder / name)}/{name}"

    def build_routes(self) -> list[web.RouteDef]:
        """A route for each file."""
        return [web.get(self.url(file.name), _build_handler(file)) for file in sorted(self.folder.iterdir())]


@lru_cache
def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()[:12]


def _build_handler(file: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    body, content_type = file.read_bytes(), CONTENT_TYPES[file.suffix]
    charset = None if content_type == "image/png" else "utf-8"

    async def serve(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=content_type, charset=charset, headers=HEADERS)

    return serve
