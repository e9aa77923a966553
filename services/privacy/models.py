"""Values of a citizen's own data: the request for it, and the export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias

from services.audit.models import Actor


@dataclass(frozen=True, slots=True)
class DataRequest:
    """A citizen's request for their data or for its deletion, in the language and over the channel of the session."""

    account: int
    msisdn: str = field(repr=False)
    language: str
    channel: str
    idempotency_key: str
    by: Actor | None = None
    """Who asks for it, if that is not the citizen."""


@dataclass(frozen=True, slots=True)
class DataSubject:
    """The citizen that data is about. `email` is empty where the account has no address."""

    account: int
    msisdn: str = field(repr=False)
    name: str = field(repr=False)
    email: str = field(default="", repr=False)


class DataItem(NamedTuple):
    """One stored fact: a label and a value, each with the name of the formatter that renders it.

    Formatters are those of the locales' placeholders, and `moment`. A label is a key of the locales' table
    `[terms.<label_formatter>]`. An item whose value is None or empty is not shown.
    """

    label: str | Mapping[str, str]
    value: object
    formatter: str = "text"
    label_formatter: str = "about"


DataRecord: TypeAlias = Sequence[DataItem]
"""The items of one record, such as one application."""


class SectionContent(NamedTuple):
    """All records of one section; `name` is a key of the locales' `[terms.held]`."""

    name: str
    records: Sequence[DataRecord]


@dataclass(frozen=True, slots=True)
class DataExport:
    """All data about a citizen at the moment `created_at`, without empty sections."""

    subject: DataSubject
    language: str
    created_at: datetime
    sections: Sequence[SectionContent] = field(repr=False)


class PinVerification(NamedTuple):
    """The result of a PIN typed on the page of a link: right; or wrong, with the tries left or the end of the lock-out."""

    is_right: bool
    msisdn: str
    tries_left: int = 0
    locked_until: datetime | None = None


def build_link_subject(account: int, language: str) -> str:
    """The subject of a link to the data of an account."""
    return f"{account} {language}"


def account_of_subject(link_subject: str) -> int:
    """The account that a link is about."""
    return int(link_subject.partition(" ")[0])


def language_of_subject(link_subject: str) -> str:
    """The language of the session that asked for a link."""
    return link_subject.partition(" ")[2]
