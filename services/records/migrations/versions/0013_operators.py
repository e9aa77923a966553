"""Operators, consents and what they did."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)
Msisdn = sa.String(16)
Word = sa.String(16)
OPEN_CONSENT = sa.text("ended_at IS NULL AND given_at IS NOT NULL")


def upgrade() -> None:
    """Make them."""
    _operators()
    _consents()


def downgrade() -> None:
    """Drop them, those that refer to others first."""
    for table in ("consent_checks", "consents", "operator_events", "operators"):
        op.drop_table(table)


def _operators() -> None:
    op.create_table(
        "operators",
        sa.Column("id", Id, nullable=False),
        sa.Column("number", Msisdn, nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("centre", sa.String(64), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        sa.Column("pin_chosen", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("pin_failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("pin_locked_until", Moment),
        sa.Column("consents_a_day", sa.Integer()),
        sa.Column("applications_a_day", sa.Integer()),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("suspended_at", Moment),
        sa.PrimaryKeyConstraint("id", name="pk_operators"),
        sa.UniqueConstraint("number", name="uq_operators_number"),
    )
    op.create_table(
        "operator_events",
        sa.Column("id", Id, nullable=False),
        sa.Column("operator", Id, nullable=False),
        sa.Column("kind", Word, nullable=False),
        sa.Column("outcome", Word, nullable=False),
        sa.Column("tries_left", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("locked_until", Moment),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operator_events"),
        sa.ForeignKeyConstraint(
            ["operator"], ["operators.id"], name="fk_operator_events_operator_operators", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("effect", "kind", name="uq_operator_events_effect_kind"),
    )
    op.create_index("ix_operator_events_operator", "operator_events", ["operator"])
    op.create_index("ix_operator_events_created_at", "operator_events", ["created_at"])


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", Id, nullable=False),
        sa.Column("operator", Id, nullable=False),
        sa.Column("number", Msisdn, nullable=False),
        sa.Column("account", Id),
        sa.Column("newcomer", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("purpose", Word, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("channel", Word, nullable=False),
        sa.Column("outcome", Word, nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("asked_at", Moment, nullable=False),
        sa.Column("given_at", Moment),
        sa.Column("lapses_at", Moment),
        sa.Column("ended_at", Moment),
        sa.Column("ended_by", Word),
        sa.Column("ended_effect", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
        sa.ForeignKeyConstraint(["operator"], ["operators.id"], name="fk_consents_operator_operators"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_consents_account_accounts", ondelete="SET NULL"),
        sa.UniqueConstraint("effect", name="uq_consents_effect"),
    )
    op.create_index("ix_consents_account", "consents", ["account"])
    op.create_index("ix_consents_number_asked_at", "consents", ["number", "asked_at"])
    op.create_index("ix_consents_operator_asked_at", "consents", ["operator", "asked_at"])
    op.create_index("ix_consents_asked_at", "consents", ["asked_at"])
    op.create_index(
        "ix_consents_open", "consents", ["lapses_at"], postgresql_where=OPEN_CONSENT, sqlite_where=OPEN_CONSENT
    )
    op.create_table(
        "consent_checks",
        sa.Column("id", Id, nullable=False),
        sa.Column("consent", Id, nullable=False),
        sa.Column("outcome", Word, nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consent_checks"),
        sa.ForeignKeyConstraint(
            ["consent"], ["consents.id"], name="fk_consent_checks_consent_consents", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("effect", name="uq_consent_checks_effect"),
    )
    op.create_index("ix_consent_checks_consent", "consent_checks", ["consent"])
    op.create_index("ix_consent_checks_created_at", "consent_checks", ["created_at"])
