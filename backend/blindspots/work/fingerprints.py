"""What makes two parts the same work, and two parts comparable in cost; and the seed of each part."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from blindspots.experiments.base import Part, Spec

AMOUNTS = ("images", "keep", "keep_count", "seed")  # change how much is done, not how long a unit takes


def digest(document: Any) -> str:
    """SHA-256 of a JSON document in canonical form."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def computed_from(spec: Spec) -> dict[str, Any]:
    """The parameters that change numbers: titles and names do not, and the device is told apart elsewhere."""
    labels = {
        name
        for name, info in type(spec).model_fields.items()
        if isinstance(info.json_schema_extra, Mapping) and info.json_schema_extra.get("x-group") == "job"
    }
    return spec.model_dump(mode="json", exclude=labels | {"device"})


def part_fingerprint(spec: Spec, part: Part, inputs: Sequence[str], seed: int) -> str:
    """The same for two parts exactly when they would give the same bytes on the same kind of device."""
    return digest(
        {
            "spec": computed_from(spec),
            "code_version": spec.code_version,
            "parameters": dict(part.parameters),
            "inputs": list(inputs),
            "seed": seed,
        }
    )


def cost_key(spec: Spec) -> str:
    """The same for jobs of which a unit should take the same time: kind, model, method."""
    relevant = {name: value for name, value in computed_from(spec).items() if name not in AMOUNTS}
    return digest({"spec": relevant, "code_version": spec.code_version})


def part_seed(job_seed: int, index: int) -> int:
    """64 bits from SHA-256 of the job's seed and the part's index: the same whoever runs it, in any order."""
    return int.from_bytes(hashlib.sha256(f"{job_seed}:{index}".encode()).digest()[:8], "big")
