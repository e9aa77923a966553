"""The services behind the menus, put together over what they stand on."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from assembly import assist
from assembly.assist import Assistance, assistance_of
from assembly.cash import Below, Cash, cash_of
from assembly.complaints import Beneath, Grievances, Offices, grievances_of
from assembly.countries import assumed, calendar, office_zones
from assembly.departments import Beneath as Connecting
from assembly.departments import deliveries_of, fee_of, waiting_of
from assembly.documents import Behind, Paperwork, paperwork_of
from assembly.ground import Ground
from assembly.profile import Behind as Data
from assembly.profile import own_data_of, profiles_of
from assembly.texts import letter_sayer, sayer
from menus.words import Words
from services.accounts import Accounts
from services.applications import Applications, Drafts, Filings, Following, Withdrawing
from services.catalogue.shelf import Shelf
from services.codes import Codes, Limits
from services.departments.deliveries import Deliveries
from services.downloads import Downloads
from services.emails import Emails
from services.given import Sealing
from services.glances import Glances
from services.guesses import Guesses, Limit
from services.leaflets import Leaflets
from services.links import Links
from services.messages import Messages
from services.own_data import OwnData
from services.payments.telling import Letters
from services.profiles import Profiles
from services.records.database import Records
from services.registrants import Registrants
from services.tracking import Tracking
from services.usage import Usage
from settings import Settings
from sms.quiet import Quiet, QuietHours
from sms.segments import counted


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the menus."""

    shelf: Shelf
    accounts: Accounts
    applications: Applications
    drafts: Drafts
    withdrawing: Withdrawing
    following: Following
    filings: Filings
    deliveries: Deliveries
    codes: Codes
    messages: Messages
    links: Links
    downloads: Downloads
    registrants: Registrants
    grievances: Grievances
    tracking: Tracking
    paperwork: Paperwork
    cash: Cash
    emails: Emails
    profiles: Profiles
    own_data: OwnData
    assistance: Assistance
    usage: Usage
    leaflets: Leaflets


def services_of(settings: Settings, ground: Ground, shelf: Shelf, words: Mapping[str, Words]) -> Services:
    """All of them, speaking the languages of `words`."""
    records, seal, say = ground.records, ground.seal, sayer(words, settings)
    messages = messages_of(settings, records, seal)
    links = Links(records, seal, settings.server.url)
    codes = Codes(ground.store.client, messages, seal, say, limits=_limits(settings))
    letters = letter_sayer(words, settings)
    emails = Emails(records, messages, links, seal, letters)
    accounts = Accounts(records, messages, ground.pins, seal, say)
    profiles = profiles_of(records, accounts, seal, shelf)
    registrants, drafts = Registrants(records, assumed(settings)), Drafts(records, seal)
    receipt = emails.receipt if settings.mail.host else None
    zone_of = office_zones(settings, shelf)
    offices = Offices(shelf, settings, zone_of)
    write = letters if settings.mail.host else None
    posted = Letters(write, emails.letter) if write else None
    grievances = grievances_of(settings, Beneath(records, messages, seal, say, write), offices)
    behind = Behind(records, codes, links, messages, seal, say, ground.issuers)
    helping = assist.Behind(records, messages, codes, ground.pins, seal, say, registrants.language, shelf)
    cash = cash_of(settings, Below(records, messages, seal, say, ground.wallets, posted), shelf)
    deliveries = deliveries_of(settings, Connecting(records, seal, shelf, cash))
    following = Following(records, messages, say, zone_of, waits=waiting_of(deliveries))
    return Services(
        shelf=shelf,
        accounts=accounts,
        applications=Applications(
            records,
            messages,
            seal,
            say,
            zone_of,
            tell_elsewhere=receipt,
            learn=profiles.learn,
            drafts=drafts,
            language_of=registrants.language,
            handed_in=deliveries.handed_in,
        ),
        drafts=drafts,
        withdrawing=Withdrawing(records, messages, say, registrants.language),
        following=following,
        filings=Filings(records, messages, seal, say, language_of=registrants.language, fee_of=fee_of(cash)),
        deliveries=deliveries,
        codes=codes,
        messages=messages,
        links=links,
        downloads=Downloads(records, links, messages, say),
        registrants=registrants,
        grievances=grievances,
        tracking=tracking_of(settings, ground, Glances(records, following, cash.fees, deliveries), grievances),
        paperwork=paperwork_of(settings.documents, behind),
        cash=cash,
        emails=emails,
        profiles=profiles,
        own_data=own_data_of(Data(records, seal, shelf, accounts, profiles, emails, messages, links, say, letters)),
        assistance=assistance_of(settings.operators, helping),
        usage=Usage(records, ZoneInfo(settings.countries.time_zone), calendar(settings)),
        leaflets=Leaflets(messages, say),
    )


def messages_of(settings: Settings, records: Records, seal: Sealing) -> Messages:
    """The messages on their way: counted in segments, and put off while it is night where they go."""
    nights = {whose: Quiet.read(written) for whose, written in settings.sms.quiet_hours.items()}
    return Messages(records, seal, segments=lambda text: counted(text).segments, opens=QuietHours(nights))


def tracking_of(settings: Settings, ground: Ground, glances: Glances, grievances: Grievances) -> Tracking:
    """Every number that people hold, and how many they may guess."""
    redis, name, limits = ground.store.client, ground.seal.name, settings.tracking
    callers = Guesses(redis, name, Limit("numbers asked by", limits.unknown_numbers))
    prefixes = Guesses(redis, name, Limit("numbers that begin with", limits.unknown_prefix))
    return Tracking(glances, grievances.following, callers, prefixes)


def _limits(settings: Settings) -> Limits:
    """How many codes are sent, and from when on it is looked at whether they are entered."""
    codes = settings.codes
    return Limits(codes.prefix, codes.country, codes.countries, codes.daily, codes.watched, codes.entered)
