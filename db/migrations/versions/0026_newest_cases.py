"""Staff list cases newest first, of an office, and of all departments together."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# by name: the table and the columns
INDEXES = {
    "ix_applications_office_status_changed_at": (
        "applications",
        ["department", "office", "status", "changed_at", "id"],
    ),
    "ix_applications_office_service_status_changed_at": (
        "applications",
        ["department", "office", "service", "status", "changed_at", "id"],
    ),
}
OF_ALL_DEPARTMENTS = {
    "ix_applications_status_changed_at": ("applications", ["status", "changed_at", "id"]),
    "ix_complaints_status_changed_at": ("complaints", ["status", "changed_at", "id"]),
    "ix_feedback_created_at": ("feedback", ["created_at", "id"]),
}
EVERY_ROW = "id > 0"  # only the queries that name this condition read these


def upgrade() -> None:
    """Create the indexes."""
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    for name, (table, columns) in OF_ALL_DEPARTMENTS.items():
        where = sa.text(EVERY_ROW)
        op.create_index(name, table, columns, postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    """Drop the indexes."""
    for name, (table, _) in (INDEXES | OF_ALL_DEPARTMENTS).items():
        op.drop_index(name, table)
