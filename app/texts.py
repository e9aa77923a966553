"""Renderers of the texts of SMS and e-mail, and the names of the catalogue for placeholders."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.localization import replace_not_offered
from app.menu_plan import build_menu_plan
from app.sms_routing import build_code_names
from config.settings import Settings
from core.languages import DEFAULT_LANGUAGE, language_of_locale
from core.types import SmsText, TextRenderer, in_latin_letters
from core.types import Template as MessageTemplate
from menus.rendering.localization import Locale, NameLookups
from menus.rendering.message_templates import fill_template
from services.catalogue.current import CurrentCatalogue
from services.catalogue.models import pick_translation


def build_name_lookups(current_catalogue: CurrentCatalogue) -> NameLookups:
    """The lookups behind placeholders such as `{service:service}` and `{service:documents}`."""

    def named(kind: Callable[[], Mapping[str, Any]]) -> Callable[[str, str], str]:
        def name(code: str, form: str) -> str:
            item = kind().get(code)
            return pick_translation(item.names, form) if item else ""

        return name

    def documents(code: str, form: str) -> str:
        service = current_catalogue.catalogue.services.get(code)
        return "\n".join(pick_translation(texts, form) for texts in service.documents) if service else ""

    def address(code: str, form: str) -> str:
        centre = current_catalogue.centres.by_code.get(code)
        return pick_translation(centre.address, form) if centre else ""

    def papers(codes: Sequence[str], form: str) -> str:
        documents_by_code = current_catalogue.catalogue.required_documents
        return ", ".join(pick_translation(documents_by_code[code], form) for code in codes if code in documents_by_code)

    return {
        "papers": papers,
        "service": named(lambda: current_catalogue.catalogue.services),
        "sector": named(lambda: current_catalogue.catalogue.sectors),
        "office": named(lambda: current_catalogue.catalogue.offices),
        "biller": named(lambda: current_catalogue.catalogue.billers),
        "documents": documents,
        "bring": lambda code, form: documents(code, form).replace("\n", ", "),
        "centre": named(lambda: current_catalogue.centres.by_code),
        "centre_address": address,
    }


def build_sms_renderer(locales: Mapping[str, Locale], settings: Settings) -> TextRenderer:
    """The renderer of SMS texts, each with its form in Latin letters.

    A language without texts in Latin letters has the English one. Facts about the deployment are always available to a text;
    where codes differ by recipient, the text has marks in their places until it is queued.
    """
    spoken = replace_not_offered(locales, settings.languages)
    always = {**build_constant_facts(settings), **build_code_names(settings).facts}

    def render(locale: Locale, key: str, facts: Mapping[str, object]) -> tuple[str, MessageTemplate]:
        filled = fill_template(locale.sms[key], {**always, **facts}, locale.formatters)
        return filled.text, MessageTemplate(key, locale.code, filled.variables, filled.omitted)

    def render_sms(language: str, key: str, facts: Mapping[str, object]) -> str:
        own, template = render(spoken[language], key, facts)
        latin_locale = language_of_locale(language).latin_locale
        if latin_locale == language:
            return SmsText(own, own, template, template)
        in_latin = spoken[latin_locale if latin_locale in spoken else DEFAULT_LANGUAGE]
        latin, latin_template = render(in_latin, key, {name: _to_latin(fact) for name, fact in facts.items()})
        return SmsText(own, latin, template, latin_template)

    return render_sms


def _to_latin(fact: object) -> object:
    """The fact with every text of it that has a form in Latin letters in that form."""
    if isinstance(fact, list | tuple):
        return [_to_latin(one) for one in fact]
    return in_latin_letters(fact) if isinstance(fact, str) else fact


def build_email_renderer(locales: Mapping[str, Locale], settings: Settings) -> TextRenderer:
    """The renderer of e-mails; the first line is the subject."""
    spoken = replace_not_offered(locales, settings.languages)
    always = build_constant_facts(settings)

    def render(language: str, key: str, facts: Mapping[str, object]) -> str:
        return spoken[language].render(spoken[language].mail[key], {**always, **facts})

    return render


def build_constant_facts(settings: Settings) -> Mapping[str, object]:
    """The facts of the deployment, which every text may name: its codes, its phone, the keys of the main menu."""
    plan = build_menu_plan(settings)
    return {
        "short_code": settings.ussd.service_codes[0],
        "sms_code": settings.sms.short_code,
        "phone": settings.helpdesk.phone,
        "track_key": plan.key_for("track"),
        "bills_key": plan.key_for("bills"),
    }
