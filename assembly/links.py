"""What follows links put together: an opener for each purpose, and the pages for those that lead nowhere."""

from collections.abc import Mapping

from aiohttp import web

from assembly.countries import local_time
from assembly.gateway import Gateway
from menus.words import Words, template
from services.links import Purpose
from settings import Settings
from web.document import DocumentPages
from web.email import EmailPages
from web.guesses import Guesses
from web.handset import Handset
from web.link_pages import LinkTexts, Pages
from web.links import Opener, app_opener
from web.links import routes as link_routes
from web.opens import Opens
from web.own_data import OwnDataPages


def routes(gateway: Gateway) -> list[web.RouteDef]:
    """Where links lead to, and where the button of an e-mail address is heard."""
    ground, links = gateway.ground, gateway.conversation.services.links
    pages = _pages(gateway.conversation.words, gateway.settings)
    guesses = Guesses(ground.store.client, ground.seal.name, gateway.guard.caller)
    letters, opens = _letters(gateway, pages, guesses), Opens(gateway.registry)
    followed = link_routes(links, _openers(gateway, pages, letters), pages=pages, guesses=guesses, opens=opens)
    return [*followed, *letters.routes()]


def _openers(gateway: Gateway, pages: Pages, letters: EmailPages) -> Mapping[Purpose, Opener]:
    conversation = gateway.conversation
    papers = DocumentPages(conversation.services.paperwork.desk.shown, conversation.words, pages.gone)
    return {
        "app": app_opener(_stores(gateway.settings), pages),
        "document": papers.open,
        "email": letters.open,
        "own_data": _own_data(gateway, pages).open,
    }


def _own_data(gateway: Gateway, pages: Pages) -> OwnDataPages:
    settings, conversation = gateway.settings, gateway.conversation
    find, words = conversation.services.own_data.collected, conversation.words
    return OwnDataPages(find, words, local_time(settings), settings.ussd.service_codes[0], pages.gone)


def _letters(gateway: Gateway, pages: Pages, guesses: Guesses) -> EmailPages:
    services, words = gateway.conversation.services, gateway.conversation.words
    return EmailPages(services.links, services.emails.asked_about, services.emails.verify, words, pages, guesses)


def _pages(words: Mapping[str, Words], settings: Settings) -> Pages:
    """The pages that a link may lead to instead, in every language that is offered."""
    facts = {"short_code": settings.ussd.service_codes[0], "sms_code": settings.sms.short_code}

    def texts(spoken: Words) -> LinkTexts:
        said = {name: spoken.say(template(spoken.common[f"link_{name}"]), facts) for name in LinkTexts.__annotations__}
        return LinkTexts(**said)

    offered: Mapping[str, LinkTexts] = {language: texts(words[language]) for language in settings.languages.offered}
    return Pages(offered, settings.languages.default, facts["short_code"])


def _stores(settings: Settings) -> Mapping[Handset, str]:
    """Where each handset finds the app; in the browser, where it has no place of its own."""
    links = settings.links
    own: Mapping[Handset, str] = {"kaios": links.kaios, "android": links.android, "ios": links.ios, "other": links.web}
    return {handset: address or links.web for handset, address in own.items()}
