"""The few pages that a link may lead to instead: no longer, not now, which of two, and what a robot is shown.

Plain enough for the browser of a KaiOS phone, 240 pixels wide; with no picture, and nothing fetched from anywhere.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Final
from urllib.parse import quote

from aiohttp import web

STYLE: Final = (
    "body{margin:0;background:#fff;color:#111;font:16px/1.4 sans-serif}"
    "main{max-width:26em;margin:0 auto;padding:12px}"
    "h1{margin:0 0 8px;font-size:18px;color:#0b5d3b}"
    "p{margin:0 0 12px}"
    "a{display:block;margin:0 0 10px;padding:10px;border:2px solid #0b5d3b;border-radius:6px;color:#0b5d3b;"
    "font-weight:bold;text-align:center;text-decoration:none}"
    "a:focus{background:#0b5d3b;color:#fff}"
)
# An iPad that says it is a Mac is found out by its screen, which can be touched.
CHOOSES: Final = (
    "var to=document.querySelectorAll('a');location.replace(to[navigator.maxTouchPoints?0:1].getAttribute('href'))"
)


@dataclass(frozen=True, slots=True)
class LinkTexts:
    """What the pages say in one language."""

    gone: str
    later: str
    ios: str
    web: str


class Pages:
    """The pages, in the languages of `texts`; `short_code` is what a phone's browser can dial."""

    def __init__(self, texts: Mapping[str, LinkTexts], default: str, short_code: str) -> None:
        self._texts = texts
        self._default = default
        self._dial = f'<a href="tel:{quote(short_code, safe="")}">{escape(short_code)}</a>'

    def gone(self, request: web.Request) -> web.Response:
        """410: it has expired, is used up, or never was. In every language, that of the browser first."""
        first, *others = [_said(language, self._texts[language].gone) for language in self._in_order(request)]
        return _page(web.HTTPGone.status_code, first, self._dial, *others)

    def later(self, request: web.Request, status: int, seconds: int) -> web.Response:
        """`status`, and when to come back."""
        said = [_said(language, self._texts[language].later) for language in self._in_order(request)]
        response = _page(status, *said)
        response.headers["Retry-After"] = str(seconds)
        return response

    def which(self, language: str, ios: str, browser: str) -> web.Response:
        """Both addresses, for what may be an iPad or a Mac; where scripts run, the right one opens of itself."""
        texts = self._texts.get(language) or self._texts[self._default]
        return _page(200, _link(ios, texts.ios), _link(browser, texts.web), script=CHOOSES)

    def nothing_to_see(self) -> web.Response:
        """For robots, which make a preview of it: neither what it is nor where it leads."""
        return _page(200)

    def _in_order(self, request: web.Request) -> Sequence[str]:
        """Every language, those that the browser prefers first."""
        asked = [one.strip()[:2].lower() for one in request.headers.get("Accept-Language", "").split(",")]
        return list(dict.fromkeys(one for one in (*asked, self._default, *self._texts) if one in self._texts))


def _page(status: int, *inside: str, script: str = "") -> web.Response:
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>Ekdial</title><style>{STYLE}</style></head>'
    )
    body = f"<body><main><h1>Ekdial</h1>{''.join(inside)}</main>{f'<script>{script}</script>' if script else ''}</body>"
    policy = _policy([("style-src", STYLE), ("script-src", script)])
    return web.Response(status=status, text=f"{head}{body}</html>", content_type="text/html", headers=policy)


def _policy(inline: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Nothing but our own few lines runs or is styled: each is named by its hash."""
    allowed = [f"{kind} 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for kind, text in inline if text]
    rules = ["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    return {"Content-Security-Policy": "; ".join(rules)}


def _said(language: str, text: str) -> str:
    return f'<p lang="{language}">{escape(text)}</p>'


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(address)}">{escape(text)}</a>'
