"""Workers that take no more parts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("workers") as table:
        table.add_column(sa.Column("draining", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_parts_finished", "parts", ["finished_at"])


def downgrade() -> None:
    """Take the column away."""
    op.drop_index("ix_parts_finished", table_name="parts")
    with op.batch_alter_table("workers") as table:
        table.drop_column("draining")
