"""The names of the people behind an application: the applicant, and the operator who acted for them. They are encrypted."""

from collections.abc import Collection, Mapping

from sqlalchemy import select

from core.crypto import Cipher
from db.database import Database
from db.tables import accounts, operators
from services.applications.models import ApplicationOperator
from services.assisted.operators import decrypt_operator_name
from services.citizens.pending_registrations import account_associated_data


class PeopleNames:
    """Reads names for departments, which have to know whom they serve and who wrote for them."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    async def find_applicants(self, ids: Collection[int]) -> Mapping[int, str]:
        """The name of each of these accounts' holders; a closed account has none."""
        query = select(accounts.c.id, accounts.c.msisdn, accounts.c.name).where(accounts.c.id.in_(set(ids)))
        rows = [row for row in await self._database.fetch(query) if row.name]
        return {row.id: self._cipher.decrypt(row.name, account_associated_data(row.msisdn)).decode() for row in rows}

    async def find_operators(self, ids: Collection[int | None]) -> Mapping[int, ApplicationOperator]:
        """Each of these operators; retention may have removed one."""
        wanted = {one for one in ids if one is not None}
        if not wanted:
            return {}
        columns = (operators.c.id, operators.c.msisdn.label("operator_msisdn"), operators.c.name, operators.c.centre)
        rows = await self._database.fetch(select(*columns).where(operators.c.id.in_(wanted)))
        return {
            row.id: ApplicationOperator(row.id, decrypt_operator_name(self._cipher, row), row.centre) for row in rows
        }
