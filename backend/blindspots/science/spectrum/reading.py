"""From a torch module to what its distances pass through: layers with weights, and the factors between."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn

from blindspots.science.spectrum import factors, functional, layers
from blindspots.science.spectrum.layers import Layer
from blindspots.science.spectrum.symbol import Array
from blindspots.science.spectrum.tracing import Trace, Untraceable, by_modules, by_operators, first, operation

POSITIONS: dict[str, tuple[str, ...]] = {
    "max_pool2d": ("kernel_size", "stride", "padding", "dilation"),
    "max_pool2d_with_indices": ("kernel_size", "stride", "padding", "dilation"),
    "avg_pool2d": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    "adaptive_avg_pool2d": ("output_size",),
    "local_response_norm": ("size", "alpha", "beta", "k"),
    "pad": ("pad", "mode", "value"),
    "leaky_relu": ("negative_slope",),
    "elu": ("alpha",),
}
SUMS = frozenset({"add", "sub", "iadd", "isub"})
PRODUCTS = frozenset({"mul", "imul"})
QUOTIENTS = frozenset({"div", "truediv"})
Joins = Literal["sum", "root of squares"]
FACTS = frozenset({"size", "getattr", "dim"})  # of shapes, not of pixels


@dataclass(frozen=True)
class Passage:
    """One operation: how far its output moves when its inputs move."""

    name: str
    operation: str
    joins: Joins
    inputs: tuple[int, ...]  # earlier passages; none for the image itself
    factor: float  # of a layer 1: its norm comes from its spectrum
    layer: int | None = None  # index of the layer


@dataclass(frozen=True)
class Reading:
    """A network as passages from the image, which is the first, to the logits, which are the last."""

    layers: tuple[Layer, ...]
    passages: tuple[Passage, ...]
    trace: Trace

    def bounds(self, norms: Sequence[float], *, factors: bool = True) -> list[float]:
        """How much any two inputs can be driven apart, at every passage, from a norm of each layer.

        Without `factors` only the layers count, as in the product of Szegedy et al. 2013, section 4.3.
        """
        found: list[float] = []
        for passage in self.passages:
            before = [found[index] for index in passage.inputs] or [1.0]
            joined = math.hypot(*before) if passage.joins == "root of squares" else sum(before)
            own = norms[passage.layer] if passage.layer is not None else 1.0
            found.append(joined * own * (passage.factor if factors else 1.0))
        return found

    def at_layers(self, values: Sequence[float]) -> list[float]:
        """Of one value per passage those of the layers' outputs, in their order."""
        places = {passage.layer: index for index, passage in enumerate(self.passages)}
        return [values[places[index]] for index in range(len(self.layers))]

    def outputs(self, images: Tensor) -> list[Tensor]:
        """What each layer gives for images (n, c, h, w), before its activation."""
        names = [passage.name for passage in self.passages if passage.layer is not None]
        return self.trace.outputs(images, names)


@torch.no_grad()
def read(network: nn.Module, input_shape: tuple[int, int, int]) -> Reading:
    """Read a network in evaluation mode that takes images (n, *input_shape).

    First by its modules, which have names; where that fails, by the operators that torch runs. Raises
    ValueError where it holds operations whose constant is not known; it names all of them.
    """
    training = network.training
    network.eval()
    known = itertools.chain(network.parameters(), network.buffers())
    like = next((each for each in known if each.is_floating_point()), torch.zeros(()))
    image = torch.zeros(1, *input_shape, dtype=like.dtype, device=like.device)
    try:
        return _Reader(by_modules(network, image)).read()
    except ValueError as error:
        try:
            return _Reader(by_operators(network, image)).read()
        except Untraceable:
            raise error from None
        except ValueError as other:
            # Where the modules could be followed, their names say more than those of the operators.
            raise (other if isinstance(error, Untraceable) else error) from None
    finally:
        network.train(training)


