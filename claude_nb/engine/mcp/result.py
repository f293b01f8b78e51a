"""What a tool returned, as MCP content for the model.

Layer 2, pure. Above: `tool`, `server`. Below: pydantic's serialiser; pictures are recognised without importing the
libraries that draw them. A notebook presents its own things (tables, figures) with its `present` hook instead.
"""

from __future__ import annotations

import base64
import dataclasses
import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

#: `present(result)`: the content of a result, or None to have it made here.
Present = Callable[[Any], "list[dict[str, Any]] | None"]

# Kinds of content, and what each must have (MCP 2025-11-25).
_KINDS: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "image": ("data", "mimeType"),
    "audio": ("data", "mimeType"),
    "resource": ("resource",),
    "resource_link": ("uri",),
}

# The beginnings of the media files that are worth recognising: prefix, offset of a second mark, the mark, type.
_MEDIA: tuple[tuple[bytes, int, bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, b"", "image/png"),
    (b"\xff\xd8\xff", 0, b"", "image/jpeg"),
    (b"GIF8", 0, b"", "image/gif"),
    (b"RIFF", 8, b"WEBP", "image/webp"),
    (b"RIFF", 8, b"WAVE", "audio/wav"),
    (b"ID3", 0, b"", "audio/mpeg"),
    (b"OggS", 0, b"", "audio/ogg"),
    (b"fLaC", 0, b"", "audio/flac"),
)


def to_result(value: Any, present: Present | None = None) -> dict[str, Any]:
    """A tool's return value as the result of `tools/call`: `{"content": [...], "isError"?: True, ...}`.

    What is MCP already passes: a dict with `content` (`is_error` or `isError`, `structuredContent`, `_meta`), content
    dicts, objects of the `mcp` package. The rest goes to `present`, or becomes text, JSON, picture or sound here.
    """
    value = _plain(value)
    if isinstance(value, Mapping) and isinstance(value.get("content"), (list, tuple)):
        result: dict[str, Any] = {"content": [piece for item in value["content"] for piece in _pieces(item, present)]}
        if value.get("is_error") or value.get("isError"):
            result["isError"] = True
        result |= {key: value[key] for key in ("structuredContent", "_meta") if isinstance(value.get(key), Mapping)}
        return result
    return {"content": to_content(value, present)}


def to_content(value: Any, present: Present | None = None) -> list[dict[str, Any]]:
    """A value as a list of MCP content dicts. A list with pictures or content in it becomes one piece each."""
    value = _plain(value)
    if present is not None and not _is_content(value):
        presented = present(value)
        if presented is not None:
            return [piece for item in presented for piece in _pieces(item, None)]
    if isinstance(value, (list, tuple)) and any(_is_content(item) or _media(item) for item in map(_plain, value)):
        return [piece for item in value for piece in _pieces(item, present)]
    return _pieces(value, None)


def error(text: str) -> dict[str, Any]:
    """A result that tells the model what went wrong."""
    return {"content": [{"type": "text", "text": text}], "isError": True}


def to_text(value: Any) -> str:
    """A value as text: strings as they are, data as JSON, anything else by its repr."""
    if isinstance(value, str):
        return value
    if value is None:
        return "(no result)"
    if isinstance(value, (dict, list, tuple, set, frozenset, bool, int, float)) or _has_fields(value):
        return _json(value)
    return repr(value)


def _pieces(item: Any, present: Present | None) -> list[dict[str, Any]]:
    item = _plain(item)
    if _is_content(item):
        return [_tidy(item)]
    if present is not None:
        return to_content(item, present)
    return [_media(item) or {"type": "text", "text": to_text(item)}]


def _plain(value: Any) -> Any:
    """Objects of the `mcp` package as the dicts they stand for."""
    if type(value).__module__.partition(".")[0] in ("mcp", "mcp_types") and hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    return value


def _is_content(item: Any) -> bool:
    if not isinstance(item, Mapping) or item.get("type") not in _KINDS:
        return False
    return all(key in item for key in _KINDS[item["type"]]) or (item["type"] == "image" and _source(item) is not None)


def _source(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The inside of an image block of the Messages API, which users know as well."""
    source = item.get("source")
    return source if isinstance(source, Mapping) and source.get("type") == "base64" else None


def _tidy(item: Mapping[str, Any]) -> dict[str, Any]:
    tidy = dict(item)
    if source := _source(item):
        return {"type": "image", "data": source.get("data", ""), "mimeType": source.get("media_type", "image/png")}
    if tidy["type"] == "text":
        tidy["text"] = to_text(tidy["text"])
    elif isinstance(tidy.get("data"), (bytes, bytearray)):
        tidy["data"] = _base64(tidy["data"])
    elif tidy["type"] == "resource_link":
        tidy = {"name": str(tidy["uri"]), **tidy, "uri": str(tidy["uri"])}
    return tidy


def _media(value: Any) -> dict[str, Any] | None:
    """Picture or sound: bytes of a known kind, PIL images, matplotlib figures, what shows itself as PNG or JPEG."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        kinds = (kind for start, at, mark, kind in _MEDIA if data.startswith(start) and data.startswith(mark, at))
        kind = next(kinds, None)
        return {"type": kind.partition("/")[0], "data": _base64(data), "mimeType": kind} if kind else None
    for shown, kind in _drawn(value):
        if shown:
            return {"type": "image", "data": shown if isinstance(shown, str) else _base64(shown), "mimeType": kind}
    return None


def _drawn(value: Any) -> Iterable[tuple[bytes | str | None, str]]:
    if isinstance(value, type):
        return
    buffer = io.BytesIO()
    if callable(getattr(value, "savefig", None)):
        value.savefig(buffer, format="png", bbox_inches="tight")
        yield buffer.getvalue(), "image/png"
    elif type(value).__module__.startswith("PIL."):
        value.save(buffer, format="PNG")
        yield buffer.getvalue(), "image/png"
    for method, kind in (("_repr_png_", "image/png"), ("_repr_jpeg_", "image/jpeg")):
        if callable(show := getattr(value, method, None)):
            shown = show()
            yield shown[0] if isinstance(shown, tuple) else shown, kind  # IPython allows (data, metadata)


def _has_fields(value: Any) -> bool:
    if isinstance(value, type):
        return False
    return dataclasses.is_dataclass(value) or hasattr(value, "model_dump_json")


def _json(value: Any) -> str:
    from pydantic_core import to_json

    try:
        return to_json(value, fallback=_bare, inf_nan_mode="constants").decode()
    except ValueError:  # a value that holds itself, or broken text
        return repr(value)


def _bare(value: Any) -> Any:
    """numpy's scalars and arrays as Python's; anything else by its repr."""
    convert = getattr(value, "tolist", None)
    return convert() if callable(convert) else repr(value)


def _base64(data: bytes | bytearray) -> str:
    return base64.b64encode(data).decode("ascii")
