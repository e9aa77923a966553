"""The running gateway: every client opened and closed in one place, every room's routes on one application."""

import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from aiohttp import ClientSession, DummyCookieJar, web
from prometheus_client import CollectorRegistry, disable_created_metrics

import sms.keywords
import sms.routes
import ussd.routes
import web.api.routes as api
from callbacks import MOST, Guard
from embedded import alone, secret_of
from faults import Broken
from fetching import fetching
from letters import posting
from menus import check, words
from menus.by_sms import for_sms
from menus.journeys.main import DOORS
from menus.layout import Layout
from menus.model import Menu
from menus.tree import Plan, tree
from menus.words import Words
from paperwork import Behind, paperwork_of, swept
from screens.pages import MOST_OPTIONS
from sealing import Seal
from services.accounts import Accounts
from services.applications import Applications
from services.catalogue.load import load
from services.catalogue.model import Catalogue
from services.codes import Codes, Scripts
from services.complaints import Complaints
from services.documents.client import Client
from services.downloads import Downloads
from services.emails import Emails
from services.inbound import Inbound
from services.keys import Keys
from services.links import Links, Purpose
from services.missed_calls import CoolDown
from services.optouts import OptOuts
from services.pins import Pins
from services.records.database import Records
from services.records.migrate import ready
from services.registrants import Registrants
from services.unread import UnreadCallbacks
from sessions.deadline import Deadline
from sessions.exchange import Desk
from sessions.redis import Opened, open_sessions
from sessions.turns import Table
from settings import Settings
from sms.conversation import CHANNEL, Conversations
from sms.guards import EitherCounters, Guards, OwnCounters, RedisCounters
from sms.inbound import Desk as InboundDesk
from sms.meters import Meters
from sms.outbox import Outbox, at_work
from sms.provider import Provider
from sms.providers.africastalking import AfricasTalking
from sms.providers.sandbox import Sandbox
from sms.reception import Counted, Reception, at_reception
from sms.room import Segments
from sms.segments import folded
from sms.throttle import Throttle
from ussd.hops import Hops
from voice.allowance import Allowance
from voice.first_sight import FirstSight
from voice.missed_calls import MissedCalls
from voice.routes import Rings
from voice.routes import routes as voice_routes
from web import health
from web.document import DocumentPages
from web.email import EmailPages
from web.guesses import Guesses
from web.links import Opener, app_opener
from web.links import routes as link_routes
from web.opens import Opens
from web.simulator.routes import Network, PhoneSettings, add_routes
from web.tallies import Tallies, Tally
from wiring import (
    Services,
    assumed,
    calls_of,
    code_limits,
    fields_of,
    letter_sayer,
    line_of,
    link_pages,
    messages_of,
    names_of,
    plan_of,
    rung_lines,
    sayer,
    served,
    stores_of,
)

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the services keep things: the database, what may be lost, and the keys both are sealed with."""

    records: Records
    scripts: Scripts
    seal: Seal
    pins: Pins
    issuers: Client


class SmsHeld(Exception):
    """No SMS goes out before a person has mended the account at the provider; the outbox's log says what."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What the gateway needs of other programs: the store, the database, and whoever carries SMS."""

    store: Opened
    records: Records
    provider: Provider
    outbox: Outbox

    def parts(self) -> health.Parts:
        """Each with the question whether it is there."""
        return {"redis": self.store.sessions.ping, "database": self.records.answers, "sms": self._sms_flow}

    async def _sms_flow(self) -> None:
        if self.outbox.held:
            raise SmsHeld


