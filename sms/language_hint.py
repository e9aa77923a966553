"""The line under a first answer that says how to get another language, or the same one in Latin letters."""

from collections.abc import Sequence

from core.languages import language_of_locale
from menus.rendering.paging import SizeLimit


def build_language_hint(language: str, reply: str, offered: Sequence[str], limit: SizeLimit) -> str:
    """What to send for the other `offered` languages, as much of it as fits below `reply`: `English: LANG EN`.

    It is in Latin letters, which every phone shows: whose phone lacks the letters of the reply can still read it.
    """
    others = [language_of_locale(code) for code in offered if code != language]
    hints = [f"{other.latin_name}: LANG {other.code.upper()}" for other in others]
    own = language_of_locale(language)
    if not own.is_latin:
        hints.insert(1, f"{own.latin_name} abc: LANG {own.code.upper()} ABC")
    for count in range(len(hints), 0, -1):
        hint = ", ".join(hints[:count])
        if limit.fits(f"{reply}\n{hint}"):
            return hint
    return ""
