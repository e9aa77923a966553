"""A simple HTML page for the browser of a KaiOS phone (240 by 320 pixels, Gecko 48), which loads nothing else.

It has no image, and no script except the one it is given. Its Content-Security-Policy allows only its own style and
script, each by its hash.
"""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Final, Literal

from aiohttp import web

SITE_NAME: Final = "Ekdial"
STYLE: Final = (
    "body{margin:0;background:#fff;color:#111;font:16px/1.5 sans-serif}"
    "main{max-width:26em;margin:0 auto;padding:10px}"
    "h1{margin:0 0 8px;font-size:18px;line-height:1.25;color:#0b5d3b}"
    "p{margin:0 0 10px;white-space:pre-line;word-wrap:break-word;overflow-wrap:anywhere}"
    "label{display:block;margin:0 0 8px}"
    "input{display:block;box-sizing:border-box;width:100%;margin:0 0 10px;padding:8px;border:2px solid #555;"
    "border-radius:6px;font:bold 20px/1.5 sans-serif;text-align:center;letter-spacing:4px}"
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
    "@media(max-width:280px){body{font-size:14px;line-height:1.4}h1{font-size:16px}main{padding:8px}}"
)
"""Styles of text, fields, links and buttons (which look alike), lists of facts, and a warning; denser on a KaiOS phone."""


@dataclass(frozen=True, slots=True)
class PlainPage:
    """A page in `language`; `content` is HTML. `form_action` is 'self' for a form that posts to the page's own URL."""

    content: str
    language: str = "en"
    title: str = SITE_NAME
    script: str = ""
    form_action: Literal["none", "self"] = "none"

    def to_response(self, status: int = 200) -> web.Response:
        """The page as an HTTP response."""
        policy = {"Content-Security-Policy": self._content_security_policy()}
        return web.Response(status=status, text=self._render(), content_type="text/html", headers=policy)

    def _render(self) -> str:
        script = f"<script>{self.script}</script>" if self.script else ""
        return (
            f'<!doctype html><html lang="{self.language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f'<meta name="robots" content="noindex"><title>{escape(self.title)}</title><style>{STYLE}</style></head>'
            f"<body><main>{self.content}</main>{script}</body></html>"
        )

    def _content_security_policy(self) -> str:
        scripts = [f"script-src {_csp_hash(self.script)}"] if self.script else []
        rules = ["default-src 'none'", f"style-src {_csp_hash(STYLE)}", *scripts, "base-uri 'none'"]
        return "; ".join([*rules, f"form-action '{self.form_action}'", "frame-ancestors 'none'"])


def render_heading(text: str = SITE_NAME) -> str:
    """A heading."""
    return f"<h1>{escape(text)}</h1>"


def render_paragraph(text: str, language: str = "") -> str:
    """A paragraph; `language` if it differs from that of the page."""
    return f'<p lang="{language}">{escape(text)}</p>' if language else f"<p>{escape(text)}</p>"


def render_link(address: str, text: str) -> str:
    """A link, styled as a button."""
    return f'<a href="{escape(address)}">{escape(text)}</a>'


def render_form(content: str) -> str:
    """A form that posts to the URL of the page; `content` is HTML."""
    return f'<form method="post" autocomplete="off">{content}</form>'


def render_button(text: str, name: str = "") -> str:
    """A button that submits its form; `name` becomes a field of it."""
    field = f' name="{escape(name)}" value="1"' if name else ""
    return f"<button{field}>{escape(text)}</button>"


def render_digits_input(name: str, label: str, max_length: int) -> str:
    """A field for digits with the number keys of the phone, as readable as on the screen of a call."""
    return (
        f'<label for="{name}">{escape(label)}</label>'
        f'<input id="{name}" name="{name}" type="tel" inputmode="numeric" maxlength="{max_length}" required autofocus>'
    )


def _csp_hash(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"
