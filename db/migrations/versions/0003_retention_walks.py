"""How far the deletion of expired rows has come."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UtcDateTime = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table; the first run of each rule fills it."""
    op.create_table(
        "retention_walks",
        sa.Column("rule", sa.String(64), primary_key=True),
        sa.Column("place", sa.Text()),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("oldest_so_far", UtcDateTime),
        sa.Column("oldest_at", UtcDateTime),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("retention_walks")
