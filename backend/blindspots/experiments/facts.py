"""What a plan may know of models, data sets and uploaded images, without their weights and pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

PicturePlace = Literal["upload", "folder"]


@dataclass(frozen=True)
class ModelFacts:
    """What a plan may know of a trained model, without its weights."""

    id: str
    name: str
    network: str  # name of a zoo architecture
    parameters: Mapping[str, JsonValue]  # of that architecture
    weights_sha256: str
    input_shape: tuple[int, int, int]  # channels, height, width
    class_names: tuple[str, ...]
    dataset: str  # what it was trained on
    multiply_adds: int  # of one forward pass of one image; before it is trained, an estimate
    linear: bool = False  # logits are affine in the pixels
    smooth: bool = False  # logits have continuous derivatives
    metrics: Mapping[str, JsonValue] = field(default_factory=dict)  # of its training, as `NewModel.metrics`


@dataclass(frozen=True)
class DatasetFacts:
    """What a plan may know of a data set, without its pixels."""

    name: str
    title: str
    sha256: str
    shape: tuple[int, int, int]  # channels, height, width
    class_names: tuple[str, ...]  # empty where the images have no labels
    sizes: Mapping[str, int]  # split -> images


@dataclass(frozen=True)
class ImageFacts:
    """An image that a user uploaded, already re-encoded."""

    id: str  # sha256 of the stored PNG
    shape: tuple[int, int, int]


@dataclass(frozen=True)
class Pictures:
    """What an uploaded archive or a folder holds, without any pixel."""

    sha256: str  # of the archive; of the names, sizes and times of the files in a folder
    path: Path  # of the archive, or of the folder
    packed: bool  # whether it is an archive
    images: tuple[str, ...]  # paths within it, in the order of their code points
    broken: Mapping[str, str]  # those that are known to be damaged, and why
    tables: Mapping[str, str]  # text of the CSV files
    unread: Mapping[str, str]  # CSV files that are no text, and where
    limits: Mapping[str, int]  # entries of an archive; bytes and pixels of one picture


@dataclass(frozen=True)
class WeightFacts:
    """A file of weights that a user uploaded, already read and stored again as plain arrays."""

    id: str  # sha256 of the stored arrays
    form: Literal["onnx", "safetensors"]
    tensors: Mapping[str, tuple[int, ...]]  # shapes by name; of an ONNX file empty
    graph: Mapping[str, JsonValue]  # of an ONNX file: image_shape, classes, operators, ...; else empty
