"""Callers whose network hides their number are known by the number that they verified."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLE = "hidden_numbers"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        TABLE,
        sa.Column("identity", sa.String(32), nullable=False),
        sa.Column("msisdn", sa.String(16), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("identity", name=op.f("pk_hidden_numbers")),
    )
    op.create_index(op.f("ix_hidden_numbers_msisdn"), TABLE, ["msisdn"])


def downgrade() -> None:
    """Drop the table; these callers verify their number again."""
    op.drop_table(TABLE)
