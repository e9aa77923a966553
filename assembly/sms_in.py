"""SMS that come in, put together: the menus by SMS, whoever answers, and what providers post."""

from aiohttp import web

from assembly.countries import calendar, served
from assembly.gateway import Gateway
from assembly.texts import sayer
from menus.by_sms import for_sms
from menus.layout import Layout
from services.forgetting import Forgetting
from services.inbound import Inbound
from services.optouts import OptOuts
from services.unread import UnreadCallbacks
from sessions.turns import Table
from sms.conversation import CHANNEL, Conversations
from sms.guards import EitherCounters, Guards, OwnCounters, RedisCounters
from sms.inbound import Desk
from sms.reception import Counted, Reception
from sms.room import Segments
from sms.routes import Kept
from sms.routes import routes as sms_routes


def conversations_of(gateway: Gateway) -> Conversations:
    """The menus by SMS, which has no option to send something by SMS."""
    settings, conversation = gateway.settings, gateway.conversation
    menu, services = conversation.menu.on(CHANNEL), conversation.services
    table = Table(
        gateway.ground.store.sessions,
        menu,
        Layout(menu, for_sms(conversation.words, menu)),
        calendar(settings),
        ttl=settings.sms.conversation_ttl,
        resume_window=settings.ussd.resume_window,
    )
    room = Segments(settings.sms.screen_segments)
    return Conversations(table, room, services.messages, services.registrants.language)


def reception_of(gateway: Gateway, conversations: Conversations) -> Reception:
    """Who records every SMS and has it answered."""
    ground = gateway.ground
    inbound = Inbound(ground.records, gateway.conversation.services.messages, ground.seal)
    desk = _desk(gateway, conversations, inbound)
    return Reception(inbound, desk, ground.seal.name, Counted(gateway.registry), Forgetting(ground.records).step)


def _desk(gateway: Gateway, conversations: Conversations, inbound: Inbound) -> Desk:
    settings, services, ground = gateway.settings, gateway.conversation.services, gateway.ground
    counters = EitherCounters(RedisCounters(ground.store.client), OwnCounters())
    return Desk(
        conversations=conversations,
        guards=Guards(counters, ground.seal.name),
        optouts=OptOuts(ground.records),
        say=sayer(gateway.conversation.words, settings),
        repeats=inbound.repeats,
        served=served(settings.countries.allowed),
        known_language=services.registrants.known,
        heard_in=services.registrants.heard,
        send_links=services.downloads.send,
        end_consents=services.assistance.consents.stop,
        default_language=settings.languages.default,
    )


def routes(gateway: Gateway, reception: Reception) -> list[web.RouteDef]:
    """Where a provider hands over delivery reports, opt-outs and SMS, and what cannot be read is kept."""
    ground = gateway.ground
    optouts, unread = OptOuts(ground.records), UnreadCallbacks(ground.records, ground.seal)

    async def opt_out(number: str) -> None:
        await optouts.out(number, "provider")

    kept = Kept(gateway.conversation.services.messages.report, opt_out, reception.take, unread.keep)
    return sms_routes(gateway.guard, kept)
