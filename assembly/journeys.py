"""Puts the services into the journeys' hands: what each journey may ask of them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from assembly.documents import papers_of
from assembly.forms import fields_of, submission_of
from assembly.services import Services
from menus.journeys.apply import Wanted
from menus.journeys.email import Emailing
from menus.journeys.recover import Recovering
from menus.journeys.register import NewCitizen, Register, Registering
from menus.journeys.texted import Complained, Texted, Wrote
from menus.tree import Calls
from services.accounts import Accounts, NewAccount, NumberTaken
from services.applications import Receipt
from services.catalogue.model import Catalogue
from services.catalogue.search import Search
from services.codes import Codes
from services.complaints import Complaint, Complaints, Suggestion
from services.emails import Emails
from settings import Settings


def calls_of(services: Services, settings: Settings) -> Calls:
    """Everything the journeys may ask of the services."""
    catalogue, accounts, following = services.catalogue, services.accounts, services.following

    async def submit(wanted: Wanted, effect: str) -> Receipt:
        return await services.applications.submit(submission_of(catalogue, wanted), effect)

    return Calls(
        keep_language=accounts.choose_language,
        send_links=services.downloads.send,
        sectors=lambda: [sector.code for sector in catalogue.sectors_offered()],
        services=lambda sector: [service.code for service in catalogue.in_sector(sector)],
        service=lambda code: catalogue.services[code],
        offered=lambda code, channel: channel in catalogue.services[code].channels,
        fields=fields_of(catalogue),
        submit=submit,
        find_status=following.status,
        find_own=following.own,
        send_status=following.send_status,
        try_pin=accounts.sign_in,
        matches=accounts.matches,
        registering=_registering(accounts, services.codes),
        emailing=_emailing(services.emails),
        recovering=_recovering(accounts, ZoneInfo(settings.countries.time_zone)),
        texted=_texted(services, settings),
        papers=papers_of(services.paperwork),
    )


def _registering(accounts: Accounts, codes: Codes) -> Registering:
    return Registering(
        registered_by=accounts.registered_by,
        send_code=codes.send,
        check_code=codes.check,
        hash_secret=accounts.hash_secret,
        register=_register(accounts),
        keep_questions=accounts.keep_questions,
    )


def _register(accounts: Accounts) -> Register:
    async def register(citizen: NewCitizen, effect: str) -> int | None:
        try:
            return await accounts.register(NewAccount(*citizen), effect)
        except NumberTaken:
            return None

    return register


def _emailing(emails: Emails) -> Emailing:
    return Emailing(emails.before, emails.give, emails.again, emails.remove)


def _recovering(accounts: Accounts, zone: ZoneInfo) -> Recovering:
    def time_of_day(moment: datetime) -> str:
        return moment.astimezone(zone).strftime("%H:%M")

    return Recovering(accounts.questions, accounts.answer, accounts.change_pin, time_of_day, accounts.registered_by)


def _texted(services: Services, settings: Settings) -> Texted:
    """Everything that SMS keywords may ask of the services."""
    catalogue = services.catalogue
    return Texted(
        find_status=services.following.status,
        registered_by=services.accounts.registered_by,
        register=_register(services.accounts),
        numbered=lambda number: _code(catalogue, number),
        search=Search(catalogue),
        service=lambda code: catalogue.services[code],
        offered=lambda code, channel: channel in catalogue.services[code].channels,
        languages=settings.languages.offered,
        keep_language=services.accounts.choose_language,
        complain=lambda wrote, effect: _complained(services.complaints, wrote, effect),
        suggest=lambda wrote, effect: _suggested(services.complaints, wrote, effect),
    )


def _code(catalogue: Catalogue, number: int) -> str | None:
    service = catalogue.numbered(number)
    return service.code if service else None


async def _complained(complaints: Complaints, wrote: Wrote, effect: str) -> Complained:
    new = Complaint(wrote.number, wrote.text, wrote.language, wrote.channel, wrote.about)
    filed = await complaints.complain(new, effect)
    return Complained(filed.complaint_number, filed.about)


async def _suggested(complaints: Complaints, wrote: Wrote, effect: str) -> str:
    return await complaints.suggest(Suggestion(wrote.number, wrote.text, wrote.language, wrote.channel), effect)
