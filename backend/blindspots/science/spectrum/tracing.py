"""What a network computes, as a graph of operations, and every operation's value for one image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.experimental.proxy_tensor import make_fx


class Untraceable(ValueError):
    """The network's code cannot be followed."""


class Recorder(fx.Interpreter):
    """Runs a traced network and keeps what every operation gave."""

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced, garbage_collect_values=False)
        self.values: dict[str, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        """Run one operation and keep its answer."""
        self.values[n.name] = super().run_node(n)
        return self.values[n.name]


@dataclass(frozen=True)
class Trace:
    """A graph, its values for one image of zeros, and whether it holds for one image at a time only."""

    graph: fx.GraphModule
    values: Mapping[str, Any]
    single: bool

    @torch.no_grad()
    def outputs(self, images: Tensor, names: list[str]) -> list[Tensor]:
        """What the operations of these names give for images (n, c, h, w)."""
        tiles = [each[None] for each in images] if self.single else [images]
        found: list[list[Tensor]] = []
        for tile in tiles:
            recorder = Recorder(self.graph)
            recorder.run(tile)
            found.append([first(recorder.values[name]) for name in names])
        return [torch.cat(column) for column in zip(*found, strict=True)]


def by_modules(network: nn.Module, image: Tensor) -> Trace:
    """The calls that the network's code makes; modules of torch are single operations.

    Raises Untraceable where the code cannot be followed without numbers.
    """
    try:
        graph = fx.symbolic_trace(network)
    except Exception as error:  # whatever the network's own code raises when it is given no numbers
        raise Untraceable(f"the network's code cannot be followed: {error}") from error
    return _recorded(graph.eval(), image, single=False)


def by_operators(network: nn.Module, image: Tensor) -> Trace:
    """The operators that torch ran for one image. Code that looks at shapes is followed too.

    Raises Untraceable where the code looks at the pixels.
    """
    try:
        graph = make_fx(network)(image)
    except Exception as error:  # as above
        raise Untraceable(f"the network's code cannot be followed: {error}") from error
    graph.graph.eliminate_dead_code()
    graph.recompile()
    for name, value in list(vars(graph).items()):
        if isinstance(value, Tensor):  # a buffer moves with the graph to another device
            delattr(graph, name)
            graph.register_buffer(name, value, persistent=False)
    return _recorded(graph, image, single=True)


def _recorded(graph: fx.GraphModule, image: Tensor, *, single: bool) -> Trace:
    recorder = Recorder(graph)
    recorder.run(image)
    return Trace(graph, recorder.values, single)


def first(value: Any) -> Any:
    """Of an operation with several answers, the one that counts."""
    return value[0] if isinstance(value, tuple | list) else value


def operation(node: fx.Node, modules: Mapping[str, nn.Module]) -> str:
    """Its name, whether it is a module, a function, a method or an operator of torch."""
    if node.op == "call_module":
        return type(modules[str(node.target)]).__name__.lower()
    if isinstance(node.target, str):
        return node.target
    if isinstance(node.target, torch._ops.OpOverload):
        return str(node.target.overloadpacket.__name__)
    return str(node.target.__name__)
