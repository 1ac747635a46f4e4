"""What the first click should not wait for: imports, compiled kernels, thread pools, the bundled digits."""

import logging
from dataclasses import dataclass
from typing import Any, cast

from blindspots.experiments.attack import Attack
from blindspots.experiments.base import Context, Result
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Array, Arrays
from blindspots.experiments.selection import IndexedImages
from blindspots.work.catalog import DatasetFolders, dataset_facts

log = logging.getLogger(__name__)


@dataclass
class Practice:
    """As much of a `Context` and a `Catalog` as an attack on one digit needs; nothing is stored."""

    device: str
    folders: DatasetFolders
    facts: ModelFacts
    weights: Arrays
    seed: int = 0
    found: Result | None = None

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Nobody watches."""

    def check_cancelled(self) -> None:
        """Nobody cancels."""

    def model(self, _reference: str, **_: Any) -> Any:
        """A context answers with the weights, a catalog without."""
        return self.facts if _ else (self.facts, self.weights)

    def dataset(self, name: str, split: str = "", **_: Any) -> Any:
        """A context answers with the pixels, a catalog with facts."""
        found = self.folders.available(name)
        return found.load(split) if split else dataset_facts(found)

    def part(self, _index: int) -> Any:
        """The one part that has run."""
        return self

    def part_count(self) -> int:
        """One."""
        return 1

    @property
    def summary(self) -> Any:
        """Of that part."""
        assert self.found is not None
        return self.found.summary

    @property
    def names(self) -> frozenset[str]:
        """Of its arrays."""
        assert self.found is not None
        return frozenset(self.found.arrays)

    def array(self, name: str, rows: slice | None = None) -> Array:
        """One of its arrays."""
        assert self.found is not None
        return self.found.arrays[name][rows or slice(None)]


def warm_up(device: str, folders: DatasetFolders) -> None:
    """Attack one digit with untrained networks: everything on that way is loaded, compiled and cached."""
    from blindspots.zoo.convolutional import Convolutional
    from blindspots.zoo.multilayer_perceptron import MultilayerPerceptron
    from blindspots.zoo.softmax import Softmax

    for parameters in (Softmax(), MultilayerPerceptron(), Convolutional()):
        try:
            practice = Practice(device, folders, *_untrained(parameters, folders))
            context = cast(Context, practice)
            spec = Attack(model="practice", images=IndexedImages(dataset="digits", indices=[0]))
            practice.found = spec.run(spec.plan(cast(Any, practice))[0], context)
            spec.merge(context)
        except Exception:  # a broken method is for the job that uses it to report
            log.exception("warming up with %s failed", type(parameters).__name__)


def _untrained(parameters: Any, folders: DatasetFolders) -> tuple[ModelFacts, Arrays]:
    facts = folders.available("digits").facts()
    module = parameters.build(facts.shape, len(facts.class_names))
    weights = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    model = ModelFacts(
        id="practice",
        name="practice",
        network=parameters.name,
        parameters=parameters.model_dump(mode="json", exclude={"name"}),
        weights_sha256="",
        input_shape=facts.shape,
        class_names=facts.class_names,
        dataset="digits",
        multiply_adds=1000,
        linear=parameters.linear,
        smooth=parameters.smooth,
    )
    return model, weights
