"""What the pages are looked at with: a finished attack."""

from typing import Any

import pytest

from installation import Installation


@pytest.fixture(scope="session")
def attack(installation: Installation) -> dict[str, Any]:
    """An attack on 60 digits by the smallest demo network, every image kept. Leave it as you found it."""
    models = installation.client.get("/api/v1/models").raise_for_status().json()["items"]
    spec = {
        "kind": "attack",
        "title": "Sixty digits",
        "model": min(models, key=lambda model: model["multiply_adds"])["id"],
        "images": {
            "source": "dataset",
            "dataset": "digits",
            "split": "test",
            "selection": "first",
            "count": 60,
        },
        "method": {"name": "minimum_distortion", "mode": "tight", "target": "nearest"},
    }
    return installation.run(spec)
