"""Files of weights that users bring: recognised, read in a limited process, kept as plain arrays."""

import json
from typing import Any

import numpy as np
from safetensors import numpy as safetensors

from blindspots.errors import NotFound, TooLarge, Unavailable
from blindspots.experiments.parameters import Array
from blindspots.store import weight_files as rows
from blindspots.work.foundation import Json
from blindspots.work.picture_archives import PictureArchives
from blindspots.zoo import onnx_files, weight_files
from blindspots.zoo.onnx_network import GRAPH, TENSOR

MOST_TOLD = 1000  # tensors whose shapes an answer lists


class Uploads(PictureArchives):
    """What users bring besides pictures."""

    def store_weights(self, content: bytes) -> Json:
        """Keep an uploaded file of weights: id, form, what is known of it.

        Raises UnsupportedMedia, TooLarge, InvalidInput; then nothing was written.
        """
        self._require_member()
        if len(content) > self.settings.max_weights_bytes:
            raise TooLarge(
                f"The file is larger than {self.settings.max_weights_bytes:,} bytes.", field="file"
            )
        form = weight_files.recognise(content)
        arrays, facts = _graph(content) if form == "onnx" else _tensors(content)
        try:
            stored = self.artifacts.write_arrays(arrays)
        except OSError as error:
            raise Unavailable(f"The file cannot be stored: {error.strerror}.") from error
        with self.database.write() as tx:
            rows.enter(tx, stored, form, facts)
            self._note(tx, "weights_upload", stored.sha256, self.actor.project_id, bytes=len(content))
        return self.weights_facts(stored.sha256)

    def weights_facts(self, reference: str) -> Json:
        """What is known of an uploaded file of weights."""
        with self.database.read() as tx:
            row = rows.find(tx, reference)
        if row is None:
            raise NotFound("No such file of weights was uploaded.")
        tensors = row.facts.get("tensors", {})
        shown = [{"name": name, "shape": shape} for name, shape in list(tensors.items())[:MOST_TOLD]]
        return {
            "id": row.sha256, "form": row.form, "tensor_count": len(tensors), "tensors": shown,
            "graph": row.facts.get("graph", {}),
        }  # fmt: skip


def _tensors(content: bytes) -> tuple[dict[str, Array], Json]:
    """Arrays by name, and their shapes."""
    arrays = dict(safetensors.load(weight_files.read(content)))
    return arrays, {"tensors": {name: list(array.shape) for name, array in arrays.items()}}


def _graph(content: bytes) -> tuple[dict[str, Array], Json]:
    """The graph as text beside its arrays, and what there is to know of it."""
    structure, weights = onnx_files.read(content)
    arrays: dict[str, Any] = {f"{TENSOR}{name}": array for name, array in safetensors.load(weights).items()}
    arrays[GRAPH] = np.frombuffer(json.dumps(structure).encode(), dtype=np.uint8)
    return arrays, {"graph": onnx_files.facts(structure)}
