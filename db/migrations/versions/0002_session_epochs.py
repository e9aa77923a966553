"""Session epochs, attempts by class of channel, frozen accounts, the last use of an account."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UtcDateTime = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns; an account was last used when it was last signed in to, or registered."""
    for table in ("accounts", "operators"):
        op.add_column(table, sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"))
        op.add_column(table, sa.Column("epoch_session", sa.Text()))
        op.add_column(table, sa.Column("epoch_session_from", sa.Integer()))
        op.add_column(table, sa.Column("lockouts", sa.Integer(), nullable=False, server_default="0"))
    for table in ("account_events", "operator_events"):
        op.add_column(table, sa.Column("epoch", sa.BigInteger()))
    for column in ("unvouched_pin_failures", "unvouched_answer_failures", "unvouched_lockouts"):
        op.add_column("accounts", sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
    for column in ("unvouched_pin_locked_until", "unvouched_answers_locked_until", "frozen_at", "last_used_at"):
        op.add_column("accounts", sa.Column(column, UtcDateTime))
    op.execute(
        "UPDATE accounts SET last_used_at = coalesce((SELECT max(account_events.created_at) FROM account_events"
        " WHERE account_events.account = accounts.id AND account_events.outcome = 'in'), created_at)"
    )


def downgrade() -> None:
    """Drop the columns."""
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column)


EPOCH_COLUMNS = ("epoch", "epoch_session", "epoch_session_from", "lockouts")
COLUMNS = {
    "operators": EPOCH_COLUMNS,
    "account_events": ("epoch",),
    "operator_events": ("epoch",),
    "accounts": (
        *EPOCH_COLUMNS,
        "unvouched_pin_failures",
        "unvouched_answer_failures",
        "unvouched_lockouts",
        "unvouched_pin_locked_until",
        "unvouched_answers_locked_until",
        "frozen_at",
        "last_used_at",
    ),
}
