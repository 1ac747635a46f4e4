"""Pinned rows of jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "pins",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("job_row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_pins_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "job_row", name=op.f("pk_pins")),
    )


def downgrade() -> None:
    """Take the table away."""
    op.drop_table("pins")
