"""Read what a citizen is looked up by, and find whom it leads to."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Select, literal, null, select, union_all
from stdnum import damm

from core.phone_numbers import PhoneNumberError, parse_msisdn
from core.reference_numbers import TRACKING_NUMBER_DIGITS
from core.typed_numbers import read_digits
from db.database import Database
from db.tables import accounts, applications, complaints, feedback, payments
from services.helpdesk.models import Citizen, Reference

MAX_PAYMENT_DIGITS: Final = 9
"""More digits are a phone number without its plus."""
_match_receipt: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]{6,40}").fullmatch


def parse_reference(text: str) -> Reference | None:
    """A phone number with a plus, the number of an application, complaint or feedback, or the id or receipt of a payment.

    None where it is none of them; a number of twelve digits with a wrong check digit is none.
    """
    try:
        return Reference("number", parse_msisdn(text))
    except PhoneNumberError:
        return _parse_other(text.strip())


def _parse_other(text: str) -> Reference | None:
    digits = read_digits(text)
    if len(digits) == TRACKING_NUMBER_DIGITS and damm.is_valid(digits):
        return Reference("case", digits)
    if text.isdecimal() and 1 <= len(text) <= MAX_PAYMENT_DIGITS and int(text):
        return Reference("payment", str(int(text)))
    return Reference("receipt", text) if _match_receipt(text) else None


async def find_citizen(database: Database, reference: Reference) -> Citizen | None:
    """Whom the reference leads to; None for an unknown case or payment. A number always leads to itself."""
    if reference.kind == "number":
        citizen = Citizen("number", reference.value, reference.value, 0)
    else:
        row = (await database.fetch(_QUERIES[reference.kind](reference.value))).first()
        if row is None:
            return None
        citizen = Citizen(row.found_by, str(row.reference), row.msisdn, row.account or 0)
    return await _find_account(database, citizen)


async def _find_account(database: Database, citizen: Citizen) -> Citizen:
    """The citizen with the account of the number where none is named, and with the number of the account where one is."""
    columns = select(accounts.c.id, accounts.c.msisdn)
    if citizen.account:
        query = columns.where(accounts.c.id == citizen.account)
    else:
        query = columns.where(accounts.c.msisdn == citizen.msisdn, accounts.c.closed_at.is_(None))
    row = (await database.fetch(query)).one_or_none()
    if row is None:
        return citizen
    return Citizen(citizen.found_by, citizen.reference, row.msisdn, row.id)


def _case_query(number: str) -> Any:
    of_application = select(
        literal("application").label("found_by"),
        applications.c.tracking_number.label("reference"),
        applications.c.msisdn.label("msisdn"),
        applications.c.account.label("account"),
    ).where(applications.c.tracking_number == number)
    others = (
        select(literal(kind), column, column.table.c.msisdn, null()).where(column == number)
        for kind, column in (("complaint", complaints.c.complaint_number), ("feedback", feedback.c.feedback_number))
    )
    return union_all(of_application, *others)


def _payment_query(*conditions: Any) -> Select[Any]:
    columns = (payments.c.id.label("reference"), payments.c.payer.label("msisdn"), payments.c.account)
    return select(literal("payment").label("found_by"), *columns).where(*conditions).order_by(payments.c.id.desc())


_QUERIES: Final[Mapping[str, Callable[[str], Any]]] = {
    "case": _case_query,
    "payment": lambda payment: _payment_query(payments.c.id == int(payment)),
    "receipt": lambda receipt: _payment_query(payments.c.receipt.in_({receipt, receipt.upper()})).limit(1),
}
