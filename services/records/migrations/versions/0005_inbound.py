"""SMS that came in, complaints and feedback."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)
Msisdn = sa.String(16)
Language = sa.String(8)
Word = sa.String(16)
NEW = sa.text("state = 'new'")


def upgrade() -> None:
    """Make them."""
    _inbound_sms()
    _complaints()
    _feedback()


def downgrade() -> None:
    """Drop them."""
    for table in ("feedback", "complaints", "inbound_sms"):
        op.drop_table(table)


def _inbound_sms() -> None:
    op.create_table(
        "inbound_sms",
        sa.Column("id", Id, primary_key=True),
        sa.Column("provider_id", sa.Text(), nullable=False, unique=True),
        sa.Column("number", Msisdn, nullable=False),
        sa.Column("sent_to", Word, nullable=False),
        sa.Column("text", sa.LargeBinary()),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("link_id", sa.Text()),
        sa.Column("network", Word),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("taken_for", Word),
        sa.Column("tries", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("held_until", Moment),
        sa.Column("sent_at", Moment),
        sa.Column("received_at", Moment, nullable=False),
        sa.Column("done_at", Moment),
    )
    op.create_index("ix_inbound_sms_number_id", "inbound_sms", ["number", "id"])
    op.create_index("ix_inbound_sms_new", "inbound_sms", ["number", "id"], postgresql_where=NEW, sqlite_where=NEW)


def _complaints() -> None:
    op.create_table(
        "complaints",
        sa.Column("id", Id, primary_key=True),
        sa.Column("complaint_number", sa.String(12), nullable=False, unique=True),
        sa.Column("number", Msisdn, nullable=False),
        sa.Column("application", Id, sa.ForeignKey("applications.id"), index=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("status", Word, nullable=False),
        sa.Column("language", Language, nullable=False),
        sa.Column("channel", Word, nullable=False),
        sa.Column("effect", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
    )


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", Id, primary_key=True),
        sa.Column("number", Msisdn, nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("language", Language, nullable=False),
        sa.Column("channel", Word, nullable=False),
        sa.Column("effect", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", Moment, nullable=False),
    )
