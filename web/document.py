"""The page behind a document's link: what the document says, in its reader's language, and the file to open.

Plain enough for the browser of a KaiOS phone, 240 by 320 pixels and Gecko 48, which has no grid; no scripts, no pictures, nothing fetched from anywhere.
"""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Final, TypeAlias

from aiohttp import hdrs, web

from menus.words import Words
from services.documents.desk import Shown
from services.documents.port import Document, File

Find: TypeAlias = Callable[[str], Awaitable[Shown | None]]
"""What a link leads to, by its subject; None once that has ended."""
Gone: TypeAlias = Callable[[web.Request], web.StreamResponse]
"""The page for a link that leads nowhere any more."""

FILE: Final = "file"
ENDINGS: Final[Mapping[str, str]] = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/png": "png",
}
"""The files that are handed on, and how their names end; no other is, for a browser might run it."""
STYLE: Final = (
    "body{margin:0;background:#fff;color:#111;font:16px/1.5 sans-serif}"
    "main{max-width:26em;margin:0 auto;padding:10px}"
    "h1{margin:0 0 8px;font-size:18px;line-height:1.25;color:#0b5d3b}"
    "dl{margin:0 0 10px}"
    "dt,dd{display:inline;margin:0}"
    "dt{font-size:14px;color:#555}"
    "dt:after{content:': '}"
    "dd{font-weight:bold;word-wrap:break-word;overflow-wrap:anywhere}"
    "dd:after{content:'\\A';white-space:pre}"
    "strong{display:block;margin:0 0 8px;padding:4px 8px;border:2px dashed #a11;color:#a11;font-size:14px;"
    "line-height:1.35}"
    "a{display:block;padding:10px;border:2px solid #0b5d3b;border-radius:6px;color:#0b5d3b;font-weight:bold;"
    "text-align:center;text-decoration:none}"
    "a:focus{background:#0b5d3b;color:#fff}"
)
_ALLOWED = f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'"
POLICY: Final = f"default-src 'none'; {_ALLOWED}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class DocumentPages:
    """Opens the links of documents; `words` by language."""

    find: Find
    words: Mapping[str, Words]
    gone: Gone

    async def open(self, request: web.Request, subject: str) -> web.StreamResponse:
        """The page, or with `?file` the file itself; each is a use of the link."""
        shown = await self.find(subject)
        if shown is None:
            return self.gone(request)
        if FILE not in request.query:
            return _page(shown.document, self.words[shown.language], shown.language)
        file = _openable(shown.document)
        return _file(shown.document.kind, file) if file else self.gone(request)


def _page(document: Document, words: Words, language: str) -> web.Response:
    title = escape(words.ways["document"](document.kind) or document.title)
    head = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{title}</title><style>{STYLE}</style></head>'
    )
    body = f"<body><main>{''.join(_inside(document, words, title))}</main></body></html>"
    return web.Response(text=head + body, content_type="text/html", headers={"Content-Security-Policy": POLICY})


def _inside(document: Document, words: Words, title: str) -> Iterator[str]:
    paper = words.terms["paper"]
    if document.sample:
        yield f"<strong>{escape(paper['sample'])}</strong>"
    yield f"<h1>{title}</h1><dl>"
    for key, value in _said(document, words):
        if value:
            yield f"<dt>{escape(paper[key])}</dt><dd>{escape(value)}</dd>"
    yield "</dl>"
    if _openable(document):
        yield f'<a href="?{FILE}">{escape(paper["open"])}</a>'


def _said(document: Document, words: Words) -> Iterator[tuple[str, str]]:
    facts, day = document.facts, words.ways["date"]
    yield "number", facts.number
    yield "holder", facts.holder
    yield "issuer", facts.issuer
    yield "issued", day(facts.issued)
    yield "valid", day(facts.valid)


def _openable(document: Document) -> File | None:
    return document.file if document.file and document.file.media in ENDINGS else None


def _file(kind: str, file: File) -> web.Response:
    """The file, to be looked at or kept; its name is its type."""
    named = kind if kind.isalnum() and kind.isascii() else "document"
    headers = {
        hdrs.CONTENT_DISPOSITION: f'inline; filename="{named}.{ENDINGS[file.media]}"',
        "Content-Security-Policy": "default-src 'none'",
    }
    return web.Response(body=file.octets, content_type=file.media, headers=headers)
