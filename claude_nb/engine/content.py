"""What a prompt may be made of, and its form on the wire.

Layer 2. Above: `session`, `query`, `client`. Below: `picture`, `protocol.block`. Everything is checked before it is
sent, because the API refuses a whole turn for one bad block: images by type, content and size, documents by size.
Source: the Messages API's limits, as CLI 2.1.329 passes them on.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard
from uuid import uuid4

from claude_nb.errors import ContentError
from claude_nb.protocol.block import DocumentBlock, ImageBlock, WireModel

from .picture import Block, media_type, picture_block

Frame = dict[str, Any]

Piece: TypeAlias = Any
"""Text, a block (typed or in wire form), a `Path` to an image, PDF or text, bytes of one, a PIL image, a figure."""
Content: TypeAlias = str | Piece | Iterable[Piece]
"""A prompt: one piece, or several in order."""
Prompts: TypeAlias = AsyncIterable[Any]
"""A stream of prompts: contents, or user messages in wire form."""

#: The API takes requests of at most 32 MB, base64 and all.
MAX_DOCUMENT = 32_000_000 * 3 // 4

_URL = re.compile(r"https?://", re.IGNORECASE)
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,", re.IGNORECASE)


def image_block(source: Any, *, media_type: str | None = None) -> ImageBlock:
    """An image for a prompt.

    `source`: a path, the bytes of an image file, an `https:` or `data:` URL, a PIL image, a matplotlib figure - or
    base64 text, with its `media_type`. PNG, JPEG, GIF and WebP can be sent. Raises `ContentError` for anything else,
    for content that is not what `media_type` says, and for what stays too large when it is scaled down.
    """
    if isinstance(source, str) and media_type is None and _URL.match(source):
        return ImageBlock(source={"type": "url", "url": source})
    return ImageBlock.model_validate(_image(_bytes(source, media_type), media_type))


def document_block(source: Any, *, title: str | None = None, media_type: str | None = None) -> DocumentBlock:
    """A document for a prompt: a PDF or a text.

    `source`: a path, bytes, an `https:` URL of a PDF, or base64 text with its `media_type`. Raises `ContentError`.
    """
    if isinstance(source, str) and media_type is None and _URL.match(source):
        return DocumentBlock(source={"type": "url", "url": source}, title=title)
    data = _bytes(source, media_type)
    if not isinstance(data, bytes):
        raise ContentError(f"A document cannot be made of {type(source).__name__}; give a path, bytes or a URL.")
    if len(data) > MAX_DOCUMENT:
        raise ContentError(f"The document has {len(data) / 1e6:.1f} MB; at most {MAX_DOCUMENT / 1e6:.0f} can be sent.")
    if title is None and isinstance(source, os.PathLike):
        title = Path(source).name
    return DocumentBlock(source=_document(data), title=title)


def user_message(
    content: Content, *, session_id: str = "default", uuid: str | None = None, parent_tool_use_id: str | None = None
) -> Frame:
    """A user message in wire form, for a stream of prompts. `uuid` names it for rewinds and must be a new one."""
    return {
        "type": "user",
        "message": {"role": "user", "content": to_content(content)},
        "parent_tool_use_id": parent_tool_use_id,
        "session_id": session_id,
        "uuid": uuid or str(uuid4()),
    }


def is_frame(item: Any) -> TypeGuard[Frame]:
    """It is a user message in wire form, not the content of one."""
    return isinstance(item, Mapping) and item.get("type") == "user"


def checked_frame(frame: Frame) -> Frame:
    """The frame, if the CLI takes it: one without a message of the user's would end it. Raises `ContentError`."""
    message = frame.get("message")
    if not isinstance(message, Mapping) or message.get("role") != "user":
        raise ContentError("A user message needs a `message` with the role `user`; `user_message()` makes one.")
    return frame


def messages(prompt: Any) -> list[Any]:
    """The messages a prompt stands for: one of contents, or several whose frames the caller built. All checked."""
    if isinstance(prompt, list | tuple) and prompt and all(map(is_frame, prompt)):
        return [checked_frame(frame) for frame in prompt]
    return [checked_frame(prompt) if is_frame(prompt) else to_content(prompt)]


