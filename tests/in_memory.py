"""A whole laboratory in memory: what a job kind sees of the service, without database, queue or files.

It implements the protocols of `experiments/base.py` for real: results go through safetensors bytes and back,
the data sets are those of the zoo, models are what training jobs returned.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from pydantic import JsonValue
from safetensors import numpy as safetensors

from blindspots.errors import InvalidInput
from blindspots.experiments.attack import Attack
from blindspots.experiments.base import NewModel, Spec
from blindspots.experiments.facts import (
    DatasetFacts,
    ImageFacts,
    ModelFacts,
    Pictures,
    WeightFacts,
)
from blindspots.experiments.parameters import Array, Arrays
from blindspots.experiments.record import Record
from blindspots.experiments.steps import in_order, with_models
from blindspots.zoo import datasets, halves
from memory_context import MemoryContext, MemoryResult


@dataclass
class Finished:
    """A finished job, as figures, examples and exports read it."""

    laboratory: "Laboratory"
    spec: Spec
    result: MemoryResult
    parts: list[MemoryResult]
    models: list[ModelFacts] = field(default_factory=list)
    steps: Mapping[str, "Finished"] = field(default_factory=dict)

    @property
    def record(self) -> Record:
        moment = "2026-01-01T00:00:00Z"
        return Record("a-job", self.spec.title, {"torch": "none"}, moment, moment, 1.0, len(self.parts), 0)

    def part(self, index: int) -> MemoryResult:
        return self.parts[index]

    def part_count(self) -> int:
        return len(self.parts)

    def step(self, name: str) -> "Finished":
        return self.steps[name]

    def model(self, reference: str) -> ModelFacts:
        return self.laboratory.model(reference, field="model")

    def dataset(self, name: str, split: str) -> tuple[Array, Array]:
        return self.laboratory.pixels(name, split)

    def image(self, reference: str) -> Array:
        return self.laboratory.images[reference]


class Laboratory:
    """A catalog that runs jobs: data sets of the zoo, models that were trained here, uploaded images."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.datasets = dict(found)
        self.models: dict[str, ModelFacts] = {}
        self.weights: dict[str, Arrays] = {}
        self.images: dict[str, Array] = {}
        self.archives: dict[tuple[str, str], Pictures] = {}
        self.weight_files: dict[str, tuple[WeightFacts, Arrays]] = {}
        self._pixels: dict[tuple[str, str], tuple[Array, Array]] = {}

    def model(self, reference: str, *, field: str) -> ModelFacts:
        for facts in self.models.values():
            if reference in (facts.id, facts.name):
                return facts
        raise InvalidInput(f"No model is called {reference!r}.", field=field)

    def dataset(self, name: str, *, field: str) -> DatasetFacts:
        found = halves.look_up(self.datasets, name)
        if found is None or not found.available:
            reason = f"No data set is called {name!r}." if found is None else found.reason
            raise InvalidInput(reason, field=field)
        facts: DatasetFacts = found.facts()
        return facts

    def labels(self, dataset: str, split: str) -> Array:
        return self.pixels(dataset, split)[1]

    def image(self, reference: str, *, field: str) -> ImageFacts:
        if reference not in self.images:
            raise InvalidInput("No such image was uploaded.", field=field)
        channels, height, width = self.images[reference].shape
        return ImageFacts(id=reference, shape=(channels, height, width))

    def pictures(self, place: str, reference: str, *, field: str) -> Pictures:
        if (place, reference) not in self.archives:
            raise InvalidInput("No such pictures are here.", field=field)
        return self.archives[place, reference]

    def weight_file(self, reference: str, *, field: str) -> WeightFacts:
        if reference not in self.weight_files:
            raise InvalidInput("No such file of weights was uploaded.", field=field)
        return self.weight_files[reference][0]

    def bring(self, weights: Arrays, reference: str = "") -> str:
        """Upload safetensors; answers the id."""
        reference = reference or hashlib.sha256(safetensors.save(dict(weights))).hexdigest()
        shapes = {name: tuple(array.shape) for name, array in weights.items()}
        self.weight_files[reference] = (WeightFacts(reference, "safetensors", shapes, {}), weights)
        return reference

    def pixels(self, dataset: str, split: str) -> tuple[Array, Array]:
        key = (dataset, split)
        if key not in self._pixels:
            found = halves.look_up(self.datasets, dataset)
            assert found is not None
            self._pixels[key] = found.load(split)
        return self._pixels[key]

    def upload(self, image: Array) -> str:
        reference = hashlib.sha256(image.tobytes()).hexdigest()
        self.images[reference] = image
        return reference

    def add_model(self, new: NewModel) -> ModelFacts:
        weights = {name: np.array(value) for name, value in new.weights.items()}
        sha256 = hashlib.sha256(safetensors.save(weights)).hexdigest()
        facts = ModelFacts(
            id=f"model-{len(self.models)}",
            weights_sha256=sha256,
            name=new.name, network=new.network, parameters=new.parameters, input_shape=new.input_shape,
            class_names=new.class_names, dataset=new.dataset, multiply_adds=new.multiply_adds,
            linear=new.linear, smooth=new.smooth, metrics=new.metrics,
        )  # fmt: skip
        self.models[facts.id], self.weights[facts.id] = facts, weights
        return facts

    def context(self, **changes: Any) -> MemoryContext:
        return MemoryContext(self, **changes)

    def run(self, spec: Spec, **changes: Any) -> Finished:
        """The whole life of a job: resolve, run its steps, plan, run every part, merge, enter the models."""
        spec = spec.resolve(self)
        done = self._run_steps(spec, **changes)
        results = [
            spec.run(part, self.context(seed=index, steps=done, **changes))
            for index, part in enumerate(spec.plan(self))
        ]
        parts = [MemoryResult(result) for result in results]
        merged = spec.merge(self.context(parts=parts, steps=done, **changes))
        models = [self.add_model(new) for result in (*results, merged) for new in result.models]
        if models:  # as the store does
            names = {"model_id": models[0].id, "model_name": models[0].name}
            merged = replace(merged, summary={**merged.summary, **names})
        return Finished(self, spec, MemoryResult(merged), parts, models, done)

    def _run_steps(self, spec: Spec, **changes: Any) -> dict[str, Finished]:
        """The jobs that this one is made of, each after those that it needs."""
        from blindspots.experiments import KINDS

        done: dict[str, Finished] = {}
        for step in in_order(spec.steps(self)):
            models = {name: job.models[0].id for name, job in done.items() if job.models}
            document = with_models(step.spec, models)
            kind = KINDS[str(document["kind"])]
            done[step.name] = self.run(kind.model_validate_json(json.dumps(document)), **changes)
        return done


