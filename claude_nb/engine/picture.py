"""Pictures among Python's objects, as image blocks of the Messages API.

Layer 2. Below: nothing of ours; matplotlib and Pillow are recognised by their class names and never imported for
recognition. Above: `content`, for prompts, and the notebook's values. Saving a figure belongs on the main thread.
"""

from __future__ import annotations

import base64
import io
from typing import Any

Block = dict[str, Any]

#: How the file formats that the API takes begin.
MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
PICTURES = (("IPython", "Image"), ("PIL", "Image"))
FIGURES = (("matplotlib", "Figure"), ("matplotlib", "Axes"), ("seaborn", "_BaseGrid"))
#: The API refuses images above 5 MB of base64.
MAX_BYTES = 5_000_000 * 3 // 4
#: The API refuses images with a longer edge, in pixels; files below that are sent as they are.
MAX_FILE_EDGE = 8000
#: Longer edges are scaled down by the API anyway; smaller images are quicker and cost fewer tokens.
MAX_EDGE = 1568
#: How a picture is tried to be written, until it is small enough.
FORMATS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("PNG", {}),
    ("JPEG", {"quality": 85}),
    ("JPEG", {"quality": 60}),
    ("JPEG", {"quality": 30}),
)


def is_a(value: object, package: str, name: str) -> bool:
    """True if `value` is of a class called `name` from `package`, or derives from one. Imports nothing."""
    return any(c.__name__ == name and c.__module__.partition(".")[0] == package for c in type(value).__mro__)


def is_picture(value: Any) -> bool:
    """True for what `picture_block` takes, told by its class (bytes: by how they begin)."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return media_type(bytes(value[:12])) is not None
    return any(is_a(value, package, name) for package, name in (*PICTURES, *FIGURES))


def picture_block(value: Any) -> Block | None:
    """The image block for a picture; None if `value` is not one.

    Pictures are: matplotlib figures and axes, seaborn grids, PIL images, IPython's Image, and bytes that hold a PNG,
    JPEG, GIF or WebP file. Raises ValueError for one that is too large to send, or too large and broken.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return from_bytes(bytes(value))
    if is_a(value, "IPython", "Image"):
        return _from_ipython(value)
    if is_a(value, "PIL", "Image"):
        return _from_pil(value)
    figure = _figure(value)
    return None if figure is None else from_bytes(_png_of_figure(figure))


def media_type(data: bytes) -> str | None:
    """The image type that these bytes are a file of, None if it is not one the API takes."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((media for magic, media in MAGIC.items() if data.startswith(magic)), None)


def from_bytes(data: bytes) -> Block | None:
    """The image block for the content of an image file, scaled down if it is too large; None for other bytes."""
    media = media_type(data)
    if media is None:
        return None
    if len(data) <= MAX_BYTES and _edge(data) <= MAX_FILE_EDGE:
        return _block(media, data)
    return _shrunk(data)


def _from_ipython(value: Any) -> Block | None:
    if isinstance(value.data, bytes):
        return from_bytes(value.data)
    return {"type": "image", "source": {"type": "url", "url": value.url}} if value.url else None


def _figure(value: Any) -> Any:
    """The matplotlib figure behind a figure, an axes, or a seaborn grid; None for anything else."""
    if not any(is_a(value, package, name) for package, name in FIGURES):
        return None
    while not hasattr(value, "savefig") or is_a(value, "seaborn", "_BaseGrid"):
        value = value.figure  # an axes' figure may be a subfigure, which has a figure in its turn
    return value


def _png_of_figure(figure: Any) -> bytes:
    buffer = io.BytesIO()
    dpi = min(float(figure.dpi), MAX_EDGE / max(figure.get_size_inches()))
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
    return buffer.getvalue()


def _from_pil(image: Any) -> Block:
    from PIL import ImageOps

    # What is saved here says nothing of how the camera was held.
    small = ImageOps.exif_transpose(_ranged(image))
    small.thumbnail((MAX_EDGE, MAX_EDGE))
    data = b""
    for format, options in FORMATS[1:] if image.format in ("JPEG", "MPO") else FORMATS:
        buffer = io.BytesIO()
        _fit_for(format, small).save(buffer, format=format, **options)
        data = buffer.getvalue()
        if len(data) <= MAX_BYTES:
            return _block(f"image/{format.lower()}", data)
    raise ValueError(_too_large(data))


def _ranged(image: Any) -> Any:
    """Numbers wider than a byte, as microscopes and depth maps have them, spread over black to white."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    wide = image.convert("I").convert("F") if image.mode.startswith("I;") else image.convert("F")
    low, high = wide.getextrema()
    if high > low:
        factor = 255 / (high - low)
        wide = wide.point(lambda value: value * factor + -low * factor)
    return wide.convert("L")


def _fit_for(format: str, image: Any) -> Any:
    """The picture in a mode that the format has; JPEG shows what is transparent as white."""
    from PIL import Image

    if format == "PNG":
        return image if image.mode in ("1", "L", "LA", "P", "RGB", "RGBA") else image.convert("RGB")
    if image.mode in ("L", "RGB"):
        return image
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image.convert("RGBA"))
    return paper.convert("RGB")


def _edge(data: bytes) -> int:
    """The longer edge of an image file in pixels; 0 if it cannot be told, which leaves it to the API."""
    try:
        from PIL import Image
    except ImportError:
        return 0
    try:
        with Image.open(io.BytesIO(data)) as image:
            return max(image.size)
    except Image.DecompressionBombError:
        return MAX_FILE_EDGE + 1
    except OSError:
        return 0


def _shrunk(data: bytes) -> Block:
    try:
        from PIL import Image
    except ImportError:
        raise ValueError(f"{_too_large(data)} (with Pillow installed it would be scaled down)") from None
    try:
        with Image.open(io.BytesIO(data)) as image:
            return _from_pil(image)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"the image is too large to be sent as it is, and cannot be scaled down: {error}") from error


def _block(media: str, data: bytes) -> Block:
    encoded = base64.b64encode(data).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": media, "data": encoded}}


def _too_large(data: bytes) -> str:
    return f"the image has {len(data) / 1e6:.1f} MB, at most {MAX_BYTES / 1e6:.1f} can be sent"
