"""The network that a caller called from last."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. The network of a caller is learned at the next call."""
    op.add_column("callers", sa.Column("network", sa.String(16)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("callers", "network")
