"""E-mail addresses, and whether they were verified."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)
Hash = sa.String(32)
Word = sa.String(16)


def upgrade() -> None:
    """Make them."""
    _emails()
    _email_events()


def downgrade() -> None:
    """Drop them."""
    for table in ("email_events", "emails"):
        op.drop_table(table)


def _emails() -> None:
    op.create_table(
        "emails",
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("digest", Hash, nullable=False, index=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("given_at", Moment, nullable=False),
        sa.Column("verified_at", Moment),
    )


def _email_events() -> None:
    op.create_table(
        "email_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("digest", Hash, nullable=False),
        sa.Column("kind", Word, nullable=False),
        sa.Column("outcome", Word, nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.UniqueConstraint("effect", "kind"),
    )
    for column in ("account", "digest"):
        op.create_index(f"ix_email_events_{column}_created_at", "email_events", [column, "created_at"])
