"""The first start: demo networks are trained as ordinary jobs, and each is attacked once, so that no page is
empty.
"""

import logging

from blindspots.errors import BlindspotsError, NotFound
from blindspots.experiments.attack import Attack
from blindspots.experiments.selection import DatasetImages
from blindspots.experiments.train import Train
from blindspots.experiments.train_presets import DEMO
from blindspots.store import jobs
from blindspots.work.service import Service

OWNER = "blindspots"
ATTACKED_IMAGES = 64

log = logging.getLogger(__name__)


def ensure_demo(service: Service) -> None:
    """Submit what was never submitted here before. Called again and again.

    An attack follows when its model stands. Each is tied to an idempotency key for good, so a demo job that a
    user deletes does not come back.
    """
    for document in DEMO:
        name = str(document["model_name"])
        training, attack = f"demo-train-{name}", f"demo-attack-{name}"
        try:
            if (job_id := _submitted(service, training)) is None:
                service.submit(Train.model_validate(document), owner=OWNER, idempotency_key=training)
            elif _submitted(service, attack) is None and (model := _trained_model(service, job_id)):
                service.submit(_attack_on(model, name), owner=OWNER, idempotency_key=attack)
        except BlindspotsError as error:
            log.warning("the demo %s is left out: %s", name, error.message)


def _submitted(service: Service, key: str) -> str | None:
    """The job that was submitted with this key, whether or not it still exists."""
    with service.database.read() as tx:
        row = jobs.remembered(tx, OWNER, key)
    return None if row is None else str(row.job_id)


def _trained_model(service: Service, job_id: str) -> str | None:
    try:
        found = service.job(job_id)["summary"].get("model_id")
        return str(service.model(found)["id"]) if found else None
    except NotFound:
        return None  # the job or its model was deleted


def _attack_on(model: str, name: str) -> Attack:
    images = DatasetImages(dataset="digits", selection="random", count=ATTACKED_IMAGES)
    return Attack(title=f"Demo: attack on {name}", model=model, images=images)
