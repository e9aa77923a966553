"""Short links that are sent by SMS, and who was answered a missed call."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# As they were when this was written: a migration does not follow what the tables become later.
Moment = sa.DateTime(timezone=True)
Msisdn = sa.String(16)
Word = sa.String(16)


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "links",
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("purpose", Word, nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
    )
    op.create_index("ix_links_expires_at", "links", ["expires_at"])
    op.create_table(
        "registrants",
        sa.Column("number", Msisdn, primary_key=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("came_by", Word, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
    )
    op.create_table(
        "missed_calls",
        sa.Column("number", Msisdn, primary_key=True),
        sa.Column("action", Word, primary_key=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("begun_at", Moment, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("missed_calls", "registrants", "links"):
        op.drop_table(table)
