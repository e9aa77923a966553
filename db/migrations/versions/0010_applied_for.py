"""Whom an application is for: the applicant, another person, or somebody without a number of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; an application that names another person's number is for that person."""
    op.add_column("applications", sa.Column("applied_for", sa.String(64), nullable=False, server_default="self"))
    op.execute("UPDATE applications SET applied_for = 'another' WHERE beneficiary IS NOT NULL")


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("applications", "applied_for")
