"""A classifier from an ONNX graph read elsewhere: plain structure and tensors in, a torch module out.

Nothing here reads a file. `zoo.onnx_parser` does, in a process of its own.

The graph is specialised to images of one shape: whatever does not depend on the image is computed once, and
what depends on the number of images alone (shapes that a graph computes) is found by asking with two images
and with three. What is left are torch modules, one per operator, that take any number of images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from blindspots.science.onnx_lowering import Operation, lowered
from blindspots.science.onnx_operators import OPERATORS
from blindspots.science.onnx_rearranging import BATCH

MOST_NODES = 10_000
ASKED = (2, 3)  # images
SHAPES = frozenset({"Shape", "Size"})  # read the shape of what depends on the image, not the image
COPIES = frozenset({"Identity", "Dropout"})


@dataclass(frozen=True)
class Node:
    """One operator of the graph; "" stands for an input that is left out."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Value:
    """What a name of the graph stands for: the same for every number of images, or one answer to each."""

    answers: tuple[Tensor, ...]  # one, or one for each of ASKED
    from_image: bool = False

    @property
    def constant(self) -> bool:
        return len(self.answers) == 1


@dataclass(frozen=True)
class Step:
    """One module of the forward pass, the names that it reads and writes, and those no later one reads."""

    module: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    done_with: tuple[str, ...] = ()


def without_softmax(nodes: Sequence[Node], output: str) -> tuple[list[Node], str]:
    """The graph up to its logits: a Softmax or LogSoftmax over the classes at the end is left away."""
    kept = list(nodes)
    while True:
        last = next((node for node in kept if output in node.outputs), None)
        ends = last is not None and (
            last.operator == "Identity"
            or (last.operator in ("Softmax", "LogSoftmax") and last.attributes.get("axis", -1) in (-1, 1))
        )
        if last is None or not ends:
            return kept, output
        kept.remove(last)
        output = last.inputs[0]


def unknown_operators(nodes: Sequence[Node]) -> list[str]:
    """Names of the operators outside the closed list, sorted."""
    return sorted({node.operator for node in nodes} - set(OPERATORS))


class OnnxClassifier(nn.Module):
    """Images (n, c, h, w) in [0, 1] to logits (n, classes).

    tensors: the graph's stored numbers, by name. input_shape: c, h, w. mean, scale: one number per channel;
    the graph sees (images - mean) / scale, as (n, h, w, c) where channels_last. Raises ValueError for a graph
    with an unknown operator, too many nodes, a node that reads what no earlier node wrote (so no cycle can be
    made), one that mixes the images of a batch, or an answer that is not (n, classes).
    """

    def __init__(
        self, nodes: Sequence[Node], tensors: Mapping[str, Tensor], *, image: str, output: str,
        input_shape: tuple[int, int, int], mean: Sequence[float], scale: Sequence[float],
        channels_last: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if unknown := unknown_operators(nodes):
            raise ValueError(f"The graph uses operators that are not understood: {', '.join(unknown)}.")
        if len(nodes) > MOST_NODES:
            raise ValueError(f"The graph has {len(nodes)} nodes; at most {MOST_NODES} are taken.")
        kept, self.output = without_softmax(nodes, output)
        self.image, self.channels_last = image, channels_last
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).reshape(-1, 1, 1))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32).reshape(-1, 1, 1))
        self.operators = nn.ModuleDict()
        builder = _Builder(self.operators, tensors, image, self._prepared(_sample(input_shape)))
        builder.take(kept)
        self.steps = builder.needed(self.output)
        self.requires_grad_(False).eval()

    def _prepared(self, images: Tensor) -> Tensor:
        pixels = (images - self.get_buffer("mean")) / self.get_buffer("scale")
        return pixels.permute(0, 2, 3, 1) if self.channels_last else pixels

    def forward(self, images: Tensor) -> Tensor:
        known = {self.image: self._prepared(images)}
        for step in self.steps:
            answer = self.operators[step.module](*(known[name] for name in step.inputs))
            for place, name in enumerate(step.outputs):
                known[name] = answer[place] if len(step.outputs) > 1 else answer
            for name in step.done_with:
                known.pop(name, None)
        return known[self.output]


def _sample(input_shape: tuple[int, int, int]) -> Tensor:
    """As many images as the larger of ASKED, none like another."""
    return torch.rand((max(ASKED), *input_shape), generator=torch.Generator().manual_seed(0))


def _copied(row: Tensor, images: Tensor) -> Tensor:
    """As many copies of (1, ...) as there are images."""
    return row.expand(images.shape[0], *[-1] * (row.ndim - 1))


