"""Applications for other people, and drafts."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make them."""
    op.add_column("applications", sa.Column("beneficiary", sa.String(16)))
    op.add_column("applications", sa.Column("on_file", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "drafts",
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("account", Id, nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("begun", sa.Date(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_up_by", sa.Text()),
        sa.Column("taken_up", sa.Text()),
        sa.Column("ended_by", sa.Text()),
        sa.PrimaryKeyConstraint("effect", name="pk_drafts"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_drafts_account_accounts", ondelete="CASCADE"),
    )
    op.create_index("ix_drafts_account_service", "drafts", ["account", "service"])
    op.create_index("ix_drafts_ends_at", "drafts", ["ends_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("drafts")
    for column in ("on_file", "beneficiary"):
        op.drop_column("applications", column)