@dataclass(frozen=True, slots=True)
class Conversation:
    """Menus that were proved, the words they are said in, and the services they reach."""

    menu: Menu
    words: Mapping[str, Words]
    services: Services


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[web.Application]:
    """The application with every client behind it open. Leaving it finishes the SMS in the air and closes them all.

    Raises:
        Broken: the catalogue, the menus or their words are not as they must be.
        NotAlone, TablesBehind: something outside is not.
    """
    async with AsyncExitStack() as stack:
        if settings.redis.embedded:
            stack.enter_context(alone(settings.server.var))
        seal = Seal(secret_of(settings).encode())
        database = settings.database.url.get_secret_value()
        await ready(database)
        records = await stack.enter_async_context(Records(database))
        redis = settings.redis
        store = await stack.enter_async_context(
            open_sessions(redis.url.get_secret_value(), seal, cluster=redis.cluster, deadline=redis.deadline)
        )
        pins = Pins(seal)
        stack.callback(pins.close)
        issuers = await stack.enter_async_context(_issuers(settings))
        conversation = proved(settings, Kept(records, store.client, seal, pins, issuers))
        await stack.enter_async_context(swept(conversation.services.paperwork))
        provider = await stack.enter_async_context(_provider(settings))
        # Or each counter has a moment beside it, whose digits read like a number of somebody's.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = CollectorRegistry()
        outbox = Outbox(
            conversation.services.messages,
            provider,
            throttle=Throttle(settings.sms.segments_per_second),
            meters=Meters(registry),
            spelled=folded,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            parallel=settings.sms.parallel,
            grace=settings.africastalking.deadline + 5,
        )
        await stack.enter_async_context(at_work(outbox))
        await stack.enter_async_context(posting(settings, conversation.services.messages, seal, registry))
        outside = Outside(store, records, provider, outbox)
        conversations = _conversations(settings, conversation, store)
        reception = _reception(conversations, settings, conversation, outside, seal=seal, registry=registry)
        await stack.enter_async_context(at_reception(reception))
        rung = _missed_calls(settings, conversation, outside, conversations, seal)
        yield _application(settings, conversation, outside, reception, rung, seal=seal, registry=registry)


async def startable(settings: Settings) -> None:
    """Raises what `opened` would raise, for who starts many at once and says it once."""
    await checked(settings)
    await ready(settings.database.url.get_secret_value())


async def checked(settings: Settings) -> Conversation:
    """The menus, proved as `opened` proves them; nothing outside is asked.

    Raises:
        Broken: the catalogue, the menus or their words are not as they must be.
    """
    seal = Seal(bytes(32))
    pins = Pins(seal)
    with TemporaryDirectory() as nowhere:
        unused = Records(f"sqlite+aiosqlite:///{nowhere}/unused.db")
        async with unused as records, open_sessions("memory://", seal) as store, _issuers(settings) as issuers:
            try:
                return proved(settings, Kept(records, store.client, seal, pins, issuers))
            finally:
                pins.close()


def proved(settings: Settings, kept: Kept) -> Conversation:
    """The menus over the services, once nothing is wrong with either.

    Raises:
        Broken: something is, with every fault there is.
    """
    plan = plan_of(settings)
    _main_menu(settings, plan)
    sms.keywords.prepare()
    catalogue = load(HERE / settings.catalogue.folder)
    spoken = words.load_all(names_of(catalogue))
    say_sms = sayer(spoken, settings)
    messages = messages_of(settings, kept.records, kept.seal)
    zone = ZoneInfo(settings.countries.time_zone)
    links = Links(kept.records, kept.seal, settings.server.url)
    codes = Codes(kept.scripts, messages, kept.seal, say_sms, limits=code_limits(settings))
    emails = Emails(kept.records, messages, links, kept.seal, letter_sayer(spoken, settings))
    behind = Behind(kept.records, codes, links, messages, kept.seal, say_sms, kept.issuers)
    services = Services(
        catalogue,
        Accounts(kept.records, messages, kept.pins, kept.seal, say_sms),
        Applications(
            kept.records,
            messages,
            kept.seal,
            say_sms,
            zone,
            tell_elsewhere=emails.receipt if settings.mail.host else None,
        ),
        codes,
        messages,
        links,
        Downloads(kept.records, links, messages, say_sms),
        Registrants(kept.records, assumed(settings)),
        Complaints(kept.records, kept.seal),
        paperwork_of(settings.documents, behind),
        emails,
    )
    menu = tree(plan, calls_of(services, settings))
    faults = tuple(check.faults(_proof(menu, catalogue, spoken)))
    if faults:
        raise Broken(faults)
    return Conversation(menu, spoken, services)


