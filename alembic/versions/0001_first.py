"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# The state machine: no other transition is possible. Written out here, because a migration never changes.
TRANSITIONS = {
    "jobs": (
        "'queued>running', 'queued>failed', 'queued>cancelled', "
        "'running>succeeded', 'running>failed', 'running>cancelled'"
    ),
    "parts": (
        "'waiting>ready', 'waiting>cancelled', 'ready>running', 'ready>cancelled', "
        "'running>ready', 'running>succeeded', 'running>failed', 'running>cancelled'"
    ),
}


def upgrade() -> None:
    """Tables, indexes and triggers."""
    _tables()
    for table, allowed in TRANSITIONS.items():
        refused = f"OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ({allowed})"
        if op.get_bind().dialect.name == "sqlite":
            op.execute(
                f"CREATE TRIGGER {table}_state BEFORE UPDATE OF state ON {table} WHEN {refused} "
                f"BEGIN SELECT RAISE(ABORT, 'illegal transition of {table}'); END"
            )
        else:
            op.execute(
                f"CREATE FUNCTION {table}_state() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF {refused} THEN RAISE EXCEPTION 'illegal transition of {table}: % to %', "
                "OLD.state, NEW.state USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
            )
            op.execute(
                f"CREATE TRIGGER {table}_state BEFORE UPDATE OF state ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION {table}_state()"
            )


def downgrade() -> None:
    """Nothing is left."""
    for table in TRANSITIONS:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {table}_state")
        else:
            op.execute(f"DROP TRIGGER {table}_state ON {table}")
            op.execute(f"DROP FUNCTION {table}_state()")
    for table in (
        "parts",
        "job_dependencies",
        "jobs",
        "models",
        "images",
        "workers",
        "turns",
        "leaders",
        "idempotency_keys",
        "events",
        "artifacts",
    ):
        op.drop_table(table)


