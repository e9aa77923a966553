"""Feedback gets numbers; what is kept only for a while is found by its age."""

import sqlalchemy as sa
from alembic import op

from services.numbers import tracking_number

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FEEDBACK = sa.table("feedback", sa.column("id", sa.Integer), sa.column("feedback_number", sa.String))


def upgrade() -> None:
    """Make them; what was written before gets a number too, though nobody was told it."""
    op.add_column("feedback", sa.Column("feedback_number", sa.String(12)))
    _number()
    with op.batch_alter_table("feedback") as feedback:
        feedback.alter_column("feedback_number", existing_type=sa.String(12), nullable=False)
        feedback.create_unique_constraint("uq_feedback_feedback_number", ["feedback_number"])
    op.create_index("ix_inbound_sms_done_at", "inbound_sms", ["done_at"])
    op.create_index("ix_account_events_created_at", "account_events", ["created_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_account_events_created_at", "account_events")
    op.drop_index("ix_inbound_sms_done_at", "inbound_sms")
    with op.batch_alter_table("feedback") as feedback:
        feedback.drop_constraint("uq_feedback_feedback_number", type_="unique")
        feedback.drop_column("feedback_number")


def _number() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.select(FEEDBACK.c.id)).scalars().all():
        numbered = sa.update(FEEDBACK).where(FEEDBACK.c.id == row).values(feedback_number=tracking_number())
        connection.execute(numbered)
