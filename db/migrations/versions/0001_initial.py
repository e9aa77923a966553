"""The initial tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The column types are repeated here because a migration must not change when `db.tables` changes.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UtcDateTime = sa.DateTime(timezone=True)
Msisdn = sa.String(16)
Language = sa.String(8)
Code = sa.String(64)


def upgrade() -> None:
    """Create every table."""
    _create_accounts()
    _create_profiles()
    _create_emails()
    _create_applications()
    _create_api_keys()
    _create_drafts()
    _create_deliveries()
    _create_complaints()
    _create_payments()
    _create_documents()
    _create_messages()
    _create_links()
    _create_inbound()
    _create_operators()
    _create_audit()


def downgrade() -> None:
    """Drop every table, dependent tables first."""
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change()")


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", Id, primary_key=True),
        sa.Column("msisdn", Msisdn, nullable=False, unique=True),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("language", Language, nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        sa.Column("pin_failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("pin_locked_until", UtcDateTime),
        sa.Column("answer_failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("answers_locked_until", UtcDateTime),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("closed_at", UtcDateTime),
    )
    op.create_table(
        "callers",
        sa.Column("msisdn", Msisdn, primary_key=True),
        sa.Column("language", Language, nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("chosen_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "contacts",
        sa.Column("msisdn", Msisdn, primary_key=True),
        sa.Column("language", Language, nullable=False),
        sa.Column("came_by", sa.String(16), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "account_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("tries_left", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("locked_until", UtcDateTime),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False, index=True),
        sa.UniqueConstraint("idempotency_key", "kind"),
    )
    op.create_table(
        "security_answers",
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("question", Code, nullable=False),
        sa.Column("answer_hash", sa.Text(), nullable=False),
    )


def _create_profiles() -> None:
    op.create_table(
        "profile_facts",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("key", Code, nullable=False),
        sa.Column("value", sa.LargeBinary()),
        sa.Column("digest", sa.String(32)),
        sa.Column("last_four", sa.String(4)),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("idempotency_key", "key"),
    )
    op.create_index("ix_profile_facts_account_key", "profile_facts", ["account", "key"])
    _create_partial_index(
        "ix_profile_facts_overtaken", "profile_facts", ["created_at"], "value IS NULL AND digest IS NULL"
    )
    op.create_table(
        "profile_papers",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("paper", Code, nullable=False),
        sa.Column("at_hand", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("idempotency_key", "paper"),
    )
    op.create_index("ix_profile_papers_account_paper", "profile_papers", ["account", "paper"])


def _create_emails() -> None:
    op.create_table(
        "email_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("idempotency_key", "kind"),
    )
    op.create_index("ix_email_events_account_created_at", "email_events", ["account", "created_at"])
    op.create_index("ix_email_events_digest_created_at", "email_events", ["digest", "created_at"])
    op.create_table(
        "emails",
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False, index=True),
        sa.Column("language", Language, nullable=False),
        sa.Column("given_at", UtcDateTime, nullable=False),
        sa.Column("verified_at", UtcDateTime),
    )


def _create_applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", Id, primary_key=True),
        sa.Column("tracking_number", sa.String(12), nullable=False, unique=True),
        sa.Column("account", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("msisdn", Msisdn, nullable=False),
        sa.Column("beneficiary", Msisdn),
        sa.Column("service", Code, nullable=False),
        sa.Column("office", Code, nullable=False),
        sa.Column("department", Code, nullable=False),
        sa.Column("form", sa.LargeBinary(), nullable=False),
        sa.Column("on_file", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("promised", sa.Date()),
        sa.Column("language", Language, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("note", sa.JSON(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_applications_account_id", "applications", ["account", "id"])
    op.create_index("ix_applications_created_at_service", "applications", ["created_at", "service"])
    op.create_index("ix_applications_department_changed_at", "applications", ["department", "changed_at", "id"])
    op.create_index(
        "ix_applications_department_service_changed_at", "applications", ["department", "service", "changed_at", "id"]
    )
    op.create_index(
        "ix_applications_department_status_changed_at", "applications", ["department", "status", "changed_at", "id"]
    )
    op.create_index(
        "ix_applications_department_service_status_changed_at",
        "applications",
        ["department", "service", "status", "changed_at", "id"],
    )
    op.create_table(
        "application_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("application", Id, sa.ForeignKey("applications.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("note", sa.JSON(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(8), primary_key=True),
        sa.Column("department", Code, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.String(64), nullable=False, server_default=""),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("used_on", sa.Date()),
        sa.Column("last_day", sa.Date()),
        sa.Column("revoked_at", UtcDateTime),
    )


def _create_drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column("idempotency_key", sa.Text(), primary_key=True),
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("service", Code, nullable=False),
        sa.Column("begun", sa.Date(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False, index=True),
        sa.Column("resumed_by", sa.Text()),
        sa.Column("resumed_answers", sa.Text()),
        sa.Column("ended_by", sa.Text()),
    )
    op.create_index("ix_drafts_account_service", "drafts", ["account", "service"])


def _create_deliveries() -> None:
    op.create_table(
        "department_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("department", Code, nullable=False),
        sa.Column("webhook_id", sa.String(128), nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("department", "webhook_id"),
    )
    op.create_index("ix_department_events_received_at", "department_events", ["received_at"])
    op.create_table(
        "deliveries",
        sa.Column("id", Id, primary_key=True),
        sa.Column("application", Id, sa.ForeignKey("applications.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("department", Code, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("error", sa.String(64)),
        sa.Column("answer", sa.LargeBinary()),
        sa.Column("reference", sa.String(128)),
        sa.Column("poll_at", UtcDateTime),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    _create_partial_index(
        "ix_deliveries_open", "deliveries", ["department", "created_at"], "state IN ('queued', 'held', 'sending')"
    )
    _create_partial_index("ix_deliveries_poll_at", "deliveries", ["department", "poll_at"], "poll_at IS NOT NULL")
    _create_partial_index("ix_deliveries_rejected", "deliveries", ["updated_at"], "state = 'refused'")
    _create_partial_index("ix_deliveries_sending", "deliveries", ["updated_at"], "state = 'sending'")
    _create_partial_index(
        "ix_deliveries_waiting", "deliveries", ["department", "due_at", "id"], "state IN ('queued', 'held')"
    )


def _create_complaints() -> None:
    op.create_table(
        "feedback_digests",
        sa.Column("id", Id, primary_key=True),
        sa.Column("department", Code, nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("many", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("department", "period"),
    )
    op.create_table(
        "feedback",
        sa.Column("id", Id, primary_key=True),
        sa.Column("feedback_number", sa.String(12), nullable=False, unique=True),
        sa.Column("msisdn", Msisdn, nullable=False, index=True),
        sa.Column("service", Code, nullable=False, server_default=""),
        sa.Column("department", Code, nullable=False, server_default=""),
        sa.Column("rating", sa.SmallInteger()),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("digest", Id, sa.ForeignKey("feedback_digests.id"), index=True),
        sa.Column("language", Language, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_feedback_department_created_at", "feedback", ["department", "created_at", "id"])
    _create_partial_index("ix_feedback_waiting", "feedback", ["department", "created_at"], "digest IS NULL")
    op.create_table(
        "complaints",
        sa.Column("id", Id, primary_key=True),
        sa.Column("complaint_number", sa.String(12), nullable=False, unique=True),
        sa.Column("msisdn", Msisdn, nullable=False, index=True),
        sa.Column("application", Id, sa.ForeignKey("applications.id"), index=True),
        sa.Column("service", Code, nullable=False, server_default=""),
        sa.Column("department", Code, nullable=False, server_default=""),
        sa.Column("reason", sa.String(16), nullable=False, server_default="other"),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("note", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("promised", sa.Date()),
        sa.Column("due_at", UtcDateTime),
        sa.Column("language", Language, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
    )
    _create_partial_index("ix_complaints_awaited", "complaints", ["due_at"], "due_at IS NOT NULL")
    op.create_index("ix_complaints_department_changed_at", "complaints", ["department", "changed_at", "id"])
    op.create_index(
        "ix_complaints_department_status_changed_at", "complaints", ["department", "status", "changed_at", "id"]
    )
    op.create_table(
        "complaint_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("complaint", Id, sa.ForeignKey("complaints.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("note", sa.JSON(), nullable=False),
        sa.Column("actor_kind", sa.String(16), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )


def _create_payments() -> None:
    op.create_table(
        "sandbox_prompts",
        sa.Column("request", sa.String(40), primary_key=True),
        sa.Column("key", sa.String(32), nullable=False, unique=True),
        sa.Column("payer", Msisdn, nullable=False, index=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("about", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("receipt", sa.String(16)),
        sa.Column("returned_minor", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("requested_at", UtcDateTime, nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "bills",
        sa.Column("id", Id, primary_key=True),
        sa.Column("biller", Code, nullable=False),
        sa.Column("account", Id, sa.ForeignKey("accounts.id")),
        sa.Column("msisdn", Msisdn, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("consumer", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("posting", sa.String(16)),
        sa.Column("attempts", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("due_at", UtcDateTime),
        sa.Column("receipt", sa.Text()),
        sa.Column("reason", sa.String(40)),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False, index=True),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_bills_account_biller_id", "bills", ["account", "biller", "id"])
    _create_partial_index("ix_bills_posting", "bills", ["due_at"], "posting IN ('due', 'posting')")
    op.create_table(
        "payments",
        sa.Column("id", Id, primary_key=True),
        sa.Column("key", sa.String(32), nullable=False, unique=True),
        sa.Column("purpose", sa.String(8), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("subject", Code, nullable=False),
        sa.Column("bill", Id, sa.ForeignKey("bills.id"), index=True),
        sa.Column("payer", Msisdn, nullable=False),
        sa.Column("account", Id, sa.ForeignKey("accounts.id")),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("paid_minor", sa.BigInteger()),
        sa.Column("language", Language, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("wallet", sa.String(16), nullable=False),
        sa.Column("request", sa.Text(), index=True),
        sa.Column("receipt", sa.Text()),
        sa.Column("attempts", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("due_at", UtcDateTime),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False, index=True),
        sa.Column("requested_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    _create_partial_index("ix_payments_due", "payments", ["status", "due_at"], "due_at IS NOT NULL")
    _create_partial_index("ix_payments_duplicate", "payments", ["reference"], "status = 'duplicate_payment'")
    op.create_index("ix_payments_payer_created_at", "payments", ["payer", "created_at"])
    op.create_index("ix_payments_reference_id", "payments", ["reference", "id"])
    _create_partial_index(
        "uq_payments_one_of_a_reference",
        "payments",
        ["reference"],
        "status IN ('requested', 'sending', 'pending', 'unknown', 'amount_mismatch', 'paid')",
        unique=True,
    )
    op.create_table(
        "payment_refunds",
        sa.Column("id", Id, primary_key=True),
        sa.Column("payment", Id, sa.ForeignKey("payments.id"), nullable=False, index=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("actor", Code, nullable=False),
        sa.Column("explanation", sa.String(160), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("receipt", sa.Text()),
        sa.Column("due_at", UtcDateTime),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    _create_partial_index("ix_payment_refunds_due", "payment_refunds", ["due_at"], "due_at IS NOT NULL")
    op.create_table(
        "payment_reports",
        sa.Column("id", Id, primary_key=True),
        sa.Column("payment", Id, sa.ForeignKey("payments.id"), index=True),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("request", sa.Text()),
        sa.Column("receipt", sa.Text()),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("digest", sa.String(32), nullable=False, unique=True),
        sa.Column("received_at", UtcDateTime, nullable=False),
    )


def _create_documents() -> None:
    op.create_table(
        "document_holders",
        sa.Column("holder", sa.String(32), primary_key=True),
        sa.Column("msisdn", Msisdn, nullable=False),
        sa.Column("linked_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "document_sign_ins",
        sa.Column("id", Id, primary_key=True),
        sa.Column("msisdn", Msisdn, nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("last_four", sa.String(4), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("code_to", Msisdn),
        sa.Column("state", sa.LargeBinary()),
        sa.Column("granted", sa.LargeBinary()),
        sa.Column("listed", sa.LargeBinary()),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_document_sign_ins_ends_at", "document_sign_ins", ["ends_at"])
    op.create_index("ix_document_sign_ins_holder_created_at", "document_sign_ins", ["holder", "created_at"])
    op.create_index("ix_document_sign_ins_msisdn_created_at", "document_sign_ins", ["msisdn", "created_at"])
    op.create_table(
        "document_checks",
        sa.Column("id", Id, primary_key=True),
        sa.Column("sign_in", Id, sa.ForeignKey("document_sign_ins.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "documents",
        sa.Column("id", Id, primary_key=True),
        sa.Column("reference", sa.String(32), nullable=False, unique=True),
        sa.Column("sign_in", Id, sa.ForeignKey("document_sign_ins.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("language", Language, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False, index=True),
    )


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", Id, primary_key=True),
        sa.Column("medium", sa.String(8), nullable=False, server_default="sms"),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("text", sa.LargeBinary()),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("secret", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False, server_default="2"),
        sa.Column("segments", sa.SmallInteger(), nullable=False, server_default="1"),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("not_after", UtcDateTime, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("suspensions", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("repeats", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("worker", sa.Text()),
        sa.Column("provider_id", sa.Text()),
        sa.Column("cost", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("delivery", sa.String(16)),
        sa.Column("delivery_reason", sa.String(40)),
        sa.Column("reported_at", UtcDateTime),
        sa.Column("network", sa.String(16)),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    _create_partial_index("ix_messages_late", "messages", ["not_after"], "status = 'queued'")
    _create_partial_index("ix_messages_network", "messages", ["recipient", "id"], "network IS NOT NULL")
    _create_partial_index("ix_messages_provider_id", "messages", ["provider_id"], "provider_id IS NOT NULL")
    _create_partial_index("ix_messages_queued", "messages", ["medium", "priority", "due_at", "id"], "status = 'queued'")
    _create_partial_index("ix_messages_sending", "messages", ["updated_at"], "status = 'sending'")
    _create_partial_index("ix_messages_unknown", "messages", ["recipient"], "status = 'unknown'")
    op.create_table(
        "opt_outs",
        sa.Column("msisdn", Msisdn, primary_key=True),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("opted_out_at", UtcDateTime, nullable=False),
        sa.Column("opted_in_at", UtcDateTime),
    )
    op.create_table(
        "delivery_reports",
        sa.Column("id", Id, primary_key=True),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("provider_status", sa.String(40), nullable=False),
        sa.Column("delivery", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("network", sa.String(16)),
        sa.Column("msisdn_hash", sa.String(32)),
        sa.Column("message", Id, sa.ForeignKey("messages.id", ondelete="CASCADE"), index=True),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("provider_id", "provider_status"),
    )
    _create_partial_index("ix_delivery_reports_msisdn_hash", "delivery_reports", ["msisdn_hash"], "message IS NULL")
    _create_partial_index("ix_delivery_reports_unmatched", "delivery_reports", ["received_at"], "message IS NULL")


def _create_links() -> None:
    op.create_table(
        "links",
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )


def _create_inbound() -> None:
    op.create_table(
        "inbound_sms",
        sa.Column("id", Id, primary_key=True),
        sa.Column("provider_id", sa.Text(), nullable=False, unique=True),
        sa.Column("msisdn", Msisdn, nullable=False),
        sa.Column("sent_to", sa.String(16), nullable=False),
        sa.Column("text", sa.LargeBinary()),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("link_id", sa.Text()),
        sa.Column("network", sa.String(16)),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("handled_as", sa.String(16)),
        sa.Column("attempts", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("claimed_until", UtcDateTime),
        sa.Column("sent_at", UtcDateTime),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("done_at", UtcDateTime),
    )
    op.create_index("ix_inbound_sms_done_at", "inbound_sms", ["done_at"])
    op.create_index("ix_inbound_sms_msisdn_id", "inbound_sms", ["msisdn", "id"])
    _create_partial_index("ix_inbound_sms_new", "inbound_sms", ["msisdn", "id"], "state = 'new'")
    op.create_table(
        "missed_calls",
        sa.Column("msisdn", Msisdn, primary_key=True),
        sa.Column("action", sa.String(16), primary_key=True),
        sa.Column("answer_count", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("begun_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "unparsed_webhooks",
        sa.Column("id", Id, primary_key=True),
        sa.Column("route", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(160), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
    )


def _create_operators() -> None:
    op.create_table(
        "operators",
        sa.Column("id", Id, primary_key=True),
        sa.Column("msisdn", Msisdn, nullable=False, unique=True),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("centre", Code, nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        sa.Column("pin_chosen", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("pin_failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("pin_locked_until", UtcDateTime),
        sa.Column("consents_a_day", sa.Integer()),
        sa.Column("applications_a_day", sa.Integer()),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("suspended_at", UtcDateTime),
    )
    op.create_table(
        "consents",
        sa.Column("id", Id, primary_key=True),
        sa.Column("operator", Id, sa.ForeignKey("operators.id"), nullable=False),
        sa.Column("msisdn", Msisdn, nullable=False),
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="SET NULL"), index=True),
        sa.Column("newcomer", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("language", Language, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("requested_at", UtcDateTime, nullable=False, index=True),
        sa.Column("given_at", UtcDateTime),
        sa.Column("lapses_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("ended_by", sa.String(16)),
        sa.Column("end_idempotency_key", sa.Text()),
    )
    op.create_index("ix_consents_msisdn_requested_at", "consents", ["msisdn", "requested_at"])
    _create_partial_index("ix_consents_open", "consents", ["lapses_at"], "ended_at IS NULL AND given_at IS NOT NULL")
    op.create_index("ix_consents_operator_requested_at", "consents", ["operator", "requested_at"])
    op.create_table(
        "operator_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("operator", Id, sa.ForeignKey("operators.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("tries_left", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("locked_until", UtcDateTime),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False, index=True),
        sa.UniqueConstraint("idempotency_key", "kind"),
    )
    op.create_table(
        "consent_checks",
        sa.Column("id", Id, primary_key=True),
        sa.Column("consent", Id, sa.ForeignKey("consents.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False, index=True),
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", Id, primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False, index=True),
        sa.Column("actor_kind", sa.String(16), nullable=False),
        sa.Column("actor", Code, nullable=False),
        sa.Column("act", Code, nullable=False),
        sa.Column("subject_kind", sa.String(16), nullable=False),
        sa.Column("subject", Code, nullable=False),
        sa.Column("on_behalf_of", Code),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
    )
    op.create_index("ix_audit_actor_kind_actor", "audit", ["actor_kind", "actor"])
    op.create_index("ix_audit_subject_kind_subject", "audit", ["subject_kind", "subject"])
    for statement in AUDIT_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def _create_partial_index(name: str, table: str, columns: list[str], where: str, **options: Any) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, postgresql_where=condition, sqlite_where=condition, **options)


TABLES = (
    "audit",
    "consent_checks",
    "operator_events",
    "consents",
    "operators",
    "unparsed_webhooks",
    "missed_calls",
    "inbound_sms",
    "links",
    "delivery_reports",
    "opt_outs",
    "messages",
    "documents",
    "document_checks",
    "document_sign_ins",
    "document_holders",
    "payment_reports",
    "payment_refunds",
    "payments",
    "bills",
    "sandbox_prompts",
    "complaint_events",
    "complaints",
    "feedback",
    "feedback_digests",
    "deliveries",
    "department_events",
    "drafts",
    "api_keys",
    "application_events",
    "applications",
    "emails",
    "email_events",
    "profile_papers",
    "profile_facts",
    "security_answers",
    "account_events",
    "contacts",
    "callers",
    "accounts",
)

AUDIT_ERROR = "The audit is append-only"
# SQLite's INSERT OR REPLACE deletes a row without firing the DELETE trigger: two INSERT triggers close that way. An entry
# with a known idempotency key is ignored, as ON CONFLICT DO NOTHING ignores it.
AUDIT_TRIGGERS = {
    "sqlite": (
        f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, '{AUDIT_ERROR}'); END",
        f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, '{AUDIT_ERROR}'); END",
        (
            "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) "
            "BEGIN SELECT RAISE(ABORT, 'The audit is append-only'); END"
        ),
        (
            "CREATE TRIGGER audit_once BEFORE INSERT ON audit "
            "WHEN EXISTS (SELECT 1 FROM audit WHERE idempotency_key = NEW.idempotency_key) "
            "BEGIN SELECT RAISE(IGNORE); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{AUDIT_ERROR}'; END $$"
        ),
        (
            "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
            "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
        ),
        (
            "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
        ),
    ),
}