def _tables() -> None:
    op.create_table(
        "artifacts",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_artifacts")),
    )
    op.create_table(
        "events",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_created_at"), "events", ["created_at"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "leaders",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=36), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leaders")),
    )
    op.create_table(
        "turns",
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("served_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("owner", "lane", name=op.f("pk_turns")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("device_name", sa.String(length=200), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("versions", DOCUMENT, nullable=False),
        sa.Column("part_id", sa.String(length=36), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.CheckConstraint("lane IN ('batch', 'interactive')", name=op.f("ck_workers_lane")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_index("ix_workers_lane_seen", "workers", ["lane", "seen_at"], unique=False)
    op.create_table(
        "images",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("shape", DOCUMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["artifacts.sha256"], name=op.f("fk_images_sha256")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_images")),
    )
    op.create_table(
        "models",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("network", sa.String(length=100), nullable=False),
        sa.Column("parameters", DOCUMENT, nullable=False),
        sa.Column("weights_sha256", sa.String(length=64), nullable=False),
        sa.Column("input_shape", DOCUMENT, nullable=False),
        sa.Column("class_names", DOCUMENT, nullable=False),
        sa.Column("dataset", sa.String(length=100), nullable=False),
        sa.Column("metrics", DOCUMENT, nullable=False),
        sa.Column("multiply_adds", sa.BigInteger(), nullable=False),
        sa.Column("linear", sa.Boolean(), nullable=False),
        sa.Column("smooth", sa.Boolean(), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["weights_sha256"], ["artifacts.sha256"], name=op.f("fk_models_weights_sha256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("name", name=op.f("uq_models_name")),
    )
    op.create_index(op.f("ix_models_job_id"), "models", ["job_id"], unique=False)
    op.create_index(op.f("ix_models_weights_sha256"), "models", ["weights_sha256"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("spec", DOCUMENT, nullable=False),
        sa.Column("spec_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("model_id", sa.String(length=36), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("versions", DOCUMENT, nullable=False),
        sa.Column("parts_left", sa.Integer(), nullable=False),
        sa.Column("units_total", sa.Float(), nullable=False),
        sa.Column("units_reused", sa.Float(), nullable=False),
        sa.Column("units_committed", sa.Float(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("progress_message", sa.Text(), nullable=False),
        sa.Column("error", DOCUMENT, nullable=True),
        sa.Column("summary", DOCUMENT, nullable=False),
        sa.Column("result_sha256", sa.String(length=64), nullable=True),
        sa.Column("served_at", MOMENT, nullable=True),
        sa.Column("cancel_requested_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.CheckConstraint("lane IN ('batch', 'interactive')", name=op.f("ck_jobs_lane")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_jobs_model_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["result_sha256"], ["artifacts.sha256"], name=op.f("fk_jobs_result_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_kept_created", "jobs", ["kept", "created_at", "id"], unique=False)
    op.create_index("ix_jobs_kept_dataset", "jobs", ["kept", "dataset", "created_at", "id"], unique=False)
    op.create_index("ix_jobs_kept_finished", "jobs", ["kept", "finished_at", "id"], unique=False)
    op.create_index("ix_jobs_kept_kind", "jobs", ["kept", "kind", "created_at", "id"], unique=False)
    op.create_index("ix_jobs_kept_model", "jobs", ["kept", "model_id", "created_at", "id"], unique=False)
    op.create_index("ix_jobs_kept_owner", "jobs", ["kept", "owner", "created_at", "id"], unique=False)
    op.create_index("ix_jobs_kept_state", "jobs", ["kept", "state", "created_at", "id"], unique=False)
    op.create_index("ix_jobs_lane_created", "jobs", ["lane", "created_at", "id"], unique=False)
    op.create_index("ix_jobs_lane_state", "jobs", ["lane", "state", "owner"], unique=False)
    op.create_index(op.f("ix_jobs_model_id"), "jobs", ["model_id"], unique=False)
    op.create_index(op.f("ix_jobs_result_sha256"), "jobs", ["result_sha256"], unique=False)
    op.create_table(
        "job_dependencies",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("depends_on", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["depends_on"], ["jobs.id"], name=op.f("fk_job_dependencies_depends_on"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_dependencies_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "depends_on", name=op.f("pk_job_dependencies")),
    )
    op.create_index(op.f("ix_job_dependencies_depends_on"), "job_dependencies", ["depends_on"], unique=False)
    op.create_table(
        "parts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("merge", sa.Boolean(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("parameters", DOCUMENT, nullable=False),
        sa.Column("units", sa.Float(), nullable=False),
        sa.Column("bytes_kept", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.String(length=20), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("cost_key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.String(length=36), nullable=True),
        sa.Column("worker_name", sa.Text(), nullable=True),
        sa.Column("device", sa.String(length=16), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.Column("not_before", MOMENT, nullable=True),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("summary", DOCUMENT, nullable=True),
        sa.Column("artifact_sha256", sa.String(length=64), nullable=True),
        sa.Column("checkpoint_sha256", sa.String(length=64), nullable=True),
        sa.Column("error", DOCUMENT, nullable=True),
        sa.Column("reused_from", sa.String(length=36), nullable=True),
        sa.CheckConstraint("lane IN ('batch', 'interactive')", name=op.f("ck_parts_lane")),
        sa.CheckConstraint(
            "state <> 'running' OR (worker_id IS NOT NULL AND lease_until IS NOT NULL)",
            name=op.f("ck_parts_lease"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'ready', 'running', 'succeeded', 'failed', 'cancelled')",
            name=op.f("ck_parts_state"),
        ),
        sa.ForeignKeyConstraint(
            ["artifact_sha256"], ["artifacts.sha256"], name=op.f("fk_parts_artifact_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["checkpoint_sha256"], ["artifacts.sha256"], name=op.f("fk_parts_checkpoint_sha256")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_parts_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parts")),
        sa.UniqueConstraint("job_id", "position", name=op.f("uq_parts_job_id_position")),
    )
    op.create_index(op.f("ix_parts_artifact_sha256"), "parts", ["artifact_sha256"], unique=False)
    op.create_index(op.f("ix_parts_checkpoint_sha256"), "parts", ["checkpoint_sha256"], unique=False)
    op.create_index("ix_parts_cost", "parts", ["cost_key", "finished_at"], unique=False)
    op.create_index("ix_parts_fingerprint", "parts", ["fingerprint", "state"], unique=False)
    op.create_index("ix_parts_job_state", "parts", ["job_id", "state", "position"], unique=False)
    op.create_index("ix_parts_kind_cost", "parts", ["kind", "finished_at"], unique=False)
    op.create_index("ix_parts_state_lease", "parts", ["state", "lease_until"], unique=False)
