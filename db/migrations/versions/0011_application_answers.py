"""Answers of citizens to what a department asks, the operator of an application, and digests of departments' webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UtcDateTime = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns and the table. Older webhooks have no digest, older applications no operator."""
    op.add_column("applications", sa.Column("operator", Id))
    op.add_column("applications", sa.Column("answered_at", UtcDateTime))
    op.add_column("deliveries", sa.Column("citizen_answer", Id))
    op.add_column("department_events", sa.Column("digest", sa.LargeBinary()))
    op.create_table(
        "application_answers",
        sa.Column("id", Id, primary_key=True),
        sa.Column("application", Id, sa.ForeignKey("applications.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("operator", Id),
        sa.Column("idempotency_key", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("application_answers")
    op.drop_column("department_events", "digest")
    op.drop_column("deliveries", "citizen_answer")
    op.drop_column("applications", "answered_at")
    op.drop_column("applications", "operator")
