"""A sigmoid network as a chain of layers that can be entered anywhere.

h_0 = x, h_k = sigmoid(W_k h_{k-1} + b_k), and g_k is the classifier from layer k upward: it maps codes h_k
(n, d_k) in [0, 1] to logits. Szegedy et al. 2013, section 4: examples made for the output of each layer train
all the layers above. Gradients are written out instead of left to autograd, because such an example must
leave the weights below exactly untouched, and because many small batches are learnt faster so.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from blindspots.science.networks import MultilayerPerceptron

Masks = Sequence[Tensor]  # of layer 0, 1, ...: (n, d_k), what each unit is multiplied by


class Layers:
    """Weights and gradients of a network 784-100-100-10, say, as views of two flat vectors (p,) float32.

    The order is that of the module's parameters. sizes: of pixels, hidden layers and classes.
    """

    def __init__(self, sizes: Sequence[int], device: torch.device | str = "cpu") -> None:
        if len(sizes) < 3:
            raise ValueError(f"expected at least one hidden layer, got the sizes {list(sizes)}")
        self.sizes = tuple(sizes)
        count = sum((before + 1) * after for before, after in itertools.pairwise(sizes))
        self.point = torch.zeros(count, device=device)
        self.gradient = torch.zeros(count, device=device)
        self._weights = self._views(self.point)
        self._gradients = self._views(self.gradient)

    @classmethod
    def of(cls, module: MultilayerPerceptron) -> "Layers":
        """The layers of a module, with a copy of its weights. Raises ValueError where it has other units."""
        if not isinstance(module.activation, nn.Sigmoid):
            raise ValueError("expected sigmoid units: codes must lie in [0, 1]")
        linear = [layer for layer in (*module.hidden, module.output) if isinstance(layer, nn.Linear)]
        layers = cls([linear[0].in_features, *(layer.out_features for layer in linear)])
        layers.point.copy_(torch.cat([value.detach().flatten() for value in module.parameters()]))
        return layers

    @property
    def hidden(self) -> int:
        """Number of hidden layers: codes exist at layers 0 (the pixels) to this one."""
        return len(self.sizes) - 2

    def _views(self, vector: Tensor) -> list[tuple[Tensor, Tensor]]:
        views, start = [], 0
        for before, after in itertools.pairwise(self.sizes):
            middle, end = start + before * after, start + (before + 1) * after
            views.append((vector[start:middle].view(after, before), vector[middle:end]))
            start = end
        return views

    def weights_above(self, layer: int) -> slice:
        """Where in the flat vectors the weights stand that an example entering at `layer` trains."""
        below = sum((a + 1) * b for a, b in itertools.islice(itertools.pairwise(self.sizes), layer))
        return slice(below, len(self.point))

    def _forward(self, codes: Tensor, first: int, masks: Masks | None = None) -> tuple[list[Tensor], Tensor]:
        """Codes (n, d) of layers `first` .. hidden before their masks, and logits (n, classes)."""
        kept = [codes]
        for place in range(first, len(self._weights)):
            weight, bias = self._weights[place]
            source = kept[-1] if masks is None else kept[-1] * masks[place]
            sums = torch.addmm(bias, source, weight.T)
            if place == self.hidden:
                return kept, sums
            kept.append(sums.sigmoid_())
        raise AssertionError("the output layer was passed")

    def codes(self, images: Tensor, layer: int) -> Tensor:
        """h_layer of images (n, pixels) in [0, 1]: (n, d_layer) in [0, 1]."""
        for weight, bias in self._weights[:layer]:
            images = torch.addmm(bias, images, weight.T).sigmoid_()
        return images

    def above(self, layer: int) -> Callable[[Tensor], Tensor]:
        """g_layer for an attack: codes of any shape (n, ...) to logits (n, classes), differentiable."""

        def classify(codes: Tensor) -> Tensor:
            codes = codes.flatten(1)
            for place in range(layer, len(self._weights)):
                weight, bias = self._weights[place]
                codes = torch.addmm(bias, codes, weight.T)
                codes = codes if place == self.hidden else torch.sigmoid(codes)
            return codes

        return classify

    def add_gradient(
        self, codes: Tensor, labels: Tensor, *, layer: int, share: float, masks: Masks | None = None
    ) -> tuple[float, int]:
        """Add the gradient of share * sum of cross-entropies of g_layer to `gradient`, above `layer` only.

        codes: (n, d_layer) in [0, 1]; labels: (n,) int64. Answers the sum of the cross-entropies and how
        many answers are wrong.
        """
        kept, logits = self._forward(codes, layer, masks)
        loss, wrong, delta = _cross_entropy(logits, labels)
        delta *= share
        for place in range(self.hidden, layer - 1, -1):
            below = kept[place - layer]
            weight_gradient, bias_gradient = self._gradients[place]
            source = below if masks is None else below * masks[place]
            weight_gradient.addmm_(delta.T, source)
            bias_gradient += delta.sum(dim=0)
            if place > layer:
                delta = self._down(delta, place, below, masks)
        return loss, wrong

    def _down(self, delta: Tensor, place: int, codes: Tensor, masks: Masks | None) -> Tensor:
        """The derivative by the sums of the layer whose sigmoids are `codes`, from that by the next sums."""
        delta = delta @ self._weights[place][0]
        if masks is not None:
            delta *= masks[place]
        return delta.mul_(codes).mul_(1 - codes)

    def slope(self, images: Tensor, labels: Tensor) -> Tensor:
        """Gradient of each image's cross-entropy by its own pixels, (n, pixels)."""
        kept, logits = self._forward(images, 0)
        _, _, delta = _cross_entropy(logits, labels)
        for place in range(self.hidden, 0, -1):
            delta = self._down(delta, place, kept[place], None)
        return delta @ self._weights[0][0]

    def evaluate(self, images: Tensor, labels: Tensor, *, chunk: int = 2048) -> Tensor:
        """Which images (n, pixels) are answered wrongly, without dropout: (n,) bool."""
        wrong = []
        for start in range(0, len(images), chunk):
            truth = labels[start : start + chunk]
            _, logits = self._forward(images[start : start + chunk], 0)
            wrong.append(logits.argmax(dim=1) != truth)
        return torch.cat(wrong)

    def write(self, module: MultilayerPerceptron) -> None:
        """Put the weights into a module of the same sizes."""
        with torch.no_grad():
            start = 0
            for value in module.parameters():
                value.copy_(self.point[start : start + value.numel()].view_as(value))
                start += value.numel()
        assert start == len(self.point)


def _cross_entropy(logits: Tensor, labels: Tensor) -> tuple[float, int, Tensor]:
    """Sum of the cross-entropies, wrong answers, and its derivative by the logits: softmax - one-hot."""
    logs = logits.log_softmax(dim=1)
    truth = labels[:, None]
    loss = -float(logs.gather(1, truth).sum())
    wrong = int((logits.argmax(dim=1) != labels).sum())
    delta = logs.exp_()
    delta.scatter_add_(1, truth, torch.full_like(truth, -1, dtype=delta.dtype))
    return loss if math.isfinite(loss) else math.inf, wrong, delta
