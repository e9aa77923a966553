"""The page behind a document's link: what the document says, in its reader's language, and the file to open."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias

from aiohttp import hdrs, web

from menus.words import Words
from services.documents.desk import Shown
from services.documents.port import Document, File
from web.plain_page import PlainPage, heading, link

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
            return _page(shown.document, self.words[shown.language], shown.language).response()
        file = _openable(shown.document)
        return _file(shown.document.kind, file) if file else self.gone(request)


def _page(document: Document, words: Words, language: str) -> PlainPage:
    title = words.ways["document"](document.kind) or document.title
    return PlainPage("".join(_inside(document, words, title)), language, title)


def _inside(document: Document, words: Words, title: str) -> Iterator[str]:
    paper = words.terms["paper"]
    if document.sample:
        yield f"<strong>{escape(paper['sample'])}</strong>"
    yield f"{heading(title)}<dl>"
    for key, value in _said(document, words):
        if value:
            yield f"<dt>{escape(paper[key])}</dt><dd>{escape(value)}</dd>"
    yield "</dl>"
    if _openable(document):
        yield link(f"?{FILE}", paper["open"])


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
