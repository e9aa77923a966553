"""What a part of the records is asked of one citizen: what it holds, and to forget what it need not keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from services.records.database import Transaction


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose data it is: by the account's id, its number, its name, and its e-mail address where it has one."""

    account: int
    number: str = field(repr=False)
    name: str = field(repr=False)
    address: str = field(default="", repr=False)


class Item(NamedTuple):
    """One thing that is held: a label and a value, each with the way in which a page says it.

    The ways are those of the locales' placeholders, and `moment`; labels are keys of `[terms.about]` unless they say
    otherwise. A value that is nothing is left out.
    """

    label: str | Mapping[str, str]
    value: object
    way: str = "text"
    labelled: str = "about"


Record: TypeAlias = Sequence[Item]
"""What belongs together, such as one application."""


class Section(NamedTuple):
    """All records of one kind; `name` is a key of the locales' `[terms.held]`."""

    name: str
    records: Sequence[Record]


class Held(Protocol):
    """One part of the records."""

    @property
    def name(self) -> str:
        """The key of its section."""

    async def told(self, whose: Whose) -> Sequence[Record]:
        """What it holds of this citizen."""

    async def forget(self, transaction: Transaction, whose: Whose) -> None:
        """Within `transaction`, delete or empty what need not stay; `docs/privacy.md` says what does."""
