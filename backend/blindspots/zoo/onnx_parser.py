"""Run as a program of its own: one untrusted ONNX file on standard input, safetensors on standard output.

The graph's structure stands as JSON in the safetensors' metadata. The program imports nothing of the
package and gets no environment; memory, time and files are limited before the first byte is looked at.
Exit status 3 and one sentence on standard error say that the file is bad.

    python -I onnx_parser.py
"""

import json
import math
import resource
import sys
from typing import Any

MEMORY_BYTES = 4 << 30
CPU_SECONDS = 60
MOST_NODES = 10_000
MOST_TENSORS = 20_000
MOST_RANK = 8
MOST_NAME = 1000
MOST_LIST = 1000
OPSETS = range(7, 25)
KINDS = ("float16", "float32", "float64", "uint8", "int8", "int32", "int64", "bool")
BAD_GRAPH = 3


def limit() -> None:
    """No growth beyond four gigabytes, no loop beyond a minute, no file written."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def stored(tensor: Any) -> Any:
    """The tensor as an array, real numbers in single precision.

    Raises ValueError for data outside the file, a length that its shape does not have, and numbers that are
    not finite.
    """
    import numpy as np
    from onnx import TensorProto, numpy_helper

    name = tensor.name[:100]
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise ValueError(f"The weights {name!r} lie outside the file; save the model as one file.")
    if len(tensor.dims) > MOST_RANK or any(side < 0 for side in tensor.dims):
        raise ValueError(f"The weights {name!r} have the sides {list(tensor.dims)[:9]}.")
    try:
        array = np.array(numpy_helper.to_array(tensor))
    except Exception as error:
        raise ValueError(f"The weights {name!r} are not what their shape and type say.") from error
    if array.dtype.name not in KINDS:
        raise ValueError(f"The weights {name!r} are {array.dtype.name}; float32 is understood.")
    if array.dtype.kind == "f":
        array = array.astype(np.float32)
        if not np.isfinite(array).all():
            raise ValueError(f"The weights {name!r} hold NaN or infinite numbers.")
    return array


def attributes(node: Any) -> dict[str, Any]:
    """Plain attributes. Raises ValueError for a graph within the graph."""
    from onnx import AttributeProto, helper

    plain: dict[str, Any] = {}
    for attribute in node.attribute:
        if attribute.ref_attr_name:
            raise ValueError(f"{node.op_type[:50]} refers to an attribute of a function.")
        value = helper.get_attribute_value(attribute)
        if isinstance(value, list | tuple | bytes | str) and len(value) > MOST_LIST:
            raise ValueError(f"{node.op_type[:50]} has an attribute of {len(value)} entries.")
        if attribute.type == AttributeProto.TENSOR:
            plain |= {attribute.name: stored(value).reshape(-1)[0].item(), "to": value.data_type}
        elif attribute.type == AttributeProto.STRING:
            plain[attribute.name] = value.decode()
        elif attribute.type in (AttributeProto.INT, AttributeProto.FLOAT):
            plain[attribute.name] = value
        elif attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS):
            plain[attribute.name] = list(value)
        else:
            raise ValueError(f"{node.op_type[:50]} has a graph within it, which is not understood.")
    if any(isinstance(value, float) and not math.isfinite(value) for value in plain.values()):
        raise ValueError(f"{node.op_type[:50]} has an attribute that is not a finite number.")
    if node.op_type == "ConstantOfShape" and not node.attribute:
        plain = {"value": 0.0, "to": 1}
    return plain


def constant(node: Any) -> Any:
    """What a Constant node holds."""
    import numpy as np
    from onnx import AttributeProto, helper

    if len(node.attribute) != 1:
        raise ValueError("A Constant holds something other than numbers.")
    value = node.attribute[0]
    if value.type == AttributeProto.TENSOR:
        return stored(value.t)
    if value.type in (AttributeProto.FLOAT, AttributeProto.FLOATS):
        return np.array(helper.get_attribute_value(value), dtype=np.float32)
    if value.type in (AttributeProto.INT, AttributeProto.INTS):
        return np.array(helper.get_attribute_value(value), dtype=np.int64)
    raise ValueError("A Constant holds something other than numbers.")


def checked(model: Any) -> Any:
    """The model's graph. Raises ValueError where its opset, size, operators or outputs cannot be taken."""
    graph = model.graph
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if len(versions) != 1 or versions[0] not in OPSETS:
        raise ValueError(
            f"The file has opset {versions[:5]}; {OPSETS.start} to {OPSETS.stop - 1} are understood."
        )
    if len(graph.node) > MOST_NODES:
        raise ValueError(f"The graph has {len(graph.node)} nodes; at most {MOST_NODES} are taken.")
    if len(graph.initializer) > MOST_TENSORS:
        raise ValueError(f"The graph has {len(graph.initializer)} arrays; at most {MOST_TENSORS} are taken.")
    if model.functions or any(node.domain not in ("", "ai.onnx") for node in graph.node):
        raise ValueError("The graph uses operators of its own; only those of ONNX are understood.")
    if graph.sparse_initializer:
        raise ValueError("The graph holds sparse arrays, which are not understood.")
    if len(graph.output) != 1:
        names = ", ".join(output.name[:50] for output in list(graph.output)[:10])
        raise ValueError(f"The graph has {len(graph.output)} outputs ({names}); keep one, the logits.")
    return graph


