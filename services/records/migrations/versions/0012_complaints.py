"""Complaints that move and escalate; feedback that is read."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Code = sa.String(64)
Moment = sa.DateTime(timezone=True)
AWAITED, WAITING = sa.text("due_at IS NOT NULL"), sa.text("digest IS NULL")

# A complaint of before belongs to the department of its application. It was promised nothing, so that nothing of it is late.
WHOSE = """
UPDATE complaints SET
  service = (SELECT service FROM applications WHERE applications.id = complaints.application),
  department = (SELECT department FROM applications WHERE applications.id = complaints.application)
WHERE application IS NOT NULL
"""
OF_COMPLAINTS = (
    ("service", lambda: sa.Column("service", Code, nullable=False, server_default="")),
    ("department", lambda: sa.Column("department", Code, nullable=False, server_default="")),
    ("reason", lambda: sa.Column("reason", sa.String(16), nullable=False, server_default="other")),
    ("level", lambda: sa.Column("level", sa.SmallInteger, nullable=False, server_default="0")),
    ("note", lambda: sa.Column("note", sa.JSON, nullable=False, server_default="{}")),
    ("promised", lambda: sa.Column("promised", sa.Date)),
    ("due_at", lambda: sa.Column("due_at", Moment)),
)


def upgrade() -> None:
    """Make them; what was complained of before is given to whom it concerns."""
    for _, column in OF_COMPLAINTS:
        op.add_column("complaints", column())
    op.execute(WHOSE)
    op.create_index("ix_complaints_number", "complaints", ["number"])
    op.create_index("ix_complaints_awaited", "complaints", ["due_at"], postgresql_where=AWAITED, sqlite_where=AWAITED)
    _events()
    _digests()
    _feedback()


def downgrade() -> None:
    """Drop them."""
    for index in ("waiting", "digest", "number"):
        op.drop_index(f"ix_feedback_{index}", "feedback")
    with op.batch_alter_table("feedback") as feedback:
        feedback.drop_constraint("fk_feedback_digest_feedback_digests", type_="foreignkey")
        for column in ("digest", "rating", "department", "service"):
            feedback.drop_column(column)
    op.drop_table("feedback_digests")
    op.drop_table("complaint_events")
    for index in ("awaited", "number"):
        op.drop_index(f"ix_complaints_{index}", "complaints")
    with op.batch_alter_table("complaints") as complaints:
        for name, _ in OF_COMPLAINTS:
            complaints.drop_column(name)


def _events() -> None:
    op.create_table(
        "complaint_events",
        sa.Column("id", Id, nullable=False),
        sa.Column("complaint", Id, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("note", sa.JSON, nullable=False),
        sa.Column("actor_kind", sa.String(16), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("effect", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_complaint_events"),
        sa.UniqueConstraint("effect", name="uq_complaint_events_effect"),
        sa.ForeignKeyConstraint(
            ["complaint"], ["complaints.id"], name="fk_complaint_events_complaint_complaints", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_complaint_events_complaint", "complaint_events", ["complaint"])


def _digests() -> None:
    op.create_table(
        "feedback_digests",
        sa.Column("id", Id, nullable=False),
        sa.Column("department", Code, nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("many", sa.Integer, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback_digests"),
        sa.UniqueConstraint("department", "period", name="uq_feedback_digests_department_period"),
    )


def _feedback() -> None:
    with op.batch_alter_table("feedback") as feedback:
        feedback.add_column(sa.Column("service", Code, nullable=False, server_default=""))
        feedback.add_column(sa.Column("department", Code, nullable=False, server_default=""))
        feedback.add_column(sa.Column("rating", sa.SmallInteger))
        feedback.add_column(sa.Column("digest", Id))
        feedback.create_foreign_key("fk_feedback_digest_feedback_digests", "feedback_digests", ["digest"], ["id"])
    op.create_index("ix_feedback_number", "feedback", ["number"])
    op.create_index("ix_feedback_digest", "feedback", ["digest"])
    op.create_index(
        "ix_feedback_waiting",
        "feedback",
        ["department", "created_at"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
