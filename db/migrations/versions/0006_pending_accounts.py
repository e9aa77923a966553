"""Recoveries that wait for their notice, and registrations that wait for the PIN that was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UtcDateTime = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("accounts", sa.Column("pending_pin_hash", sa.Text()))
    op.add_column("accounts", sa.Column("pending_pin_at", UtcDateTime))
    op.create_table(
        "pending_registrations",
        sa.Column("msisdn", sa.String(16), primary_key=True),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("pending_registrations")
    op.drop_column("accounts", "pending_pin_at")
    op.drop_column("accounts", "pending_pin_hash")
