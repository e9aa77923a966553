"""Released numbers, and indexes to find rows by a number."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The column types are repeated here because a migration must not change when `db.tables` changes.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UtcDateTime = sa.DateTime(timezone=True)

NUMBER_INDEXES = (("applications", "msisdn"), ("bills", "msisdn"), ("messages", "recipient"))


def upgrade() -> None:
    """Create the table, the column and the indexes."""
    op.add_column("accounts", sa.Column("released_at", UtcDateTime))
    op.create_table(
        "number_releases",
        sa.Column("id", Id, primary_key=True),
        sa.Column("number_hash", sa.String(32), nullable=False, index=True),
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="SET NULL"), index=True),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("taken_on", sa.Date()),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    for table, column in NUMBER_INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column])
    named = sa.text("beneficiary IS NOT NULL")
    op.create_index(
        "ix_applications_beneficiary", "applications", ["beneficiary"], postgresql_where=named, sqlite_where=named
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_applications_beneficiary", "applications")
    for table, column in NUMBER_INDEXES:
        op.drop_index(f"ix_{table}_{column}", table)
    op.drop_table("number_releases")
    op.drop_column("accounts", "released_at")
