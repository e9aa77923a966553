"""A page plain enough for the browser of a KaiOS phone, 240 by 320 pixels and Gecko 48: nothing on it is fetched.

It has no picture, and of scripts none but the few lines it is given; its policy lets the browser run and style nothing
but what stands on it, each named by its hash.
"""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Final, Literal

from aiohttp import web

NAME: Final = "Ekdial"
STYLE: Final = (
    "body{margin:0;background:#fff;color:#111;font:16px/1.5 sans-serif}"
    "main{max-width:26em;margin:0 auto;padding:10px}"
    "h1{margin:0 0 8px;font-size:18px;line-height:1.25;color:#0b5d3b}"
    "p{margin:0 0 10px;word-wrap:break-word;overflow-wrap:anywhere}"
    "a,button{display:block;box-sizing:border-box;width:100%;margin:0 0 10px;padding:10px;border:2px solid #0b5d3b;"
    "border-radius:6px;background:#fff;color:#0b5d3b;font:bold 16px/1.5 sans-serif;text-align:center;"
    "text-decoration:none}"
    "a:focus,button:focus{background:#0b5d3b;color:#fff}"
    "dl{margin:0 0 10px}"
    "dt,dd{display:inline;margin:0}"
    "dt{font-size:14px;color:#555}"
    "dt:after{content:': '}"
    "dd{font-weight:bold;word-wrap:break-word;overflow-wrap:anywhere}"
    "dd:after{content:'\\A';white-space:pre}"
    "strong{display:block;margin:0 0 8px;padding:4px 8px;border:2px dashed #a11;color:#a11;font-size:14px;"
    "line-height:1.35}"
)
"""Text, ways on (links and buttons look alike), facts by their names, and a warning."""


@dataclass(frozen=True, slots=True)
class PlainPage:
    """A page in `language`; what is `inside` is HTML.

    The script runs where scripts do. Only where a form goes back to the page's own address, `posts_to` is 'self'.
    """

    inside: str
    language: str = "en"
    title: str = NAME
    script: str = ""
    posts_to: Literal["none", "self"] = "none"

    def response(self, status: int = 200) -> web.Response:
        """The page as it is answered."""
        policy = {"Content-Security-Policy": self._policy()}
        return web.Response(status=status, text=self._html(), content_type="text/html", headers=policy)

    def _html(self) -> str:
        script = f"<script>{self.script}</script>" if self.script else ""
        return (
            f'<!doctype html><html lang="{self.language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f'<meta name="robots" content="noindex"><title>{escape(self.title)}</title><style>{STYLE}</style></head>'
            f"<body><main>{self.inside}</main>{script}</body></html>"
        )

    def _policy(self) -> str:
        scripts = [f"script-src {_hashed(self.script)}"] if self.script else []
        rules = ["default-src 'none'", f"style-src {_hashed(STYLE)}", *scripts, "base-uri 'none'"]
        return "; ".join([*rules, f"form-action '{self.posts_to}'", "frame-ancestors 'none'"])


def heading(text: str = NAME) -> str:
    """What the page is about."""
    return f"<h1>{escape(text)}</h1>"


def said(text: str, language: str = "") -> str:
    """A paragraph; `language` where it is another than the page's."""
    return f'<p lang="{language}">{escape(text)}</p>' if language else f"<p>{escape(text)}</p>"


def link(address: str, text: str) -> str:
    """A way on."""
    return f'<a href="{escape(address)}">{escape(text)}</a>'


def _hashed(inline: str) -> str:
    return f"'sha256-{b64encode(sha256(inline.encode()).digest()).decode()}'"