def _main_menu(settings: Settings, plan: Plan) -> None:
    """Refuses a main menu that the tree cannot have, on the lines of config.toml that say it."""
    wrong = [
        settings.fault(("menu", "main", key), *said) for key, door in plan.main.items() for said in _door(key, door)
    ]
    if not plan.key_of("track"):
        said = "nothing leads to track, which receipts speak of", "give track a number"
        wrong.append(settings.fault(("menu", "main"), *said))
    if wrong:
        raise Broken(wrong)


def _door(key: str, door: str) -> Iterator[tuple[str, str]]:
    if key not in map(str, range(1, MOST_OPTIONS + 1)):
        yield f"{key!r} is no number of an option", f"write one from 1 to {MOST_OPTIONS}"
    if door not in DOORS:
        yield f"{door!r} is nothing it can lead to", f"choose from {', '.join(sorted(DOORS))}"


def _proof(menu: Menu, catalogue: Catalogue, spoken: Mapping[str, Words]) -> check.Proof:
    """Texts are held to the screen they are written for; on a smaller one they are paged."""
    fields = fields_of(catalogue)
    codes = {
        "service": tuple(catalogue.services),
        "sector": tuple(catalogue.sectors),
        "office": tuple(catalogue.offices),
        "documents": tuple(catalogue.services),
        **{kind: tuple(terms) for kind, terms in spoken["en"].terms.items()},
    }
    labels = [(f"{code}.{field.name}", field.labels) for code in catalogue.services for field in fields(code)]
    sources = {form: (words.LOCALES / f"{form}.toml").read_text(encoding="utf-8") for form in words.FORMS}
    return check.Proof(menu, spoken, sources, codes, labels, sms=Segments())


def _issuers(settings: Settings) -> AbstractAsyncContextManager[Client]:
    """What asks issuers of documents that are elsewhere."""
    return fetching(deadline=settings.documents.deadline, most=settings.documents.most_octets)


@asynccontextmanager
async def _provider(settings: Settings) -> AsyncIterator[Provider]:
    if settings.sms.provider == "sandbox":
        yield Sandbox(sender=settings.sms.short_code)
        return
    account = settings.africastalking
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield AfricasTalking(
            session,
            username=account.username,
            api_key=account.api_key.get_secret_value(),
            base_url=account.base_url,
            sender_id=account.sender_id,
            deadline=account.deadline,
        )


def _application(
    settings: Settings,
    conversation: Conversation,
    outside: Outside,
    reception: Reception,
    rung: MissedCalls,
    *,
    seal: Seal,
    registry: CollectorRegistry,
) -> web.Application:
    app = web.Application(client_max_size=MOST)
    line, guard = line_of(settings), _guard(settings)
    desk = _desk(settings, conversation, outside.store)
    app.add_routes(ussd.routes.routes(desk, line, guard, Hops(registry)))
    app.add_routes(api.routes(Keys(outside.records).department_of, conversation.services.applications))
    app.add_routes(sms.routes.routes(guard, _kept(conversation, outside, reception, seal)))
    app.add_routes(voice_routes(rung, guard, Rings(registry)))
    guesses = Guesses(outside.store.client, seal.name, guard.caller)
    app.add_routes(_links(settings, conversation, guesses, Opens(registry)))
    _count_codes(conversation.services.codes, registry)
    app.add_routes(health.routes(outside.parts(), registry))
    if settings.simulated and isinstance(outside.provider, Sandbox):
        add_routes(app, _phone(settings), outside.provider)
    return app


def _missed_calls(
    settings: Settings, conversation: Conversation, outside: Outside, conversations: Conversations, seal: Seal
) -> MissedCalls:
    return MissedCalls(
        rung_lines(settings, conversation.services, conversations),
        served(settings.countries.allowed),
        conversation.services.registrants,
        cool_down=CoolDown(outside.records, seal, timedelta(seconds=settings.missed_calls.cool_down)),
        first_sight=FirstSight(outside.store.client, seal.name),
        allowance=Allowance(outside.store.client, settings.missed_calls.most_a_day),
    )


def _count_codes(codes: Codes, registry: CollectorRegistry) -> None:
    Tallies(
        registry,
        Tally("ekdial_codes", "One-time codes: sent, and checks by their answer.", "what", codes.handled),
        Tally("ekdial_codes_refused", "One-time codes not sent, by whose limit was reached.", "by", codes.refused),
        Tally("ekdial_codes_alarms", "Times that codes were sent and not entered, by area.", "area", codes.alarms),
    )


