"""Run as a program of its own: one untrusted image on standard input, a plain PNG on standard output.

It imports nothing of the package and gets no environment, so that a hole in a decoder finds neither
credentials nor a database; memory, time and files are limited before the first byte is looked at. Exit
status 3 and one sentence on standard error say that the image is bad.

    python -I imageparser.py <format> <most pixels>
"""

import io
import resource
import sys
import warnings

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 10
BAD_IMAGE = 3


def limit() -> None:
    """No growth beyond a gigabyte, no loop beyond ten seconds, no file written."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def reencode(data: bytes, form: str, most_pixels: int) -> bytes:
    """The pixels as an 8-bit grey or RGB PNG without any metadata. Transparent pixels become white.

    Raises ValueError with a sentence for the user.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # our own limit, checked on the header before any pixel is decoded
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=[form])
        width, height = image.size
        if width * height > most_pixels:
            raise ValueError(f"The image has {width} × {height} pixels; at most {most_pixels} are taken.")
        if getattr(image, "n_frames", 1) > 1:
            raise ValueError("The image is animated; send one frame.")
        image.load()
    except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(f"The image cannot be read as {form}: it is damaged or not complete.") from error
    if image.mode.startswith(("I", "F")):
        raise ValueError("The image has more than 8 bits per channel; save it with 8.")
    grey = image.mode in ("1", "L", "LA")
    if "A" in image.mode or "transparency" in image.info:
        clear = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    out = io.BytesIO()
    image.convert("L" if grey else "RGB").save(out, "PNG")
    return out.getvalue()


def main() -> int:
    """Returns the exit status."""
    limit()
    warnings.simplefilter("ignore")
    try:
        png = reencode(sys.stdin.buffer.read(), sys.argv[1], int(sys.argv[2]))
    except ValueError as error:
        sys.stderr.write(str(error))
        return BAD_IMAGE
    sys.stdout.buffer.write(png)
    return 0


if __name__ == "__main__":
    sys.exit(main())
