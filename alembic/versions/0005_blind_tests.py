"""Blind tests of the rows of units jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "blind_tests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("viewer", sa.String(length=100), nullable=False),
        sa.Column("arms", DOCUMENT, nullable=False),
        sa.Column("row_order", DOCUMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_blind_tests_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blind_tests")),
    )
    op.create_index(op.f("ix_blind_tests_job_id"), "blind_tests", ["job_id"])
    op.create_table(
        "blind_test_answers",
        sa.Column("test_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job_row", sa.Integer(), nullable=False),
        sa.Column("arm", sa.String(length=64), nullable=False),
        sa.Column("shares", sa.String(length=8), nullable=False),
        sa.Column("concept", sa.Text(), nullable=False),
        sa.Column("guess", sa.String(length=64), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("shares IN ('yes', 'no', 'unsure')", name=op.f("ck_blind_test_answers_shares")),
        sa.ForeignKeyConstraint(
            ["test_id"], ["blind_tests.id"], name=op.f("fk_blind_test_answers_test_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("test_id", "position", name=op.f("pk_blind_test_answers")),
    )


def downgrade() -> None:
    """Take the tables away."""
    op.drop_table("blind_test_answers")
    op.drop_index(op.f("ix_blind_tests_job_id"), table_name="blind_tests")
    op.drop_table("blind_tests")
