"""The built-in registry: a department without a system of its own, whose officers work on the staff console."""

from typing import Any

from sqlalchemy import Select, select

from services.departments.port import Application, Refused, Standing, Taken
from services.records.database import Records
from services.records.tables import applications


class Registry:
    """One department's applications, where they were recorded when they were handed in: nothing is delivered."""

    def __init__(self, records: Records, department: str) -> None:
        self._records = records
        self._department = department

    async def submit(self, application: Application) -> Taken | Refused:
        """It is there already, under its tracking number."""
        standing = await self.status(application.tracking_number)
        return Taken(application.tracking_number) if standing else Refused("another department's")

    async def status(self, tracking_number: str) -> Standing | None:
        """As the officers have moved it."""
        row = (await self._records.read(self._one(tracking_number))).one_or_none()
        return Standing(row.status, row.note) if row else None

    async def health(self) -> None:
        """It is there when the database is."""
        await self._records.answers()

    def _one(self, tracking_number: str) -> Select[Any]:
        return select(applications.c.status, applications.c.note).where(
            applications.c.tracking_number == tracking_number, applications.c.department == self._department
        )
