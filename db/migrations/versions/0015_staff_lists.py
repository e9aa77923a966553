"""Each list of what is known of a citizen reads one index from its end."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# by name: the table, the columns before this migration, and those after it
INDEXES = {
    "ix_messages_recipient": ("messages", ["recipient"], ["recipient", "id"]),
    "ix_complaints_msisdn": ("complaints", ["msisdn"], ["msisdn", "id"]),
    "ix_account_events_account": ("account_events", ["account"], ["account", "id"]),
    "ix_audit_subject_kind_subject": ("audit", ["subject_kind", "subject"], ["subject_kind", "subject", "id"]),
}
BENEFICIARY = "beneficiary IS NOT NULL"


def upgrade() -> None:
    """Add the id to the indexes, and create two more."""
    for name, (table, _, columns) in INDEXES.items():
        op.drop_index(name, table)
        op.create_index(name, table, columns)
    _create_beneficiary_index(["beneficiary", "id"])
    op.create_index("ix_audit_subject_at", "audit", ["subject", "at", "id"])
    op.create_index("ix_payments_account_id", "payments", ["account", "id"])


def downgrade() -> None:
    """Create the former indexes."""
    op.drop_index("ix_payments_account_id", "payments")
    op.drop_index("ix_audit_subject_at", "audit")
    _create_beneficiary_index(["beneficiary"])
    for name, (table, columns, _) in INDEXES.items():
        op.drop_index(name, table)
        op.create_index(name, table, columns)


def _create_beneficiary_index(columns: list[str]) -> None:
    name, where = "ix_applications_beneficiary", sa.text(BENEFICIARY)
    op.drop_index(name, "applications")
    op.create_index(name, "applications", columns, postgresql_where=where, sqlite_where=where)
