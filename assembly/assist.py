"""Assisted mode put together: who is enrolled, what citizens consent to, and what the menus may ask of both."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import phonenumbers

from assembly.now_and_then import Chore, now_and_then
from menus.journeys.assist import Assisting, Enrolled, Wish
from menus.model import Accepted, Refused
from services.accounts import Accounts, NewAccount, NumberTaken
from services.audit import By
from services.audit import acting as on_record
from services.catalogue.model import say
from services.catalogue.shelf import Shelf
from services.codes import Codes
from services.consent_limits import Limits
from services.consents import Consents
from services.consents import Wish as Asking
from services.given import Say, Sealing
from services.messages import Messages
from services.operators import Operators, SignIn
from services.pins import Pins
from services.records.database import Records
from services.visits import Visits
from settings import Operators as OperatorSettings

EVERY: Final = 60.0  # seconds between two looks for visits whose time is over


@dataclass(frozen=True, slots=True)
class Behind:
    """What assisted mode stands on."""

    records: Records
    messages: Messages
    codes: Codes
    pins: Pins
    seal: Sealing
    say: Say
    language_of: Callable[[str], Awaitable[str]]
    shelf: Shelf


@dataclass(frozen=True, slots=True)
class Assistance:
    """Operators, and the consents under which they act."""

    operators: Operators
    consents: Consents


def assistance_of(settings: OperatorSettings, behind: Behind) -> Assistance:
    """All of it."""
    kept = (behind.records, behind.messages)
    consents = Consents(
        *kept,
        behind.codes,
        Visits(behind.seal, behind.say, lambda code, language: _called(behind.shelf, code, language)),
        language_of=behind.language_of,
        limits=Limits(settings.consents_a_day, settings.applications_a_day, settings.wrong_codes_a_day),
    )
    return Assistance(Operators(*kept, behind.pins, behind.seal, behind.say), consents)


def assisting_of(
    assistance: Assistance,
    accounts: Accounts,
    served: Callable[[str], bool],
    time_of_day: Callable[[datetime, str], str],
) -> Assisting:
    """What the menus may ask."""
    operators, consents = assistance.operators, assistance.consents

    async def enrolled(number: str) -> Enrolled:
        operator = await operators.of_number(number)
        if operator is None:
            return "unknown"
        return "suspended" if operator.suspended else "known"

    async def sign_in(number: str, pin: str, effect: str) -> SignIn:
        tried = await operators.sign_in(number, pin, effect)
        if tried.operator:
            await consents.sign_in(tried.operator, effect)
        return tried

    async def over(consent: int, effect: str) -> str:
        return await consents.over(consent, effect) or ""

    return Assisting(
        enrolled=enrolled,
        sign_in=sign_in,
        choose_pin=operators.choose_pin,
        reach=lambda typed, own: reached(typed, own, served),
        ask=lambda wish, effect: consents.ask(_asked(wish), effect),
        check=consents.check,
        register=_registering(consents, accounts),
        end=consents.end,
        over=over,
        acting=acting,
        time_of_day=time_of_day,
    )


def reached(typed: str, own: str, served: Callable[[str], bool]) -> Accepted | Refused:
    """The number that was typed, as E.164; without a country's code it is one of the operator's own country."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(own))
        parsed = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException:
        return Refused("not_a_phone")
    if not phonenumbers.is_valid_number(parsed):
        return Refused("not_a_phone")
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if number == own:
        return Refused("own_number")
    return Accepted(number) if served(number) else Refused("not_served")


def acting(operator: int, account: int, consent: int) -> AbstractContextManager[None]:
    """Within it, what is done is on the record as this operator's, for this citizen."""
    return on_record(By(operator, account, consent))


@asynccontextmanager
async def lapsing(consents: Consents) -> AsyncIterator[None]:
    """Ends visits whose time is over, for as long as the block lasts, so that citizens are told of them."""
    async with now_and_then(EVERY, Chore(consents.sweep, "visits whose time is over could not be ended")):
        yield


def _called(shelf: Shelf, code: str, language: str) -> str:
    """What a centre is called; one that was taken out of the catalogue by its code."""
    centre = shelf.centres.by_code.get(code)
    return say(centre.names, language) if centre else code


def _asked(wish: Wish) -> Asking:
    return Asking(wish.operator, wish.number, wish.purpose, wish.channel)


def _registering(consents: Consents, accounts: Accounts) -> Callable[[int, str, str], Awaitable[int]]:
    async def register(consent: int, name: str, effect: str) -> int:
        """With a PIN of ours, which goes to the citizen's own phone; security questions are theirs to choose."""
        number, language = await consents.of_whom(consent)
        with suppress(NumberTaken):  # they registered themselves at this very moment
            await accounts.register(NewAccount(number, name, language, "", ()), effect)
        return await consents.registered(consent)

    return register
