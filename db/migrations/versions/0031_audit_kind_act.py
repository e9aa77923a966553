"""A filter of the audit log by a kind of actor and an act reads one index."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

NAME = "ix_audit_kind_act"


def upgrade() -> None:
    """Create the index."""
    op.create_index(NAME, "audit", ["actor_kind", "act", "at", "id"])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index(NAME, "audit")
