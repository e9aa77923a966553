"""API keys of networks, which report numbers that they took back."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: every key before was a department's."""
    op.add_column("api_keys", sa.Column("kind", sa.String(16), nullable=False, server_default="department"))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("api_keys", "kind")
