"""The running part of a training: torch, progress, checkpoints."""

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Context, Part, Result
from blindspots.experiments.parameters import Array, Arrays
from blindspots.science.adam import train_adam
from blindspots.science.autoencoder import (
    Sparsity,
    encode_all,
    train_autoencoder,
    train_autoencoder_adam,
)
from blindspots.science.networks import SparseAutoencoderSoftmax, initialise, multiply_adds
from blindspots.science.training import State, Step, TrainingOutcome, train_lbfgs
from blindspots.zoo.autoencoder_softmax import AutoencoderSoftmax

if TYPE_CHECKING:
    from blindspots.experiments.train import Train

CHECKPOINT_SECONDS = 5.0
CHECKPOINT_SHARE = 0.05  # of the time, at most, goes into saving
INTERRUPT_SECONDS = 0.25
AUTOENCODER_SHARE = 0.8  # of the work, where codes are learnt first
WORK = 1000.0  # units of progress of a whole training
LEARNING_RATE = "optimiser.learning_rate"
KEPT, SECONDS = "kept.", "seconds"  # names in a checkpoint

Pair = tuple[Tensor, Tensor]


def train(spec: "Train", part: Part, context: Context) -> Result:
    """Train the network of a Spec; weights as arrays `weight.*`, curves beside them."""
    torch.set_flush_denormal(True)  # saturated sigmoids otherwise cost many times as much
    parameters: Mapping[str, Any] = part.parameters
    shape, class_names = tuple(parameters["input_shape"]), parameters["class_names"]
    module = spec.network.build(shape, len(class_names))
    generator = torch.Generator().manual_seed(context.seed)
    initialise(module, generator)
    module.to(context.device)
    train_set = load_tensors(context, spec.dataset, "train", spec.train_count)
    test_set = load_tensors(context, spec.dataset, "test", None)
    checkpoint = dict(context.load_checkpoint() or {})
    watch = Watch(context, float(checkpoint.pop(SECONDS, np.zeros(1))[0]))
    kept, state = _split(checkpoint)
    learner = module
    if isinstance(module, SparseAutoencoderSoftmax):
        if not kept:
            kept, state = _learn_codes(spec, module, train_set[0], watch, state), None
        module.load_state_dict({name: torch.tensor(kept[f"{KEPT}{name}"]) for name in module.state_dict()})
        train_set = encode_all(module, train_set[0]), train_set[1]
        test_set = encode_all(module, test_set[0]), test_set[1]
        learner = module.output
    watch.kept, watch.offset = kept, AUTOENCODER_SHARE if kept else 0.0
    watch.share = 1 - watch.offset
    outcome = _learn_classes(
        spec, learner, train_set, test_set, generator=generator, watch=watch, state=state
    )
    weights = {f"weight.{name}": array.cpu().numpy() for name, array in module.state_dict().items()}
    codes = {"autoencoder_loss": kept[f"{KEPT}loss"]} if kept else {}
    summary = {
        **_summary(spec, outcome),
        "train_images": len(train_set[0]),
        "seconds": round(watch.seconds, 3),
        "multiply_adds": multiply_adds(module, shape),
    }
    return Result(arrays={**outcome.curves, **codes, **weights}, summary={**summary, **parameters})


def _summary(spec: "Train", outcome: TrainingOutcome) -> dict[str, Any]:
    """What the history shows of a training."""
    return {
        "train_error": outcome.train_error,
        "test_error": outcome.test_error,
        "loss": outcome.loss,
        "gradient_norm": outcome.gradient_norm,
        "iterations": int(outcome.curves["iteration"][-1]),  # epochs of Adam
        "stop_reason": outcome.stop_reason.value,
        "optimiser": spec.optimiser.name,
        "weight_decay": spec.weight_decay.mode,
        "penalties": list(spec.penalties().penalties),
    }


def load_tensors(context: Context, dataset: str, split: str, count: int | None) -> Pair:
    """The first `count` images (n, c, h, w) float32 in [0, 1], and labels (n,) int64, on the device."""
    images, labels = context.dataset(dataset, split)
    pixels = images[:count].astype(np.float32)
    pixels /= 255
    truth = labels[:count].astype(np.int64)
    return torch.from_numpy(pixels).to(context.device), torch.from_numpy(truth).to(context.device)


def _split(checkpoint: Arrays) -> tuple[dict[str, Array], State | None]:
    """What is finished (an autoencoder), and the state of the optimiser that was interrupted."""
    kept = {name: array for name, array in checkpoint.items() if name.startswith(KEPT)}
    state = {name: array for name, array in checkpoint.items() if not name.startswith(KEPT)}
    return kept, state or None