class _Reader:
    """One pass over a traced network."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.values = trace, trace.values
        self.modules = dict(trace.graph.named_modules())
        self.layers: list[Layer] = []
        self.passages: list[Passage] = []
        self.places: dict[fx.Node, int] = {}  # passage that a node's value is; constants are not here
        self.unknown: list[str] = []

    def read(self) -> Reading:
        for node in self.trace.graph.graph.nodes:
            if node.op == "placeholder":
                self._add(node, "image", ())
            elif node.op not in ("output", "get_attr"):
                self._visit(node)
        if self.unknown:
            raise ValueError("no bound is known of " + ", ".join(sorted(set(self.unknown))))
        return Reading(tuple(self.layers), tuple(self.passages), self.trace)

    def _add(
        self, node: fx.Node, operation: str, inputs: tuple[int, ...], *, factor: float = 1.0,
        layer: int | None = None, joins: Joins = "sum",
    ) -> None:  # fmt: skip
        self.places[node] = len(self.passages)
        self.passages.append(Passage(node.name, operation, joins, inputs, factor, layer))

    def _visit(self, node: fx.Node) -> None:
        inputs = tuple(self.places[each] for each in _variables(node) if each in self.places)
        name = operation(node, self.modules)
        if not inputs or name in FACTS:
            return
        module = self.modules.get(str(node.target)) if node.op == "call_module" else None
        try:
            if isinstance(module, layers.Weighted):
                self._layer(node, module, inputs)
            elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                self._scaled(node, layers.scale_of(module), inputs)
            elif name in functional.NAMES:
                self._function(node, name, inputs)
            elif name in SUMS:
                self._check_shapes(node)
                self._add(node, name, inputs)
            elif name in ("cat", "concat"):
                self._add(node, name, inputs, joins="root of squares")
            elif len(inputs) == 1:
                self._add(node, name, inputs, factor=self._factor(node, name, module))
            else:
                raise ValueError(f"{name} of several inputs")
        except (ValueError, KeyError) as error:
            self.unknown.append(f"{error} ({node.name})")
            self._add(node, name, inputs)  # so that what follows is looked at too

    def _layer(self, node: fx.Node, module: layers.Weighted, inputs: tuple[int, ...]) -> None:
        layer = layers.weighted(
            module, name=str(node.target), inputs=self._shape(node.args[0]), outputs=self._shape(node)
        )
        self._add(node, layer.kind, inputs, layer=len(self.layers))
        self.layers.append(layer)

    def _function(self, node: fx.Node, name: str, inputs: tuple[int, ...]) -> None:
        """A layer, or a batch normalisation, whose weights are constants of the graph."""
        if len(inputs) != 1:
            raise ValueError(f"{name} of several inputs")
        if name in functional.NORMALISATIONS:
            self._scaled(node, functional.scale(self._arguments(node)), inputs)
            return
        layer = functional.layer(name, self._arguments(node), node.kwargs, number=len(self.layers) + 1)
        self._add(node, layer.kind, inputs, layer=len(self.layers))
        self.layers.append(layer)

    def _arguments(self, node: fx.Node) -> list[Any]:
        """Constants as they are; of what depends on the image a Moving, which knows only its shape."""

        def known(each: fx.Node) -> Any:
            return functional.Moving(self._shape(each)) if each in self.places else self.values[each.name]

        return list(fx.node.map_arg(node.args, known))

    def _scaled(self, node: fx.Node, scale: Array, inputs: tuple[int, ...]) -> None:
        """Folded into the layer before it where nothing else reads that layer, else a factor of its own."""
        source = node.args[0]
        assert isinstance(source, fx.Node)
        before = self.passages[inputs[0]]
        if before.layer is not None and len(source.users) == 1:
            self.layers[before.layer] = layers.scaled(self.layers[before.layer], scale)
            self.places[node] = inputs[0]
            self.passages[inputs[0]] = Passage(node.name, *list(vars(before).values())[1:])
        else:
            self._add(node, "batch normalisation", inputs, factor=float(abs(scale).max()))

    def _check_shapes(self, node: fx.Node) -> None:
        """Broadcasting would copy numbers; a sum may have a factor."""
        if node.kwargs.get("alpha", 1) != 1:
            raise ValueError("a sum with a factor")
        read = [self._shape(each) for each in _variables(node) if each in self.places]
        if any(shape != self._shape(node) for shape in read):
            raise ValueError("a broadcast of something that depends on the image")

    def _factor(self, node: fx.Node, name: str, module: nn.Module | None) -> float:
        options = self._options(node, name, module)
        slope = factors.slope(name, options)
        if slope is not None:
            return slope
        if name in factors.REARRANGEMENTS:
            if name == "getitem" and not _plain(node.args[1]):
                raise ValueError("a selection that may repeat numbers")
            return 1.0
        if name in PRODUCTS | QUOTIENTS:
            self._check_shapes(node)
            return self._constant_factor(node, name)
        if name not in factors.RULES:
            raise ValueError(f"the operation {name}")
        return factors.RULES[name](options, self._shape(node.args[0]), self._shape(node))

    def _constant_factor(self, node: fx.Node, name: str) -> float:
        """Of a product with a constant, or a quotient by one."""
        first, second = node.args[:2]
        by_input = isinstance(second, fx.Node) and second in self.places
        if by_input and name in QUOTIENTS:
            raise ValueError("a quotient by something that depends on the image")
        other = first if by_input else second
        size = torch.as_tensor(self.values[other.name] if isinstance(other, fx.Node) else other).abs()
        return float(size.max()) if name in PRODUCTS else 1 / float(size.min())

    def _options(self, node: fx.Node, name: str, module: nn.Module | None) -> Mapping[str, Any]:
        if module is not None:
            return vars(module)
        return {**dict(zip(POSITIONS.get(name, ()), node.args[1:], strict=False)), **node.kwargs}

    def _shape(self, value: Any) -> tuple[int, ...]:
        """Shape of one image's value at a node."""
        return tuple(first(self.values[value.name]).shape[1:])


def _variables(node: fx.Node) -> list[fx.Node]:
    """The nodes that a node reads, as often as it reads them."""
    found: list[fx.Node] = []

    def note(each: fx.Node) -> fx.Node:
        found.append(each)
        return each

    fx.node.map_arg((node.args, node.kwargs), note)
    return found


def _plain(index: Any) -> bool:
    """Whether an index is made of numbers and slices, which take every number at most once."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is ... or isinstance(part, int | slice) for part in parts)
