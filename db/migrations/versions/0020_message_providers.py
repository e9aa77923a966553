"""Each message names the provider that sends it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INDEX, TABLE = "ix_messages_queued", "messages"


def upgrade() -> None:
    """Add the columns. The messages of before name no provider: the default one takes them."""
    op.add_column(TABLE, sa.Column("provider", sa.String(40), nullable=False, server_default=""))
    op.add_column(TABLE, sa.Column("used_code", sa.String(32), nullable=False, server_default=""))
    op.add_column(TABLE, sa.Column("moved_from", sa.String(40)))
    _replace_index("medium", "provider", "priority", "due_at", "id")


def downgrade() -> None:
    """Drop the columns: one outbox sends everything."""
    _replace_index("medium", "priority", "due_at", "id")
    for name in ("moved_from", "used_code", "provider"):
        op.drop_column(TABLE, name)


def _replace_index(*columns: str) -> None:
    op.drop_index(INDEX, TABLE)
    queued = sa.text("status = 'queued'")
    op.create_index(INDEX, TABLE, list(columns), postgresql_where=queued, sqlite_where=queued)
