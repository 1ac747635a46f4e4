"""What every subject of the service stands on."""

import copy
import logging
from collections.abc import Mapping
from typing import Any, Self

import orjson
from pydantic import ValidationError
from sqlalchemy import Connection

from blindspots.errors import Conflict, Unavailable
from blindspots.experiments.base import Spec
from blindspots.settings import Settings
from blindspots.store import audit, projects
from blindspots.store.artifacts import ArtifactStore
from blindspots.store.database import Database
from blindspots.work.actor import SYSTEM, Actor
from blindspots.work.catalog import DatasetFolders, StoreCatalog
from blindspots.work.picture_sources import PictureSources
from blindspots.work.publishing import Publisher, publish

Json = dict[str, Any]
log = logging.getLogger(__name__)


def parse(kinds: Mapping[str, type[Spec]], document: Mapping[str, Any]) -> Spec:
    """A stored Spec. Raises Conflict where this version knows its kind or its parameters no more."""
    kind = kinds.get(str(document.get("kind")))
    if kind is None:
        raise Conflict(f"This Blindspots does not know jobs of kind {document.get('kind')!r}.")
    try:
        return kind.model_validate_json(orjson.dumps(document))
    except ValidationError as error:
        raise Conflict("The job was made by another version, whose parameters are not known here.") from error


class Foundation:
    """Settings, database, artifacts, publisher and catalog, shared by the subjects of the service."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        artifacts: ArtifactStore,
        publisher: Publisher,
        *,
        kinds: Mapping[str, type[Spec]] | None = None,
    ) -> None:
        if kinds is None:
            from blindspots.experiments import KINDS

            kinds = KINDS
        self.settings = settings
        self.database = database
        self.artifacts = artifacts
        self.publisher = publisher
        self.kinds = kinds
        self.folders = DatasetFolders.of(settings)
        self.sources = PictureSources(settings, artifacts)
        self.known = StoreCatalog(database, self.folders, self.sources)
        self.actor = SYSTEM

    def acting(self, actor: Actor) -> Self:
        """The same service, on behalf of somebody: what they may not see is not there."""
        service = copy.copy(self)
        service.actor = actor
        service.known = self._catalog(actor.project_id)
        return service

    def _catalog(self, project_id: str) -> StoreCatalog:
        return StoreCatalog(self.database, self.folders, self.sources, project_id)

    def _require_member(self) -> None:
        """Whoever brings or submits something is a member of the project. Raises NotFound, Forbidden."""
        self.actor.require(self.actor.project_id, "member", projects.missing())

    def _note(self, tx: Connection, action: str, subject: str, project_id: str | None, **detail: Any) -> None:
        """Enter into the audit log what the actor does in this transaction."""
        actor = self.actor
        audit.note(
            tx, actor.name, action, subject, project_id=project_id, address=actor.address, detail=detail
        )

    def parse(self, document: Mapping[str, Any]) -> Spec:
        """The Spec that was stored."""
        return parse(self.kinds, document)

    def announce(self, lane: str) -> None:
        """After a commit: tell the workers of the lane. Failing to is no failure of what was committed."""
        try:
            publish(self.database, self.publisher, self.settings, lane)
        except Unavailable:
            log.warning("parts of lane %s are not announced yet; the reconciler will", lane)

    @property
    def alive_seconds(self) -> float:
        """How lately a worker must have been seen to count as alive."""
        return max(3 * self.settings.heartbeat_seconds, 5.0)
