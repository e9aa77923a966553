"""The department of a payment, the category of a refund, and an index for each list of payments."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

HAS_RECEIPT = "receipt IS NOT NULL"
LISTS = {
    "ix_payments_created_at": ["created_at", "id"],
    "ix_payments_department_created_at": ["department", "created_at", "id"],
    "ix_payments_subject_created_at": ["subject", "created_at", "id"],
    "ix_payments_status_created_at": ["status", "created_at", "id"],
    "ix_payments_department_status_created_at": ["department", "status", "created_at", "id"],
    "ix_payments_subject_status_created_at": ["subject", "status", "created_at", "id"],
    "ix_payments_payer_created_at": ["payer", "created_at", "id"],
    "ix_payments_wallet_created_at": ["wallet", "created_at", "id"],
}
PARTIAL = (
    ("ix_bills_receipt", "bills", ["receipt"], HAS_RECEIPT),
    ("ix_payments_receipt", "payments", ["receipt"], HAS_RECEIPT),
    ("ix_payments_money", "payments", ["wallet", "ended_at", "id"], "paid_minor IS NOT NULL"),
    ("ix_payments_charged_twice", "payments", ["id"], "reason = 'PaidTwice'"),
    ("ix_payment_reports_receipt", "payment_reports", ["receipt"], HAS_RECEIPT),
    ("ix_payment_reports_unmatched", "payment_reports", ["id"], "payment IS NULL AND outcome = 'paid'"),
    ("ix_payment_refunds_receipt", "payment_refunds", ["receipt"], HAS_RECEIPT),
    ("ix_payment_refunds_by_hand", "payment_refunds", ["id"], "status IN ('by_hand', 'unknown', 'failed')"),
    ("ix_payment_refunds_returned", "payment_refunds", ["updated_at", "id"], "status = 'returned'"),
)
FILL_DEPARTMENT = """
UPDATE payments SET department =
    (SELECT applications.department FROM applications WHERE applications.tracking_number = payments.reference)
WHERE purpose = 'fee'
"""
FILL_CATEGORY = """
UPDATE payment_refunds SET category = CASE WHEN explanation = 'PaidTwice' THEN 'paid_twice' ELSE 'biller_refused' END
WHERE explanation = 'PaidTwice' OR explanation LIKE 'NotPosted:%'
"""


def upgrade() -> None:
    """Add the columns, fill them from what is recorded, and create the indexes."""
    op.add_column("payments", sa.Column("department", sa.String(64)))
    op.add_column("payment_refunds", sa.Column("category", sa.String(24)))
    op.execute(FILL_DEPARTMENT)
    op.execute(FILL_CATEGORY)
    for former in ("ix_payments_created_at", "ix_payments_payer_created_at"):
        op.drop_index(former, "payments")
    for name, columns in LISTS.items():
        op.create_index(name, "payments", columns)
    op.create_index("ix_bills_consumer", "bills", ["consumer"])
    for name, table, columns, where in PARTIAL:
        op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def downgrade() -> None:
    """Drop the indexes and the columns."""
    for name, table, _, _ in PARTIAL:
        op.drop_index(name, table)
    op.drop_index("ix_bills_consumer", "bills")
    for name in LISTS:
        op.drop_index(name, "payments")
    op.create_index("ix_payments_created_at", "payments", ["created_at"])
    op.create_index("ix_payments_payer_created_at", "payments", ["payer", "created_at"])
    op.drop_column("payment_refunds", "category")
    op.drop_column("payments", "department")
