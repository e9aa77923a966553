"""Calls under way of providers that send the newest input only, for a Redis that loses them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "open_calls",
        sa.Column("caller", sa.String(32), primary_key=True),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_open_calls_expires_at", "open_calls", ["expires_at"])


def downgrade() -> None:
    """Drop the table; a call goes on as long as Redis has it."""
    op.drop_table("open_calls")
