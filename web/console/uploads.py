"""Read a form that uploads a file: `multipart/form-data` of RFC 7578."""

import asyncio
from collections.abc import Mapping
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.policy import HTTP
from typing import Final

from aiohttp import web

from core.http.webhooks import MAX_FIELDS, BadWebhookError, read_body, read_form

MULTIPART: Final = "multipart/form-data"
MAX_UPLOAD_BYTES: Final = 5_000_000
UPLOAD_TIMEOUT: Final = 60.0
"""Seconds; the server's own deadline for a body may be shorter."""
MAX_FIELD_BYTES: Final = 4_000


async def read_upload(request: web.Request) -> tuple[Mapping[str, str], bytes]:
    """The fields of a form, and the file that it uploads; no bytes where it has none.

    Raises:
        BadWebhookError: the body is too large (413), too slow (408) or damaged (400).
    """
    if request.content_type != MULTIPART:
        return await read_form(request), b""
    body = await read_body(request, MAX_UPLOAD_BYTES, UPLOAD_TIMEOUT)
    return await asyncio.to_thread(parse_multipart, request.headers.get("Content-Type", ""), body)


def parse_multipart(content_type: str, body: bytes) -> tuple[Mapping[str, str], bytes]:
    """The fields and the file of a body; of a repeated field, and of several files, the first.

    Raises:
        BadWebhookError: the body has no parts, too many of them, or a field that is too long.
    """
    header = f"Content-Type: {content_type}\r\n\r\n".encode("ascii", "replace")
    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(header + body)
    parts = list(message.iter_parts()) if message.is_multipart() else []
    if not 0 < len(parts) <= MAX_FIELDS:
        raise BadWebhookError(400, "This is not a form that uploads a file.")
    fields: dict[str, str] = {}
    file = b""
    for part in parts:
        name, content = _read_part(part)
        if part.get_filename() is not None:
            file = file or content
        elif len(content) > MAX_FIELD_BYTES:
            raise BadWebhookError(413, f"A field of this form has at most {MAX_FIELD_BYTES} bytes.")
        else:
            fields.setdefault(name, content.decode(errors="replace"))
    return fields, file


def _read_part(part: MIMEPart) -> tuple[str, bytes]:
    name, content = part.get_param("name", "", "Content-Disposition"), part.get_payload(decode=True)
    return str(name), content if isinstance(content, bytes) else b""
