"""Staff list cases newest first, of an office, and of all departments together."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# by name: the table and the columns
INDEXES = {
    "ix_applications_status_changed_at": ("applications", ["status", "changed_at", "id"]),
    "ix_applications_office_status_changed_at": (
        "applications",
        ["department", "office", "status", "changed_at", "id"],
    ),
    "ix_applications_office_service_status_changed_at": (
        "applications",
        ["department", "office", "service", "status", "changed_at", "id"],
    ),
    "ix_complaints_status_changed_at": ("complaints", ["status", "changed_at", "id"]),
    "ix_feedback_created_at": ("feedback", ["created_at", "id"]),
}


def upgrade() -> None:
    """Create the indexes."""
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Drop the indexes."""
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
