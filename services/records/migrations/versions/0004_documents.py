"""Identity numbers as keyed hashes, and the documents that were fetched with them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)
Msisdn = sa.String(16)
Word = sa.String(16)
Hash = sa.String(32)


def upgrade() -> None:
    """Make them."""
    _holders_and_sign_ins()
    _checks_and_documents()


def downgrade() -> None:
    """Drop them, those that refer to others first."""
    for table in ("documents", "document_checks", "document_sign_ins", "document_holders"):
        op.drop_table(table)


def _holders_and_sign_ins() -> None:
    op.create_table(
        "document_holders",
        sa.Column("holder", Hash, primary_key=True),
        sa.Column("number", Msisdn, nullable=False),
        sa.Column("linked_at", Moment, nullable=False),
    )
    op.create_table(
        "document_sign_ins",
        sa.Column("id", Id, primary_key=True),
        sa.Column("number", Msisdn, nullable=False),
        sa.Column("holder", Hash, nullable=False),
        sa.Column("last_four", sa.String(4), nullable=False),
        sa.Column("status", Word, nullable=False),
        sa.Column("code_to", Msisdn),
        sa.Column("state", sa.LargeBinary()),
        sa.Column("granted", sa.LargeBinary()),
        sa.Column("listed", sa.LargeBinary()),
        sa.Column("effect", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=False),
    )
    for columns in (["number", "created_at"], ["holder", "created_at"], ["ends_at"]):
        op.create_index(f"ix_document_sign_ins_{'_'.join(columns)}", "document_sign_ins", columns)


def _checks_and_documents() -> None:
    op.create_table(
        "document_checks",
        sa.Column("id", Id, primary_key=True),
        sa.Column("sign_in", Id, sa.ForeignKey("document_sign_ins.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("outcome", Word, nullable=False),
        sa.Column("effect", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", Moment, nullable=False),
    )
    op.create_table(
        "documents",
        sa.Column("id", Id, primary_key=True),
        sa.Column("reference", Hash, nullable=False, unique=True),
        sa.Column("sign_in", Id, sa.ForeignKey("document_sign_ins.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=False, index=True),
    )
