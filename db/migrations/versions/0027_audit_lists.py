"""Each way to filter the audit log reads one index from its end."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

FORMER = "ix_audit_actor_kind_actor"
INDEXES = {
    "ix_audit_actor_kind": ["actor_kind", "at", "id"],
    FORMER: ["actor_kind", "actor", "at", "id"],
    "ix_audit_actor_act": ["actor_kind", "actor", "act", "at", "id"],
    "ix_audit_act": ["act", "at", "id"],
}


def upgrade() -> None:
    """Add the time and the id to the index of actors, and create three more."""
    op.drop_index(FORMER, "audit")
    for name, columns in INDEXES.items():
        op.create_index(name, "audit", columns)


def downgrade() -> None:
    """Create the former index."""
    for name in INDEXES:
        op.drop_index(name, "audit")
    op.create_index(FORMER, "audit", ["actor_kind", "actor"])
