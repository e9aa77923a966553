"""The catalogue as the rest of the program sees it: departments, offices, sectors, services and their forms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, TypeVar, get_args

Texts: TypeAlias = Mapping[str, str]
"""Language (`en`, `bn`, `hi`, `bn_Latn`, `hi_Latn`) to text. The first three are always there."""
Channel: TypeAlias = Literal["ussd", "sms", "kaios", "web"]
Recipient: TypeAlias = Literal["citizen", "business", "organisation", "official"]
Kind: TypeAlias = Literal["text", "name", "number", "date", "choice", "identity", "phone"]

CHANNELS: tuple[str, ...] = get_args(Channel)
RECIPIENTS: tuple[str, ...] = get_args(Recipient)
KINDS: tuple[str, ...] = get_args(Kind)
PHONE_CHANNELS = frozenset({"ussd", "sms"})
"""The channels on which a form is filled in field by field, by numbers and words alone."""
CODE = r"^[a-z][a-z0-9_]{0,39}$"
"""What a service, sector, office, document, department, field or choice is called in files, records and links."""
DIGITS = "digits"
"""The scheme of an identity number that publishes no check digit: so many digits, and nothing else is known."""


Key = TypeVar("Key")


def say(texts: Texts, language: str) -> str:
    """The text in `language`, in English when it has not been given in that one."""
    return texts.get(language) or texts["en"]


class Choice(NamedTuple):
    """One of the answers that a choice field offers."""

    code: str
    names: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question of a service's form.

    `least` and `most` count characters (text, name), bound the value (number) or the year (date). A date may be
    held to the past or the future, and to so many days from today. `lengths` are the digits that an identity number
    may have, `region` the country (ISO 3166) whose telephone numbers may be typed without a country code. `profile` is
    the key under which the applicant's own answer is kept from one form to the next; see `services.catalogue.profile`.
    """

    name: str
    kind: Kind
    labels: Texts
    choices: tuple[Choice, ...] = ()
    scheme: str = ""
    lengths: tuple[int, ...] = ()
    least: int | None = None
    most: int | None = None
    when: Literal["any", "past", "future"] = "any"
    within_days: int | None = None
    region: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Something a citizen can apply for.

    `fee_minor` is in hundredths of `currency` (ISO 4217), 0 for free; `days` is the promised time, 0 for at once.
    `number` is typed on a keypad and never changes meaning. `document_codes` name the same papers as `documents`,
    position by position; services that ask for the same paper share its code. `for_others`: it can be applied for in
    another person's stead.
    """

    code: str
    names: Texts
    sector: str
    office: str
    department: str
    fee_minor: int
    currency: str
    days: int
    number: int
    channels: frozenset[str]
    documents: tuple[Texts, ...] = ()
    document_codes: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    recipients: frozenset[str] = frozenset({"citizen"})
    for_others: bool = True
    order: int = 0


@dataclass(frozen=True, slots=True)
class Sector:
    """A heading that services are listed under, such as tax or education."""

    code: str
    names: Texts


@dataclass(frozen=True, slots=True)
class Office:
    """Where an application is worked on."""

    code: str
    names: Texts
    department: str


class Officer(NamedTuple):
    """A post that answers complaints, and the days that it has for each before the next one is asked."""

    code: str
    names: Texts
    days: int


@dataclass(frozen=True, slots=True)
class Department:
    """The ministry or authority behind a file of the catalogue; `country` is ISO 3166, such as BD.

    `email` is where it reads what is thought of it, `officers` whom a complaint goes to, and to whom after that.
    `payments`: its fees can be paid here.
    """

    code: str
    names: Texts
    country: str
    email: str = ""
    officers: tuple[Officer, ...] = ()
    payments: bool = False


@dataclass(frozen=True, slots=True)
class Biller:
    """Whose bills can be paid: where (ISO 3166), in which currency, by which number of the consumer's, asked how.

    `adapter` is how it is asked for a bill: `http`, or `sandbox` for one that says samples.
    """

    code: str
    names: Texts
    country: str
    currency: str
    consumer: Field
    adapter: Literal["sandbox", "http"]


@dataclass(frozen=True)
class Catalogue:
    """Everything that is offered, by code. Sectors keep the order of the file, services that of their sector.

    What a menu asks on every key press is looked up, not searched: it costs the same for ten services and ten thousand.
    """

    services: Mapping[str, Service]
    sectors: Mapping[str, Sector]
    offices: Mapping[str, Office]
    departments: Mapping[str, Department]
    billers: Mapping[str, Biller] = field(default_factory=dict)

    def offered(self, channel: str) -> tuple[Service, ...]:
        """The services that can be done on `channel`, in order."""
        return self._by_channel.get(channel, ())

    def in_sector(self, code: str, channel: str | None = None) -> tuple[Service, ...]:
        """The services of a sector that can be done on `channel`, or all of them, in order."""
        return self._by_sector.get((code, channel), ())

    def sectors_offered(self, channel: str | None = None) -> tuple[Sector, ...]:
        """The sectors with a service that can be done on `channel`, or with any, in order."""
        return tuple(sector for sector in self.sectors.values() if (sector.code, channel) in self._by_sector)

    def numbered(self, number: int) -> Service | None:
        """The service that has this keypad number."""
        return self._by_number.get(number)

    @cached_property
    def papers(self) -> Mapping[str, Texts]:
        """Every paper that a service asks for, by its code."""
        return {
            code: texts
            for service in self.services.values()
            for code, texts in zip(service.document_codes, service.documents, strict=True)
        }

    @cached_property
    def in_order(self) -> tuple[Service, ...]:
        """All services, sector by sector."""
        place = {code: position for position, code in enumerate(self.sectors)}
        return tuple(sorted(self.services.values(), key=lambda it: (place[it.sector], it.order or it.number)))

    @cached_property
    def _by_channel(self) -> Mapping[str, tuple[Service, ...]]:
        return _grouped((channel, service) for service in self.in_order for channel in service.channels)

    @cached_property
    def _by_sector(self) -> Mapping[tuple[str, str | None], tuple[Service, ...]]:
        return _grouped(
            ((service.sector, channel), service) for service in self.in_order for channel in (None, *service.channels)
        )

    @cached_property
    def _by_number(self) -> Mapping[int, Service]:
        return {service.number: service for service in self.services.values()}


def _grouped(pairs: Iterable[tuple[Key, Service]]) -> Mapping[Key, tuple[Service, ...]]:
    groups: dict[Key, list[Service]] = {}
    for key, service in pairs:
        groups.setdefault(key, []).append(service)
    return {key: tuple(services) for key, services in groups.items()}
