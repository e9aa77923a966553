"""Parts of long inbound SMS are stored until the SMS is whole."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLE = "inbound_parts"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("group_key", sa.String(32), nullable=False),
        sa.Column("number", sa.SmallInteger, nullable=False),
        sa.Column("total", sa.SmallInteger, nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_inbound_parts_group_key_id", TABLE, ["group_key", "id"])
    waits = sa.text("done_at IS NULL")
    op.create_index("ix_inbound_parts_open", TABLE, ["received_at"], postgresql_where=waits, sqlite_where=waits)


def downgrade() -> None:
    """Drop the table; parts that wait for others are lost."""
    op.drop_table(TABLE)
