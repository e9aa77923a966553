"""The page behind a link that verifies an e-mail address: GET shows a button, and only its POST verifies.

Mail scanners open the links of a message before a person does, but they do not press buttons.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from aiohttp import web

from menus.rendering.localization import Locale, parse_template
from services.citizens.models import Email
from web.links.pages import GonePage
from web.links.rendering import render_page
from web.links.routes import FormFields

log = structlog.get_logger()


FindEmail: TypeAlias = Callable[[str], Awaitable[Email | None]]
"""The address for the subject of a link; None if the account has another address by now."""


@dataclass(frozen=True, slots=True)
class EmailPages:
    """Responds to links that verify addresses, and to the button; `locales` by language."""

    find_email: FindEmail
    verify: FindEmail
    locales: Mapping[str, Locale]
    gone_page: GonePage

    async def ask(self, request: web.Request, subject: str) -> web.StreamResponse:
        """The page with the button, or with thanks if the address is already verified."""
        email = await self.find_email(subject)
        return self._render_page(email) if email else self.gone_page(request)

    async def check(self, _request: web.Request, _subject: str, _fields: FormFields) -> web.StreamResponse | None:
        """None: the button is enough."""
        return None

    async def open(self, request: web.Request, subject: str, _fields: FormFields) -> web.StreamResponse:
        """Verify the address; the page with thanks."""
        email = await self.verify(subject)
        if email is None:
            return self.gone_page(request)
        log.info("email_verified")
        return self._render_page(email)

    def _render_page(self, email: Email) -> web.Response:
        locale = self.locales[email.language]
        text = parse_template(locale.common["email_done" if email.verified else "email_ask"])
        return render_page(
            "email.html",
            language=email.language,
            form_action="self",
            text=locale.render(text, {"address": email.address}),
            button_text="" if email.verified else locale.common["email_yes"],
        )
