"""The tables, all of them in one metadata; each file has those of one subject."""

from services.records.tables.applications import api_keys, application_events, applications
from services.records.tables.audit import audit
from services.records.tables.columns import metadata
from services.records.tables.complaints import complaints, feedback
from services.records.tables.documents import document_checks, document_holders, document_sign_ins, documents
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
from services.records.tables.people import account_events, accounts, callers, registrants, security_answers

__all__ = [
    "NEW",
    "QUEUED",
    "REPORTED_NETWORK",
    "SENDING",
    "UNKNOWN",
    "UNMATCHED",
    "account_events",
    "accounts",
    "api_keys",
    "application_events",
    "applications",
    "audit",
    "callers",
    "complaints",
    "delivery_reports",
    "document_checks",
    "document_holders",
    "document_sign_ins",
    "documents",
    "email_events",
    "emails",
    "feedback",
    "inbound_sms",
    "links",
    "messages",
    "metadata",
    "missed_calls",
    "optouts",
    "registrants",
    "security_answers",
    "unread_callbacks",
]