def _learn_codes(
    spec: "Train", module: SparseAutoencoderSoftmax, images: Tensor, watch: "Watch", state: State | None
) -> dict[str, Array]:
    """Fit encoder and decoder, which see no label; their weights and loss curve, to be kept."""
    network = spec.network
    assert isinstance(network, AutoencoderSoftmax)
    watch.share = AUTOENCODER_SHARE
    common: dict[str, Any] = {
        "sparsity": Sparsity(network.sparsity, network.sparsity_weight, network.weight_penalty),
        "state": state,
        "report": watch.report,
        "interrupt": watch.interrupt,
    }
    if network.autoencoder_optimiser == "lbfgs":
        watch.label = "autoencoder: iteration"
        curves, _ = train_autoencoder(module, images, max_iterations=network.autoencoder_iterations, **common)
    else:
        watch.label, watch.blamed = "autoencoder: batch", "network.autoencoder_learning_rate"
        curves = train_autoencoder_adam(
            module,
            images,
            epochs=network.autoencoder_epochs,
            batch_size=network.autoencoder_batch_size,
            learning_rate=network.autoencoder_learning_rate,
            # Its own: a training that resumes after this phase draws no number here.
            generator=torch.Generator().manual_seed((watch.context.seed + 1) % 2**63),
            **common,
        )
        watch.blamed = LEARNING_RATE
    kept = {f"{KEPT}{name}": value.cpu().numpy().copy() for name, value in module.state_dict().items()}
    return {**kept, f"{KEPT}loss": np.array(curves["loss"])}


def _learn_classes(
    spec: "Train",
    module: nn.Module,
    train_set: Pair,
    test_set: Pair,
    *,
    generator: torch.Generator,
    watch: "Watch",
    state: State | None,
) -> TrainingOutcome:
    """Fit the module to the labels with the chosen optimiser."""
    chosen = spec.optimiser
    images, labels = train_set
    common: dict[str, Any] = {
        "weight_decay": spec.penalties(),
        "test": test_set,
        "state": state,
        "report": watch.report,
        "interrupt": watch.interrupt,
    }
    settings = chosen.model_dump(exclude={"name"})
    if chosen.name == "lbfgs":
        watch.label = "iteration"
        return train_lbfgs(module, images, labels, **settings, **common)
    watch.label = "batch"
    return train_adam(module, images, labels, **settings, generator=generator, **common)


class Watch:
    """Tells the service how a training goes, saves its state now and then, stops it when cancelled."""

    def __init__(self, context: Context, earlier_seconds: float) -> None:
        self.context, self.earlier_seconds = context, earlier_seconds
        self.label, self.offset, self.share = "", 0.0, 1.0  # of this phase: its place in the whole work
        self.blamed = LEARNING_RATE  # the field to change where the training diverges
        self.kept: Arrays = {}  # finished phases, which every checkpoint holds too
        self.started = self.asked = self.saved = time.monotonic()
        self.saving = 0.0

    @property
    def seconds(self) -> float:
        """Of work, earlier attempts included."""
        return self.earlier_seconds + time.monotonic() - self.started

    def report(self, step: Step) -> None:
        """After each iteration or batch."""
        if not math.isfinite(step.loss):
            raise InvalidInput(
                "The loss became infinite: the training diverged. Choose a smaller learning rate.",
                field=self.blamed,
            )
        error = "" if math.isnan(step.train_error) else f", train error {step.train_error:.2%}"
        message = f"{self.label} {step.done} of at most {step.total}, loss {step.loss:.4g}{error}"
        done = self.offset + self.share * step.done / step.total
        self.context.progress(done * WORK, WORK, message)
        self.save_when_due(step.state)

    def save_when_due(self, state: Callable[[], Arrays]) -> None:
        """Every few seconds, or less often where saving takes long."""
        if time.monotonic() - self.saved > max(CHECKPOINT_SECONDS, self.saving / CHECKPOINT_SHARE):
            self.save(state())

    def save(self, state: Arrays) -> None:
        """Write a checkpoint, and remember how long that took."""
        begun = time.monotonic()
        self.context.save_checkpoint({**state, **self.kept, SECONDS: np.array([self.seconds])})
        self.saved = time.monotonic()
        self.saving = self.saved - begun

    def interrupt(self) -> None:
        """Between chunks of an iteration that may take long."""
        if time.monotonic() - self.asked > INTERRUPT_SECONDS:
            self.asked = time.monotonic()
            self.context.check_cancelled()
