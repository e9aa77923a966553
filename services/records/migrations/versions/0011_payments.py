"""Payments and bills."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Moment = sa.DateTime(timezone=True)
OPEN_OR_PAID = sa.text("status IN ('asked', 'sending', 'pending', 'unknown', 'differs', 'paid')")


def upgrade() -> None:
    """Make them."""
    _bills()
    _payments()
    _reports()
    _refunds()
    _sandbox()


def downgrade() -> None:
    """Drop them."""
    for table in ("sandbox_prompts", "payment_refunds", "payment_reports", "payments", "bills"):
        op.drop_table(table)


def _bills() -> None:
    op.create_table(
        "bills",
        sa.Column("id", Id, nullable=False),
        sa.Column("biller", sa.String(64), nullable=False),
        sa.Column("account", Id),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("consumer", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("posting", sa.String(16)),
        sa.Column("tries", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("due_at", Moment),
        sa.Column("receipt", sa.Text()),
        sa.Column("reason", sa.String(40)),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bills"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_bills_account_accounts"),
        sa.UniqueConstraint("effect", name="uq_bills_effect"),
    )
    op.create_index("ix_bills_created_at", "bills", ["created_at"])
    op.create_index("ix_bills_account_biller_id", "bills", ["account", "biller", "id"])
    _only_where("posting IN ('due', 'posting')", "ix_bills_posting", "bills", ["due_at"])


def _payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String(8), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("bill", Id),
        sa.Column("payer", sa.String(16), nullable=False),
        sa.Column("account", Id),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("paid_minor", sa.BigInteger()),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("wallet", sa.String(16), nullable=False),
        sa.Column("request", sa.Text()),
        sa.Column("receipt", sa.Text()),
        sa.Column("tries", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("due_at", Moment),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("asked_at", Moment),
        sa.Column("ended_at", Moment),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
        sa.ForeignKeyConstraint(["bill"], ["bills.id"], name="fk_payments_bill_bills"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_payments_account_accounts"),
        sa.UniqueConstraint("key", name="uq_payments_key"),
        sa.UniqueConstraint("effect", name="uq_payments_effect"),
    )
    for columns in (["bill"], ["request"], ["created_at"], ["reference", "id"], ["payer", "created_at"]):
        op.create_index(f"ix_payments_{'_'.join(columns)}", "payments", columns)
    op.create_index(
        "uq_payments_one_of_a_reference",
        "payments",
        ["reference"],
        unique=True,
        postgresql_where=OPEN_OR_PAID,
        sqlite_where=OPEN_OR_PAID,
    )
    _only_where("due_at IS NOT NULL", "ix_payments_due", "payments", ["status", "due_at"])
    _only_where("status = 'surplus'", "ix_payments_surplus", "payments", ["reference"])


def _reports() -> None:
    op.create_table(
        "payment_reports",
        sa.Column("id", Id, nullable=False),
        sa.Column("payment", Id),
        sa.Column("how", sa.String(8), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("request", sa.Text()),
        sa.Column("receipt", sa.Text()),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("heard_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payment_reports"),
        sa.ForeignKeyConstraint(["payment"], ["payments.id"], name="fk_payment_reports_payment_payments"),
        sa.UniqueConstraint("digest", name="uq_payment_reports_digest"),
    )
    op.create_index("ix_payment_reports_payment", "payment_reports", ["payment"])


def _refunds() -> None:
    op.create_table(
        "payment_refunds",
        sa.Column("id", Id, nullable=False),
        sa.Column("payment", Id, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("why", sa.String(160), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("receipt", sa.Text()),
        sa.Column("due_at", Moment),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payment_refunds"),
        sa.ForeignKeyConstraint(["payment"], ["payments.id"], name="fk_payment_refunds_payment_payments"),
        sa.UniqueConstraint("effect", name="uq_payment_refunds_effect"),
    )
    op.create_index("ix_payment_refunds_payment", "payment_refunds", ["payment"])
    _only_where("due_at IS NOT NULL", "ix_payment_refunds_due", "payment_refunds", ["due_at"])


def _sandbox() -> None:
    op.create_table(
        "sandbox_prompts",
        sa.Column("request", sa.String(40), nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("payer", sa.String(16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("about", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("receipt", sa.String(16)),
        sa.Column("returned_minor", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("asked_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("request", name="pk_sandbox_prompts"),
        sa.UniqueConstraint("key", name="uq_sandbox_prompts_key"),
    )
    op.create_index("ix_sandbox_prompts_payer", "sandbox_prompts", ["payer"])


def _only_where(where: str, name: str, table: str, columns: list[str]) -> None:
    op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))
