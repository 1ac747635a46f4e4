"""One part of an adversarial training: one arm from one seed, trained and then looked at. Imports torch."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from blindspots.errors import InvalidInput
from blindspots.experiments.adversarial_training_arms import ARMS, ArmName, built
from blindspots.experiments.base import Context, Part, Result
from blindspots.experiments.parameters import Array
from blindspots.experiments.train_run import Watch, load_tensors
from blindspots.science import measures
from blindspots.science.adversarial_layers import Layers
from blindspots.science.adversarial_training import Settings, Stage, train_adversarially
from blindspots.science.attacks.minimum_distortion import Mode, minimum_distortion
from blindspots.science.networks import MultilayerPerceptron, initialise, multiply_adds

if TYPE_CHECKING:
    from blindspots.experiments.adversarial_training import AdversarialTraining

LEARNING = 0.95  # of the progress; the rest looks at what was learnt
WORK = 1000.0
START, CHOICE, TARGETS, NOISE = range(10, 14)  # streams of random numbers

Pair = tuple[Tensor, Tensor]


def seed_of(job_seed: int, number: int, *stream: int) -> int:
    """63 bits for the seed of that number: the same for every arm."""
    sequence = np.random.SeedSequence([job_seed, number, *stream])
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


def train_arm(spec: "AdversarialTraining", part: Part, context: Context) -> Result:
    """Weights as arrays `weight.*`, curves, answers on the test images, distances to error."""
    torch.set_flush_denormal(True)  # saturated sigmoids otherwise cost many times as much
    parameters: Mapping[str, Any] = part.parameters
    name, number = parameters["arm"], parameters["seed"]
    shape, classes = tuple(parameters["input_shape"]), len(parameters["class_names"])
    train_set = load_tensors(context, spec.dataset, "train", spec.train_count)
    test_set = load_tensors(context, spec.dataset, "test", None)
    module = started(spec, shape, classes, number).to(context.device)
    watch = ArmWatch(context, name, number, spec.rounds)
    curves = train_adversarially(
        module,
        *train_set,
        arm=built(name, len(spec.network.widths)),
        settings=_settings(spec, len(train_set[1])),
        seed=seed_of(spec.seed, number),
        test=test_set,
        state=watch.resumed,
        report=watch.stage,
        interrupt=watch.interrupt,
    )
    module.eval().requires_grad_(False)
    layers = Layers.of(module)
    wrong = layers.evaluate(test_set[0].flatten(1), test_set[1])
    train_wrong = layers.evaluate(train_set[0].flatten(1), train_set[1])
    summary = {
        "arm": name,
        "seed": number,
        "train_wrong": int(train_wrong.sum()),
        "train_images": len(train_wrong),
        "test_wrong": int(wrong.sum()),
        "test_images": len(wrong),
        "noise_error": _noise_errors(spec, module, *test_set),
        "multiply_adds": multiply_adds(module, shape),
        "class_names": parameters["class_names"],
    }
    arrays = {**curves, "wrong": wrong.cpu().numpy(), **_distances(spec, module, *test_set, watch=watch)}
    weights = {f"weight.{key}": value.cpu().numpy() for key, value in module.state_dict().items()}
    return Result(arrays={**arrays, **weights}, summary={**summary, "seconds": round(watch.seconds, 3)})


def started(
    spec: "AdversarialTraining", shape: tuple[int, int, int], classes: int, number: int
) -> MultilayerPerceptron:
    """The network with the starting weights of a seed, which every arm shares."""
    module = spec.network.build(shape, classes)
    assert isinstance(module, MultilayerPerceptron)
    initialise(module, torch.Generator().manual_seed(seed_of(spec.seed, number, START)))
    return module


def _settings(spec: "AdversarialTraining", images: int) -> Settings:
    return Settings(
        rounds=spec.rounds,
        optimiser=spec.optimiser.settings(),
        weight_decay=spec.penalties(),
        mixture=spec.rivals.settings(spec.pools, images),
    )


class ArmWatch(Watch):
    """Reports rounds instead of iterations; checkpoints and cancellation are those of a training."""

    def __init__(self, context: Context, name: ArmName, number: int, rounds: int) -> None:
        checkpoint = dict(context.load_checkpoint() or {})
        earlier = checkpoint.pop("seconds", np.zeros(1))
        super().__init__(context, float(earlier[0]))
        self.resumed = checkpoint or None
        self.words, self.rounds, self.share = f"{ARMS[name].title}, seed {number}: ", rounds, LEARNING

    def stage(self, stage: Stage) -> None:
        """After each batch or iteration."""
        if not np.isfinite(stage.loss):
            raise InvalidInput(
                "The loss became infinite: the training diverged. Choose a smaller learning rate.",
                field="optimiser.learning_rate",
            )
        error = "" if np.isnan(stage.test_error) else f", test error {stage.test_error:.2%}"
        message = f"{self.words}round {stage.round} of at most {self.rounds}, loss {stage.loss:.4g}{error}"
        self.context.progress(LEARNING * stage.done * WORK, WORK, message)
        self.save_when_due(stage.state)

    def attacking(self, done: int, total: int) -> None:
        """While the trained network is attacked."""
        share = LEARNING + (1 - LEARNING) * done / total
        self.context.progress(share * WORK, WORK, f"{self.words}{done} of {total} test images attacked")


def _noise_errors(
    spec: "AdversarialTraining", module: MultilayerPerceptron, images: Tensor, labels: Tensor
) -> list[float]:
    """Error on all test images under Gaussian noise: the same noise for every arm and seed."""
    errors = []
    for place, sigma in enumerate(spec.evaluation.noise):
        generator = torch.Generator().manual_seed(seed_of(spec.seed, place, NOISE))
        noisy = measures.gaussian_noise(images.cpu(), sigma=sigma, clip=False, generator=generator)
        answers = measures.predictions(module, noisy.to(images.device))
        errors.append(float((answers != labels).double().mean()))
    return errors


def attacked_rows(spec: "AdversarialTraining", images: int) -> Array:
    """(k,) rows of the test set that are attacked, ascending: the same for every arm and seed."""
    order = np.random.default_rng([spec.seed, CHOICE]).permutation(images)
    return np.sort(order[: spec.evaluation.images])


def _distances(
    spec: "AdversarialTraining",
    module: MultilayerPerceptron,
    images: Tensor,
    labels: Tensor,
    *,
    watch: ArmWatch,
) -> dict[str, Array]:
    """How far the chosen test images are from a wrong answer: (k,) float64, infinite where none is found.

    nearest_l2: to any wrong class, 0 if it is given already. random_l2: to one drawn at random, as in the
    paper.
    """
    rows = attacked_rows(spec, len(images))
    chosen = torch.from_numpy(rows).to(images.device)
    originals, truth = images[chosen], labels[chosen]
    seeds = np.random.default_rng([spec.seed, TARGETS]).integers(0, 2**63, size=len(rows), dtype=np.uint64)
    total, found = 2 * len(rows), {}
    modes: tuple[tuple[str, Mode], ...] = (("nearest", "nearest"), ("random", "tight"))
    for place, (name, mode) in enumerate(modes):
        progress = partial(_shifted, watch, place * len(rows), total)
        result = minimum_distortion(
            module, originals, truth, mode=mode, polish=mode == "nearest", seeds=seeds, progress=progress
        )  # fmt: skip
        changed = result.adversarial.to(images.device)
        verdict = measures.judge(module, changed, labels=truth, targets=result.target.to(images.device))
        length = measures.norms(originals, changed)["l2"]
        length[~verdict.success] = torch.inf
        found[f"{name}_l2"] = length.cpu().numpy()
    return {"attacked": rows, **found}


def _shifted(watch: ArmWatch, offset: int, total: int, done: int, _: int) -> None:
    watch.attacking(offset + done, total)
