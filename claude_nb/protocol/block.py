"""Content blocks of messages, as the CLI sends them.

Layer 0. Above: `message` (blocks stand in messages), `conversation`, `render`. Below: `record`, pydantic. Names and
fields follow the official Python SDK 0.2.186; block types it drops (images, documents, redacted thinking, the results
of server tools) are kept, and a type nobody knows yet becomes an `UnknownBlock`. Nothing here raises on what the CLI
says. Fields a model does not name are kept as attributes, and `model_dump()` gives the wire form back.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, SkipValidation, ValidationError

from .record import Record

ServerToolName = Literal[
    "advisor",
    "web_search",
    "web_fetch",
    "code_execution",
    "bash_code_execution",
    "text_editor_code_execution",
    "tool_search_tool_regex",
    "tool_search_tool_bm25",
]
"""Tools that run at the API, not in the CLI; others may come."""


Frame: TypeAlias = Annotated[dict[str, Any], SkipValidation]
"""A frame as it came: the very object, not a copy."""


class WireModel(Record):
    """Base of what came over the wire: unknown fields stay, and the validator is built on first use."""

    model_config = ConfigDict(extra="allow", defer_build=True, protected_namespaces=())


class TextBlock(WireModel):
    """Text, usually Markdown."""

    type: Literal["text"] = "text"
    text: str


class ThinkingBlock(WireModel):
    """The model's thinking; may be empty where the API shows only that it thought."""

    type: Literal["thinking"] = "thinking"
    thinking: str
    signature: str = ""


class RedactedThinkingBlock(WireModel):
    """Thinking that the API encrypted; `data` is opaque."""

    type: Literal["redacted_thinking"] = "redacted_thinking"
    data: str = ""


class ToolUseBlock(WireModel):
    """A tool call; its `ToolResultBlock` names the same `id`."""

    type: Literal["tool_use"] = "tool_use"
    id: str
    name: str
    input: dict[str, Any]


class ToolResultBlock(WireModel):
    """What a tool gave back: text, or a list of content blocks in wire form."""

    type: Literal["tool_result"] = "tool_result"
    tool_use_id: str
    content: str | list[dict[str, Any]] | None = None
    is_error: bool | None = None


class ServerToolUseBlock(WireModel):
    """A call of a tool that runs at the API (`server_tool_use`, `mcp_tool_use`)."""

    type: str = "server_tool_use"
    id: str
    name: str
    input: dict[str, Any]


class ServerToolResultBlock(WireModel):
    """What a tool at the API gave back; `type` says which (`web_search_tool_result`, ...)."""

    type: str = "server_tool_result"
    tool_use_id: str
    content: Any = None


class ImageBlock(WireModel):
    """An image; `source` holds base64 data with its media type, or a URL."""

    type: Literal["image"] = "image"
    source: dict[str, Any]


class DocumentBlock(WireModel):
    """A document such as a PDF; `source` as for an image."""

    type: Literal["document"] = "document"
    source: dict[str, Any]
    title: str | None = None


class UnknownBlock(WireModel):
    """A block of a type or shape this version does not know. `raw` is all of it, `error` why it was not understood."""

    type: str = "unknown"
    raw: Any = None
    error: str | None = None


ContentBlock: TypeAlias = (
    TextBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | ToolUseBlock
    | ToolResultBlock
    | ServerToolUseBlock
    | ServerToolResultBlock
    | ImageBlock
    | DocumentBlock
    | UnknownBlock
)

_BY_TYPE: dict[str, type[WireModel]] = {
    "text": TextBlock,
    "thinking": ThinkingBlock,
    "redacted_thinking": RedactedThinkingBlock,
    "tool_use": ToolUseBlock,
    "tool_result": ToolResultBlock,
    "server_tool_use": ServerToolUseBlock,
    "mcp_tool_use": ServerToolUseBlock,
    "image": ImageBlock,
    "document": DocumentBlock,
}


def _model(kind: Any) -> type[WireModel] | None:
    if isinstance(kind, str) and kind.endswith("_tool_result"):
        return ServerToolResultBlock
    return _BY_TYPE.get(kind) if isinstance(kind, str) else None


def parse_block(data: Any) -> ContentBlock:
    """The typed block for one in wire form; `UnknownBlock` for what is not understood. Never raises."""
    if not isinstance(data, dict):
        return UnknownBlock(raw=data, error="a block that is not an object")
    kind = data.get("type")
    model = _model(kind)
    if model is None:
        return UnknownBlock(type=str(kind), raw=data)
    try:
        return model.model_validate(data)  # type: ignore[return-value]
    except ValidationError as error:
        return UnknownBlock(type=str(kind), raw=data, error=reason(error))


def reason(error: ValidationError) -> str:
    """What is wrong with the shape, field by field; values are left out, they may be long or secret."""
    return "; ".join(
        f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors(include_input=False)
    )


_M = TypeVar("_M", bound=BaseModel)


def lenient(model: type[_M], fields: dict[str, Any]) -> _M:
    """Validate, leaving fields of the wrong kind at their defaults; raises when a needed one is missing or wrong."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        wrong = {detail["loc"][0] for detail in error.errors(include_url=False) if detail["loc"]}
        return model.model_validate({key: value for key, value in fields.items() if key not in wrong})
