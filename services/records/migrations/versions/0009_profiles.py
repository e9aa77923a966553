"""Profiles: what a citizen told once; and accounts that were closed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, and say of an account when it was closed."""
    op.create_table(
        "profile_facts",
        sa.Column("id", Id, nullable=False),
        sa.Column("account", Id, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("value", sa.LargeBinary()),
        sa.Column("digest", sa.String(32)),
        sa.Column("last_four", sa.String(4)),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        *_keyed("profile_facts", "key"),
    )
    op.create_index("ix_profile_facts_account_key", "profile_facts", ["account", "key"])
    where = sa.text("value IS NULL AND digest IS NULL")
    op.create_index(
        "ix_profile_facts_overtaken", "profile_facts", ["created_at"], postgresql_where=where, sqlite_where=where
    )
    op.create_table(
        "profile_papers",
        sa.Column("id", Id, nullable=False),
        sa.Column("account", Id, nullable=False),
        sa.Column("paper", sa.String(64), nullable=False),
        sa.Column("at_hand", sa.Boolean(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        *_keyed("profile_papers", "paper"),
    )
    op.create_index("ix_profile_papers_account_paper", "profile_papers", ["account", "paper"])
    op.add_column("accounts", sa.Column("closed_at", Moment))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("accounts", "closed_at")
    op.drop_table("profile_papers")
    op.drop_table("profile_facts")


def _keyed(table: str, of: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=f"fk_{table}_account_accounts", ondelete="CASCADE"),
        sa.UniqueConstraint("effect", of, name=f"uq_{table}_effect_{of}"),
    )
