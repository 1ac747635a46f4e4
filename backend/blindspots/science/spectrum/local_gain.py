"""What a network does to small changes of given images, beside what its layers' norms allow.

Szegedy et al. 2013, section 4.3: the product of the layers' norms bounds how far the logits move; how far
they do move near an image is the norm of the Jacobian there.
"""

import torch
from torch import Tensor, nn

ROWS = 64  # with at most so many logits, the Jacobian is written out and its norm is exact


def jacobian_norms(network: nn.Module, images: Tensor, *, steps: int = 50, seed: int = 0) -> Tensor:
    """||J(x)||_2 of the logits at every image: (n,) float64.

    images: (n, c, h, w) float32. With at most 64 logits all rows of J are computed and the norm is exact;
    with more, `steps` power iterations on J^T J give a value that is not above it.
    """
    with torch.no_grad():
        classes = network(images[:1]).shape[1]
    return _by_rows(network, images) if classes <= ROWS else _by_power(network, images, steps, seed)


def _by_rows(network: nn.Module, images: Tensor) -> Tensor:
    images = images.detach().requires_grad_()
    with torch.enable_grad():
        logits = network(images)
    rows = [
        torch.autograd.grad(logits[:, index].sum(), images, retain_graph=True)[0].flatten(1)
        for index in range(logits.shape[1])
    ]
    jacobian = torch.stack(rows, dim=1).double()
    squares = torch.linalg.eigvalsh(jacobian @ jacobian.transpose(1, 2))
    return squares[:, -1].clamp(min=0).sqrt().cpu()


def _by_power(network: nn.Module, images: Tensor, steps: int, seed: int) -> Tensor:
    """All images at once: in evaluation mode no image's logits depend on another's.

    J^T u comes from one backward pass. It is linear in u, so a backward pass through it gives J v.
    """
    images = images.detach().requires_grad_()
    vector = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed)).to(images)
    found = torch.zeros(len(images), dtype=torch.float64, device=images.device)
    with torch.enable_grad():
        logits = network(images)
        weights = torch.zeros_like(logits, requires_grad=True)
        (pulled,) = torch.autograd.grad(logits, images, weights, create_graph=True)
    for _ in range(steps):
        vector = vector / _lengths(vector).clamp(min=1e-30).view(-1, 1, 1, 1)
        (moved,) = torch.autograd.grad(pulled, weights, vector, retain_graph=True)
        found = torch.maximum(found, _lengths(moved).double())
        (vector,) = torch.autograd.grad(logits, images, moved, retain_graph=True)
    return found.cpu()


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """z_y - max over j != y of z_j, (n,): how surely the label is answered; negative where it is not."""
    own = logits.gather(1, labels[:, None])[:, 0]
    others = logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)
    return own - others


def certified_radius(margin: Tensor, bound: float) -> Tensor:
    """No change shorter than this in L2 norm can make another class win: margin / (sqrt(2) L), 0 where the
    label does not win. A change of length d moves z_y - z_j by at most sqrt(2) L d."""
    if bound <= 0:
        return torch.where(margin > 0, torch.inf, 0.0).to(margin)
    return margin.clamp(min=0) / (2**0.5 * bound)


def _lengths(values: Tensor) -> Tensor:
    return values.flatten(1).norm(dim=1)
