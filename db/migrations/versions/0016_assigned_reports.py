"""Money that belongs to no payment keeps its wallet and currency, and that it was given back."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INDEX, TABLE = "ix_payment_reports_unmatched", "payment_reports"
BEFORE = "payment IS NULL AND outcome = 'paid'"
AFTER = f"{BEFORE} AND given_back_at IS NULL"


def upgrade() -> None:
    """Add the columns. The money by reference of before is M-Pesa's."""
    op.add_column(TABLE, sa.Column("wallet", sa.String(16)))
    op.add_column(TABLE, sa.Column("currency", sa.String(3)))
    op.add_column(TABLE, sa.Column("given_back_at", sa.DateTime(timezone=True)))
    op.add_column(TABLE, sa.Column("refund_receipt", sa.Text))
    op.execute("UPDATE payment_reports SET wallet = 'daraja', currency = 'KES' WHERE source = 'c2b'")
    _replace_index(AFTER)


def downgrade() -> None:
    """Drop the columns; money that was given back waits for a person again."""
    _replace_index(BEFORE)
    for name in ("refund_receipt", "given_back_at", "currency", "wallet"):
        op.drop_column(TABLE, name)


def _replace_index(where: str) -> None:
    op.drop_index(INDEX, TABLE)
    op.create_index(INDEX, TABLE, ["id"], postgresql_where=sa.text(where), sqlite_where=sa.text(where))
