"""The keys that encrypted what the database contains."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table. The first start of a program that knows it fills it in."""
    op.create_table(
        "encryption_keys",
        sa.Column("key_id", sa.String(10), primary_key=True),
        sa.Column("canary", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("encryption_keys")
