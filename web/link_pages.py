"""The few pages that a link may lead to instead: no longer, not now, which of two, and what a robot is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from aiohttp import web

from web.plain_page import PlainPage, heading, link, said

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
        self._dial = link(f"tel:{quote(short_code, safe='')}", short_code)

    def gone(self, request: web.Request) -> web.Response:
        """410: it has expired, is used up, or never was. In every language, that of the browser first."""
        first, *others = [said(self._texts[language].gone, language) for language in self._in_order(request)]
        return _page(first, self._dial, *others).response(web.HTTPGone.status_code)

    def later(self, request: web.Request, status: int, seconds: int) -> web.Response:
        """`status`, and when to come back."""
        texts = [said(self._texts[language].later, language) for language in self._in_order(request)]
        response = _page(*texts).response(status)
        response.headers["Retry-After"] = str(seconds)
        return response

    def which(self, language: str, ios: str, browser: str) -> web.Response:
        """Both addresses, for what may be an iPad or a Mac; where scripts run, the right one opens of itself."""
        spoken = language if language in self._texts else self._default
        texts = self._texts[spoken]
        return _page(link(ios, texts.ios), link(browser, texts.web), language=spoken, script=CHOOSES).response()

    def nothing_to_see(self) -> web.Response:
        """For robots, which make a preview of it: neither what it is nor where it leads."""
        return _page().response()

    def _in_order(self, request: web.Request) -> Sequence[str]:
        """Every language, those that the browser prefers first."""
        asked = [one.strip()[:2].lower() for one in request.headers.get("Accept-Language", "").split(",")]
        return list(dict.fromkeys(one for one in (*asked, self._default, *self._texts) if one in self._texts))


def _page(*inside: str, language: str = "en", script: str = "") -> PlainPage:
    return PlainPage(heading() + "".join(inside), language, script=script)
