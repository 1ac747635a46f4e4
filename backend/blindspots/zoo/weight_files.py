"""Files of weights that a user brings: what they are by their first bytes, and safetensors read safely.

A name and a media type are what somebody says; only the bytes count.
"""

from pathlib import Path
from typing import Literal

from blindspots.errors import InvalidInput, UnsupportedMedia
from blindspots.zoo.limited_process import parsed

PARSER = Path(__file__).with_name("safetensors_parser.py")
INSTEAD = (
    "Save the weights as safetensors (safetensors.torch.save_file(model.state_dict(), path)), or export the "
    "model to ONNX (torch.onnx.export, tf2onnx)."
)
CODE = "can run code when it is opened, so it is never opened here"
PICKLE = f"A pickle, as PyTorch's old .pt and .pth files are, {CODE}."
ZIP = f"A zip archive, as PyTorch's .pt, .pth and .pt2 files, TorchScript and Keras's files are, {CODE}."
# First bytes -> what it is; each is refused by name, so that its owner learns what to do instead.
REFUSED: tuple[tuple[bytes, str], ...] = (
    *((b"\x80" + bytes([protocol]), PICKLE) for protocol in range(2, 6)),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", "An empty zip archive is not a file of weights."),
    (b"\x89HDF", f"An HDF5 file (.h5, Keras) {CODE}."),
    (b"\x93NUMPY", "A NumPy file holds one array without its name."),
    (b"\x1f\x8b", "A compressed file is not opened."),
    (b"BZh", "A compressed file is not opened."),
    (b"\xfd7zXZ", "A compressed file is not opened."),
    (b"(\xb5/\xfd", "A compressed file is not opened."),
    (b"7z\xbc\xaf", "A compressed archive is not opened."),
    (b"Rar!", "A compressed archive is not opened."),
    (b"GGUF", "GGUF files are of language models."),
    (b"\x7fELF", "This is a program."),
    (b"MZ", "This is a program."),
    (b"#!", "This is a program."),
    (b"\x89PNG", "This is a picture; send it where pictures are asked for."),
    (b"\xff\xd8\xff", "This is a picture; send it where pictures are asked for."),
    (b"GIF8", "This is a picture."),
    (b"%PDF", "This is a PDF."),
)  # fmt: skip
TEXT = (b"<", b"{", b"[", b"\xef\xbb\xbf")
PICKLED = (
    b"(",
    b"c",
    b"]",
    b"}",
    b"I",
    b"S",
    b"V",
    b"F",
    b"L",
    b"N",
    b"K",
    b"X",
)  # protocols 0 and 1 begin so


def recognise(data: bytes) -> Literal["onnx", "safetensors"]:
    """The format by its bytes. Raises UnsupportedMedia, with what to do instead."""
    if data[8:9] == b"{" and b"\0" in data[:8]:  # a length first, whose bytes may look like anything else
        return "safetensors"
    for magic, what in REFUSED:
        if data.startswith(magic):
            raise UnsupportedMedia(f"{what} {INSTEAD}", field="file")
    if len(data) > 262 and data[257:262] == b"ustar":
        raise UnsupportedMedia(f"A tar archive is not opened. {INSTEAD}", field="file")
    if data[4:8] == b"TFL3":
        raise UnsupportedMedia(f"TensorFlow Lite files are not read. {INSTEAD}", field="file")
    if data.lstrip()[:1] in TEXT or data.lstrip().startswith(TEXT):
        raise UnsupportedMedia(f"This is text, not a file of weights. {INSTEAD}", field="file")
    if data.endswith(b".") and data[:1] in PICKLED:
        raise UnsupportedMedia(f"A pickle {CODE}. {INSTEAD}", field="file")
    if data[:1] == b"\x08":  # field 1 of an ONNX model: the version of its format
        return "onnx"
    raise UnsupportedMedia(f"This is neither safetensors nor ONNX. {INSTEAD}", field="file")


def read(data: bytes) -> bytes:
    """The same arrays as safetensors that this service wrote, real numbers in single precision.

    Raises InvalidInput (field "file").
    """
    if len(data) < 8:
        raise InvalidInput("The file has fewer bytes than a safetensors header needs.", field="file")
    return parsed(PARSER, data, kind="safetensors")
