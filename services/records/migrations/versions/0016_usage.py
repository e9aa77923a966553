"""What is used most: applications by the moment they were handed in, with their service beside it."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS = ["created_at", "service"]


def upgrade() -> None:
    """Make it."""
    op.create_index("ix_applications_created_at_service", "applications", COLUMNS)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_applications_created_at_service", "applications")