def summary_without_time(summary: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What two runs of the same job must agree on."""
    return {name: value for name, value in summary.items() if "second" not in name}


def train_on_digits(
    laboratory: Laboratory, network: str, *, iterations: int = 60, **parameters: Any
) -> ModelFacts:
    """A network fitted to the bundled digits by torch's own full-batch L-BFGS, and entered as a model."""
    import torch

    from blindspots.science.networks import initialise, multiply_adds
    from blindspots.zoo import architectures

    facts = laboratory.dataset("digits", field="dataset")
    pixels, labels = laboratory.pixels("digits", "train")
    images, answers = torch.from_numpy(pixels / np.float32(255)), torch.from_numpy(np.array(labels))
    chosen = architectures.parse(network, parameters)
    module = chosen.build(facts.shape, len(facts.class_names))
    initialise(module, torch.Generator().manual_seed(1))
    optimiser = torch.optim.LBFGS(module.parameters(), max_iter=iterations, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        decay = sum(value.square().sum() for value in module.parameters())
        value: torch.Tensor = torch.nn.functional.cross_entropy(module(images), answers) + 1e-4 * decay
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return laboratory.add_model(
        NewModel(
            name=f"digits-{network}",
            network=network,
            parameters=chosen.model_dump(exclude={"name"}),
            weights={name: value.numpy() for name, value in module.state_dict().items()},
            input_shape=facts.shape,
            class_names=facts.class_names,
            dataset="digits",
            multiply_adds=multiply_adds(module, facts.shape),
            metrics={},
            linear=chosen.linear,
            smooth=chosen.smooth,
        )
    )


DIGITS: dict[str, Any] = {"source": "dataset", "dataset": "digits", "split": "test"}


@cache
def digits_laboratory() -> Laboratory:
    """A softmax and a sigmoid network on the bundled digits; made once per process, so leave it as it is."""
    laboratory = Laboratory(datasets.find())
    train_on_digits(laboratory, "softmax")
    train_on_digits(laboratory, "mlp", widths=[32, 32])
    return laboratory


def attack(**fields: Any) -> Attack:
    """An attack on twelve digits by the softmax network, but for those fields."""
    spec = {"kind": "attack", "model": "digits-softmax", "images": {**DIGITS, "count": 12}, **fields}
    return Attack.model_validate_json(json.dumps(spec))