async def each(prompts: Iterable[Any] | Prompts) -> AsyncGenerator[Any]:
    """Prompts one by one. A stream of them is closed at the end, whatever that is, for its own `finally` to run."""
    if not isinstance(prompts, AsyncIterable):
        for item in prompts:
            yield item
        return
    try:
        async for item in prompts:
            yield item
    finally:
        if (aclose := getattr(prompts, "aclose", None)) is not None:
            await aclose()


def to_content(prompt: Content) -> str | list[Block]:
    """A prompt in wire form. Raises `ContentError` for what cannot be sent; reads files, and draws figures, at once."""
    if isinstance(prompt, str):
        return prompt
    pieces = prompt if isinstance(prompt, list | tuple | Iterator) else [prompt]
    blocks = [block for piece in pieces if (block := _block(piece))]
    if not blocks:
        raise ContentError("The prompt is empty.")
    return blocks


def _block(piece: Piece) -> Block | None:
    """One piece in wire form; None for an empty text, which the API would refuse."""
    if isinstance(piece, str):
        return {"type": "text", "text": piece} if piece else None
    if isinstance(piece, WireModel):
        return _checked(piece.model_dump(exclude_none=True))
    if isinstance(piece, Mapping):
        return _checked(dict(piece))
    if isinstance(piece, os.PathLike | bytes | bytearray | memoryview):
        data = _bytes(piece, None)
        if media_type(data[:12]) is None:
            return document_block(piece).model_dump(exclude_none=True)
        return _image(data, None)
    return _image(piece, None)


def _checked(block: Block) -> Block:
    """A block the caller made: images are checked, since a wrong one costs the turn."""
    if not isinstance(block.get("type"), str):
        raise ContentError(
            f"A block of a prompt needs a type; this one has only {', '.join(map(str, block)) or 'none'}."
        )
    source = block.get("source")
    if block["type"] == "image" and isinstance(source, Mapping) and source.get("type") == "base64":
        kind = str(source.get("media_type"))
        return block | _image(_decoded(str(source.get("data", "")), kind), kind)
    return block


def _image(value: Any, kind: str | None) -> Block:
    found = media_type(value[:12]) if isinstance(value, bytes) else None
    if kind and found and kind.lower().replace("/jpg", "/jpeg") != found:
        raise ContentError(f"The image is said to be {kind}, but it is {found}.")
    try:
        block = picture_block(value)
    except ValueError as error:
        words = str(error)
        raise ContentError(f"{words[:1].upper()}{words[1:]}.") from None
    if block is None:
        what = "These bytes are" if isinstance(value, bytes) else f"An object of type {type(value).__name__} is"
        raise ContentError(
            f"{what} nothing that can be sent. Text, blocks, paths, PNG, JPEG, GIF and WebP images, PIL images and "
            "figures can."
        )
    return block


def _document(data: bytes) -> dict[str, Any]:
    if data.startswith(b"%PDF-"):
        return {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(data).decode()}
    try:
        return {"type": "text", "media_type": "text/plain", "data": data.decode("utf-8-sig")}
    except UnicodeDecodeError:
        raise ContentError("The file is no image, no PDF and no UTF-8 text, so it cannot be sent.") from None


def _bytes(source: Any, kind: str | None) -> Any:
    """The content of what `source` names; an object that is no name stays itself."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str) and kind:
        return _decoded(source, kind)
    if isinstance(source, str) and (match := _DATA_URL.match(source)):
        return _decoded(source[match.end() :], match[1])
    if isinstance(source, str | os.PathLike):
        try:
            return Path(source).expanduser().read_bytes()
        except OSError as error:
            raise ContentError(f"The file {os.fspath(source)[:200]!r} cannot be read: {error.strerror}.") from error
    return source


def _decoded(text: str, kind: str) -> bytes:
    try:
        return base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except binascii.Error as error:
        raise ContentError(f"The data of the {kind} is not base64: {error}.") from None