def check_names(graph: Any, tensors: Any, image: str) -> None:
    """Every name is written once, before it is read. Raises ValueError."""
    written = {image, *tensors}
    for node in graph.node:
        names = [*node.input, *node.output, node.op_type]
        if any(len(name) > MOST_NAME for name in names) or len(names) > MOST_LIST:
            raise ValueError("A node has a name, or a list of names, of more than a thousand.")
        if node.op_type == "Constant":
            continue
        for name in node.input:
            if name and name not in written:
                raise ValueError(f"{node.op_type[:50]} reads {name[:100]!r}, which nothing before it writes.")
        for name in node.output:
            if name and name in written:
                raise ValueError(f"{name[:100]!r} is written twice.")
            written.add(name)
    if graph.output[0].name not in written:
        raise ValueError(f"Nothing writes the output {graph.output[0].name[:100]!r}.")


def arrays_of(graph: Any) -> dict[str, Any]:
    """Initializers and constants by name. Raises ValueError where two have one name."""
    tensors: dict[str, Any] = {}
    constants = [(node.output[0], node) for node in graph.node if node.op_type == "Constant" and node.output]
    for name, source in [*((tensor.name, tensor) for tensor in graph.initializer), *constants]:
        if name in tensors:
            raise ValueError(f"Two arrays are called {name[:100]!r}.")
        tensors[name] = constant(source) if hasattr(source, "op_type") else stored(source)
    return tensors


def plain(data: bytes) -> bytes:
    """The graph as safetensors. Raises ValueError with a sentence for the user."""
    import onnx
    from safetensors.numpy import save

    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:
        raise ValueError("The file cannot be read as ONNX: it is damaged or not complete.") from error
    graph = checked(model)
    tensors = arrays_of(graph)
    images = [entry for entry in graph.input if entry.name not in tensors]
    if len(images) != 1:
        raise ValueError(f"The graph has {len(images)} inputs; one is needed, the images.")
    check_names(graph, tensors, images[0].name)
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    nodes = []
    for node in graph.node:
        if node.op_type != "Constant":
            given = attributes(node)
            if node.op_type in ("Softmax", "LogSoftmax") and opset < 13:
                given = {"axis": 1, **given, "legacy": 1}
            nodes.append([node.op_type, list(node.input), list(node.output), given])
    structure = {
        "nodes": nodes, "image": images[0].name, "output": graph.output[0].name, "opset": opset,
        "sides": sides(images[0]), "classes": (sides(graph.output[0]) or [None])[-1],
    }  # fmt: skip
    return save(tensors, metadata={"graph": json.dumps(structure)})


def sides(entry: Any) -> list[int | None]:
    """Of an input or output, None where free; none at all where the file does not say."""
    found = [side.dim_value if side.dim_value > 0 else None for side in entry.type.tensor_type.shape.dim]
    return found[:MOST_RANK]


def main() -> int:
    """Returns the exit status."""
    limit()
    try:
        answer = plain(sys.stdin.buffer.read())
    except ValueError as error:
        sys.stderr.write(str(error))
        return BAD_GRAPH
    except RecursionError:
        sys.stderr.write("The file is nested too deeply.")
        return BAD_GRAPH
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
