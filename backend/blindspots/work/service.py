"""Everything the application can do, one transaction per sentence."""

from blindspots.store.job_query import JobQuery
from blindspots.work.installation import Installation

__all__ = ["JobQuery", "Service"]


class Service(Installation):
    """What the API, the CLI and the tests call. Thread-safe; raises only the classes of `errors`.

    Each subject stands in a module of its own, one upon the other: reading, submissions, results, shelves,
    uploads, installation.
    """
