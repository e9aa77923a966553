"""Puts the services into the journeys' hands: what each journey may ask of them."""

from assembly.applying import applying_of
from assembly.assist import assisting_of
from assembly.cash import billing_of, connected_of, paying_of
from assembly.catalogue import centres_of, finding_of, looking_of
from assembly.countries import served, time_of_day
from assembly.documents import papers_of
from assembly.following import complaining_of, following_of
from assembly.profile import own_data_calls, profiling_of
from assembly.services import Services
from menus.journeys.email import Emailing
from menus.journeys.find import Finding
from menus.journeys.look import Looking
from menus.journeys.recover import Recovering
from menus.journeys.register import NewCitizen, Register, Registering
from menus.journeys.sign_in import Clock, SigningIn
from menus.journeys.texted import Texted
from menus.journeys.withdraw import Withdrawing
from menus.tree import Calls
from services.accounts import Accounts, NewAccount, NumberTaken
from services.closed import AccountClosed
from services.codes import Codes
from services.emails import Emails
from settings import Settings


def calls_of(services: Services, settings: Settings) -> Calls:
    """Everything the journeys may ask of the services."""
    shelf, accounts = services.shelf, services.accounts
    clock = time_of_day(settings)
    recovering = _recovering(accounts, clock)
    finding, looking = finding_of(shelf, services.usage), looking_of(shelf, services.leaflets)
    return Calls(
        keep_language=accounts.choose_language,
        send_links=services.downloads.send,
        finding=finding,
        looking=looking,
        centres=centres_of(shelf, services.leaflets),
        applying=applying_of(services, settings, clock),
        withdrawing=Withdrawing(services.withdrawing.withdraw, services.withdrawing.refuse),
        following=following_of(services),
        complaining=complaining_of(services),
        signing_in=SigningIn(accounts.registered_by, accounts.closed_in, accounts.sign_in, clock),
        matches=accounts.matches,
        registering=_registering(accounts, services.codes),
        emailing=_emailing(services.emails),
        profiling=profiling_of(services.profiles, shelf),
        own_data=own_data_calls(services.own_data, accounts, clock),
        recovering=recovering,
        texted=_texted(services, settings, finding, looking),
        closed=AccountClosed,
        papers=papers_of(services.paperwork),
        paying=paying_of(services.cash),
        billing=billing_of(services.cash, shelf, connected_of(settings, shelf, services.cash)),
        assisting=assisting_of(services.assistance, accounts, served(settings.countries.allowed), clock),
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


def _recovering(accounts: Accounts, clock: Clock) -> Recovering:
    return Recovering(accounts.questions, accounts.answer, accounts.change_pin, clock, accounts.registered_by)


def _texted(services: Services, settings: Settings, finding: Finding, looking: Looking) -> Texted:
    """Everything that SMS keywords may ask of the services."""
    return Texted(
        following=following_of(services),
        registered_by=services.accounts.registered_by,
        register=_register(services.accounts),
        finding=finding,
        looking=looking,
        languages=settings.languages.offered,
        keep_language=services.accounts.choose_language,
        complaining=complaining_of(services),
    )
