"""What a worker needs to order, hold back and report an SMS, and who wants none."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# As they were when this was written.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)
Msisdn = sa.String(16)

BEFORE = {"queued": (["due_at", "id"], "status = 'queued'"), "sending": (["updated_at"], "status = 'sending'")}
AFTER = {
    "queued": (["medium", "priority", "due_at", "id"], "status = 'queued'"),
    "late": (["not_after"], "status = 'queued'"),
    "sending": (["updated_at"], "status = 'sending'"),
    "unknown": (["recipient"], "status = 'unknown'"),
    "provider_id": (["provider_id"], "provider_id IS NOT NULL"),
    "network": (["recipient", "id"], "network IS NOT NULL"),
}


def upgrade() -> None:
    """Make them."""
    _drop_indexes("messages", BEFORE)
    with op.batch_alter_table("messages") as messages:  # SQLite makes the table anew
        messages.alter_column(
            "to_number",
            new_column_name="recipient",
            existing_type=Msisdn,
            type_=sa.String(254),
            existing_nullable=False,
        )
        for column in _columns():
            messages.add_column(column)
    op.execute("UPDATE messages SET priority = 0 WHERE status = 'queued' AND kind IN ('code', 'pin')")
    _make_indexes("messages", AFTER)
    _optouts()
    _reports()


def downgrade() -> None:
    """Drop them; e-mails that wait are dropped with them."""
    for table in ("unread_callbacks", "delivery_reports", "optouts"):
        op.drop_table(table)
    op.execute("DELETE FROM messages WHERE medium <> 'sms'")
    _drop_indexes("messages", AFTER)
    with op.batch_alter_table("messages") as messages:
        for column in _columns():
            messages.drop_column(column.name)
        messages.alter_column(
            "recipient",
            new_column_name="to_number",
            existing_type=sa.String(254),
            type_=Msisdn,
            existing_nullable=False,
        )
    _make_indexes("messages", BEFORE)


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("medium", sa.String(8), nullable=False, server_default="sms"),
        sa.Column("priority", sa.SmallInteger(), nullable=False, server_default="2"),
        sa.Column("segments", sa.SmallInteger(), nullable=False, server_default="1"),
        sa.Column("holds", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("repeats", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("delivery", sa.String(16)),
        sa.Column("delivery_reason", sa.String(40)),
        sa.Column("reported_at", Moment),
        sa.Column("network", sa.String(16)),
    ]


def _optouts() -> None:
    op.create_table(
        "optouts",
        sa.Column("number", Msisdn, primary_key=True),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("out_at", Moment, nullable=False),
        sa.Column("back_at", Moment),
    )


def _reports() -> None:
    op.create_table(
        "delivery_reports",
        sa.Column("id", Id, primary_key=True),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("word", sa.String(40), nullable=False),
        sa.Column("delivery", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("network", sa.String(16)),
        sa.Column("number_key", sa.String(32)),
        sa.Column("message", Id, sa.ForeignKey("messages.id", ondelete="CASCADE"), index=True),
        sa.Column("heard_at", Moment, nullable=False),
        sa.UniqueConstraint("provider_id", "word"),
    )
    unmatched = {"unmatched": (["heard_at"], "message IS NULL"), "numbers": (["number_key"], "message IS NULL")}
    _make_indexes("delivery_reports", unmatched)
    op.create_table(
        "unread_callbacks",
        sa.Column("id", Id, primary_key=True),
        sa.Column("route", sa.String(64), nullable=False),
        sa.Column("why", sa.String(160), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("heard_at", Moment, nullable=False),
    )


def _make_indexes(table: str, indexes: dict[str, tuple[list[str], str]]) -> None:
    for name, (columns, condition) in indexes.items():
        where = sa.text(condition)
        op.create_index(f"ix_{table}_{name}", table, columns, postgresql_where=where, sqlite_where=where)


def _drop_indexes(table: str, indexes: dict[str, tuple[list[str], str]]) -> None:
    for name in indexes:
        op.drop_index(f"ix_{table}_{name}", table)
