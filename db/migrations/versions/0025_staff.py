"""Staff who sign in to the console, their recovery codes and their sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "staff",
        sa.Column("id", ID, primary_key=True),
        sa.Column("login", sa.String(32), nullable=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("department", sa.String(64), nullable=False, server_default=""),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("password_chosen", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("code_secret", sa.LargeBinary),
        sa.Column("code_step", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lockouts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("locked_until", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True)),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("login", name="uq_staff_login"),
    )
    op.create_index("ix_staff_disabled_at", "staff", ["disabled_at"])
    op.create_table(
        "staff_recovery_codes",
        sa.Column("id", ID, primary_key=True),
        sa.Column("staff", ID, sa.ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("digest", name="uq_staff_recovery_codes_digest"),
    )
    op.create_index("ix_staff_recovery_codes_staff", "staff_recovery_codes", ["staff"])
    op.create_table(
        "staff_sessions",
        sa.Column("id", ID, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("staff", ID, sa.ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("digest", name="uq_staff_sessions_digest"),
    )
    op.create_index("ix_staff_sessions_staff", "staff_sessions", ["staff"])
    op.create_index("ix_staff_sessions_expires_at", "staff_sessions", ["expires_at"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("staff_sessions", "staff_recovery_codes", "staff"):
        op.drop_table(table)
