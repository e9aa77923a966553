"""What the department API keeps and asks: keys with a label, a last day and a last use; changes in their order."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# What a department asks its lists by, each in the order of a moment.
ASKED = (
    ("applications", (), "changed_at"),
    ("applications", ("service",), "changed_at"),
    ("applications", ("status",), "changed_at"),
    ("applications", ("service", "status"), "changed_at"),
    ("complaints", (), "changed_at"),
    ("complaints", ("status",), "changed_at"),
    ("feedback", (), "created_at"),
)


def upgrade() -> None:
    """Make them."""
    for table, what, moment in ASKED:
        op.create_index(_named(table, what, moment), table, ["department", *what, moment, "id"])
    op.add_column("api_keys", sa.Column("label", sa.String(64), nullable=False, server_default=""))
    op.add_column("api_keys", sa.Column("used_on", sa.Date()))
    op.add_column("api_keys", sa.Column("last_day", sa.Date()))
    if op.get_bind().dialect.name == "sqlite":
        for statement in NOT_REPLACED:
            op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    for trigger in ("audit_no_replace", "audit_once") if op.get_bind().dialect.name == "sqlite" else ():
        op.execute(f"DROP TRIGGER {trigger}")
    for column in ("last_day", "used_on", "label"):
        op.drop_column("api_keys", column)
    for table, what, moment in ASKED:
        op.drop_index(_named(table, what, moment), table)


def _named(table: str, what: tuple[str, ...], moment: str) -> str:
    return "_".join(("ix", table, "department", *what, moment))


# In SQLite an INSERT OR REPLACE takes a row away without asking what refuses DELETE. An act that is known is left as it
# is, which is what ON CONFLICT DO NOTHING does too.
NOT_REPLACED = (
    (
        "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) "
        "BEGIN SELECT RAISE(ABORT, 'The audit is appended to, never changed'); END"
    ),
    (
        "CREATE TRIGGER audit_once BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE effect = NEW.effect) "
        "BEGIN SELECT RAISE(IGNORE); END"
    ),
)
