"""Every table, the same on SQLite and PostgreSQL. Migrations in `alembic/` build them; a test compares the
two.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB

from blindspots.store.database import Moment

JOB_STATES = ("queued", "running", "succeeded", "failed", "cancelled")
PART_STATES = ("waiting", "ready", "running", "succeeded", "failed", "cancelled")
LANES = ("batch", "interactive")
WEIGHT_FORMS = ("onnx", "safetensors")
ENDED = ("succeeded", "failed", "cancelled")
MAIN_PROJECT = "00000000-0000-7000-8000-000000000001"  # everything is in it until another one is made

Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Number = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only in an INTEGER key
Id = String(36)
Sha256 = String(64)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


artifacts = Table(
    "artifacts",
    metadata,
    Column("sha256", Sha256, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("created_at", Moment, nullable=False),
)

models = Table(
    "models",
    metadata,
    Column("id", Id, primary_key=True),
    Column("project_id", Id, nullable=False, server_default=MAIN_PROJECT),
    Column("name", String(200), nullable=False),
    Column("network", String(100), nullable=False),
    Column("parameters", Document, nullable=False),
    Column("weights_sha256", Sha256, ForeignKey("artifacts.sha256"), nullable=False, index=True),
    Column("input_shape", Document, nullable=False),
    Column("class_names", Document, nullable=False),
    Column("dataset", String(100), nullable=False),
    Column("metrics", Document, nullable=False),
    Column("multiply_adds", BigInteger, nullable=False),
    Column("linear", Boolean, nullable=False),
    Column("smooth", Boolean, nullable=False),
    Column("job_id", Id, index=True),  # the job that trained it; the model outlives that job
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("project_id", "name"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("title", String(200), nullable=False),
    Column("spec", Document, nullable=False),
    Column("spec_hash", Sha256, nullable=False),
    Column("state", String(16), nullable=False),
    Column("lane", String(16), nullable=False),
    Column("kept", Boolean, nullable=False),  # interactive jobs stay out of the history until they are kept
    Column("owner", String(100), nullable=False),
    # No foreign key: SQLite adds a column that has one only without a value. Projects are never deleted.
    Column("project_id", Id, nullable=False, server_default=MAIN_PROJECT),
    Column("priority", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("device", String(16), nullable=False),
    Column("model_id", Id, ForeignKey("models.id", ondelete="SET NULL"), index=True),
    Column("dataset", String(100)),
    Column("search_text", Text, nullable=False),
    Column("versions", Document, nullable=False),
    Column("parts_left", Integer, nullable=False),  # parts without the merge that are still to be committed
    Column("units_total", Float, nullable=False),
    Column("units_reused", Float, nullable=False),
    Column("units_committed", Float, nullable=False),
    Column("progress", Float, nullable=False),  # in units, with what running parts have reported
    Column("progress_message", Text, nullable=False),
    Column("error", Document),
    Column("summary", Document, nullable=False),
    Column("result_sha256", Sha256, ForeignKey("artifacts.sha256"), index=True),
    Column("served_at", Moment),  # when a part of it was last claimed: jobs take turns
    Column("cancel_requested_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    _one_of("state", JOB_STATES),
    _one_of("lane", LANES),
    # Every order and every filter of a project's history, each ending in the id, so that a page never reads
    # more than itself.
    Index("ix_jobs_project_created", "project_id", "kept", "created_at", "id"),
    Index("ix_jobs_project_finished", "project_id", "kept", "finished_at", "id"),
    Index("ix_jobs_project_kind", "project_id", "kept", "kind", "created_at", "id"),
    Index("ix_jobs_project_state", "project_id", "kept", "state", "created_at", "id"),
    Index("ix_jobs_project_owner", "project_id", "kept", "owner", "created_at", "id"),
    Index("ix_jobs_project_model", "project_id", "kept", "model_id", "created_at", "id"),
    Index("ix_jobs_project_dataset", "project_id", "kept", "dataset", "created_at", "id"),
    Index("ix_jobs_project_lane", "project_id", "lane", "created_at", "id"),
    Index("ix_jobs_lane_state", "lane", "state", "owner"),
)

job_dependencies = Table(
    "job_dependencies",
    metadata,
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("depends_on", Id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True, index=True),
)

steps = Table(
    "steps",
    metadata,
    Column("parent_id", Id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("title", String(200), nullable=False),
    Column("spec", Document, nullable=False),  # "@name" stands for the model of the step of that name
    Column("needs", Document, nullable=False),  # names of steps
    Column("weight", Float, nullable=False),  # of the progress of its job
    Column("fresh", Boolean, nullable=False),  # computed again, whatever is found finished
    # The job that was submitted for it, once what it needs has succeeded.
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="SET NULL"), unique=True, index=True),
    UniqueConstraint("parent_id", "name"),
)

parts = Table(
    "parts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),  # the merge comes after the last part
    Column("merge", Boolean, nullable=False),
    Column("label", Text, nullable=False),
    Column("parameters", Document, nullable=False),
    Column("units", Float, nullable=False),
    Column("bytes_kept", BigInteger, nullable=False),
    Column("seed", String(20), nullable=False),  # 64 bits without sign do not fit an integer column
    Column("fingerprint", Sha256, nullable=False),
    Column("cost_key", Sha256, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("lane", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),  # the fence: every claim raises it, every write names it
    Column("losses", Integer, nullable=False),  # workers that died on it
    Column("worker_id", Id),
    Column("worker_name", Text),
    Column("device", String(16)),
    Column("lease_until", Moment),
    Column("progress", Float, nullable=False),
    Column("published_at", Moment),
    Column("not_before", Moment),  # back-off after a loss
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("seconds", Float),
    Column("summary", Document),
    Column("artifact_sha256", Sha256, ForeignKey("artifacts.sha256"), index=True),
    Column("checkpoint_sha256", Sha256, ForeignKey("artifacts.sha256"), index=True),
    Column("error", Document),
    Column("reused_from", Id),
    UniqueConstraint("job_id", "position"),
    _one_of("state", PART_STATES),
    _one_of("lane", LANES),
    CheckConstraint(
        "state <> 'running' OR (worker_id IS NOT NULL AND lease_until IS NOT NULL)", name="lease"
    ),
    Index("ix_parts_job_state", "job_id", "state", "position"),
    Index("ix_parts_state_lease", "state", "lease_until"),
    Index("ix_parts_fingerprint", "fingerprint", "state"),
    Index("ix_parts_cost", "cost_key", "finished_at"),
    Index("ix_parts_kind_cost", "kind", "finished_at"),
    Index("ix_parts_finished", "finished_at"),
)

turns = Table(
    "turns",
    metadata,
    Column("owner", String(100), primary_key=True),
    Column("lane", String(16), primary_key=True),
    Column("served_at", Moment, nullable=False),  # owners take turns too
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("owner", String(100), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("request_hash", Sha256, nullable=False),
    Column("job_id", Id, nullable=False),
    Column("created_at", Moment, nullable=False),
)

images = Table(
    "images",
    metadata,
    Column("sha256", Sha256, ForeignKey("artifacts.sha256"), primary_key=True),
    Column("shape", Document, nullable=False),
    Column("created_at", Moment, nullable=False),
)

weight_files = Table(
    "weight_files",
    metadata,
    Column("sha256", Sha256, ForeignKey("artifacts.sha256"), primary_key=True),
    Column("form", String(16), nullable=False),
    Column("facts", Document, nullable=False),  # tensors with their shapes; of a graph what it reads and uses
    Column("created_at", Moment, nullable=False),
    _one_of("form", WEIGHT_FORMS),
)

workers = Table(
    "workers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("host", String(200), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("lane", String(16), nullable=False),
    Column("device", String(16), nullable=False),
    Column("device_name", String(200), nullable=False),
    Column("threads", Integer, nullable=False),
    Column("versions", Document, nullable=False),
    Column("draining", Boolean, nullable=False, server_default=false()),  # it takes no more parts
    Column("part_id", Id),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    _one_of("lane", LANES),
    Index("ix_workers_lane_seen", "lane", "seen_at"),
)

events = Table(
    "events",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("job_id", Id, nullable=False),
    Column("data", Document, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    sqlite_autoincrement=True,
)

leaders = Table(
    "leaders",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", Id, nullable=False),
    Column("until", Moment, nullable=False),
)
