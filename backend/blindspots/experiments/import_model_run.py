"""The running part of adding a model: build it, examine it, measure it; torch is imported here."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import JsonValue
from torch import Tensor, nn

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Context, NewModel, Result
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.import_model_parameters import OnnxFile, registered
from blindspots.experiments.parameters import Array, Arrays
from blindspots.science.gate import Gate, examine
from blindspots.science.measures import predictions
from blindspots.science.networks import multiply_adds
from blindspots.science.preprocessing import folded
from blindspots.science.statistics import wilson
from blindspots.zoo import architectures
from blindspots.zoo.network import NetworkParameters, Shape
from blindspots.zoo.onnx_network import OnnxNetwork, described

if TYPE_CHECKING:
    from blindspots.experiments.import_model import ImportModel

EXAMINED = 8  # images of the gate
TILE = 64  # images of a forward pass
GRADIENT_TOLERANCE = {True: 1e-4, False: 5e-2}  # relative, in float64 and in float32
BATCH_TOLERANCE = 1e-3
WEIGHT = "weight."


def examine_model(spec: "ImportModel", context: Context) -> Result:
    """Weights as arrays `weight.*`, labels and answers beside them; what the gate found as summary.

    Raises InvalidInput where the network cannot be built or does not answer.
    """
    facts, weights = _facts_and_weights(spec, context)
    network = _built(facts, weights).to(context.device)
    context.progress(0, 1, "forward pass and gradients")
    images, labels = _images(spec, context)
    first = _tensor(images[:EXAMINED]) if images is not None else _noise(facts.input_shape, context.seed)
    gate = _examined(network, first.to(context.device), len(facts.class_names), context.seed)
    arrays: dict[str, Array] = {f"{WEIGHT}{name}": np.asarray(array) for name, array in weights.items()}
    summary: dict[str, Any] = {
        **_facts_of(facts),
        "gate": _plain(gate),
        "multiply_adds": multiply_adds(network, facts.input_shape),
    }
    clean: dict[str, Any] = {}
    if images is not None and labels is not None:
        answers = _answers(network, images, context)
        arrays |= {"label": labels, "prediction": answers}
        clean = _accuracy(labels, answers)
    warnings: list[JsonValue] = list(_warnings(gate, clean))
    return Result(arrays=arrays, summary={**summary, **clean, "warnings": warnings})


def _facts_of(facts: ModelFacts) -> dict[str, Any]:
    """What the merge needs to enter the model."""
    return {
        "network": facts.network,
        "parameters": dict(facts.parameters),
        "smooth": facts.smooth,
        "linear": facts.linear,
    }


def _facts_and_weights(spec: "ImportModel", context: Context) -> tuple[ModelFacts, Arrays]:
    """The model as it will be entered, and its weights with the preprocessing in them."""
    assert spec.input_shape is not None
    assert spec.class_names is not None
    channels, height, width = spec.input_shape
    shape: Shape = channels, height, width
    weights = dict(context.weight_file(spec.weights))
    mean, scale = spec.preprocessing.mean_and_scale(channels)
    network = registered(spec.network)
    if network is None:
        chosen: NetworkParameters = _described(spec, weights, shape, mean, scale)
    else:
        chosen = network
        if any(mean) or any(each != 1 for each in scale):
            weights = folded(weights, network.first_layer, shape, mean=mean, scale=scale)
    facts = ModelFacts(
        id="", name="", network=_name(chosen), parameters=chosen.model_dump(mode="json", exclude={"name"}),
        weights_sha256="", input_shape=shape, class_names=tuple(spec.class_names), dataset=spec.dataset or "",
        multiply_adds=0, linear=chosen.linear, smooth=chosen.smooth,
    )  # fmt: skip
    return facts, weights


def _name(network: NetworkParameters) -> str:
    return str(type(network).model_fields["name"].default)


def _described(
    spec: "ImportModel", weights: Arrays, shape: Shape, mean: Sequence[float], scale: Sequence[float]
) -> OnnxNetwork:
    assert isinstance(spec.network, OnnxFile)
    last = {"as in the file": None, "channels first": False, "channels last": True}[spec.network.layout]
    try:
        return described(weights, shape, mean=mean, scale=scale, channels_last=last)
    except ValueError as error:
        raise InvalidInput(str(error), field="weights") from error


def _built(facts: ModelFacts, weights: Arrays) -> nn.Module:
    try:
        return architectures.load(facts, weights)
    except ValueError as error:
        raise InvalidInput(str(error), field="weights") from error


def _images(spec: "ImportModel", context: Context) -> tuple[Array | None, Array | None]:
    """The first images of the split and their labels, in the order of the classes given."""
    if spec.dataset is None:
        return None, None
    images, labels = context.dataset(spec.dataset, spec.split)
    return images[: spec.count], np.asarray(labels[: spec.count])


def _tensor(images: Array) -> Tensor:
    return torch.from_numpy(np.asarray(images, dtype=np.float32) / np.float32(255))


def _noise(shape: Shape, seed: int) -> Tensor:
    return torch.rand((EXAMINED, *shape), generator=torch.Generator().manual_seed(seed))


def _examined(network: nn.Module, images: Tensor, classes: int, seed: int) -> Gate:
    try:
        with torch.no_grad():
            logits = network(images[:2])
        gate = examine(network, images, generator=torch.Generator().manual_seed(seed))
    except (ValueError, RuntimeError, IndexError) as error:
        raise InvalidInput(
            f"The network does not answer to images of this shape: {str(error)[:300]}", field="input_shape"
        ) from error
    if logits.shape[1] != classes:
        raise InvalidInput(
            f"The network tells {logits.shape[1]} classes apart, but {classes} are named.",
            field="class_names",
        )
    if not gate.finite:
        raise InvalidInput(
            "The network answers with numbers that are not finite; check the weights and the preprocessing.",
            field="preprocessing",
        )
    return gate


def _answers(network: nn.Module, images: Array, context: Context) -> Array:
    found = []
    for start in range(0, len(images), TILE):
        tile = _tensor(images[start : start + TILE]).to(context.device)
        found.append(predictions(network, tile).cpu().numpy())
        context.progress(min(start + TILE, len(images)), len(images), "clean images")
    return np.concatenate(found)


def _accuracy(labels: Array, answers: Array) -> dict[str, Any]:
    """Clean error with its interval, and what answering always the commonest class would reach."""
    wrong, total = int((labels != answers).sum()), len(labels)
    low, high = wilson(wrong, total)
    chance = 1 - float(np.bincount(labels).max()) / total
    return {
        "images": total, "wrong": wrong, "test_error": wrong / total, "error_low": float(low),
        "error_high": float(high), "chance_error": chance,
    }  # fmt: skip


def _plain(gate: Gate) -> dict[str, Any]:
    """JSON has no infinity."""
    return {name: value if np.isfinite(value) else None for name, value in asdict(gate).items()}


def _warnings(gate: Gate, clean: Mapping[str, Any]) -> Sequence[str]:
    """What everybody who uses this model should know, in plain words."""
    said = []
    if gate.constant:
        said.append("It gives the same answer whatever the image is. Check weights and preprocessing.")
    if gate.batch_difference > BATCH_TOLERANCE:
        said.append("It answers differently to an image alone and in a batch; results depend on the batch.")
    if gate.gradient_error > GRADIENT_TOLERANCE[gate.double]:
        said.append(
            "Its gradient does not agree with finite differences. Attacks follow the gradient, so what they "
            "find here says little."
        )
    if gate.gradient_zero > 0:
        said.append(
            f"On {_percent(gate.gradient_zero)} of the examined images no pixel has a gradient: attacks "
            "cannot start there, and such a network looks more robust than it is."
        )
    if gate.probabilities:
        said.append(
            "Its answers are probabilities, not logits. Attacks that need logits see flattened gradients; "
            "export the network without its softmax."
        )
    if not clean:
        said.append("Its clean error was not measured. Choose labelled images to see whether it is right.")
    elif clean["error_high"] >= clean["chance_error"]:
        error, chance = _percent(clean["test_error"]), _percent(clean["chance_error"])
        said.append(
            f"It is wrong on {error} of {clean['images']} clean images, which is no better than always "
            f"giving the commonest answer ({chance}). Check the preprocessing and the order of the classes."
        )
    return said


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def entered_model(spec: "ImportModel", context: Context) -> Result:
    """The result of the merge: the model, and what the gate found."""
    part = context.part(0)
    summary: dict[str, Any] = dict(part.summary)
    weights = {
        name.removeprefix(WEIGHT): part.array(name) for name in sorted(part.names) if name.startswith(WEIGHT)
    }
    shape, names = spec.input_shape or [], spec.class_names or []
    metrics = {name: value for name, value in summary.items() if name not in ("parameters", "network")}
    model = NewModel(
        name=spec.model_name.strip() or f"added-{spec.weights[:8]}",
        network=summary["network"],
        parameters=summary["parameters"],
        weights=weights,
        input_shape=(shape[0], shape[1], shape[2]),
        class_names=tuple(names),
        dataset=spec.dataset or "",
        multiply_adds=summary["multiply_adds"],
        metrics=metrics,
        linear=summary["linear"],
        smooth=summary["smooth"],
    )
    answers = {name: part.array(name) for name in sorted(part.names) if not name.startswith(WEIGHT)}
    shown = {name: value for name, value in summary.items() if name != "parameters"}
    return Result(arrays=answers, summary={"model_name": model.name, **shown}, models=(model,))
