"""When a caller was last seen, and an index of accounts by their last use."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the column and the index."""
    op.add_column("callers", sa.Column("seen_on", sa.Date()))
    attached = sa.text("closed_at IS NULL AND released_at IS NULL")
    op.create_index(
        "ix_accounts_attached", "accounts", ["last_used_at"], postgresql_where=attached, sqlite_where=attached
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_accounts_attached", "accounts")
    op.drop_column("callers", "seen_on")
