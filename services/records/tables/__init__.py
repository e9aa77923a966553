"""The tables, all of them in one metadata; each file has those of one subject."""

from services.records.tables.applications import api_keys, application_events, applications
from services.records.tables.audit import audit
from services.records.tables.columns import metadata
from services.records.tables.complaints import (
    AWAITED,
    WAITING,
    complaint_events,
    complaints,
    feedback,
    feedback_digests,
)
from services.records.tables.deliveries import (
    DELIVERING,
    LOOKED_AT,
    PUT_UP,
    TO_DELIVER,
    UNDELIVERED,
    deliveries,
    department_events,
)
from services.records.tables.documents import document_checks, document_holders, document_sign_ins, documents
from services.records.tables.drafts import drafts
from services.records.tables.emails import email_events, emails
from services.records.tables.inbound import NEW, inbound_sms, missed_calls, unread_callbacks
from services.records.tables.links import links
from services.records.tables.messages import (
    QUEUED,
    REPORTED_NETWORK,
    SENDING,
    UNKNOWN,
    UNMATCHED,
    delivery_reports,
    messages,
    optouts,
)
from services.records.tables.operators import OPEN_CONSENT, consent_checks, consents, operator_events, operators
from services.records.tables.payments import (
    OPEN_OR_PAID,
    POSTING,
    bills,
    payment_refunds,
    payment_reports,
    payments,
    sandbox_prompts,
)
from services.records.tables.people import account_events, accounts, callers, registrants, security_answers
from services.records.tables.profiles import OVERTAKEN, profile_facts, profile_papers

__all__ = [
    "AWAITED",
    "DELIVERING",
    "LOOKED_AT",
    "NEW",
    "OPEN_CONSENT",
    "OPEN_OR_PAID",
    "OVERTAKEN",
    "POSTING",
    "PUT_UP",
    "QUEUED",
    "REPORTED_NETWORK",
    "SENDING",
    "TO_DELIVER",
    "UNDELIVERED",
    "UNKNOWN",
    "UNMATCHED",
    "WAITING",
    "account_events",
    "accounts",
    "api_keys",
    "application_events",
    "applications",
    "audit",
    "bills",
    "callers",
    "complaint_events",
    "complaints",
    "consent_checks",
    "consents",
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
    "feedback",
    "feedback_digests",
    "inbound_sms",
    "links",
    "messages",
    "metadata",
    "missed_calls",
    "operator_events",
    "operators",
    "optouts",
    "payment_refunds",
    "payment_reports",
    "payments",
    "profile_facts",
    "profile_papers",
    "registrants",
    "sandbox_prompts",
    "security_answers",
    "unread_callbacks",
]
