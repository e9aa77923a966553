"""The session in which a caller was last offered to resume an interrupted call."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("callers", sa.Column("resumed_in", sa.Text, nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("callers", "resumed_in")
