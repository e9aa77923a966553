"""Every column with a phone number, and what happens to it when the number is taken from its holder.

A number that a network gives to another person must not lead to anything of its former holder. Where the row stays, the
number in it is replaced by `#<account>`, which nothing sends to; with a new number of the holder it is replaced again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import Column, ColumnElement, Delete, String, Update, cast, delete, func, literal, null, update

from core.phone_numbers import DETACHED_PREFIX, detached_number
from db.tables import (
    applications,
    bills,
    callers,
    complaints,
    consents,
    contacts,
    document_holders,
    document_sign_ins,
    feedback,
    hidden_numbers,
    inbound_sms,
    messages,
    missed_calls,
    opt_outs,
    payments,
    pending_registrations,
    sandbox_prompts,
)

Fate: TypeAlias = Literal["detached", "deleted"]


class NumberColumn(NamedTuple):
    """A column with numbers. Rows whose `since` is before the number changed hands belong to its former holder."""

    column: Column[Any]
    since: Column[Any]
    fate: Fate = "detached"
    condition: ColumnElement[bool] | None = None
    """Only rows that meet it."""
    values: Mapping[str, Any] = {}
    """Other columns that change with it; `_NOW` stands for the time of the release."""


_NOW: Final = object()

NUMBER_COLUMNS: Final = (
    NumberColumn(callers.c.msisdn, callers.c.chosen_at, "deleted"),
    NumberColumn(contacts.c.msisdn, contacts.c.created_at, "deleted"),
    NumberColumn(opt_outs.c.msisdn, opt_outs.c.opted_out_at, "deleted"),
    NumberColumn(hidden_numbers.c.msisdn, hidden_numbers.c.linked_at, "deleted"),
    NumberColumn(missed_calls.c.msisdn, missed_calls.c.begun_at, "deleted"),
    NumberColumn(document_holders.c.msisdn, document_holders.c.linked_at, "deleted"),
    NumberColumn(pending_registrations.c.msisdn, pending_registrations.c.expires_at, "deleted"),
    NumberColumn(applications.c.msisdn, applications.c.created_at),
    NumberColumn(applications.c.beneficiary, applications.c.created_at),
    NumberColumn(complaints.c.msisdn, complaints.c.created_at),
    NumberColumn(feedback.c.msisdn, feedback.c.created_at),
    NumberColumn(bills.c.msisdn, bills.c.created_at),
    # A payment that is not pushed yet must not be asked of the next holder.
    NumberColumn(
        payments.c.payer,
        payments.c.created_at,
        condition=payments.c.status == "requested",
        values={"status": "failed", "reason": "NumberReleased", "due_at": null(), "ended_at": _NOW},
    ),
    NumberColumn(payments.c.payer, payments.c.created_at),
    NumberColumn(sandbox_prompts.c.payer, sandbox_prompts.c.requested_at),
    NumberColumn(
        consents.c.msisdn,
        consents.c.requested_at,
        condition=consents.c.ended_at.is_(None),
        values={"ended_at": _NOW, "ended_by": "lapsed"},
    ),
    NumberColumn(consents.c.msisdn, consents.c.requested_at),
    NumberColumn(
        document_sign_ins.c.msisdn,
        document_sign_ins.c.created_at,
        values={"state": null(), "granted": null(), "listed": null(), "ends_at": _NOW},
    ),
    NumberColumn(document_sign_ins.c.code_to, document_sign_ins.c.created_at),
    # An SMS that waits for its answer came a moment ago, from whoever holds the phone.
    NumberColumn(
        inbound_sms.c.msisdn,
        inbound_sms.c.received_at,
        condition=inbound_sms.c.state == "done",
        values={"digest": ""},
    ),
    NumberColumn(
        messages.c.recipient,
        messages.c.created_at,
        condition=messages.c.status.in_(("queued", "unknown")),
        values={"status": "failed", "error": "NumberReleased", "text": null(), "updated_at": _NOW},
    ),
    NumberColumn(messages.c.recipient, messages.c.created_at),
)
"""In the order in which they change. Accounts and operators, whose names are encrypted under the number, are not among them."""


def detach_statement(rule: NumberColumn, msisdn: str, account: int, before: datetime, now: datetime) -> Update | Delete:
    """Take the number from the rows from before it changed hands.

    The owner of a row is its own account, which can be a closed one; else `account`; 0 stands for nobody's.
    """
    table = rule.column.table
    conditions = [rule.column == msisdn, rule.since < before]
    if rule.condition is not None:
        conditions.append(rule.condition)
    if rule.fate == "deleted":
        return delete(table).where(*conditions)
    other = {name: now if value is _NOW else value for name, value in rule.values.items()}
    return update(table).where(*conditions).values({rule.column.name: _owner(rule, account), **other})


def attach_statement(rule: NumberColumn, account: int, msisdn: str) -> Update:
    """Give the rows of a released account its new number."""
    return update(rule.column.table).where(rule.column == detached_number(account)).values({rule.column.name: msisdn})


def _owner(rule: NumberColumn, account: int) -> ColumnElement[str] | str:
    """`#<account>`. A beneficiary is not the account of the application."""
    columns = rule.column.table.c
    if "account" not in columns or rule.column is applications.c.beneficiary:
        return detached_number(account)
    return literal(DETACHED_PREFIX, String).concat(cast(func.coalesce(columns.account, account), String))
