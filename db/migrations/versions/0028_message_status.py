"""The indexes of messages by status, from which the console lists them."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

STATUSES = ("queued", "unknown", "sent", "failed")


def upgrade() -> None:
    """Create the indexes."""
    for status in STATUSES:
        rows = sa.text(f"status = '{status}'")
        op.create_index(f"ix_messages_{status}_id", "messages", ["id"], sqlite_where=rows, postgresql_where=rows)


def downgrade() -> None:
    """Drop the indexes."""
    for status in STATUSES:
        op.drop_index(f"ix_messages_{status}_id", "messages")
