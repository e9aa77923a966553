"""How many callers went from one screen of the menus to another."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the counts of days and of months. Counting begins now."""
    for table, period, length in (("screen_moves", "day", 10), ("monthly_screen_moves", "month", 7)):
        key = (period, "source", "target", "channel", "network", "language")
        op.create_table(
            table,
            sa.Column(period, sa.String(length), nullable=False),
            sa.Column("source", sa.String(64), nullable=False),
            sa.Column("target", sa.String(64), nullable=False),
            sa.Column("channel", sa.String(16), nullable=False),
            sa.Column("network", sa.String(16), nullable=False),
            sa.Column("language", sa.String(8), nullable=False),
            sa.Column("times", sa.BigInteger(), nullable=False),
            sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
            sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"),
            sqlite_with_rowid=False,
        )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("monthly_screen_moves")
    op.drop_table("screen_moves")
