"""Puts the services into the journeys' hands: what each journey may ask, and what every code is called."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

from menus.journeys.apply import Wanted
from menus.journeys.recover import Recovering
from menus.journeys.register import NewCitizen, Registering
from menus.model import Accepted, Asked, Refused, Texts
from menus.tree import Calls, Plan
from menus.words import Names, Words
from screens.pages import Budget
from services.accounts import Accounts, NewAccount, NumberTaken
from services.applications import Applications, Receipt, Submission
from services.catalogue import answers
from services.catalogue.model import Catalogue, Field, say
from services.codes import Codes
from services.messages import Message, Messages
from settings import Settings
from ussd.callback import Line


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the menus."""

    catalogue: Catalogue
    accounts: Accounts
    applications: Applications
    codes: Codes
    messages: Messages


@dataclass(frozen=True, slots=True)
class FormField:
    """A catalogue's field as a form asks it."""

    field: Field

    @property
    def name(self) -> str:
        """The key its answer is kept under."""
        return self.field.name

    @property
    def labels(self) -> Texts:
        """The question, in every language."""
        return self.field.labels

    @property
    def choices(self) -> Sequence[tuple[str, Texts]]:
        """Code and names of each answer to choose from."""
        return self.field.choices

    def check(self, typed: str, today: date) -> Accepted | Refused:
        """What the catalogue makes of an answer, in the menus' words."""
        checked = answers.check(self.field, typed, today)
        if isinstance(checked, answers.Accepted):
            return Accepted(checked.value)
        return Refused(checked.reason, checked.facts)

    def shown(self, value: str) -> str | Texts:
        """A choice by its name, a date as it is typed, an identity number by its last digits."""
        if self.field.kind == "choice":
            return dict(self.field.choices)[value]
        if self.field.kind == "date":
            return f"{date.fromisoformat(value):%d-%m-%Y}"
        return answers.shown(self.field, value, "en")


def fields_of(catalogue: Catalogue) -> Callable[[str], Sequence[Asked]]:
    """A service's code to the questions of its form."""
    return lambda code: [FormField(field) for field in catalogue.services[code].fields]


def plan_of(settings: Settings) -> Plan:
    """What this deployment decides about its menus."""
    helpdesk = {"phone": settings.helpdesk.phone, "email": settings.helpdesk.email}
    return Plan(settings.languages.offered, settings.menu.main, helpdesk, pin_by_sms=settings.accounts.pin_by_sms)


def names_of(catalogue: Catalogue) -> Names:
    """How a locale's placeholders say the catalogue's codes: `{service:service}`, `{service:documents}`."""

    def named(kind: Mapping[str, Any]) -> Callable[[str, str], str]:
        return lambda code, form: say(kind[code].names, form) if code in kind else ""

    def documents(code: str, form: str) -> str:
        return "\n".join(say(texts, form) for texts in catalogue.services[code].documents)

    return {
        "service": named(catalogue.services),
        "sector": named(catalogue.sectors),
        "office": named(catalogue.offices),
        "documents": documents,
    }


def sayer(words: Mapping[str, Words], settings: Settings) -> Callable[[str, str, Mapping[str, object]], str]:
    """The texts of SMS, in a language's own script; what every text may say of the gateway is always known."""
    always = {
        "short_code": settings.ussd.service_codes[0],
        "phone": settings.helpdesk.phone,
        "web": settings.links.web,
        "android": settings.links.android,
        "ios": settings.links.ios,
        "track_key": plan_of(settings).key_of("track"),
    }

    def say_sms(language: str, key: str, facts: Mapping[str, object]) -> str:
        spoken = words[language]
        return spoken.say(spoken.sms[key], {**always, **facts})

    return say_sms


def served(countries: Sequence[str]) -> Callable[[str], bool]:
    """Whether numbers of this country are served.

    Most countries have a calling code to themselves; only where several share one is the whole number looked at, which
    takes a hundred times as long.
    """
    codes = {country: phonenumbers.country_code_for_region(country) for country in countries}
    alone = tuple(f"+{code}" for code in codes.values() if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) == 1)

    @lru_cache(maxsize=10_000)
    def shares_a_code(number: str) -> bool:
        try:
            return phonenumbers.region_code_for_number(phonenumbers.parse(number)) in codes
        except phonenumbers.NumberParseException:
            return False

    return lambda number: number.startswith(alone) or shares_a_code(number)


def line_of(settings: Settings) -> Line:
    """How calls come in: our short codes, and what each network's phones show."""
    ussd = settings.ussd
    budget = Budget(ussd.screen_septets, ussd.screen_units, ussd.unicode)
    networks = {
        code: Budget(
            network.screen_septets or budget.septets,
            network.screen_units or budget.units,
            budget.unicode if network.unicode is None else network.unicode,
        )
        for code, network in ussd.networks.items()
    }
    return Line(ussd.service_codes, budget, networks, ussd.vouches)


def calls_of(services: Services, settings: Settings, say_sms: Callable[[str, str, Mapping[str, object]], str]) -> Calls:
    """Everything the journeys may ask of the services."""
    catalogue, accounts, applications = services.catalogue, services.accounts, services.applications
    zone = ZoneInfo(settings.countries.time_zone)

    async def send_links(number: str, language: str, effect: str) -> None:
        await services.messages.send(Message(number, say_sms(language, "app", {}), "info", f"{effect}/app"))

    async def register(citizen: NewCitizen, effect: str) -> int | None:
        try:
            return await accounts.register(NewAccount(*citizen), effect)
        except NumberTaken:
            return None

    async def submit(wanted: Wanted, effect: str) -> Receipt:
        return await applications.submit(_submission(catalogue, wanted), effect)

    def time_of_day(moment: datetime) -> str:
        return moment.astimezone(zone).strftime("%H:%M")

    return Calls(
        keep_language=accounts.choose_language,
        send_links=send_links,
        sectors=lambda: [sector.code for sector in catalogue.sectors_offered()],
        services=lambda sector: [service.code for service in catalogue.in_sector(sector)],
        service=lambda code: catalogue.services[code],
        offered=lambda code, channel: channel in catalogue.services[code].channels,
        fields=fields_of(catalogue),
        submit=submit,
        find_status=applications.status,
        find_own=applications.own,
        send_status=applications.send_status,
        try_pin=accounts.sign_in,
        matches=accounts.matches,
        registering=Registering(
            accounts.registered_by, services.codes.send, services.codes.check, accounts.hash_secret, register
        ),
        recovering=Recovering(accounts.questions, accounts.answer, accounts.change_pin, time_of_day),
    )


def _submission(catalogue: Catalogue, wanted: Wanted) -> Submission:
    service = catalogue.services[wanted.service]
    return Submission(
        account=wanted.account,
        number=wanted.number,
        service=wanted.service,
        office=service.office,
        department=service.department,
        form=wanted.form,
        days=service.days,
        fee_minor=service.fee_minor,
        currency=service.currency,
        language=wanted.language,
        channel=wanted.channel,
    )
