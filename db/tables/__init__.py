"""The tables; each file has those of one subject. All share one metadata."""

from db.tables.accounts import account_events, accounts, callers, contacts, pending_registrations, security_answers
from db.tables.api_keys import api_keys
from db.tables.applications import ALL_APPLICATIONS, application_answers, application_events, applications
from db.tables.audit import ACCOUNT_CHANGE, audit
from db.tables.columns import metadata
from db.tables.complaints import (
    ALL_COMPLAINTS,
    ALL_FEEDBACK,
    ESCALATION_PENDING,
    NOT_DIGESTED,
    complaint_events,
    complaints,
    feedback,
    feedback_digests,
)
from db.tables.deliveries import (
    DELIVERABLE,
    DELIVERING,
    REJECTED,
    STATUS_POLLED,
    UNDELIVERED,
    deliveries,
    department_events,
)
from db.tables.documents import document_checks, document_holders, document_sign_ins, documents
from db.tables.drafts import drafts
from db.tables.emails import email_events, emails
from db.tables.encryption_keys import encryption_keys
from db.tables.hidden_numbers import hidden_numbers
from db.tables.inbound import (
    UNASSEMBLED,
    UNPROCESSED,
    inbound_parts,
    inbound_sms,
    missed_calls,
    unparsed_webhooks,
)
from db.tables.leases import leases
from db.tables.links import links
from db.tables.menu_traffic import monthly_screen_moves, screen_moves
from db.tables.messages import (
    QUEUED,
    REPORTED_NETWORK,
    SENDING,
    UNKNOWN,
    UNMATCHED,
    delivery_reports,
    messages,
    opt_outs,
    refused_templates,
)
from db.tables.number_releases import number_releases
from db.tables.open_calls import open_calls
from db.tables.operators import ADDED_CONSENT, OPEN_CONSENT, consent_checks, consents, operator_events, operators
from db.tables.payments import (
    CHARGED_TWICE,
    HAS_MONEY,
    NEEDS_PERSON,
    OPEN_OR_PAID,
    POSTING_PENDING,
    RETURNED,
    UNMATCHED_MONEY,
    bills,
    payment_refunds,
    payment_reports,
    payments,
    sandbox_prompts,
)
from db.tables.profiles import SUPERSEDED, profile_facts, profile_papers
from db.tables.retention import retention_walks
from db.tables.staff import staff, staff_recovery_codes, staff_sessions

__all__ = [
    "ACCOUNT_CHANGE",
    "ADDED_CONSENT",
    "ALL_APPLICATIONS",
    "ALL_COMPLAINTS",
    "ALL_FEEDBACK",
    "CHARGED_TWICE",
    "DELIVERABLE",
    "DELIVERING",
    "ESCALATION_PENDING",
    "HAS_MONEY",
    "NEEDS_PERSON",
    "NOT_DIGESTED",
    "OPEN_CONSENT",
    "OPEN_OR_PAID",
    "POSTING_PENDING",
    "QUEUED",
    "REJECTED",
    "REPORTED_NETWORK",
    "RETURNED",
    "SENDING",
    "STATUS_POLLED",
    "SUPERSEDED",
    "UNASSEMBLED",
    "UNDELIVERED",
    "UNKNOWN",
    "UNMATCHED",
    "UNMATCHED_MONEY",
    "UNPROCESSED",
    "account_events",
    "accounts",
    "api_keys",
    "application_answers",
    "application_events",
    "applications",
    "audit",
    "bills",
    "callers",
    "complaint_events",
    "complaints",
    "consent_checks",
    "consents",
    "contacts",
    "deliveries",
    "delivery_reports",
    "department_events",
    "document_checks",
    "document_holders",
    "document_sign_ins",
    "documents",
    "drafts",
    "email_events",
    "emails",
    "encryption_keys",
    "feedback",
    "feedback_digests",
    "hidden_numbers",
    "inbound_parts",
    "inbound_sms",
    "leases",
    "links",
    "messages",
    "metadata",
    "missed_calls",
    "monthly_screen_moves",
    "number_releases",
    "open_calls",
    "operator_events",
    "operators",
    "opt_outs",
    "payment_refunds",
    "payment_reports",
    "payments",
    "pending_registrations",
    "profile_facts",
    "profile_papers",
    "refused_templates",
    "retention_walks",
    "sandbox_prompts",
    "screen_moves",
    "security_answers",
    "staff",
    "staff_recovery_codes",
    "staff_sessions",
    "unparsed_webhooks",
]
