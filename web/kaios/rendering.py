"""Render the page: templates, words, static files, the manifest, headers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from core.languages import LANGUAGES, localize_digits
from web.kaios.words import load_words
from web.static_files import StaticFiles
from web.templates import template_environment

PAGE_PATH: Final = "/kaios"
MANIFEST_PATH: Final = "/kaios/manifest.webapp"
STATIC_FILES: Final = StaticFiles(Path(__file__).parent / "static", "/kaios/static")
ICON_SIZES: Final = (56, 112)
"""Pixels of the icons that KaiOS and its store want."""
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send forms with `Origin: null`
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""The CSP says nothing of nonces or hashes: the browser of KaiOS 2.5 knows it as it was in 2016."""


@dataclass(frozen=True, slots=True)
class KaiosRenderer:
    """Renders templates in the `offered` languages. `answer_seconds` are those for the answer to "Are you still there?"."""

    offered: Sequence[str]
    answer_seconds: int

    def render(self, template: str, language: str, /, *, status: int = 200, **facts: Any) -> web.Response:
        """The page as a response."""
        text = (
            template_environment()
            .get_template(f"kaios/{template}")
            .render(
                words=load_words(language),
                language=language,
                languages=[one for one in LANGUAGES if one.code in self.offered],
                answer_seconds=self.answer_seconds,
                static=STATIC_FILES.url,
                digits=partial(localize_digits, locale_code=language),
                **facts,
            )
        )
        return web.Response(status=status, text=text, content_type="text/html", headers=dict(HEADERS))


def build_manifest() -> str:
    """The manifest of a hosted app, as KaiOS 2.5 reads it."""
    manifest = {
        "version": "1.0.0",
        "name": "Ekdial",
        "description": "Public services from any phone",
        "type": "web",
        "launch_path": PAGE_PATH,
        "icons": {str(size): STATIC_FILES.url(f"icon-{size}.png") for size in ICON_SIZES},
        "developer": {"name": "Ekdial"},
        "default_locale": "en",
        "locales": {
            "bn": {"name": "Ekdial", "description": "যে কোনো ফোন থেকে সরকারি সেবা"},
            "hi": {"name": "Ekdial", "description": "किसी भी फ़ोन से सरकारी सेवाएँ"},
        },
        "orientation": ["portrait"],
        "permissions": {},
    }
    return json.dumps(manifest, ensure_ascii=False)


def build_static_routes() -> list[web.RouteDef]:
    """The routes of the static files and of the manifest, which are the same for everybody."""
    return [*STATIC_FILES.build_routes(), web.get(MANIFEST_PATH, _serve_manifest)]


async def _serve_manifest(_: web.Request) -> web.StreamResponse:
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return web.Response(
        text=build_manifest(), content_type="application/x-web-app-manifest+json", charset="utf-8", headers=headers
    )
