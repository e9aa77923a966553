"""The lists of what is known of a citizen: for each, the columns and the rows of one citizen, newest first.

Each reads one index from its end, so a citizen with a million messages is found as fast as one with three.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select, union

from db.tables import (
    ACCOUNT_CHANGE,
    account_events,
    accounts,
    applications,
    audit,
    callers,
    complaints,
    consents,
    contacts,
    drafts,
    emails,
    messages,
    operators,
    opt_outs,
    payments,
    pending_registrations,
    security_answers,
)
from services.helpdesk.models import Citizen
from services.payments.fees import FEE_COLUMNS

MAX_COUNTED: Final = 1000
"""Further rows of a list are counted up to this number, so that a count costs no more than a page."""
SIGN_IN_KINDS: Final = ("pin", "answers")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The rows of one list, without an order, and the columns that order them."""

    rows: Select[Any]
    order: Sequence[ColumnElement[Any]]

    def select_newest(self, count: int) -> Select[Any]:
        """The newest `count` rows and one more, which says whether there are more."""
        return self.rows.order_by(*(column.desc() for column in self.order)).limit(count + 1)

    def select_count(self) -> Select[Any]:
        """The number of rows, up to MAX_COUNTED."""
        some = self.rows.with_only_columns(self.order[-1], maintain_column_froms=True).limit(MAX_COUNTED)
        return select(func.count()).select_from(some.subquery())


def list_applications(citizen: Citizen) -> ListQuery:
    """The applications of the account."""
    rows = select(applications, *FEE_COLUMNS).where(applications.c.account == citizen.account)
    return ListQuery(rows, (applications.c.id,))


def list_applications_by_others(citizen: Citizen) -> ListQuery:
    """The applications that somebody else made for the number."""
    rows = select(applications, *FEE_COLUMNS).where(applications.c.beneficiary == citizen.msisdn)
    return ListQuery(rows, (applications.c.id,))


def list_complaints(citizen: Citizen) -> ListQuery:
    """The complaints from the number."""
    return ListQuery(select(complaints).where(complaints.c.msisdn == citizen.msisdn), (complaints.c.id,))


def list_messages(addresses: Sequence[str], before: int = 0) -> ListQuery:
    """The messages to these numbers and e-mail addresses; with `before` those with a smaller id."""
    earlier = [messages.c.id < before] if before else []
    rows = select(messages).where(messages.c.recipient.in_(addresses), *earlier)
    return ListQuery(rows, (messages.c.id,))


def select_message(message: int, addresses: Sequence[str]) -> Select[Any]:
    """The id of the message, if it is to one of these numbers and e-mail addresses."""
    return select(messages.c.id).where(messages.c.id == message, messages.c.recipient.in_(addresses))


def list_payments(citizen: Citizen) -> ListQuery:
    """The payments from the number, and those of the account: the newest MAX_COUNTED of each, from its index."""
    newest = (payments.c.created_at.desc(), payments.c.id.desc())
    from_number = select(payments.c.id).where(payments.c.payer == citizen.msisdn).order_by(*newest)
    of_account = select(payments.c.id).where(payments.c.account == citizen.account).order_by(payments.c.id.desc())
    ids = union(*(one.limit(MAX_COUNTED).subquery().select() for one in (from_number, of_account)))
    rows = select(payments).where(payments.c.id.in_(ids))
    return ListQuery(rows, (payments.c.id,))


def list_consents(citizen: Citizen) -> ListQuery:
    """The consents of the number, with the operators."""
    operator = (operators.c.name, operators.c.msisdn.label("operator_msisdn"), operators.c.centre)
    rows = select(consents, *operator).join(operators, operators.c.id == consents.c.operator)
    return ListQuery(rows.where(consents.c.msisdn == citizen.msisdn), (consents.c.requested_at, consents.c.id))


def list_drafts(citizen: Citizen) -> ListQuery:
    """The unfinished forms of the account."""
    rows = select(drafts).where(drafts.c.account == citizen.account, drafts.c.ended_by.is_(None))
    return ListQuery(rows, (drafts.c.begun, drafts.c.idempotency_key))


def list_sign_ins(citizen: Citizen) -> ListQuery:
    """The attempts to sign in to the account."""
    kinds = account_events.c.kind.in_(SIGN_IN_KINDS)
    rows = select(account_events).where(account_events.c.account == citizen.account, kinds)
    return ListQuery(rows, (account_events.c.id,))


def list_acts(citizen: Citizen) -> ListQuery:
    """What was done with the account itself; looks at it changed nothing, and would crowd out the others."""
    return ListQuery(select(audit).where(ACCOUNT_CHANGE, audit.c.subject == str(citizen.account)), (audit.c.id,))


def select_account(account: int) -> Select[Any]:
    """The account, with its number of security questions, the verified e-mail address, and the operator of its number."""
    counts = {
        "questions": (security_answers.c.account == accounts.c.id,),
        "emails": (emails.c.account == accounts.c.id, emails.c.verified_at.is_not(None)),
        "operators": (operators.c.msisdn == accounts.c.msisdn,),
    }
    columns = [
        select(func.count()).where(*conditions).correlate(accounts).scalar_subquery().label(name)
        for name, conditions in counts.items()
    ]
    return select(accounts, *columns).where(accounts.c.id == account)


def select_number_facts(msisdn: str) -> Select[Any]:
    """What is known of a number itself: its language, its opt-out, and until when a registration waits for its PIN."""
    language = select(callers.c.language).where(callers.c.msisdn == msisdn).scalar_subquery()
    assumed = select(contacts.c.language).where(contacts.c.msisdn == msisdn).scalar_subquery()
    out = select(opt_outs.c.opted_out_at).where(opt_outs.c.msisdn == msisdn, opt_outs.c.opted_in_at.is_(None))
    registration = select(pending_registrations.c.expires_at).where(pending_registrations.c.msisdn == msisdn)
    return select(
        func.coalesce(language, assumed, "").label("language"),
        out.scalar_subquery().label("opted_out_at"),
        registration.scalar_subquery().label("registration_until"),
    )


def select_email(account: int) -> Select[Any]:
    """The e-mail address of the account."""
    return select(emails.c.address).where(emails.c.account == account)
