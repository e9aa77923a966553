"""How long each table keeps its rows, and what ends them. Every table is named here; a test counts them.

A rule ends rows by deleting them, or by emptying the columns that are personal. A table without a rule either goes with the
rows of another table, or says why its rows stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Table, TextClause, and_, case, exists, func, or_, select, true

from db.tables import (
    SUPERSEDED,
    UNKNOWN,
    UNMATCHED,
    account_events,
    accounts,
    applications,
    bills,
    callers,
    complaints,
    consent_checks,
    consents,
    contacts,
    delivery_reports,
    department_events,
    document_holders,
    document_sign_ins,
    documents,
    drafts,
    email_events,
    feedback,
    hidden_numbers,
    inbound_parts,
    inbound_sms,
    links,
    messages,
    missed_calls,
    monthly_screen_moves,
    number_releases,
    open_calls,
    operator_events,
    operators,
    opt_outs,
    payment_reports,
    payments,
    pending_registrations,
    profile_facts,
    sandbox_prompts,
    screen_moves,
    staff,
    staff_sessions,
    unparsed_webhooks,
)


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Rows of `table` that meet `condition` end when their `timestamp` is older than the setting `retention.<period>`.

    Without `period` they end at the timestamp itself. With `values` a row is updated, and does not meet the condition any
    more; without, it is deleted. `created` is the time of the insertion, where keys grow with it: the walk through the table
    ends at the first row that is too young. `among` is the condition of a partial index: the walk visits its rows alone.
    """

    name: str
    table: Table
    timestamp: Column[Any]
    period: str = ""
    condition: ColumnElement[bool] = field(default_factory=true)
    values: Mapping[str, Any] | None = None
    created: Column[Any] | None = None
    among: TextClause | None = None


def _is_not_newest(table: Table) -> ColumnElement[bool]:
    """The newest row stays until there is a newer one: SQLite would use its id again, and the audit log names it."""
    others = table.alias()
    return table.c.id < select(func.max(others.c.id)).scalar_subquery()


def _has_newer_address_change() -> ColumnElement[bool]:
    """Another change of the account's e-mail address came later; the last one tells what the account has."""
    newer = email_events.alias()
    is_change = (newer.c.kind != "again", newer.c.outcome.in_(("sent", "done")))
    return exists().where(newer.c.account == email_events.c.account, newer.c.id > email_events.c.id, *is_change)


_has_account = exists().where(accounts.c.msisdn == callers.c.msisdn)
_has_contact_account = exists().where(accounts.c.msisdn == contacts.c.msisdn)
_has_complaint = exists().where(complaints.c.application == applications.c.id)
_has_consent = exists().where(consents.c.operator == operators.c.id)
_has_payment = exists().where(payments.c.bill == bills.c.id)
_is_active_consent = consents.c.given_at.is_not(None) & consents.c.ended_at.is_(None)
_is_address_change = (email_events.c.kind != "again") & email_events.c.outcome.in_(("sent", "done"))
_is_paid_bill = bills.c.posting.is_not(None) | _has_payment
_sign_in_secrets = ("state", "granted", "listed")
_posting_at_the_end = case((bills.c.posting.in_(("due", "posting")), "refused"), else_=bills.c.posting)

