"""What was done with an account is read from an index without the looks at it."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

NAME = "ix_audit_account_changes"
CHANGES = sa.text("subject_kind = 'account' AND act NOT IN ('account_viewed', 'identity_revealed')")


def upgrade() -> None:
    """Create the index."""
    op.create_index(NAME, "audit", ["subject_kind", "subject", "id"], postgresql_where=CHANGES, sqlite_where=CHANGES)


def downgrade() -> None:
    """Drop the index."""
    op.drop_index(NAME, "audit")
