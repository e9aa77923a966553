"""The pages for a link that is not opened: no longer valid, too many requests, a choice of app stores, a preview."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote

from aiohttp import web

from web.links.html import PlainPage, render_heading, render_link, render_paragraph

# An iPad that identifies itself as a Mac has a touch screen, which a Mac has not.
REDIRECT_SCRIPT: Final = (
    "var to=document.querySelectorAll('a');location.replace(to[navigator.maxTouchPoints?0:1].getAttribute('href'))"
)


GonePage: TypeAlias = Callable[[web.Request], web.StreamResponse]
"""The page for a link that is no longer valid."""


@dataclass(frozen=True, slots=True)
class LinkTexts:
    """The texts of the pages in one language."""

    gone: str
    later: str
    ios: str
    web: str


class LinkPages:
    """The pages, in the languages of `texts`; `short_code` becomes a link that the phone dials."""

    def __init__(self, texts: Mapping[str, LinkTexts], default: str, short_code: str) -> None:
        self._texts = texts
        self._default = default
        self._dial_link = render_link(f"tel:{quote(short_code, safe='')}", short_code)

    def gone_page(self, request: web.Request) -> web.Response:
        """410: the link has expired, is used up or does not exist. In every language, that of the browser first."""
        first, *others = [
            render_paragraph(self._texts[language].gone, language) for language in self._languages_in_order(request)
        ]
        return _build_page(first, self._dial_link, *others).to_response(web.HTTPGone.status_code)

    def retry_later_page(self, request: web.Request, status: int, seconds: int) -> web.Response:
        """The response with `status`, and a Retry-After of `seconds`."""
        texts = [
            render_paragraph(self._texts[language].later, language) for language in self._languages_in_order(request)
        ]
        response = _build_page(*texts).to_response(status)
        response.headers["Retry-After"] = str(seconds)
        return response

    def app_choice_page(self, language: str, ios: str, browser: str) -> web.Response:
        """Both links, for an iPad or a Mac; a script opens the right one."""
        shown_language = language if language in self._texts else self._default
        texts = self._texts[shown_language]
        return _build_page(
            render_link(ios, texts.ios),
            render_link(browser, texts.web),
            language=shown_language,
            script=REDIRECT_SCRIPT,
        ).to_response()

    def preview_page(self) -> web.Response:
        """An empty page for robots, which build previews."""
        return _build_page().to_response()

    def _languages_in_order(self, request: web.Request) -> Sequence[str]:
        """Every language, those that the browser accepts first."""
        accepted = [one.strip()[:2].lower() for one in request.headers.get("Accept-Language", "").split(",")]
        return list(dict.fromkeys(one for one in (*accepted, self._default, *self._texts) if one in self._texts))


def _build_page(*content: str, language: str = "en", script: str = "") -> PlainPage:
    return PlainPage(render_heading() + "".join(content), language, script=script)
