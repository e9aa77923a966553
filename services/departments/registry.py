"""The built-in registry: a department without a system of its own. Its officers use the staff console."""

from typing import Any

from sqlalchemy import Select, select

from db.database import Database
from db.tables import applications
from services.departments.models import Accepted, ApplicationStatus, OutgoingAnswer, OutgoingApplication, Rejected


class BuiltInRegistry:
    """The applications of one department, in the gateway's own database; nothing is delivered."""

    def __init__(self, database: Database, department: str) -> None:
        self._database = database
        self._department = department

    async def submit(self, application: OutgoingApplication) -> Accepted | Rejected:
        """Return the tracking number as the reference: the application is in the database already."""
        status = await self.fetch_status(application.tracking_number)
        return Accepted(application.tracking_number) if status else Rejected("another department's")

    async def send_answer(self, answer: OutgoingAnswer) -> Accepted | Rejected:
        """Return the id as the reference: the answer is in the database already."""
        status = await self.fetch_status(answer.tracking_number)
        return Accepted(answer.id) if status else Rejected("another department's")

    async def fetch_status(self, tracking_number: str) -> ApplicationStatus | None:
        """Return the status that the officers gave the application; None for an unknown number."""
        row = (await self._database.fetch(self._by_tracking_number(tracking_number))).one_or_none()
        return ApplicationStatus(row.status, row.note) if row else None

    async def check_health(self) -> None:
        """Return where the database answers."""
        await self._database.ping()

    def _by_tracking_number(self, tracking_number: str) -> Select[Any]:
        return select(applications.c.status, applications.c.note).where(
            applications.c.tracking_number == tracking_number, applications.c.department == self._department
        )
