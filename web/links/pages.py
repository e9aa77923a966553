"""The pages for a link that is not opened: no longer valid, too many requests, a choice of app stores, a preview."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import quote

from aiohttp import web

from web.links.rendering import render_page

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


class PageText(NamedTuple):
    """A paragraph in its own language."""

    language: str
    text: str


class PageLink(NamedTuple):
    """A link, which looks like a button."""

    address: str
    text: str


class LinkPages:
    """The pages, in the languages of `texts`; `short_code` becomes a link that the phone dials."""

    def __init__(self, texts: Mapping[str, LinkTexts], default: str, short_code: str) -> None:
        self._texts = texts
        self._default = default
        self._dial_link = PageLink(f"tel:{quote(short_code, safe='')}", short_code)

    def gone_page(self, request: web.Request) -> web.Response:
        """410: the link has expired, is used up or does not exist. In every language, that of the browser first."""
        texts = [PageText(language, self._texts[language].gone) for language in self._languages_in_order(request)]
        return render_page("message.html", web.HTTPGone.status_code, texts=texts, links=[self._dial_link])

    def retry_later_page(self, request: web.Request, status: int, seconds: int) -> web.Response:
        """The response with `status`, and a Retry-After of `seconds`."""
        texts = [PageText(language, self._texts[language].later) for language in self._languages_in_order(request)]
        response = render_page("message.html", status, texts=texts, links=[])
        response.headers["Retry-After"] = str(seconds)
        return response

    def app_choice_page(self, language: str, ios: str, browser: str) -> web.Response:
        """Both links, for an iPad or a Mac; a script opens the right one."""
        shown_language = language if language in self._texts else self._default
        texts = self._texts[shown_language]
        links = [PageLink(ios, texts.ios), PageLink(browser, texts.web)]
        return render_page("message.html", language=shown_language, script=REDIRECT_SCRIPT, texts=[], links=links)

    def preview_page(self) -> web.Response:
        """An empty page for robots, which build previews."""
        return render_page("message.html", texts=[], links=[])

    def _languages_in_order(self, request: web.Request) -> Sequence[str]:
        """Every language, those that the browser accepts first."""
        accepted = [one.strip()[:2].lower() for one in request.headers.get("Accept-Language", "").split(",")]
        return list(dict.fromkeys(one for one in (*accepted, self._default, *self._texts) if one in self._texts))