class _Builder:
    """One pass through the graph."""

    def __init__(
        self, modules: nn.ModuleDict, tensors: Mapping[str, Tensor], image: str, pixels: Tensor
    ) -> None:
        self.modules, self.image = modules, image
        self.known = {name: Value((tensor,)) for name, tensor in tensors.items()}
        self.known[image] = Value(tuple(pixels[:count] for count in ASKED), from_image=True)
        self.steps: list[Step] = []

    @torch.no_grad()
    def take(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if missing := [name for name in node.inputs if name and name not in self.known]:
                raise ValueError(f"{node.operator} reads {missing[0]!r}, which nothing before it writes.")
            values = [self.known[name] if name else None for name in node.inputs]
            try:
                self._take(node, values)
            except (ValueError, RuntimeError, IndexError, KeyError, TypeError, AssertionError) as error:
                name = next(iter(node.outputs), "")
                reason = f"{error}".split("\n", maxsplit=1)[0][:200]
                raise ValueError(
                    f"The operator {node.operator} ({name}) cannot be applied: {reason}."
                ) from error

    def _take(self, node: Node, values: Sequence[Value | None]) -> None:
        given = [value for value in values if value is not None]
        if node.operator in COPIES and given:
            self._name(node, given[0])
        elif node.operator in SHAPES or not any(value.from_image for value in given):
            self._compute(node, values)
        else:
            self._lower(node, values)

    def _name(self, node: Node, value: Value) -> None:
        self.known[node.outputs[0]] = value
        if value.from_image:
            self._add(node, nn.Identity(), (node.inputs[0],), node.outputs[:1])

    def _compute(self, node: Node, values: Sequence[Value | None]) -> None:
        """What does not depend on any pixel, for every number of images."""
        counts = range(len(ASKED)) if any(value and not value.constant for value in values) else range(1)
        function = OPERATORS[node.operator]
        answers = []
        for index in counts:
            inputs = [
                None if value is None else value.answers[min(index, len(value.answers) - 1)]
                for value in values
            ]
            answer = function(inputs, node.attributes)
            answers.append(answer if isinstance(answer, tuple) else (answer,))
        for place, name in enumerate(node.outputs[: len(answers[0])]):
            found = [answer[place] for answer in answers]
            same = all(torch.equal(found[0], other) for other in found[1:])
            self.known[name] = Value((found[0],) if same else tuple(found))

    def _lower(self, node: Node, values: Sequence[Value | None]) -> None:
        values = [self._repeated(name, value) for name, value in zip(node.inputs, values, strict=True)]
        constants = [self._fixed(node, value) for value in values]
        reading = [
            (name, value) for name, value, constant in zip(node.inputs, values, constants, strict=True)
            if value is not None and constant is None
        ]  # fmt: skip
        samples = [
            value.answers[0] if value is not None and constant is None else None
            for value, constant in zip(values, constants, strict=True)
        ]
        attributes = {**node.attributes, "outputs": len(node.outputs)}
        module = lowered(node.operator, attributes, constants, samples).eval().requires_grad_(False)
        answers = []
        for index in range(len(ASKED)):
            answer = module(*(value.answers[index] for _, value in reading))
            answers.append(answer if isinstance(answer, tuple | list) else (answer,))
        for place, name in enumerate(node.outputs[: len(answers[0])]):
            found = tuple(answer[place] for answer in answers)
            if [len(each) for each in found] != list(ASKED):
                raise ValueError("it mixes the images of a batch, or was written for one image at a time")
            self.known[name] = Value(found, from_image=True)
        several = len(answers[0]) > 1
        outputs = node.outputs[: len(answers[0])] if several else node.outputs[:1]
        self._add(node, module, tuple(name for name, _ in reading), outputs)

    def _repeated(self, name: str, value: Value | None) -> Value | None:
        """A constant that a graph copies for every image, as a token of its own: copied in the module too."""
        if value is None or value.from_image or value.constant or not value.answers[0].is_floating_point():
            return value
        few, more = value.answers
        row = few[:1]
        if [len(few), len(more)] != list(ASKED) or not torch.equal(more, row.expand(more.shape)):
            return value
        again = Value(value.answers, from_image=True)
        self.known[name] = again
        copies = Operation(_copied, [row, None], [False, False])
        self._add(Node("Expand", (), (), {}), copies, (self.image,), (name,))
        return again

    def _fixed(self, node: Node, value: Value | None) -> Tensor | None:
        """The value where it does not depend on the image; sizes that follow the batch are marked."""
        if value is None or value.from_image:
            return None
        if value.constant:
            return value.answers[0]
        few, more = value.answers
        if few.shape != more.shape or few.is_floating_point():
            raise ValueError("a number in the graph depends on how many images there are")
        marked = torch.where(few == more, few, -1)
        follows = (few == ASKED[0]) & (more == ASKED[1])
        marked = torch.where(follows, torch.full_like(few, BATCH), marked)
        if node.operator not in ("Reshape", "Expand"):
            raise ValueError("a number in the graph depends on how many images there are")
        return marked

    def _add(self, node: Node, module: nn.Module, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
        name = f"{len(self.steps) + 1}_{node.operator}"
        self.modules[name] = module
        self.steps.append(Step(name, inputs, outputs))

    def needed(self, output: str) -> tuple[Step, ...]:
        """The steps on the way to the output, each with what may be forgotten after it."""
        value = self.known.get(output)
        if value is None:
            raise ValueError(f"Nothing writes the output {output!r}.")
        if not value.from_image:
            raise ValueError("The output does not depend on the image.")
        if value.answers[0].ndim != 2:
            shape = " × ".join(str(side) for side in value.answers[0].shape[1:])
            raise ValueError(f"The output is {shape} numbers per image; a row of logits is due.")
        wanted, kept = {output}, []
        for step in reversed(self.steps):
            if wanted & set(step.outputs):
                last = tuple(name for name in step.inputs if name not in wanted)
                kept.append(Step(step.module, step.inputs, step.outputs, tuple(dict.fromkeys(last))))
                wanted |= set(step.inputs)
        used = {step.module for step in kept}
        for name in list(self.modules):
            if name not in used:
                del self.modules[name]
        return tuple(reversed(kept))
