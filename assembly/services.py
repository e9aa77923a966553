"""The services behind the menus, put together over what they stand on."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from assembly.countries import assumed
from assembly.documents import Behind, Paperwork, paperwork_of
from assembly.ground import Ground
from assembly.texts import letter_sayer, sayer
from menus.words import Words
from services.accounts import Accounts
from services.applications import Applications, Filings, Following
from services.catalogue.model import Catalogue
from services.codes import Codes, Limits
from services.complaints import Complaints
from services.downloads import Downloads
from services.emails import Emails
from services.given import Sealing
from services.links import Links
from services.messages import Messages
from services.records.database import Records
from services.registrants import Registrants
from settings import Settings
from sms.quiet import Quiet, QuietHours
from sms.segments import counted


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the menus."""

    catalogue: Catalogue
    accounts: Accounts
    applications: Applications
    following: Following
    filings: Filings
    codes: Codes
    messages: Messages
    links: Links
    downloads: Downloads
    registrants: Registrants
    complaints: Complaints
    paperwork: Paperwork
    emails: Emails


def services_of(settings: Settings, ground: Ground, catalogue: Catalogue, words: Mapping[str, Words]) -> Services:
    """All of them, speaking the languages of `words`."""
    records, seal, say = ground.records, ground.seal, sayer(words, settings)
    zone = ZoneInfo(settings.countries.time_zone)
    messages = messages_of(settings, records, seal)
    links = Links(records, seal, settings.server.url)
    codes = Codes(ground.store.client, messages, seal, say, limits=_limits(settings))
    emails = Emails(records, messages, links, seal, letter_sayer(words, settings))
    receipt = emails.receipt if settings.mail.host else None
    behind = Behind(records, codes, links, messages, seal, say, ground.issuers)
    return Services(
        catalogue=catalogue,
        accounts=Accounts(records, messages, ground.pins, seal, say),
        applications=Applications(records, messages, seal, say, zone, tell_elsewhere=receipt),
        following=Following(records, messages, say, zone),
        filings=Filings(records, messages, seal, say),
        codes=codes,
        messages=messages,
        links=links,
        downloads=Downloads(records, links, messages, say),
        registrants=Registrants(records, assumed(settings)),
        complaints=Complaints(records, seal),
        paperwork=paperwork_of(settings.documents, behind),
        emails=emails,
    )


def messages_of(settings: Settings, records: Records, seal: Sealing) -> Messages:
    """The messages on their way: counted in segments, and put off while it is night where they go."""
    nights = {whose: Quiet.read(written) for whose, written in settings.sms.quiet_hours.items()}
    return Messages(records, seal, segments=lambda text: counted(text).segments, opens=QuietHours(nights))


def _limits(settings: Settings) -> Limits:
    """How many codes are sent, and from when on it is looked at whether they are entered."""
    codes = settings.codes
    return Limits(codes.prefix, codes.country, codes.countries, codes.daily, codes.watched, codes.entered)
