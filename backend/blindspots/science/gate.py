"""What a network that was made elsewhere must pass before it is attacked: an attack follows its gradients.

A wrong number here would make every later number wrong, so the network is asked in float64 where it can be.
"""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

STEP = 1e-6  # of a finite difference in float64
COARSE_STEP = 1e-2  # in float32, where a graph insists on it
DIRECTIONS = 8
SMALLEST = 1e-12


@dataclass(frozen=True)
class Gate:
    """What a network did with some images."""

    finite: bool  # all logits are finite numbers
    batch_difference: float  # largest |alone - in a batch| of a logit, over the spread of the logits
    gradient_error: float  # median relative difference between gradient and finite difference
    gradient_worst: float  # the largest; large where a direction crosses a kink of the network
    gradient_zero: float  # share of images on which no pixel has a gradient
    probabilities: bool  # every answer is a distribution: a softmax is still inside
    constant: bool  # the answer does not depend on the image
    double: bool  # it could be asked in float64


def examine(network: nn.Module, images: Tensor, *, generator: torch.Generator) -> Gate:
    """Ask a network about images (n, c, h, w) float32 in [0, 1], two at least.

    The gradient of the cross-entropy of each image's own answer is held against central differences along
    random directions. Raises ValueError where the network does not answer (n, classes).
    """
    logits = _logits(network, images)
    finite = bool(logits.isfinite().all())
    spread = float(logits.double().std()) if finite else 1.0
    alone = torch.cat([_logits(network, images[row : row + 1]) for row in range(min(4, len(images)))])
    difference = float((alone - logits[: len(alone)]).abs().max()) / max(spread, SMALLEST)
    errors, zero, double = _gradients(network, images, generator) if finite else (torch.ones(1), 1.0, False)
    sums = logits.double().sum(dim=1)
    return Gate(
        finite=finite,
        batch_difference=difference if finite else float("inf"),
        gradient_error=float(errors.median()),
        gradient_worst=float(errors.max()),
        gradient_zero=zero,
        probabilities=finite and bool((logits >= 0).all()) and bool((sums - 1).abs().max() < 1e-4),
        constant=finite and bool((logits - logits[:1]).abs().max() <= 1e-6 * max(spread, SMALLEST)),
        double=double,
    )


@torch.no_grad()
def _logits(network: nn.Module, images: Tensor) -> Tensor:
    logits = network(images)
    if logits.ndim != 2 or len(logits) != len(images):
        raise ValueError(
            f"expected one row of logits per image, ({len(images)}, classes); the network answers "
            f"{tuple(logits.shape)} to {len(images)} images"
        )
    return logits


def _gradients(network: nn.Module, images: Tensor, generator: torch.Generator) -> tuple[Tensor, float, bool]:
    """Relative differences, one per direction; the share of images without gradient; whether in float64."""
    precise = copy.deepcopy(network).double()
    try:
        loss = _loss(precise, images.double())
        double = loss.dtype == torch.float64
    except RuntimeError:  # a graph that casts to float32 on its way mixes the two
        double = False
    asked, points, step = (precise, images.double(), STEP) if double else (network, images, COARSE_STEP)
    # Away from the bounds of the box, where central differences would leave it.
    points = points * 0.98 + 0.01
    points = points.clone().requires_grad_()
    loss = _loss(asked, points)
    if not loss.requires_grad:
        return torch.ones(1), 1.0, double
    (gradient,) = torch.autograd.grad(loss, points)
    flat = gradient.flatten(1)
    zero = float((flat.abs().amax(dim=1) == 0).double().mean())
    errors = [_error(asked, points.detach(), gradient, step, generator) for _ in range(DIRECTIONS)]
    return torch.tensor(errors), zero, double


def _error(
    network: nn.Module, points: Tensor, gradient: Tensor, step: float, generator: torch.Generator
) -> float:
    """Relative difference between the slope by the gradient and by a central difference, one direction."""
    direction = torch.randn(points.shape, generator=generator).to(points)
    direction = direction / direction.norm()
    if gradient.norm() > 0:  # half along the gradient: a random direction alone is nearly orthogonal to it
        direction = direction + gradient / gradient.norm()
        direction = direction / direction.norm()
    slope = float((gradient * direction).sum())
    with torch.no_grad():
        after, before = (_loss(network, points + sign * step * direction) for sign in (1, -1))
    measured = float(after - before) / (2 * step)
    size = max(abs(slope), abs(measured))
    return 0.0 if size < SMALLEST else abs(slope - measured) / size


def _loss(network: nn.Module, images: Tensor) -> Tensor:
    """Sum over the images of a smooth function of all logits."""
    logits = network(images)
    weights = torch.linspace(-1, 1, logits.shape[1], dtype=logits.dtype, device=logits.device)
    return (logits.log_softmax(dim=1) * weights).sum()