RETENTION_RULES: Final = (
    RetentionRule(
        "screen_moves", screen_moves, screen_moves.c.begins_at, "menu_counts", created=screen_moves.c.begins_at
    ),
    RetentionRule(
        "monthly_screen_moves",
        monthly_screen_moves,
        monthly_screen_moves.c.begins_at,
        "monthly_menu_counts",
        created=monthly_screen_moves.c.begins_at,
    ),
    RetentionRule(
        "inbound_sms",
        inbound_sms,
        inbound_sms.c.done_at,
        "inbound_sms",
        inbound_sms.c.state == "done",
        created=inbound_sms.c.received_at,
    ),
    RetentionRule(
        "inbound_parts",
        inbound_parts,
        inbound_parts.c.received_at,
        "inbound_sms",
        created=inbound_parts.c.received_at,
    ),
    RetentionRule(
        "messages",
        messages,
        messages.c.updated_at,
        "messages",
        messages.c.status.in_(("sent", "failed")),
        created=messages.c.created_at,
    ),
    RetentionRule(
        "unknown_messages",
        messages,
        messages.c.updated_at,
        "unknown_messages",
        created=messages.c.created_at,
        among=UNKNOWN,
    ),
    RetentionRule(
        "unmatched_reports",
        delivery_reports,
        delivery_reports.c.received_at,
        "unmatched_reports",
        among=UNMATCHED,
    ),
    RetentionRule(
        "unparsed_webhooks",
        unparsed_webhooks,
        unparsed_webhooks.c.received_at,
        "unparsed_webhooks",
        created=unparsed_webhooks.c.received_at,
    ),
    RetentionRule("links", links, links.c.expires_at, "links"),
    RetentionRule("missed_calls", missed_calls, missed_calls.c.begun_at, "missed_calls"),
    # With an account, the language ends with it.
    RetentionRule("callers", callers, callers.c.chosen_at, "callers", ~_has_account),
    # Even of an account: a network gives a number, and what it calls its holder, to somebody else one day.
    RetentionRule("hidden_numbers", hidden_numbers, hidden_numbers.c.linked_at, "callers"),
    RetentionRule(
        "contacts", contacts, contacts.c.created_at, "callers", ~(contacts.c.latin_letters & _has_contact_account)
    ),
    RetentionRule(
        "number_releases",
        number_releases,
        number_releases.c.created_at,
        "released_numbers",
        created=number_releases.c.created_at,
    ),
    RetentionRule("open_calls", open_calls, open_calls.c.expires_at),
    # An attempt can be repeated within its session, a day at most, and is examined after a complaint. The event of a
    # registration stays as long as the account.
    RetentionRule(
        "account_events",
        account_events,
        account_events.c.created_at,
        "attempts",
        account_events.c.kind != "registered",
        created=account_events.c.created_at,
    ),
    RetentionRule(
        "operator_events",
        operator_events,
        operator_events.c.created_at,
        "attempts",
        created=operator_events.c.created_at,
    ),
    RetentionRule(
        "consent_checks", consent_checks, consent_checks.c.created_at, "attempts", created=consent_checks.c.created_at
    ),
    RetentionRule(
        "email_events",
        email_events,
        email_events.c.created_at,
        "attempts",
        or_(~_is_address_change, _has_newer_address_change()),
        created=email_events.c.created_at,
    ),
    # The audit log keeps the fact of a consent.
    RetentionRule(
        "consents",
        consents,
        consents.c.requested_at,
        "consents",
        and_(~_is_active_consent, _is_not_newest(consents)),
        created=consents.c.requested_at,
    ),
    RetentionRule(
        "operators", operators, operators.c.suspended_at, "operators", and_(~_has_consent, _is_not_newest(operators))
    ),
    RetentionRule("staff", staff, staff.c.disabled_at, "staff", _is_not_newest(staff)),
    RetentionRule("staff_sessions", staff_sessions, staff_sessions.c.expires_at),
    RetentionRule("drafts", drafts, drafts.c.ends_at),
    # Nobody typed the PIN that was sent to the number.
    RetentionRule("pending_registrations", pending_registrations, pending_registrations.c.expires_at),
    # The newer answer stays. A superseded one must be known while its session can be replayed.
    RetentionRule("profile_facts", profile_facts, profile_facts.c.created_at, "profile_history", among=SUPERSEDED),
    RetentionRule("documents", documents, documents.c.ends_at),
    RetentionRule(
        "document_access",
        document_sign_ins,
        document_sign_ins.c.ends_at,
        condition=or_(*(document_sign_ins.c[name].is_not(None) for name in _sign_in_secrets)),
        values=dict.fromkeys(_sign_in_secrets),
    ),
    RetentionRule("document_sign_ins", document_sign_ins, document_sign_ins.c.ends_at, "document_sign_ins"),
    RetentionRule("document_holders", document_holders, document_holders.c.linked_at, "document_holders"),
    RetentionRule(
        "department_events",
        department_events,
        department_events.c.received_at,
        "department_webhooks",
        created=department_events.c.received_at,
    ),
    RetentionRule(
        "unpaid_bills", bills, bills.c.created_at, "unpaid_bills", ~_is_paid_bill, created=bills.c.created_at
    ),
    RetentionRule(
        "paid_bills",
        bills,
        bills.c.updated_at,
        "payments",
        _is_paid_bill & (bills.c.msisdn != ""),
        values={"msisdn": "", "account": None, "content": b"", "posting": _posting_at_the_end, "due_at": None},
        created=bills.c.created_at,
    ),
    RetentionRule(
        "payments",
        payments,
        payments.c.updated_at,
        "payments",
        payments.c.payer != "",
        values={"payer": "", "account": None, "due_at": None},
        created=payments.c.created_at,
    ),
    RetentionRule(
        "unmatched_payment_reports",
        payment_reports,
        payment_reports.c.received_at,
        "unmatched_payment_reports",
        and_(payment_reports.c.payment.is_(None), payment_reports.c.wallet.is_(None)),
        created=payment_reports.c.received_at,
    ),
    RetentionRule("sandbox_prompts", sandbox_prompts, sandbox_prompts.c.ends_at, "sandbox_prompts"),
    RetentionRule(
        "applications",
        applications,
        applications.c.changed_at,
        "applications",
        ~_has_complaint,
        created=applications.c.created_at,
    ),
    RetentionRule("complaints", complaints, complaints.c.changed_at, "complaints", created=complaints.c.created_at),
    RetentionRule("feedback", feedback, feedback.c.created_at, "feedback", created=feedback.c.created_at),
    RetentionRule("opt_ins", opt_outs, opt_outs.c.opted_in_at, "opt_ins"),
)

DELETED_WITH: Final[Mapping[str, str]] = {
    "application_answers": "applications",
    "application_events": "applications",
    "complaint_events": "complaints",
    "deliveries": "applications",
    "document_checks": "document_sign_ins",
    "staff_recovery_codes": "staff",
}
"""Table to the table with whose rows the database deletes its rows."""

ENDED_BY_DELETION: Final = ("accounts", "emails", "profile_facts", "profile_papers", "security_answers")
"""Tables whose rows are emptied or deleted with the account (`services/privacy/sections.py`), and are kept until then."""

KEPT: Final[Mapping[str, str]] = {
    "api_keys": "Keys of departments: no person.",
    "audit": "Append-only, ids and codes alone: no name and no MSISDN. It shows what was done to a record that has gone.",
    "encryption_keys": "One row for each key that is still needed: `server.py keys rotate` deletes it.",
    "feedback_digests": "Counts.",
    "leases": "One row for each bind of SMPP: no person.",
    "opt_outs": "An opt-out is valid until the number opts in again: that is its purpose.",
    "payment_refunds": "Amounts, and the staff who gave them; accounting.",
    "payment_reports": "Reports of a payment, and money by reference: amounts and receipts; accounting.",
    "refused_templates": "Names of texts: no person. A row is deleted when its text is mended.",
    "retention_walks": "One row for each rule.",
}
"""Tables, or their rows that no rule ends, that stay for ever, and why."""
