"""The routes of links: an opener for each purpose, and the pages for links that are not valid."""

from collections.abc import Mapping

from aiohttp import web

from app.context import AppContext
from app.localization import build_local_clock
from config.settings import Settings
from menus.rendering.localization import Locale, parse_template
from web.links.document_page import DocumentPages
from web.links.email_page import EmailPages
from web.links.handset import Handset
from web.links.metrics import LinkMetrics
from web.links.miss_limiter import AddressMissLimiter
from web.links.pages import LinkPages, LinkTexts
from web.links.privacy_page import PrivacyPages
from web.links.routes import AppOpener
from web.links.routes import build_routes as link_routes


def build_routes(context: AppContext) -> list[web.RouteDef]:
    """The routes of links."""
    settings, resources = context.settings, context.resources
    services, locales = context.checked_menu.services, context.checked_menu.locales
    pages = _build_link_pages(locales, settings)
    miss_limiter = AddressMissLimiter(
        resources.store.client, resources.cipher.keyed_hash, context.webhook_guard.client_address
    )
    document_pages = DocumentPages(services.documents.view, locales, pages.gone_page)
    email_pages = EmailPages(services.emails.for_link, services.emails.verify, locales, pages.gone_page)
    privacy_pages = PrivacyPages(
        services.privacy.collect,
        services.privacy.verify_pin,
        services.privacy.is_account_open,
        locales,
        build_local_clock(settings),
        settings.ussd.service_codes[0],
        pages.gone_page,
    )
    return link_routes(
        services.links,
        {
            "app": AppOpener(_app_store_urls(settings), pages),
            "document": document_pages,
            "email": email_pages,
            "own_data": privacy_pages,
        },
        pages=pages,
        miss_limiter=miss_limiter,
        metrics=LinkMetrics(context.registry),
    )


def _build_link_pages(locales: Mapping[str, Locale], settings: Settings) -> LinkPages:
    """The pages for links that are not opened, in every language that is offered."""
    facts = {"short_code": settings.ussd.service_codes[0], "sms_code": settings.sms.short_code}

    def build_texts(locale: Locale) -> LinkTexts:
        texts = {
            name: locale.render(parse_template(locale.common[f"link_{name}"]), facts)
            for name in LinkTexts.__annotations__
        }
        return LinkTexts(**texts)

    offered: Mapping[str, LinkTexts] = {
        language: build_texts(locales[language]) for language in settings.languages.offered
    }
    return LinkPages(offered, settings.languages.default, facts["short_code"])


def _app_store_urls(settings: Settings) -> Mapping[Handset, str]:
    """The URL of the app for each handset; the web app where it has no store."""
    links = settings.links
    own: Mapping[Handset, str] = {"kaios": links.kaios, "android": links.android, "ios": links.ios, "other": links.web}
    return {handset: address or links.web for handset, address in own.items()}
