"""The page behind a link to a document: a button, then its facts in the citizen's language, and the file."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from aiohttp import hdrs, web

from menus.rendering.localization import Locale
from services.documents.documents import DocumentView
from services.documents.models import Document, DocumentFile
from web.links.pages import GonePage
from web.links.rendering import render_page
from web.links.routes import FormFields

FindDocument: TypeAlias = Callable[[str], Awaitable[DocumentView | None]]
"""The document for the subject of a link; None after it has expired."""

FILE_FIELD: Final = "file"
FILE_EXTENSIONS: Final[Mapping[str, str]] = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/png": "png",
}
"""The media types of files that are sent, with their extensions. No other type is: a browser could execute it."""


@dataclass(frozen=True, slots=True)
class DocumentPages:
    """Responds to links to documents; `locales` by language."""

    find_document: FindDocument
    locales: Mapping[str, Locale]
    gone_page: GonePage

    async def ask(self, request: web.Request, subject: str) -> web.StreamResponse:
        """The page with the button, which does not say which document it is."""
        view = await self.find_document(subject)
        if view is None:
            return self.gone_page(request)
        locale = self.locales[view.language]
        return render_page(
            "document_ask.html",
            language=view.language,
            form_action="self",
            text=locale.common["document_ask"],
            button_text=locale.terms["paper"]["open"],
        )

    async def check(self, _request: web.Request, _subject: str, _fields: FormFields) -> web.StreamResponse | None:
        """None: the button is enough. Who asks for documents by SMS need not have an account, and so has no PIN."""
        return None

    async def open(self, request: web.Request, subject: str, fields: FormFields) -> web.StreamResponse:
        """The page, or the file where the button for it was pressed."""
        view = await self.find_document(subject)
        if view is None:
            return self.gone_page(request)
        if FILE_FIELD not in fields:
            return _render_document(view.document, self.locales[view.language], view.language)
        file = _viewable_file(view.document)
        return _file_response(view.document.kind, file) if file else self.gone_page(request)


def _render_document(document: Document, locale: Locale, language: str) -> web.Response:
    terms = locale.terms["paper"]
    return render_page(
        "document.html",
        language=language,
        title=locale.formatters["document"](document.kind) or document.title,
        form_action="self",
        warning=terms["sample"] if document.sample else "",
        button_text=terms["open"] if _viewable_file(document) else "",
        file_field=FILE_FIELD,
        items=[(terms[key], value) for key, value in _document_facts(document, locale) if value],
    )


def _document_facts(document: Document, locale: Locale) -> Iterator[tuple[str, str]]:
    facts, format_date = document.facts, locale.formatters["date"]
    yield "number", facts.number
    yield "holder", facts.holder
    yield "issuer", facts.issuer
    yield "issued", format_date(facts.issued_on)
    yield "valid", format_date(facts.valid_until)


def _viewable_file(document: Document) -> DocumentFile | None:
    return document.file if document.file and document.file.media_type in FILE_EXTENSIONS else None


def _file_response(kind: str, file: DocumentFile) -> web.Response:
    """The file, shown by the browser; its name is the document type."""
    name = kind if kind.isalnum() and kind.isascii() else "document"
    headers = {
        hdrs.CONTENT_DISPOSITION: f'inline; filename="{name}.{FILE_EXTENSIONS[file.media_type]}"',
        "Content-Security-Policy": "default-src 'none'",
    }
    return web.Response(body=file.content, content_type=file.media_type, headers=headers)
