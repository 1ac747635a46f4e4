"""Run as a program of its own: one untrusted ONNX file on standard input, safetensors on standard output.

The graph's structure stands as JSON in the safetensors' metadata. The program imports nothing of the
package and gets no environment; memory, time and files are limited before the first byte is looked at.
Exit status 3 and one sentence on standard error say that the file is bad.

    python -I onnx_parser.py
"""

import json
import resource
import sys
from typing import Any

MEMORY_BYTES = 4 << 30
CPU_SECONDS = 60
MOST_NODES = 10_000
OPSETS = range(13, 24)
BAD_GRAPH = 3


def limit() -> None:
    """No growth beyond four gigabytes, no loop beyond a minute, no file written."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def stored(tensor: Any) -> Any:
    """The tensor as an array. Raises ValueError for data outside the file and for anything not finite."""
    import numpy as np
    from onnx import TensorProto, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise ValueError(f"The weights {tensor.name!r} lie outside the file; save the model as one file.")
    array = np.array(numpy_helper.to_array(tensor))
    if array.dtype.name not in ("float32", "float64", "int32", "int64", "bool"):
        raise ValueError(f"The weights {tensor.name!r} are {array.dtype.name}; float32 is understood.")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"The weights {tensor.name!r} have numbers that are not numbers (NaN).")
    return array


def attributes(node: Any) -> dict[str, Any]:
    """Plain attributes. Raises ValueError for a graph within the graph."""
    from onnx import AttributeProto, helper

    plain: dict[str, Any] = {}
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        if attribute.type == AttributeProto.TENSOR:
            plain |= {attribute.name: stored(value).reshape(-1)[0].item(), "to": value.data_type}
        elif attribute.type == AttributeProto.STRING:
            plain[attribute.name] = value.decode()
        elif attribute.type in (AttributeProto.INT, AttributeProto.FLOAT):
            plain[attribute.name] = value
        elif attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS):
            plain[attribute.name] = list(value)
        else:
            raise ValueError(f"{node.op_type} has a graph within it, which is not understood.")
    if node.op_type == "ConstantOfShape" and not node.attribute:
        plain = {"value": 0.0, "to": 1}
    return plain


def constant(node: Any) -> Any:
    """What a Constant node holds."""
    import numpy as np
    from onnx import AttributeProto, helper

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
            f"The file has opset {versions}; {OPSETS.start} to {OPSETS.stop - 1} are understood."
        )
    if len(graph.node) > MOST_NODES:
        raise ValueError(f"The graph has {len(graph.node)} nodes; at most {MOST_NODES} are taken.")
    if model.functions or any(node.domain not in ("", "ai.onnx") for node in graph.node):
        raise ValueError("The graph uses operators of its own; only those of ONNX are understood.")
    if len(graph.output) != 1:
        raise ValueError(f"The graph has {len(graph.output)} outputs; one is needed, the logits.")
    return graph


def plain(data: bytes) -> bytes:
    """The graph as safetensors. Raises ValueError with a sentence for the user."""
    import onnx
    from google.protobuf.message import DecodeError
    from safetensors.numpy import save

    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ValueError("The file cannot be read as ONNX: it is damaged or not complete.") from error
    graph = checked(model)
    tensors = {tensor.name: stored(tensor) for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type == "Constant":
            tensors[node.output[0]] = constant(node)
        else:
            nodes.append([node.op_type, list(node.input), list(node.output), attributes(node)])
    images = [entry for entry in graph.input if entry.name not in tensors]
    if len(images) != 1:
        raise ValueError(f"The graph has {len(images)} inputs; one is needed, the images.")
    shape = [side.dim_value or None for side in images[0].type.tensor_type.shape.dim]
    structure = {"nodes": nodes, "image": images[0].name, "shape": shape, "output": graph.output[0].name}
    return save(tensors, metadata={"graph": json.dumps(structure)})


def main() -> int:
    """Returns the exit status."""
    limit()
    try:
        answer = plain(sys.stdin.buffer.read())
    except ValueError as error:
        sys.stderr.write(str(error))
        return BAD_GRAPH
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
