"""Consents to several purposes, and consents that add purposes to a visit. Rows with one purpose stay as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns, and the index of the visit."""
    op.add_column("consents", sa.Column("further_purposes", sa.String(64), nullable=False, server_default=""))
    op.add_column("consents", sa.Column("visit", Id))
    is_added = sa.text("visit IS NOT NULL")
    op.create_index("ix_consents_visit", "consents", ["visit"], postgresql_where=is_added, sqlite_where=is_added)


def downgrade() -> None:
    """Drop the index and the columns; the first purpose of each consent stays."""
    op.drop_index("ix_consents_visit", "consents")
    op.drop_column("consents", "visit")
    op.drop_column("consents", "further_purposes")
