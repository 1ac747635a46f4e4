"""Files that must never become a model: pickles, lies, bombs, graphs that cannot be."""

import gzip
import io
import json
import os
import pickle  # writes what must be refused; nothing here is ever loaded
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from safetensors import numpy as safetensors


@dataclass(frozen=True)
class Hostile:
    """A file, and the answer that is due."""

    name: str
    content: bytes
    status: int = 422


class Canary:
    """A pickle of this makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mknod, (str(self.path),)


def pickles(canary: Path) -> Iterator[Hostile]:
    """Under every name; each would run code."""
    for protocol in range(6):
        yield Hostile(f"pickle protocol {protocol}", pickle.dumps(Canary(canary), protocol), 415)
    body = pickle.dumps(Canary(canary))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("model/data.pkl", body)
        file.writestr("model/code/__torch__.py", "import os")
    yield Hostile("a .pt archive", archive.getvalue(), 415)
    yield Hostile("gzipped pickle", gzip.compress(body), 415)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("data.pkl")
        entry.size = len(body)
        tar.addfile(entry, io.BytesIO(body))
    yield Hostile("tar with a pickle", packed.getvalue(), 415)
    objects = io.BytesIO()
    np.save(objects, np.array([Canary(canary)], dtype=object), allow_pickle=True)
    yield Hostile("numpy objects", objects.getvalue(), 415)
    lying = struct.pack("<Q", 9) + b'{"a":"b"}' + body
    yield Hostile("safetensors with a pickle behind", lying)


def other_formats() -> Iterator[Hostile]:
    """Recognised, and refused with what to do instead."""
    starts = {
        "hdf5": b"\x89HDF\r\n\x1a\n", "gguf": b"GGUF", "elf": b"\x7fELF", "script": b"#!/bin/sh\n",
        "png": b"\x89PNG\r\n",
        "jpeg": b"\xff\xd8\xff\xe0", "html": b"<html><script>", "svg": b"<svg xmlns=", "json": b'{"a": 1}',
        "pdf": b"%PDF-1.7", "tflite": b"\x1c\0\0\0TFL3", "zstd": b"(\xb5/\xfd", "bzip2": b"BZh9",
        "noise": b"\xfe\xfe\xfe\xfe",
        "exe": b"MZ\x90",
    }  # fmt: skip
    for name, start in starts.items():
        yield Hostile(name, start + b"\0" * 64, 415)
    yield Hostile("one byte", b"\x07", 415)


def header(document: Any, data: bytes = b"", *, length: int | None = None) -> bytes:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(begin: int, end: int, shape: list[Any] | None = None, kind: str = "F32") -> dict[str, Any]:
    return {
        "dtype": kind,
        "shape": [(end - begin) // 4] if shape is None else shape,
        "data_offsets": [begin, end],
    }


def lying_safetensors() -> Iterator[Hostile]:
    """Every way in which a header can lie."""
    good = safetensors.save({"a": np.ones(4, np.float32), "b": np.ones(2, np.float32)})
    yield Hostile("header longer than the file", header({"a": entry(0, 8)}, b"\0" * 8, length=10**6))
    yield Hostile("header of 2^63 bytes", header({"a": entry(0, 8)}, b"\0" * 8, length=2**63))
    yield Hostile("seven bytes", b"\0\0\0\0\0\0\0", 415)
    yield Hostile("cut off", good[:-3])
    yield Hostile("bytes behind", good + b"x")
    yield Hostile("not JSON", header(b"{not json at all", b""))
    yield Hostile("nested", header(b'{"a":' * 50_000, b""))
    yield Hostile(
        "two of one name",
        header(
            b'{"a":' + json.dumps(entry(0, 8)).encode() + b',"a":' + json.dumps(entry(0, 8)).encode() + b"}",
            b"\0" * 8,
        ),
    )
    yield Hostile("overlap", header({"a": entry(0, 8), "b": entry(4, 12)}, b"\0" * 12))
    yield Hostile("hole", header({"a": entry(0, 8), "b": entry(12, 16)}, b"\0" * 16))
    yield Hostile("reversed", header({"a": entry(8, 0, [2])}, b"\0" * 8))
    yield Hostile(
        "negative", header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}}, b"\0" * 8)
    )


def lying_entries() -> Iterator[Hostile]:
    """Entries of a header that are not what the format says."""
    yield Hostile(
        "fractional", header({"a": {"dtype": "F32", "shape": [2.0], "data_offsets": [0, 8]}}, b"\0" * 8)
    )
    yield Hostile(
        "true for one", header({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, b"\0" * 4)
    )
    yield Hostile("shape of another size", header({"a": entry(0, 8, [3])}, b"\0" * 8))
    yield Hostile("shape that overflows", header({"a": entry(0, 8, [2**40, 2**40])}, b"\0" * 8))
    yield Hostile("a shape of a million sides", header({"a": entry(0, 4, [1] * 10**6)}, b"\0" * 4))
    yield Hostile("unknown type", header({"a": entry(0, 8, kind="F128")}, b"\0" * 8))
    yield Hostile("type of an object", header({"a": entry(0, 8, kind="O")}, b"\0" * 8))
    yield Hostile("a million arrays", header({f"t{place}": entry(0, 0, [0]) for place in range(200_000)}))
    yield Hostile("a header of 99 MB", header(b'{"__metadata__":{"a":"' + b"x" * (20 << 20) + b'"}}'))
    yield Hostile("nothing in it", header({}))
    yield Hostile("a list", struct.pack("<Q", 2) + b"[]", 415)
    yield Hostile("extra field", header({"a": {**entry(0, 8), "path": "/etc/passwd"}}, b"\0" * 8))
    yield Hostile("name with a line end", header({"a\r\nb": entry(0, 8)}, b"\0" * 8))
    for word, number in (("NaN", np.nan), ("infinity", np.inf), ("minus infinity", -np.inf)):
        yield Hostile(word, safetensors.save({"a": np.array([1, number], np.float32)}))
    yield Hostile("a number beyond float32", safetensors.save({"a": np.array([1e300])}))


IMAGE = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4, 4])
OUTPUT = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])


def model(nodes: list[Any], tensors: list[Any] | None = None, **options: Any) -> bytes:
    made = helper.make_graph(
        nodes,
        "g",
        options.get("inputs", [IMAGE]),
        options.get("outputs", [OUTPUT]),
        initializer=tensors or [],
    )
    opset = [helper.make_opsetid(options.get("domain", ""), options.get("opset", 20))]
    return helper.make_model(made, opset_imports=opset, ir_version=9).SerializeToString()


def node(kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> Any:
    return helper.make_node(kind, inputs, outputs, **attributes)


def changed(**fields: Any) -> Any:
    """An array of the file of which some fields are wrong."""
    tensor = numpy_helper.from_array(np.ones((2, 2), np.float32), "w")
    for name, value in fields.items():
        if name == "dims":
            del tensor.dims[:]
            tensor.dims.extend(value)
        else:
            setattr(tensor, name, value)
    return tensor


def impossible_graphs() -> Iterator[Hostile]:
    """What a graph can claim and cannot be."""
    relu, flat = node("Relu", ["x"], ["r"]), node("Flatten", ["r"], ["y"])
    use = [node("Add", ["x", "w"], ["y"])]
    outside = changed(data_location=TensorProto.EXTERNAL)
    outside.ClearField("raw_data")
    outside.external_data.add(key="location", value="../../../../etc/passwd")
    branch = helper.make_graph(
        [relu], "inner", [], [helper.make_tensor_value_info("r", TensorProto.FLOAT, None)]
    )
    yield Hostile("data outside the file", model(use, [outside]))
    yield Hostile(
        "cycle",
        model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Flatten", ["b"], ["y"])]),
    )
    yield Hostile("reads nothing's output", model([node("Relu", ["nowhere"], ["y"])]))
    yield Hostile("nothing writes the output", model([relu]))
    yield Hostile("written twice", model([relu, node("Tanh", ["x"], ["r"]), flat]))
    yield Hostile("too many nodes", model([node("Relu", ["x"], ["y"])] * 10_001))
    yield Hostile("unknown operator", model([node("Bernoulli", ["x"], ["y"])]))
    yield Hostile("operator of one's own", model([node("Relu", ["x"], ["y"], domain="com.example")]))
    yield Hostile(
        "graph in a graph", model([node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)])
    )
    yield Hostile("opset of the past", model([relu, flat], opset=3))
    yield Hostile("opset of the future", model([relu, flat], opset=99))
    yield Hostile("no opset of ONNX", model([relu, flat], domain="ai.onnx.ml"))
    yield Hostile(
        "two inputs",
        model([relu, flat], inputs=[IMAGE, helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])]),
    )
    yield Hostile(
        "two outputs",
        model([relu, flat], outputs=[OUTPUT, helper.make_tensor_value_info("r", TensorProto.FLOAT, None)]),
    )
    yield Hostile("no output", model([relu, flat], outputs=[]))


def impossible_arrays() -> Iterator[Hostile]:
    """What the arrays and the names of a graph can claim and cannot be."""
    relu, flat = node("Relu", ["x"], ["r"]), node("Flatten", ["r"], ["y"])
    use = [node("Add", ["x", "w"], ["y"])]
    sparse = helper.make_graph([relu, flat], "g", [IMAGE], [OUTPUT])
    sparse.sparse_initializer.add()
    yield Hostile("NaN", model(use, [numpy_helper.from_array(np.float32([np.nan]), "w")]))
    yield Hostile("infinity", model(use, [numpy_helper.from_array(np.float32([np.inf]), "w")]))
    yield Hostile("fewer bytes than the shape", model(use, [changed(dims=[200, 200])]))
    yield Hostile("a shape of a terabyte", model(use, [changed(dims=[1 << 20, 1 << 20])]))
    yield Hostile("a shape that overflows", model(use, [changed(dims=[1 << 40, 1 << 40])]))
    yield Hostile("a negative side", model(use, [changed(dims=[-1, 4])]))
    yield Hostile("many sides", model(use, [changed(dims=[1] * 60 + [4])]))
    yield Hostile("text as weights", model(use, [helper.make_tensor("w", TensorProto.STRING, [1], [b"a"])]))
    yield Hostile("complex weights", model(use, [numpy_helper.from_array(np.ones(2, np.complex64), "w")]))
    yield Hostile("two arrays of one name", model(use, [changed(), changed()]))
    yield Hostile(
        "sparse arrays",
        helper.make_model(sparse, opset_imports=[helper.make_opsetid("", 20)]).SerializeToString(),
    )
    yield Hostile(
        "an attribute of a million entries", model([node("Transpose", ["x"], ["y"], perm=[0] * 10**6)])
    )
    yield Hostile(
        "an attribute that is NaN", model([node("LeakyRelu", ["x"], ["r"], alpha=float("nan")), flat])
    )
    yield Hostile(
        "a name of a megabyte",
        model([node("Relu", ["x"], ["r" * 10**6]), node("Flatten", ["r" * 10**6], ["y"])]),
    )
    yield Hostile("cut off", model([relu, flat], [changed()])[:-7])
    yield Hostile("noise behind the version", b"\x08\x09" + bytes(range(256)) * 40)


def every(canary: Path) -> list[Hostile]:
    """All of them, the same on every machine."""
    return [
        *pickles(canary),
        *other_formats(),
        *lying_safetensors(),
        *lying_entries(),
        *impossible_graphs(),
        *impossible_arrays(),
    ]
