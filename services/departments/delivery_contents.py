"""What is delivered to a department's own system: an application or an answer of its applicant, decrypted, with names."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Row

from core.crypto import Cipher
from db.database import Database
from services.applications.models import ApplicationOperator, answer_associated_data, form_associated_data
from services.applications.people import PeopleNames
from services.departments.models import Applicant, Fee, OutgoingAnswer, OutgoingApplication, RequiredDocument
from services.payments.models import FeeState

DocumentCodes: TypeAlias = Callable[[str], Sequence[str]]
"""The code of a service to the codes of the documents it requires."""
FeeStateLookup: TypeAlias = Callable[[str], Awaitable[FeeState]]
"""A tracking number to the state of the application's fee."""


async def fee_always_due(_: str) -> FeeState:
    """Return `due`: the state of every fee where nothing can be paid."""
    return "due"


class People(NamedTuple):
    """The names of applicants by account, and the operators by id."""

    applicants: Mapping[int, str]
    operators: Mapping[int, ApplicationOperator]


class DeliveryContents:
    """Builds what the connector sends, from the rows of applications and answers."""

    def __init__(
        self, database: Database, cipher: Cipher, *, document_codes: DocumentCodes, fee_state: FeeStateLookup
    ) -> None:
        self._cipher = cipher
        self._people = PeopleNames(database, cipher)
        self._document_codes = document_codes
        self._fee_state = fee_state

    async def find_people(self, found: Sequence[Row[Any]], answers: Sequence[Row[Any]]) -> People:
        """The people of these rows of applications and of answers."""
        applicants = await self._people.find_applicants([row.account for row in found]) if found else {}
        return People(applicants, await self._people.find_operators([row.operator for row in (*found, *answers)]))

    def build_answer(self, tracking_number: str, row: Row[Any], people: People) -> OutgoingAnswer:
        """The answer of a row. Raises `DecryptionError` if another key encrypted it."""
        return OutgoingAnswer(
            id=f"answer_{row.id}",
            tracking_number=tracking_number,
            text=self._cipher.decrypt(row.text, answer_associated_data(row.idempotency_key)).decode(),
            answered_at=row.created_at,
            channel=row.channel,
            operator=people.operators.get(row.operator),
        )

    async def build_application(self, row: Row[Any], people: People) -> OutgoingApplication:
        """The application of a row. Raises `DecryptionError` if another key encrypted it."""
        form = json.loads(self._cipher.decrypt(row.form, form_associated_data(row.tracking_number)))
        return OutgoingApplication(
            tracking_number=row.tracking_number,
            service=row.service,
            office=row.office,
            form=form,
            applicant=Applicant(row.msisdn, row.language, row.channel, people.applicants.get(row.account, "")),
            beneficiary=row.beneficiary or "",
            applied_for=row.applied_for,
            documents=tuple(RequiredDocument(code, code in row.on_file) for code in self._document_codes(row.service)),
            fee=await self._build_fee(row),
            promised_on=row.promised,
            submitted_at=row.created_at,
            operator=people.operators.get(row.operator),
        )

    async def _build_fee(self, row: Row[Any]) -> Fee:
        return Fee(row.fee_minor, row.currency, await self._fee_state(row.tracking_number) if row.fee_minor else "none")
