"""How much each operation without weights can stretch the distance between two inputs.

Every number is a Lipschitz constant in the Euclidean norm, proven for all inputs. Operations are named by
torch's own names in lower case, whether they appear as module, function or method.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Shape = tuple[int, ...]
Rule = Callable[[Mapping[str, Any], Shape, Shape], float]

# Largest absolute slope. GELU and SiLU pass 1 beyond their bend; hardswish ends its bend with slope 3/2.
SLOPES: dict[str, float] = {
    "relu": 1.0,
    "relu_": 1.0,
    "relu6": 1.0,
    "hardtanh": 1.0,
    "clamp": 1.0,
    "clip": 1.0,
    "tanh": 1.0,
    "softplus": 1.0,
    "softsign": 1.0,
    "sigmoid": 0.25,
    "hardsigmoid": 1 / 6,
    "hardswish": 1.5,
    "silu": 1.0999,
    "gelu": 1.1290,
}
# Numbers are moved, copied once or dropped, and none is changed.
REARRANGEMENTS = frozenset(
    {
        "_unsafe_view", "alias", "clone", "constant_pad_nd", "contiguous", "detach", "dropout", "dropout2d",
        "featuredropout", "flatten", "float", "getitem", "identity", "permute", "reshape", "select", "slice",
        "squeeze", "t", "transpose", "unsqueeze", "view", "zeropad2d",
    }
)  # fmt: skip


def slope(name: str, options: Mapping[str, Any]) -> float | None:
    """Largest absolute slope of an activation; None where it is none."""
    if name in ("leakyrelu", "leaky_relu"):
        return max(1.0, abs(float(options.get("negative_slope", 0.01))))
    if name == "elu":
        return max(1.0, abs(float(options.get("alpha", 1.0))))
    return SLOPES.get(name.lower())


def pair(value: Any) -> tuple[int, int]:
    """Torch's "one number or two" as two."""
    if isinstance(value, int):
        return value, value
    first, second = value
    return int(first), int(second)


def overlap(kernel: int, stride: int, dilation: int = 1) -> int:
    """How many windows along one axis can hold the same input, at most."""
    return min(kernel, math.ceil(kernel / (stride // math.gcd(stride, dilation))))


def max_pooling(options: Mapping[str, Any], before: Shape, after: Shape) -> float:  # noqa: ARG001
    """sqrt of the number of windows that can share one maximum: 1 for windows that do not overlap.

    Szegedy et al. 2013, section 4.3, calls it contractive; for windows of 3 with stride 2 one input can be
    the maximum of four windows, and the constant is 2.
    """
    kernel = pair(options["kernel_size"])
    stride = pair(options.get("stride") or kernel)
    dilation = pair(options.get("dilation", 1))
    return math.sqrt(math.prod(overlap(k, s, d) for k, s, d in zip(kernel, stride, dilation, strict=True)))


def average_pooling(options: Mapping[str, Any], before: Shape, after: Shape) -> float:  # noqa: ARG001
    """The symbol of a constant kernel is largest at frequency 0: per axis sqrt(sum_r n_r^2) / k, where n_r
    of the k taps read the polyphase component r. 1 / S where kernel and stride are equal.

    Where padding is not counted, windows at the border divide by fewer numbers: k / (k - padding) more.
    """
    if options.get("ceil_mode") or options.get("divisor_override"):
        raise ValueError("average pooling with ceil_mode or divisor_override")
    kernel = pair(options["kernel_size"])
    stride = pair(options.get("stride") or kernel)
    padding = pair(options.get("padding", 0))
    found = 1.0
    for k, s, p in zip(kernel, stride, padding, strict=True):
        counts = [len(range(phase, k, s)) for phase in range(s)]
        found *= math.sqrt(sum(count**2 for count in counts)) / k
        if p and not options.get("count_include_pad", True):
            found *= k / (k - p)
    return found


def adaptive_average(options: Mapping[str, Any], before: Shape, after: Shape) -> float:  # noqa: ARG001
    """The product over both axes of the norm of what averages along one: 1 / sqrt(inputs per output) where
    every output has as many inputs and none is shared."""
    found = 1.0
    for inputs, outputs in zip(before[-2:], after[-2:], strict=True):
        means = np.zeros((outputs, inputs))
        for place in range(outputs):
            window = slice(place * inputs // outputs, math.ceil((place + 1) * inputs / outputs))
            means[place, window] = 1 / (window.stop - window.start)
        found *= float(np.linalg.norm(means, 2))
    return found


def mean(options: Mapping[str, Any], before: Shape, after: Shape) -> float:  # noqa: ARG001
    """1 / sqrt(numbers that one mean is of)."""
    return math.sqrt(math.prod(after) / math.prod(before))


def softmax(options: Mapping[str, Any], before: Shape, after: Shape) -> float:  # noqa: ARG001
    """diag(p) - p p^T has no eigenvalue above 1/2."""
    return 0.5


def response_normalisation(options: Mapping[str, Any], before: Shape, after: Shape) -> float:  # noqa: ARG001
    """y_c = x_c s_c^-beta with s_c = k + a sum of x_c'^2 over n neighbouring channels, a = alpha / n.

    Its derivative is diag(s^-beta), not above k^-beta, less N with N_cc' = 2 a beta x_c x_c' s_c^(-beta-1).
    Let R^2 be the sum in s_c. |x_c| sum |x_c'| <= (1 + sqrt n) R^2 / 2 bounds its rows, |x_c x_c'| <= R^2 / 2
    in each of n terms its columns, and a R^2 s^(-beta-1) <= q k^-beta with q = (1/beta) / (1 +
    1/beta)^(1+beta). Schur's test: ||N|| <= beta q sqrt(n (1 + sqrt n)) k^-beta. For one window per image it
    would be k^-beta, the argument of Szegedy et al.
    """
    n, beta, k = float(options["size"]), float(options.get("beta", 0.75)), float(options.get("k", 1.0))
    if k <= 0 or beta <= 0:
        raise ValueError("local response normalisation without a positive k and beta")
    q = (1 / beta) / (1 + 1 / beta) ** (1 + beta)
    return k**-beta * (1 + beta * q * math.sqrt(n * (1 + math.sqrt(n))))


def padding(options: Mapping[str, Any], before: Shape, after: Shape) -> float:  # noqa: ARG001
    """Numbers that are always the same change no distance; mirrored ones would."""
    if options.get("mode", "constant") != "constant":
        raise ValueError(f"padding of the kind {options['mode']!r}")
    return 1.0


def maximum(options: Mapping[str, Any], before: Shape, after: Shape) -> float:  # noqa: ARG001
    """Of each channel: no two outputs read the same input."""
    return 1.0


RULES: dict[str, Rule] = {
    "amax": maximum,
    "pad": padding,
    "max_pool2d_with_indices": max_pooling,
    "_adaptive_avg_pool2d": adaptive_average,
    "_softmax": softmax,
    "constantpad2d": padding,
    "maxpool2d": max_pooling,
    "max_pool2d": max_pooling,
    "avgpool2d": average_pooling,
    "avg_pool2d": average_pooling,
    "adaptiveavgpool2d": adaptive_average,
    "adaptive_avg_pool2d": adaptive_average,
    "mean": mean,
    "softmax": softmax,
    "localresponsenorm": response_normalisation,
    "local_response_norm": response_normalisation,
}
