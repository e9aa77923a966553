"""What texts may say of the catalogue and of the gateway, and how those of SMS and e-mail are said."""

from collections.abc import Callable, Mapping
from typing import Any

from assembly.plan import plan_of
from menus.words import Names, Template, Words
from services.catalogue.model import Catalogue, say
from services.given import Say
from settings import Settings


def names_of(catalogue: Catalogue) -> Names:
    """How a locale's placeholders say the catalogue's codes: `{service:service}`, `{service:documents}`."""

    def named(kind: Mapping[str, Any]) -> Callable[[str, str], str]:
        return lambda code, form: say(kind[code].names, form) if code in kind else ""

    def documents(code: str, form: str) -> str:
        return "\n".join(say(texts, form) for texts in catalogue.services[code].documents)

    return {
        "service": named(catalogue.services),
        "sector": named(catalogue.sectors),
        "office": named(catalogue.offices),
        "documents": documents,
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
