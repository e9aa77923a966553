"""A message knows the text of the locales that it was rendered from, and its variables."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLE = "messages"


def upgrade() -> None:
    """Add the columns. The messages of before have no template."""
    op.add_column(TABLE, sa.Column("template", sa.Text))
    op.add_column(TABLE, sa.Column("form", sa.String(8)))
    op.add_column(TABLE, sa.Column("variables", sa.LargeBinary))


def downgrade() -> None:
    """Drop the columns."""
    for name in ("variables", "form", "template"):
        op.drop_column(TABLE, name)
