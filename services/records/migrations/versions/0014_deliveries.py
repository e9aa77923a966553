"""What waits to be delivered to a department, and what it told us."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "deliveries",
        sa.Column("id", Id, nullable=False),
        sa.Column("application", Id, nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("error", sa.String(64)),
        sa.Column("answer", sa.LargeBinary()),
        sa.Column("reference", sa.String(128)),
        sa.Column("look_at", Moment),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.ForeignKeyConstraint(
            ["application"], ["applications.id"], name="fk_deliveries_application_applications", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("effect", name="uq_deliveries_effect"),
    )
    op.create_index("ix_deliveries_application", "deliveries", ["application"])
    for name, columns, where in _PARTIAL:
        op.create_index(name, "deliveries", columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))
    op.create_table(
        "department_events",
        sa.Column("id", Id, nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("webhook", sa.String(128), nullable=False),
        sa.Column("heard_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_department_events"),
        sa.UniqueConstraint("department", "webhook", name="uq_department_events_department_webhook"),
    )
    op.create_index("ix_department_events_heard_at", "department_events", ["heard_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("department_events")
    op.drop_table("deliveries")


_PARTIAL = (
    ("ix_deliveries_waiting", ["department", "due_at", "id"], "state IN ('queued', 'held')"),
    ("ix_deliveries_open", ["department", "created_at"], "state IN ('queued', 'held', 'sending')"),
    ("ix_deliveries_sending", ["updated_at"], "state = 'sending'"),
    ("ix_deliveries_refused", ["updated_at"], "state = 'refused'"),
    ("ix_deliveries_look_at", ["department", "look_at"], "look_at IS NOT NULL"),
)
