"""The running gateway: every client opened and closed in one place, every room's routes on one application."""

import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from aiohttp import ClientSession, DummyCookieJar, web
from prometheus_client import CollectorRegistry

import sms.routes
import ussd.routes
import web.api.routes as api
from callbacks import MOST, Guard
from embedded import alone, secret_of
from faults import Broken
from menus import check, words
from menus.journeys.main import DOORS
from menus.layout import Layout
from menus.model import Menu
from menus.tree import Plan, tree
from menus.words import Words
from screens.pages import MOST_OPTIONS
from sealing import Seal
from services.accounts import Accounts
from services.applications import Applications
from services.catalogue.load import load
from services.catalogue.model import Catalogue
from services.codes import Codes, Scripts
from services.keys import Keys
from services.messages import Messages
from services.pins import Pins
from services.records.database import Records
from services.records.migrate import ready
from sessions.deadline import Deadline
from sessions.exchange import Desk
from sessions.redis import Opened, open_sessions
from settings import Settings
from sms.outbox import Outbox, at_work
from sms.provider import Provider
from sms.providers.africastalking import AfricasTalking
from sms.providers.sandbox import Sandbox
from ussd.hops import Hops
from web import health
from web.simulator.routes import Network, PhoneSettings, add_routes
from wiring import Services, calls_of, fields_of, line_of, names_of, plan_of, sayer, served

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the services keep things: the database, what may be lost, and the keys both are sealed with."""

    records: Records
    scripts: Scripts
    seal: Seal
    pins: Pins


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
        conversation = proved(settings, Kept(records, store.client, seal, pins))
        provider = await stack.enter_async_context(_provider(settings))
        outbox = Outbox(
            conversation.services.messages,
            provider,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            parallel=settings.sms.parallel,
            grace=settings.africastalking.deadline + 5,
        )
        await stack.enter_async_context(at_work(outbox))
        yield _application(settings, conversation, Outside(store, records, provider, outbox))


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
        async with unused as records, open_sessions("memory://", seal) as store:
            try:
                return proved(settings, Kept(records, store.client, seal, pins))
            finally:
                pins.close()


def proved(settings: Settings, kept: Kept) -> Conversation:
    """The menus over the services, once nothing is wrong with either.

    Raises:
        Broken: something is, with every fault there is.
    """
    plan = plan_of(settings)
    _main_menu(settings, plan)
    catalogue = load(HERE / settings.catalogue.folder)
    spoken = words.load_all(names_of(catalogue))
    say_sms = sayer(spoken, settings)
    messages = Messages(kept.records, kept.seal)
    zone = ZoneInfo(settings.countries.time_zone)
    services = Services(
        catalogue,
        Accounts(kept.records, messages, kept.pins, kept.seal, say_sms),
        Applications(kept.records, messages, kept.seal, say_sms, zone),
        Codes(kept.scripts, messages, kept.seal, say_sms),
        messages,
    )
    menu = tree(plan, calls_of(services, settings, say_sms))
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
    return check.Proof(menu, spoken, sources, codes, labels)


@asynccontextmanager
async def _provider(settings: Settings) -> AsyncIterator[Provider]:
    if settings.sms.provider == "sandbox":
        yield Sandbox()
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


def _application(settings: Settings, conversation: Conversation, outside: Outside) -> web.Application:
    app = web.Application(client_max_size=MOST)
    registry = CollectorRegistry()
    line, guard = line_of(settings), _guard(settings)
    desk = _desk(settings, conversation, outside.store)
    app.add_routes(ussd.routes.routes(desk, line, guard, Hops(registry)))
    app.add_routes(api.routes(Keys(outside.records).department_of, conversation.services.applications))
    app.add_routes(sms.routes.routes(guard))
    app.add_routes(health.routes(outside.parts(), registry))
    if settings.simulated and isinstance(outside.provider, Sandbox):
        add_routes(app, _phone(settings), outside.provider)
    return app


def _desk(settings: Settings, conversation: Conversation, store: Opened) -> Desk:
    zone = ZoneInfo(settings.countries.time_zone)

    def today() -> date:
        return datetime.now(zone).date()

    return Desk(
        sessions=store.sessions,
        menu=conversation.menu,
        layout=Layout(conversation.menu, words.for_screens(conversation.words)),
        language_of=conversation.services.accounts.language_of,
        served=served(settings.countries.allowed),
        today=today,
        default_language=settings.languages.default,
        session_ttl=settings.ussd.session_ttl,
        resume_window=settings.ussd.resume_window,
        deadline=Deadline(settings.ussd.deadline),
    )


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
        languages=settings.languages.offered,
        token=settings.africastalking.callback_token.get_secret_value(),
    )
