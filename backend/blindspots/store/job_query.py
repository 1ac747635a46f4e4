"""What a page of the history is asked for."""

from dataclasses import dataclass

from blindspots.store.tables import MAIN_PROJECT


@dataclass(frozen=True)
class JobQuery:
    """Which jobs to list, in which order, from where on. Unset filters match everything."""

    project_id: str = MAIN_PROJECT
    kind: str | None = None
    state: str | None = None
    search: str | None = None
    owner: str | None = None
    model: str | None = None
    dataset: str | None = None
    lane: str | None = None  # interactive jobs are listed only when kept, or asked for here
    parent: str | None = None  # the job whose steps are listed
    sort: str = "-created_at"
    cursor: str | None = None
    limit: int = 50
