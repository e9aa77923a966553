"""Everything that applying asks of the services: the form, the profile beside it, drafts, and handing it in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from assembly.catalogue import service_of
from assembly.countries import calendar, served
from assembly.departments import waiting_of
from assembly.forms import FormField, fields_of, submission_of
from assembly.services import Services
from menus.journeys.apply import Applying, Papers, Wanted
from menus.journeys.forms import About, Begun, Drafting, Filling, Known
from menus.journeys.sign_in import existed
from menus.model import Accepted, Refused
from services.applications import Draft, Receipt
from services.catalogue.model import Field, Service
from services.catalogue.shelf import Shelf
from services.profiles import Profiles
from settings import Settings

MOBILE: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


def applying_of(services: Services, settings: Settings, time_of_day: Callable[[datetime, str], str]) -> Applying:
    """The calls that the journey makes."""
    shelf, profiles = services.shelf, services.profiles

    async def differing(account: int, code: str, form: Mapping[str, str]) -> Sequence[str]:
        asked = [field for field in _identities(service_of(shelf, code)) if form.get(field.name)]
        hinted = [field for field in asked if await profiles.hint(account, field.profile)]
        return [it.name for it in hinted if not await profiles.matches(account, it.profile, form[it.name])]

    async def papers(account: int, code: str) -> Papers:
        on_file, wanted = await profiles.documents(account) if account else (), service_of(shelf, code).document_codes
        return Papers([it for it in wanted if it in on_file], [it for it in wanted if it not in on_file])

    async def submit(wanted: Wanted, effect: str) -> Receipt:
        needed = await papers(0 if wanted.beneficiary else wanted.account, wanted.service)
        language = await services.registrants.language(wanted.number) if wanted.assisted else wanted.language
        payable = services.cash.fees.payable(wanted.service, wanted.number)
        submission = submission_of(shelf, wanted._replace(language=language), needed, payable=payable)
        return await services.applications.submit(submission, wanted.draft, effect)

    return Applying(
        filling=_filling(services, settings),
        service=lambda code: service_of(shelf, code),
        differing=differing,
        papers=papers,
        payable=services.cash.fees.payable,
        try_pin=services.accounts.sign_in,
        time_of_day=time_of_day,
        submit=submit,
        delivery=waiting_of(services.deliveries),
    )


def _filling(services: Services, settings: Settings) -> Filling:
    drafts, shelf = services.drafts, services.shelf

    async def keep(begun: Begun) -> None:
        await drafts.keep(Draft(*begun))

    return Filling(
        fields=fields_of(shelf),
        for_others=lambda code: service_of(shelf, code).for_others,
        other_number=other_number(served(settings.countries.allowed)),
        about=_about(shelf, services.profiles, calendar(settings)),
        drafts=Drafting(drafts.found, keep, drafts.take_up, drafts.set_aside),
    )


def other_number(is_served: Callable[[str], bool]) -> Callable[[str, str], str | Refused]:
    """What somebody means by another person's number: as it is dialled in the country of their own, or with a plus."""

    def meant(caller: str, typed: str) -> str | Refused:
        try:
            home = phonenumbers.region_code_for_number(phonenumbers.parse(caller))
            parsed = phonenumbers.parse(typed, home)
        except phonenumbers.NumberParseException:
            return Refused("not_a_phone")
        number = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
        if not phonenumbers.is_valid_number(parsed) or phonenumbers.number_type(parsed) not in MOBILE:
            return Refused("not_a_mobile")
        if number == caller:
            return Refused("own_number")
        return number if is_served(number) else Refused("not_served")

    return meant


def _about(shelf: Shelf, profiles: Profiles, today: Callable[[], date]) -> Callable[[int, str, str], Awaitable[About]]:
    async def about(account: int, code: str, effect: str) -> About:
        service = service_of(shelf, code)
        kept = await profiles.known(account, lambda other: existed(other, effect))
        fits = [field for field in service.fields if _fits(field, kept.get(field.profile), today())]
        hints = {field.name: await profiles.hint(account, field.profile) for field in _identities(service)}
        known = [Known(field.name, field.profile, kept[field.profile]) for field in fits]
        return About(known, {name: hint for name, hint in hints.items() if hint})

    return about


def _identities(service: Service) -> Sequence[Field]:
    """The fields that ask for a number of which the profile may know the last digits."""
    return [field for field in service.fields if field.kind == "identity" and field.profile]


def _fits(field: Field, value: str | None, today: date) -> bool:
    """Whether what a profile has answers this field as it is asked here."""
    if not value or field.kind == "identity":
        return False
    return FormField(field).check(value, today) == Accepted(value)
