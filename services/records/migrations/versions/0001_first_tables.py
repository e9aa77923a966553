"""The first tables: callers, accounts, applications, messages, departments' keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As they were when this was written: a migration does not follow what the tables become later.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)
Msisdn = sa.String(16)
Language = sa.String(8)
Code = sa.String(64)
Word = sa.String(16)


def upgrade() -> None:
    """Make them all."""
    _callers_and_accounts()
    _applications()
    _messages()
    _api_keys()


def downgrade() -> None:
    """Drop them all, those that refer to others first."""
    for table in (
        *("api_keys", "messages", "application_events", "applications"),
        *("account_events", "security_answers", "accounts", "callers"),
    ):
        op.drop_table(table)


def _callers_and_accounts() -> None:
    op.create_table(
        "callers",
        sa.Column("number", Msisdn, primary_key=True),
        sa.Column("language", Language, nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("chosen_at", Moment, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("id", Id, primary_key=True),
        sa.Column("number", Msisdn, nullable=False, unique=True),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("language", Language, nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        sa.Column("pin_failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("pin_locked_until", Moment),
        sa.Column("answer_failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("answers_locked_until", Moment),
        sa.Column("created_at", Moment, nullable=False),
    )
    op.create_table(
        "security_answers",
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("question", Code, nullable=False),
        sa.Column("answer_hash", sa.Text(), nullable=False),
    )
    op.create_table(
        "account_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account", Id, sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True),
        sa.Column("kind", Word, nullable=False),
        sa.Column("outcome", Word, nullable=False),
        sa.Column("tries_left", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("locked_until", Moment),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.UniqueConstraint("effect", "kind"),
    )


def _applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", Id, primary_key=True),
        sa.Column("tracking_number", sa.String(12), nullable=False, unique=True),
        sa.Column("account", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("number", Msisdn, nullable=False),
        sa.Column("service", Code, nullable=False),
        sa.Column("office", Code, nullable=False),
        sa.Column("department", Code, nullable=False),
        sa.Column("form", sa.LargeBinary(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("promised", sa.Date()),
        sa.Column("language", Language, nullable=False),
        sa.Column("channel", Word, nullable=False),
        sa.Column("status", Word, nullable=False),
        sa.Column("note", sa.JSON(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
    )
    op.create_index("ix_applications_account_id", "applications", ["account", "id"])
    op.create_table(
        "application_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("application", Id, sa.ForeignKey("applications.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("status", Word, nullable=False),
        sa.Column("note", sa.JSON(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", Moment, nullable=False),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", Id, primary_key=True),
        sa.Column("to_number", Msisdn, nullable=False),
        sa.Column("text", sa.LargeBinary()),
        sa.Column("kind", Word, nullable=False),
        sa.Column("secret", sa.Boolean(), nullable=False),
        sa.Column("status", Word, nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("not_after", Moment, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("worker", sa.Text()),
        sa.Column("provider_id", sa.Text()),
        sa.Column("cost", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("effect", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
    )
    for status, columns in (("queued", ["due_at", "id"]), ("sending", ["updated_at"])):
        where = sa.text(f"status = '{status}'")
        op.create_index(f"ix_messages_{status}", "messages", columns, postgresql_where=where, sqlite_where=where)


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(8), primary_key=True),
        sa.Column("department", Code, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("revoked_at", Moment),
    )
