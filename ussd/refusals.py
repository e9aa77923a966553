"""The screen of a key press that is refused because there are too many: nothing is loaded to build it.

The caller's own language is in the session or the database, which a refusal spares. So the text is in the language of the
caller's country (`languages.by_country`), as far as its calling code tells, else in the default language.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from menus.rendering.paging import ScreenBudget
from menus.rendering.renderer import Renderer
from sessions.path_turns import UssdReply
from sessions.session import Reply

KINDS: Final = 256  # of refusals, more than languages times budgets


class BusyReplies:
    """Builds the replies. `languages` are by the beginning of a number, such as `+880`."""

    def __init__(self, renderer: Renderer, *, languages: Mapping[str, str], default_language: str) -> None:
        self._renderer = renderer
        self._prefixes = tuple(languages)
        self._languages = languages
        self._default_language = default_language
        self._build = lru_cache(KINDS)(self._build_reply)

    def find(self, caller: str, budget: ScreenBudget, *, starts_session: bool) -> UssdReply:
        """The reply to this caller; a call under way can go on later where it was."""
        language = self._default_language
        if caller.startswith(self._prefixes):
            language = next(self._languages[prefix] for prefix in self._prefixes if caller.startswith(prefix))
        return self._build(language, budget, "busy" if starts_session else "busy_go_on")

    def _build_reply(self, language: str, budget: ScreenBudget, text_key: str) -> UssdReply:
        text = self._renderer.locale_for(language, budget).common[text_key]
        return UssdReply(Reply(text, ends=True), "shed")
