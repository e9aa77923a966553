"""Texts that an operator refuses: their messages wait."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "refused_templates",
        sa.Column("name", sa.String(160), primary_key=True),
        sa.Column("template_id", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drop it; waiting messages are sent when they are due, or expire."""
    op.drop_table("refused_templates")
