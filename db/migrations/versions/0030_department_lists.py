"""The page of a department reads its rejected applications and its API keys from an index each."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

REJECTED = "ix_deliveries_rejected_department"
KEYS = "ix_api_keys_kind_department"


def upgrade() -> None:
    """Create the indexes."""
    where = sa.text("state = 'refused'")
    op.create_index(REJECTED, "deliveries", ["department", "updated_at"], postgresql_where=where, sqlite_where=where)
    op.create_index(KEYS, "api_keys", ["kind", "department", "created_at", "id"])


def downgrade() -> None:
    """Drop the indexes."""
    op.drop_index(KEYS, "api_keys")
    op.drop_index(REJECTED, "deliveries")
