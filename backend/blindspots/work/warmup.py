"""What the first click should not wait for: imports, compiled kernels, thread pools."""

import logging

import numpy as np

log = logging.getLogger(__name__)


def _ignore(_done: int, _total: int) -> None:
    """Nobody watches a warm-up."""


def warm_up() -> None:
    """Attack one grey image with small networks of ours, so that everything on that way is loaded and
    compiled.
    """
    import torch

    from blindspots.experiments.methods import MinimumDistortion
    from blindspots.zoo.architectures import MultilayerPerceptron, Softmax

    generator = torch.Generator().manual_seed(0)
    for parameters in (Softmax(), MultilayerPerceptron(widths=[8])):
        network = parameters.build((1, 8, 8), 10).eval()
        image = torch.rand((1, 1, 8, 8), generator=generator)
        try:
            with torch.no_grad():
                label = network(image).argmax(dim=1)
            MinimumDistortion().attack(network, image, label, seeds=np.zeros(1, np.uint64), progress=_ignore)
        except (
            Exception
        ):  # a broken method is reported by the job that uses it, not by a worker that cannot start
            log.exception("warming up with %s failed", type(parameters).__name__)
