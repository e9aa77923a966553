"""The interface of a section: the tables of one subject, which it reads for an export and empties for a deletion."""

from collections.abc import Sequence
from typing import Protocol

from db.database import Transaction
from services.privacy.models import DataRecord, DataSubject


class DataSection(Protocol):
    """One section of a citizen's data. Every table with personal data belongs to one."""

    @property
    def name(self) -> str:
        """The key of the section in the locales' `[terms.held]`."""

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The records about this citizen, newest first."""

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete or anonymise within `transaction` what need not stay; `docs/privacy.md` has the list."""
