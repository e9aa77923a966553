"""Puts the services into the journeys' hands: what each journey may ask, and what every code is called."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

from menus.journeys.apply import Wanted
from menus.journeys.email import Emailing
from menus.journeys.recover import Recovering
from menus.journeys.register import NewCitizen, Register, Registering
from menus.journeys.texted import Complained, Texted, Wrote
from menus.model import Accepted, Asked, Refused, Texts
from menus.tree import Calls, Plan
from menus.words import Names, Template, Words, template
from paperwork import Paperwork, papers_of
from screens.pages import Budget
from services.accounts import Accounts, NewAccount, NumberTaken
from services.applications import Applications, Receipt, Submission
from services.catalogue import answers
from services.catalogue.model import Catalogue, Field, say
from services.catalogue.search import Search
from services.codes import Codes
from services.codes import Limits as CodeLimits
from services.complaints import Complaint, Complaints, Suggestion
from services.downloads import Downloads
from services.emails import Emails
from services.given import Say, Sealing
from services.links import Links
from services.messages import Messages
from services.records.database import Records
from services.registrants import Registrants, by_country
from settings import Settings
from sms.quiet import Quiet, QuietHours
from sms.segments import counted
from ussd.callback import Line
from voice.missed_calls import Action, Answer, Menus
from voice.missed_calls import Line as RungLine
from web.handset import Handset
from web.link_pages import LinkTexts, Pages


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the menus."""

    catalogue: Catalogue
    accounts: Accounts
    applications: Applications
    codes: Codes
    messages: Messages
    links: Links
    downloads: Downloads
    registrants: Registrants
    complaints: Complaints
    paperwork: Paperwork
    emails: Emails


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
    return Plan(
        settings.languages.offered,
        settings.menu.main,
        helpdesk,
        pin_by_sms=settings.accounts.pin_by_sms,
        by_email=bool(settings.mail.host),
    )


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


def sayer(words: Mapping[str, Words], settings: Settings) -> Say:
    """The texts of SMS, in a language's own script; what every text may say of the gateway is always known."""
    return _sayer({language: spoken.sms for language, spoken in words.items()}, words, settings)


def letter_sayer(words: Mapping[str, Words], settings: Settings) -> Say:
    """The texts of e-mail, their subject in the first line, as `sayer` has those of SMS."""
    return _sayer({language: spoken.mail for language, spoken in words.items()}, words, settings)


def _sayer(texts: Mapping[str, Mapping[str, Template]], words: Mapping[str, Words], settings: Settings) -> Say:
    always = {
        "short_code": settings.ussd.service_codes[0],
        "sms_code": settings.sms.short_code,
        "phone": settings.helpdesk.phone,
        "track_key": plan_of(settings).key_of("track"),
    }

    def said(language: str, key: str, facts: Mapping[str, object]) -> str:
        return words[language].say(texts[language][key], {**always, **facts})

    return said


def code_limits(settings: Settings) -> CodeLimits:
    """How many codes are sent, and from when on it is looked at whether they are entered."""
    codes = settings.codes
    return CodeLimits(codes.prefix, codes.country, codes.countries, codes.daily, codes.watched, codes.entered)


def link_pages(words: Mapping[str, Words], settings: Settings) -> Pages:
    """The pages that a link may lead to instead, in every language that is offered."""
    facts = {"short_code": settings.ussd.service_codes[0], "sms_code": settings.sms.short_code}

    def texts(spoken: Words) -> LinkTexts:
        said = {name: spoken.say(template(spoken.common[f"link_{name}"]), facts) for name in LinkTexts.__annotations__}
        return LinkTexts(**said)

    offered: Mapping[str, LinkTexts] = {language: texts(words[language]) for language in settings.languages.offered}
    return Pages(offered, settings.languages.default, facts["short_code"])


def stores_of(settings: Settings) -> Mapping[Handset, str]:
    """Where each handset finds the app; in the browser, where it has no place of its own."""
    links = settings.links
    own: Mapping[Handset, str] = {"kaios": links.kaios, "android": links.android, "ios": links.ios, "other": links.web}
    return {handset: address or links.web for handset, address in own.items()}


def assumed(settings: Settings) -> Callable[[str], str]:
    """The language of a number that nothing is known of: its country's, where that is offered."""
    languages = settings.languages
    offered = {country: one for country, one in languages.by_country.items() if one in languages.offered}
    return by_country(offered, languages.default)


def rung_lines(settings: Settings, services: Services, conversations: Menus) -> Mapping[str, RungLine]:
    """What each of our numbers answers a missed call with."""

    async def call_back(number: str, _: str, effect: str) -> None:
        await conversations.menu(number, effect)

    answers: Mapping[Action, Answer] = {
        "download_link": services.downloads.send,
        "latest_status": services.applications.send_latest,
        "call_back_menu": call_back,
    }
    return {number: RungLine(action, answers[action]) for number, action in settings.missed_calls.numbers.items()}


def messages_of(settings: Settings, records: Records, seal: Sealing) -> Messages:
    """The messages on their way: counted in segments, and put off while it is night where they go."""
    nights = {whose: Quiet.read(written) for whose, written in settings.sms.quiet_hours.items()}
    return Messages(records, seal, segments=lambda text: counted(text).segments, opens=QuietHours(nights))


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


def calls_of(services: Services, settings: Settings) -> Calls:
    """Everything the journeys may ask of the services."""
    catalogue, accounts, applications = services.catalogue, services.accounts, services.applications
    zone = ZoneInfo(settings.countries.time_zone)

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
        send_links=services.downloads.send,
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
            accounts.registered_by,
            services.codes.send,
            services.codes.check,
            accounts.hash_secret,
            register,
            accounts.keep_questions,
        ),
        emailing=Emailing(services.emails.before, services.emails.give, services.emails.again, services.emails.remove),
        recovering=Recovering(
            accounts.questions, accounts.answer, accounts.change_pin, time_of_day, accounts.registered_by
        ),
        texted=_texted(services, settings, register),
        papers=papers_of(services.paperwork),
    )


def _texted(services: Services, settings: Settings, register: Register) -> Texted:
    """Everything that SMS keywords may ask of the services."""
    catalogue, complaints = services.catalogue, services.complaints

    def numbered(number: int) -> str | None:
        service = catalogue.numbered(number)
        return service.code if service else None

    async def complain(wrote: Wrote, effect: str) -> Complained:
        new = Complaint(wrote.number, wrote.text, wrote.language, wrote.channel, wrote.about)
        filed = await complaints.complain(new, effect)
        return Complained(filed.complaint_number, filed.about)

    async def suggest(wrote: Wrote, effect: str) -> None:
        await complaints.suggest(Suggestion(wrote.number, wrote.text, wrote.language, wrote.channel), effect)

    return Texted(
        find_status=services.applications.status,
        registered_by=services.accounts.registered_by,
        register=register,
        numbered=numbered,
        search=Search(catalogue),
        service=lambda code: catalogue.services[code],
        offered=lambda code, channel: channel in catalogue.services[code].channels,
        languages=settings.languages.offered,
        keep_language=services.accounts.choose_language,
        complain=complain,
        suggest=suggest,
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