def _links(settings: Settings, conversation: Conversation, guesses: Guesses, opens: Opens) -> list[web.RouteDef]:
    pages = link_pages(conversation.words, settings)
    papers = DocumentPages(conversation.services.paperwork.desk.shown, conversation.words, pages.gone)
    links, emails = conversation.services.links, conversation.services.emails
    letters = EmailPages(links, emails.asked_about, emails.verify, conversation.words, pages, guesses)
    openers: Mapping[Purpose, Opener] = {
        "app": app_opener(stores_of(settings), pages),
        "document": papers.open,
        "email": letters.open,
    }
    return [*link_routes(links, openers, pages=pages, guesses=guesses, opens=opens), *letters.routes()]


def _calendar(settings: Settings) -> Callable[[], date]:
    """What day it is where dates are promised."""
    zone = ZoneInfo(settings.countries.time_zone)
    return lambda: datetime.now(zone).date()


def _desk(settings: Settings, conversation: Conversation, store: Opened) -> Desk:
    return Desk(
        sessions=store.sessions,
        menu=conversation.menu,
        layout=Layout(conversation.menu, words.for_screens(conversation.words)),
        language_of=conversation.services.accounts.language_of,
        served=served(settings.countries.allowed),
        today=_calendar(settings),
        default_language=settings.languages.default,
        session_ttl=settings.ussd.session_ttl,
        resume_window=settings.ussd.resume_window,
        deadline=Deadline(settings.ussd.deadline),
    )


def _conversations(settings: Settings, conversation: Conversation, store: Opened) -> Conversations:
    """The menus by SMS, which has no option to send something by SMS."""
    menu = conversation.menu.on(CHANNEL)
    table = Table(
        store.sessions,
        menu,
        Layout(menu, for_sms(conversation.words, menu)),
        _calendar(settings),
        ttl=settings.sms.conversation_ttl,
        resume_window=settings.ussd.resume_window,
    )
    services = conversation.services
    room = Segments(settings.sms.screen_segments)
    return Conversations(table, room, services.messages, services.registrants.language)


def _reception(
    conversations: Conversations,
    settings: Settings,
    conversation: Conversation,
    outside: Outside,
    *,
    seal: Seal,
    registry: CollectorRegistry,
) -> Reception:
    services = conversation.services
    inbound = Inbound(outside.records, services.messages, seal)
    counters = EitherCounters(RedisCounters(outside.store.client), OwnCounters())
    desk = InboundDesk(
        conversations=conversations,
        guards=Guards(counters, seal.name),
        optouts=OptOuts(outside.records),
        say=sayer(conversation.words, settings),
        repeats=inbound.repeats,
        served=served(settings.countries.allowed),
        known_language=services.registrants.known,
        send_links=services.downloads.send,
        default_language=settings.languages.default,
    )
    return Reception(inbound, desk, seal.name, Counted(registry))


def _kept(conversation: Conversation, outside: Outside, reception: Reception, seal: Seal) -> sms.routes.Kept:
    """What is done with delivery reports, opt-outs and SMS that come in, and with what cannot be read."""
    optouts, unread = OptOuts(outside.records), UnreadCallbacks(outside.records, seal)

    async def opt_out(number: str) -> None:
        await optouts.out(number, "provider")

    return sms.routes.Kept(conversation.services.messages.report, opt_out, reception.take, unread.keep)


def _guard(settings: Settings) -> Guard:
    account = settings.africastalking
    return Guard(account.callback_token.get_secret_value(), account.allowed_ips, account.trusted_proxies)


def _phone(settings: Settings) -> PhoneSettings:
    line = line_of(settings)
    shown = {"99999": line.budget, "47001": line.budget, "63902": line.budget, **line.networks}
    networks = [Network(code, "", one.unicode, one.septets, one.units) for code, one in shown.items()]
    return PhoneSettings(
        service_code=settings.ussd.service_codes[0],
        networks=tuple(networks),
        sms_code=settings.sms.short_code,
        missed_calls=settings.missed_calls.numbers,
        languages=settings.languages.offered,
        token=settings.africastalking.callback_token.get_secret_value(),
    )
