"""The sparse autoencoder whose codes AE400-10 classifies. Szegedy et al. 2013, section 3.1.

The paper gives neither objective nor parameters. This is the usual one (Ng 2011, lecture notes on sparse
autoencoders): squared reconstruction error, a Kullback-Leibler term that keeps each code unit active on a
share rho of the images, and weight decay on the weights. It is minimised by Adam on batches, each of which
stands for all images in the Kullback-Leibler term, or by L-BFGS on all images.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blindspots.science.adam import AdamRun
from blindspots.science.descent import StopReason
from blindspots.science.networks import SparseAutoencoderSoftmax
from blindspots.science.training import CHUNK, Curves, State, Step, descend, do_nothing
from blindspots.science.weight_decay import WeightDecay, unflatten

SMALLEST = 1e-7  # a saturated unit keeps a finite divergence


@dataclass(frozen=True)
class Sparsity:
    """rho: share of images on which a unit shall be active, in (0, 1). weight: beta >= 0. decay: mu >= 0."""

    share: float = 0.05
    weight: float = 1.0
    decay: float = 1e-3

    def divergence(self, activity: Tensor) -> Tensor:
        """beta * sum_j KL(rho || activity_j), of the mean activation (codes,) of each unit."""
        rho = self.share
        terms = rho * (rho / activity).log() + (1 - rho) * ((1 - rho) / (1 - activity)).log()
        return self.weight * terms.sum()


class Reconstruction:
    """The autoencoder's loss on all images, as a function of its flat parameters (p,) float64."""

    error = math.nan  # it answers nothing

    def __init__(
        self,
        network: SparseAutoencoderSoftmax,
        images: Tensor,
        *,
        sparsity: Sparsity,
        interrupt: Callable[[], None] = do_nothing,
    ) -> None:
        self.network, self.images, self.sparsity, self.interrupt = network, images, sparsity, interrupt
        self.module = _learner(network)
        self.coefficients = WeightDecay("half_l2", (sparsity.decay,)).coefficients(self.module)

    def __call__(self, point: Tensor) -> tuple[float, Tensor]:
        """Value, and gradient (p,) float64."""
        unflatten(self.module, point)
        count, rho = len(self.images), self.sparsity.share
        activity = self._activity().clamp(SMALLEST, 1 - SMALLEST)
        # The divergence depends on every image: its derivative by the mean activity is needed first.
        parameters = list(self.module.parameters())
        pull = (self.sparsity.weight * ((1 - rho) / (1 - activity) - rho / activity)).to(parameters[0].dtype)
        gradient, loss = torch.zeros_like(point), 0.0
        for start in range(0, count, CHUNK):
            self.interrupt()
            images = self.images[start : start + CHUNK].flatten(1)
            codes = self.network.encode(images)
            losses = 0.5 * (self.network.decode(codes) - images).square().sum(1)
            pieces = torch.autograd.grad(losses.sum() + (codes @ pull).sum(), parameters)
            gradient += torch.cat([piece.flatten() for piece in pieces])
            loss += float(losses.detach().double().sum())
        value = loss / count + float(self.sparsity.divergence(activity))
        value += float((self.coefficients * point.square()).sum())
        return value, gradient / count + 2 * self.coefficients * point

    @torch.no_grad()
    def _activity(self) -> Tensor:
        """Mean activation of each code unit, (codes,) float64."""
        total = torch.zeros(self.network.encoder.out_features, dtype=torch.float64, device=self.images.device)
        for start in range(0, len(self.images), CHUNK):
            self.interrupt()
            total += self.network.encode(self.images[start : start + CHUNK]).double().sum(0)
        return total / len(self.images)


def _learner(network: SparseAutoencoderSoftmax) -> nn.Module:
    """What learns without labels."""
    return nn.ModuleList([network.encoder, network.decoder])


def train_autoencoder_adam(
    network: SparseAutoencoderSoftmax,
    images: Tensor,
    *,
    sparsity: Sparsity,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    generator: torch.Generator,
    state: State | None = None,
    report: Callable[[Step], None] = do_nothing,
    interrupt: Callable[[], None] = do_nothing,
) -> Curves:
    """Fit encoder and decoder to images (n, c, h, w) float32 in [0, 1] by Adam; no label is seen.

    The learning rate falls linearly to zero. Returns the curves, one row per epoch, of which `loss` and
    `gradient_norm` mean something here. `generator`, `state`, `report` and `interrupt` are as in
    `train_adam`.
    """
    module = _learner(network)

    def batch_loss(rows: Tensor) -> tuple[Tensor, float]:
        pixels = images[rows].flatten(1)
        codes = network.encode(pixels)
        reconstruction = 0.5 * (network.decode(codes) - pixels).square().sum(1).mean()
        activity = codes.mean(0).clamp(SMALLEST, 1 - SMALLEST)
        return reconstruction + sparsity.divergence(activity), math.nan

    run = AdamRun(
        module,
        batch_loss,
        WeightDecay("half_l2", (sparsity.decay,)).coefficients(module),
        images=len(images),
        batch_size=batch_size,
        learning_rate=learning_rate,
        generator=generator,
        annealed=True,
    )
    if state is not None:
        run.restore(state)
    run.epochs(epochs, test_error=lambda: math.nan, report=report, interrupt=interrupt)
    return run.curves


def train_autoencoder(
    network: SparseAutoencoderSoftmax,
    images: Tensor,
    *,
    sparsity: Sparsity,
    history: int = 20,
    max_iterations: int = 400,
    gradient_tolerance: float = 1e-6,
    relative_loss_tolerance: float = 1e-10,
    state: State | None = None,
    report: Callable[[Step], None] = do_nothing,
    interrupt: Callable[[], None] = do_nothing,
) -> tuple[Curves, StopReason]:
    """Fit encoder and decoder to images (n, c, h, w) float32 in [0, 1] by L-BFGS; no label is seen.

    Returns the curves, of which `loss` and `gradient_norm` mean something here, and why it stopped. `state`,
    `report` and `interrupt` are as in `train_lbfgs`.
    """
    _, curves, stop_reason = descend(
        Reconstruction(network, images, sparsity=sparsity, interrupt=interrupt),
        test_error=lambda: math.nan,
        history=history,
        max_iterations=max_iterations,
        gradient_tolerance=gradient_tolerance,
        relative_loss_tolerance=relative_loss_tolerance,
        state=state,
        report=report,
    )
    return curves, stop_reason


@torch.no_grad()
def encode_all(network: SparseAutoencoderSoftmax, images: Tensor) -> Tensor:
    """Codes (n, codes) float32 of images (n, c, h, w)."""
    return torch.cat(
        [network.encode(images[start : start + CHUNK]) for start in range(0, len(images), CHUNK)]
    )
