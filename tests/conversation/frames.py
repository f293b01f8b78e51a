"""Frames as CLI 2.1.329 sends them, for tests of the reducer."""

from itertools import count
from typing import Any

_ids = count()


def frame(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "session_id": "s-1", "uuid": f"frame-{next(_ids)}", **fields}


def init(**fields: Any) -> dict[str, Any]:
    return frame(
        "system", subtype="init", cwd="/work", model="claude-test", permissionMode="default", tools=[], **fields
    )


def lifecycle(uuid: str, state: str) -> dict[str, Any]:
    return frame("command_lifecycle", command_uuid=uuid, state=state)


def event(kind: str, parent: str | None = None, **fields: Any) -> dict[str, Any]:
    return frame("stream_event", parent_tool_use_id=parent, event={"type": kind, **fields})


def start(index: int, block: dict[str, Any], parent: str | None = None) -> dict[str, Any]:
    return event("content_block_start", parent, index=index, content_block=block)


def text_delta(index: int, text: str, parent: str | None = None) -> dict[str, Any]:
    return event("content_block_delta", parent, index=index, delta={"type": "text_delta", "text": text})


def delta(index: int, parent: str | None = None, **fields: Any) -> dict[str, Any]:
    return event("content_block_delta", parent, index=index, delta=fields)


def stop(index: int, parent: str | None = None) -> dict[str, Any]:
    return event("content_block_stop", parent, index=index)


def assistant(*blocks: dict[str, Any], parent: str | None = None, **fields: Any) -> dict[str, Any]:
    message = {"id": "msg_1", "role": "assistant", "model": "claude-test", "content": list(blocks), "usage": {}}
    return frame("assistant", message=message, parent_tool_use_id=parent, **fields)


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def thinking(words: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": words, "signature": "sig"}


def tool_use(id: str, name: str, **input: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": name, "input": input}


def tool_result(id: str, content: Any, *, is_error: bool = False, detail: Any = None) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": id, "content": content, "is_error": is_error}
    message = {"role": "user", "content": [block]}
    return frame("user", message=message, parent_tool_use_id=None, tool_use_result=detail)


def streamed(index: int, block: dict[str, Any], pieces: list[str], parent: str | None = None) -> list[dict[str, Any]]:
    """A text block as the CLI streams it: start, deltas, the whole message, stop."""
    return [
        start(index, {"type": "text", "text": ""}, parent),
        *(text_delta(index, piece, parent) for piece in pieces),
        assistant(block, parent=parent),
        stop(index, parent),
    ]


def result(*uuids: str, cost: float = 0.01, **fields: Any) -> dict[str, Any]:
    usage = {"input_tokens": 20, "output_tokens": 7, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 1}
    base = {
        "subtype": "success",
        "duration_ms": 5,
        "duration_api_ms": 3,
        "is_error": False,
        "num_turns": 1,
        "total_cost_usd": cost,
        "usage": usage,
        "result": "",
        "user_message_uuids": list(uuids),
    }
    return frame("result", **{**base, **fields})
