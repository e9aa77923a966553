"""What texts may say of the catalogue and of the gateway, and how those of SMS and e-mail are said."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assembly.plan import plan_of
from menus.words import Names, Template, Words
from services.catalogue.model import say
from services.catalogue.shelf import Shelf
from services.given import Say
from settings import Settings


def names_of(shelf: Shelf) -> Names:
    """How a locale's placeholders say the catalogue's codes: `{service:service}`, `{service:documents}`."""

    def named(kind: Callable[[], Mapping[str, Any]]) -> Callable[[str, str], str]:
        def name(code: str, form: str) -> str:
            found = kind().get(code)
            return say(found.names, form) if found else ""

        return name

    def documents(code: str, form: str) -> str:
        service = shelf.now.services.get(code)
        return "\n".join(say(texts, form) for texts in service.documents) if service else ""

    def address(code: str, form: str) -> str:
        centre = shelf.centres.by_code.get(code)
        return say(centre.address, form) if centre else ""

    def papers(codes: Sequence[str], form: str) -> str:
        known = shelf.now.papers
        return ", ".join(say(known[code], form) for code in codes if code in known)

    return {
        "papers": papers,
        "service": named(lambda: shelf.now.services),
        "sector": named(lambda: shelf.now.sectors),
        "office": named(lambda: shelf.now.offices),
        "biller": named(lambda: shelf.now.billers),
        "documents": documents,
        "bring": lambda code, form: documents(code, form).replace("\n", ", "),
        "centre": named(lambda: shelf.centres.by_code),
        "centre_address": address,
    }


def sayer(words: Mapping[str, Words], settings: Settings) -> Say:
    """The texts of SMS, in a language's own script; what every text may say of the gateway is always known."""
    return _sayer({language: spoken.sms for language, spoken in words.items()}, words, settings)


def letter_sayer(words: Mapping[str, Words], settings: Settings) -> Say:
    """The texts of e-mail, their subject in the first line, as `sayer` has those of SMS."""
    return _sayer({language: spoken.mail for language, spoken in words.items()}, words, settings)


def _sayer(texts: Mapping[str, Mapping[str, Template]], words: Mapping[str, Words], settings: Settings) -> Say:
    always = {
        "short_code": settings.ussd.service_codes[0],
        "sms_code": settings.sms.short_code,
        "phone": settings.helpdesk.phone,
        "track_key": plan_of(settings).key_of("track"),
    }

    def said(language: str, key: str, facts: Mapping[str, object]) -> str:
        return words[language].say(texts[language][key], {**always, **facts})

    return said
