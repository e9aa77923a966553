"""The catalogue as the rest of the program reads it: departments, offices, sectors, services and their forms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, TypeVar, get_args

from core.types import Translations

Channel: TypeAlias = Literal["ussd", "sms", "kaios", "web"]
Recipient: TypeAlias = Literal["citizen", "business", "organisation", "official"]
AppliedFor: TypeAlias = Literal["self", "another", "dependent"]
"""Whom an application is for: the applicant, another person with a number, or a child or somebody without a phone."""
FieldKind: TypeAlias = Literal["text", "name", "number", "date", "choice", "identity", "phone", "postcode"]

CHANNELS: tuple[str, ...] = get_args(Channel)
FIRST_YEAR, LAST_YEAR = 1850, 2200  # of dates that a form asks for
RECIPIENTS: tuple[str, ...] = get_args(Recipient)
FIELD_KINDS: tuple[str, ...] = get_args(FieldKind)
PHONE_CHANNELS = frozenset({"ussd", "sms"})
"""The channels on which a form is filled in one field at a time, with digits and words alone."""
CODE_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
"""The pattern of the codes of services, sectors, offices, documents, departments, fields and choices."""
DIGITS_SCHEME = "digits"
"""The scheme of identity numbers without a public check digit: only the number of digits is checked."""


Key = TypeVar("Key")


class NoLongerOfferedError(LookupError):
    """The current catalogue no longer has the service, centre or biller that a caller is about to use."""


def pick_translation(texts: Translations, language: str) -> str:
    """The text in `language`, or in English if it is missing in that language."""
    return texts.get(language) or texts["en"]


class Choice(NamedTuple):
    """One option of a choice field."""

    code: str
    names: Translations


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a form.

    `labels` is the question, `names` the short name beside an answer; it may be missing.
    `least` and `most` limit the length (text, name), the value (number) or the year (date). A date can be limited to the
    past or the future, and to a number of days from today. `lengths` are the allowed numbers of digits of an identity
    number. `region` is the country (ISO 3166) whose phone numbers need no country code. `profile` is the key under which
    the applicant's own answer is stored for later forms; see `services.catalogue.profile_fields`.
    """

    name: str
    kind: FieldKind
    labels: Translations
    names: Translations = field(default_factory=dict)
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
    """A service that a citizen can apply for.

    `fee_minor` is in hundredths of `currency` (ISO 4217), 0 if it is free; `days` is the promised time, 0 for at once.
    `number` is typed on a keypad and never gets another meaning. `document_codes` are the codes of `documents`, in the
    same order; services that require the same document share its code. `for_whom`: whom a citizen can apply for.
    """

    code: str
    names: Translations
    sector: str
    office: str
    department: str
    fee_minor: int
    currency: str
    days: int
    number: int
    channels: frozenset[str]
    documents: tuple[Translations, ...] = ()
    document_codes: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    recipients: frozenset[str] = frozenset({"citizen"})
    for_whom: tuple[AppliedFor, ...] = ("self", "another", "dependent")
    order: int = 0

    def has_form_on(self, channel: str) -> bool:
        """Whether citizens can fill in its form on `channel`; a service without fields has no form of ours."""
        return channel in self.channels and bool(self.fields)


@dataclass(frozen=True, slots=True)
class Sector:
    """A group of services, such as tax or education."""

    code: str
    names: Translations


@dataclass(frozen=True, slots=True)
class Office:
    """An office that processes applications."""

    code: str
    names: Translations
    department: str


class EscalationLevel(NamedTuple):
    """A level that answers complaints, within `answer_days` before the complaint goes to the next level."""

    code: str
    names: Translations
    answer_days: int


@dataclass(frozen=True, slots=True)
class Department:
    """The ministry or authority of a catalogue file; `country` is ISO 3166, such as BD.

    `email` receives feedback. A complaint goes through `escalation_levels` in order. `payments`: its fees can be paid here.
    `cash`: operators of village centres may take them in cash.
    """

    code: str
    names: Translations
    country: str
    email: str = ""
    escalation_levels: tuple[EscalationLevel, ...] = ()
    payments: bool = False
    cash: bool = False


@dataclass(frozen=True, slots=True)
class Biller:
    """A biller: its country (ISO 3166), its currency, and the field for the consumer number.

    `adapter` is how bills are looked up: `http`, or `sandbox` for sample bills.
    """

    code: str
    names: Translations
    country: str
    currency: str
    consumer: Field
    adapter: Literal["sandbox", "http"]


@dataclass(frozen=True)
class Catalogue:
    """The whole catalogue by code. Sectors have the order of their file, services that of their sector.

    A request from a menu is a lookup and not a search: it costs the same for ten services and ten thousand.
    """

    services: Mapping[str, Service]
    sectors: Mapping[str, Sector]
    offices: Mapping[str, Office]
    departments: Mapping[str, Department]
    billers: Mapping[str, Biller] = field(default_factory=dict)

    def services_on(self, channel: str) -> tuple[Service, ...]:
        """The services on `channel`, in order."""
        return self._by_channel.get(channel, ())

    def services_in_sector(self, code: str, channel: str | None = None) -> tuple[Service, ...]:
        """The services of a sector on `channel`, or on any channel, in order."""
        return self._by_sector.get((code, channel), ())

    def sectors_on(self, channel: str | None = None) -> tuple[Sector, ...]:
        """The sectors with a service on `channel`, or on any channel, in order."""
        return tuple(sector for sector in self.sectors.values() if (sector.code, channel) in self._by_sector)

    def service_by_number(self, number: int) -> Service | None:
        """The service with this keypad number."""
        return self._by_number.get(number)

    @cached_property
    def required_documents(self) -> Mapping[str, Translations]:
        """Every required document by its code."""
        return {
            code: texts
            for service in self.services.values()
            for code, texts in zip(service.document_codes, service.documents, strict=True)
        }

    @cached_property
    def ordered_services(self) -> tuple[Service, ...]:
        """All services, sector by sector."""
        sector_positions = {code: position for position, code in enumerate(self.sectors)}
        return tuple(
            sorted(
                self.services.values(),
                key=lambda service: (sector_positions[service.sector], service.order or service.number),
            )
        )

    @cached_property
    def _by_channel(self) -> Mapping[str, tuple[Service, ...]]:
        return _group((channel, service) for service in self.ordered_services for channel in service.channels)

    @cached_property
    def _by_sector(self) -> Mapping[tuple[str, str | None], tuple[Service, ...]]:
        return _group(
            ((service.sector, channel), service)
            for service in self.ordered_services
            for channel in (None, *service.channels)
        )

    @cached_property
    def _by_number(self) -> Mapping[int, Service]:
        return {service.number: service for service in self.services.values()}


def _group(pairs: Iterable[tuple[Key, Service]]) -> Mapping[Key, tuple[Service, ...]]:
    groups: dict[Key, list[Service]] = {}
    for key, service in pairs:
        groups.setdefault(key, []).append(service)
    return {key: tuple(services) for key, services in groups.items()}
