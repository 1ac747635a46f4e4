"""What a layer answers to many images, and the images that move each direction most, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

CHUNK = 256  # images of a forward pass
Spatial = Literal["max", "mean"]
ROW_BITS = 32
LEAST = torch.iinfo(torch.int64).min


class _Seen(Exception):
    """Raised to leave a forward pass: what comes after the layer is not needed."""


@torch.no_grad()
def activations(network: nn.Module, images: Tensor, module: str, *, call: int = 1) -> Tensor:
    """What the module of that path returns in its `call`-th call, (n, ...) as it is.

    images: (n, c, h, w) in [0, 1]. Raises LookupError where there is no such module or call.
    """
    caught: list[Tensor] = []
    calls = 0

    def watch(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            caught.append(output)
            raise _Seen

    try:
        watched = network.get_submodule(module)
    except AttributeError:
        raise LookupError(f"the network has no module {module!r}") from None
    hook = watched.register_forward_hook(watch)
    try:
        network(images)
    except _Seen:
        return caught[0]
    finally:
        hook.remove()
    raise LookupError(f"the module {module!r} was called {calls} times, not {call}")


def pooled(maps: Tensor, spatial: Spatial) -> Tensor:
    """One code per image, (n, units): of maps (n, channels, h, w) the largest or the mean over all positions.

    Raises ValueError where a number is not finite.
    """
    codes = maps.flatten(2) if maps.ndim > 2 else maps
    if codes.ndim > 2:
        codes = codes.amax(dim=2) if spatial == "max" else codes.mean(dim=2)
    if not codes.isfinite().all():
        raise ValueError("the layer answers with numbers that are not finite; its weights may be broken")
    return codes


def codes_of(
    network: nn.Module,
    images: Tensor,
    module: str,
    *,
    call: int = 1,
    spatial: Spatial = "max",
    chunk: int = CHUNK,
) -> Iterator[Tensor]:
    """Codes (at most chunk, units), in the order of the images, `chunk` of them at a time."""
    for start in range(0, len(images), chunk):
        yield pooled(activations(network, images[start : start + chunk], module, call=call), spatial)


class TopImages:
    """The k images of the largest score of every direction, while images come by.

    Memory is directions x k, whatever the number of images. Of equal scores the earlier row wins, so the
    answer does not depend on how the images were cut up: each score and its row are one 64-bit integer whose
    order is that of (score, -row).
    """

    def __init__(self, directions: int, k: int, device: str = "cpu") -> None:
        self._keys = torch.full((directions, k), LEAST, dtype=torch.int64, device=device)
        self._least = torch.full((directions,), -torch.inf, device=device)  # of the scores that are kept

    def add(self, scores: Tensor, rows: Tensor) -> None:
        """scores: (n, directions) float32, finite. rows: (n,) int64, each once, below 2^32."""
        better = (scores.amax(dim=0) >= self._least).nonzero()[:, 0]  # soon of few directions
        if len(better) == 0:
            return
        bits = (scores[:, better].T.contiguous() + 0.0).view(torch.int32)  # + 0 makes -0 and 0 equal
        ordered = (bits ^ ((bits >> 31) & 0x7FFFFFFF)).long()
        keys = (ordered << ROW_BITS) | ((1 << ROW_BITS) - 1 - rows)
        k = self._keys.shape[1]
        kept = torch.cat([self._keys[better], keys], dim=1).topk(k, dim=1).values
        self._keys[better] = kept
        full = kept[:, -1] != LEAST
        self._least[better[full]] = _score(kept[full, -1])

    def found(self) -> tuple[Tensor, Tensor]:
        """Scores (directions, k) float32 and rows (directions, k) int64, the largest first.

        Raises ValueError where there were fewer than k images.
        """
        if (self._keys == LEAST).any():
            raise ValueError(f"expected at least {self._keys.shape[1]} images")
        return _score(self._keys), (1 << ROW_BITS) - 1 - (self._keys & ((1 << ROW_BITS) - 1))


def _score(keys: Tensor) -> Tensor:
    """The float32 scores in some keys."""
    ordered = (keys >> ROW_BITS).int()
    return (ordered ^ ((ordered >> 31) & 0x7FFFFFFF)).view(torch.float32)


@dataclass(frozen=True)
class Watched:
    """What was kept of all images, for each direction."""

    score: Tensor  # (m, k) float32, the largest first
    row: Tensor  # (m, k) int64
    class_sum: Tensor  # (m, classes) float64: scores of the images of each class
    class_count: Tensor  # (classes,) int64
    square_sum: Tensor  # (m,) float64
    least: Tensor  # (m,) float32 smallest score


class Watch:
    """Scores of many directions while codes come by: one matrix product for each chunk of images.

    matrix: (d, m) float32; offset: (m,) float32; score = code @ matrix + offset.
    """

    def __init__(self, matrix: Tensor, offset: Tensor, *, k: int, classes: int) -> None:
        self._matrix, self._offset = matrix, offset
        count, device = matrix.shape[1], str(matrix.device)
        self._top = TopImages(count, k, device)
        self._sums = torch.zeros(count, classes, dtype=torch.float64, device=device)
        self._counts = torch.zeros(classes, dtype=torch.int64, device=device)
        self._squares = torch.zeros(count, dtype=torch.float64, device=device)
        self._least = torch.full((count,), torch.inf, device=device)

    def add(self, codes: Tensor, labels: Tensor, rows: Tensor) -> None:
        """codes: (n, d); labels: (n,) int64 in 0 to classes - 1; rows: (n,) int64."""
        scores = torch.addmm(self._offset, codes, self._matrix)
        self._top.add(scores, rows)
        exact = scores.double()
        member = torch.nn.functional.one_hot(labels, len(self._counts))
        self._sums += exact.T @ member.double()
        self._counts += member.sum(dim=0)
        self._squares += exact.square().sum(dim=0)
        self._least = torch.minimum(self._least, scores.amin(dim=0))

    def found(self) -> Watched:
        """What was kept. Raises ValueError where there were fewer than k images."""
        score, row = self._top.found()
        return Watched(score, row, self._sums, self._counts, self._squares, self._least)
