"""What the scripted model says: the parts of an answer, and their form on the wire.

Below: `request.py`. Above: `model.py` writes what `stream` and `whole` return. Pure: the only things that
take time (a delay, a gate) are handed to the caller as `Wait`.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .request import Request

Event = dict[str, Any]
_serial = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Text:
    """A text block, streamed `chunk` characters at a time with `delay` seconds after each."""

    text: str
    chunk: int = 12
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Thinking:
    """A thinking block with its signature, streamed like `Text`."""

    text: str
    chunk: int = 24
    delay: float = 0.0
    signature: str = "c2NyaXB0ZWQ="


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool call. The input goes out as JSON in pieces of `chunk` characters."""

    name: str
    input: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    chunk: int = 32
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Raw:
    """Any other content block, sent whole: server tools, redacted thinking, kinds not invented yet."""

    block: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence of `seconds` between two blocks."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ApiError:
    """An error. As the first part it is the HTTP status; later it breaks the stream with an error event.

    It lasts: the client is told not to try again, and gets the same if it does (the CLI answers a 400 or 404
    by asking again in simpler words). With `retry=True`, or `retry_after` in seconds, it happens just once.
    """

    status: int
    type: str
    message: str
    retry_after: float | None = None
    retry: bool = False

    @property
    def lasts(self) -> bool:
        """Whether a further try of the same call meets the same error."""
        return not self.retry and self.retry_after is None

    @property
    def body(self) -> Event:
        """The error as the API words it."""
        return {"type": "error", "error": {"type": self.type, "message": self.message}}

    @property
    def headers(self) -> dict[str, str]:
        """Headers that tell the client when, and whether, to try again."""
        found = {"x-should-retry": str(not self.lasts).lower()}
        if self.retry_after is not None:
            found["retry-after"] = f"{self.retry_after:g}"
        return found


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection breaks here, without a word."""


class Gate:
    """A point in an answer where the stream waits until someone calls `open()`.

    `reached` is set when the stream has arrived (everything before it has been written).
    """

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._opened = threading.Event()

    def open(self) -> None:
        """Let the stream go on; from any thread, more than once if you like."""
        self._opened.set()

    def wait(self, timeout: float) -> bool:
        """Arrive at the gate and wait for it to open; False when `timeout` seconds were not enough."""
        self.reached.set()
        return self._opened.wait(timeout)


Part = Text | Thinking | ToolUse | Raw | Pause | ApiError | HangUp | Gate


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one API call. `usage` and `stop_reason` override what would be made up for it.

    `model` signs it in place of the model that was asked for.
    """

    parts: Sequence[Part]
    usage: dict[str, Any] | None = None
    stop_reason: str | None = None
    model: str | None = None

    @property
    def error(self) -> ApiError | None:
        """The error that this answer begins with, if it does."""
        first = self.parts[0] if self.parts else None
        return first if isinstance(first, ApiError) else None


@dataclass(frozen=True, slots=True)
class Wait:
    """Told to whoever writes the stream: wait at `gate`, or for `seconds`."""

    seconds: float = 0.0
    gate: Gate | None = None


def whole(answer: Answer, request: Request) -> Event:
    """The answer as one message object, for a request that did not ask for a stream."""
    blocks = [block for part in answer.parts if (block := _finished(part))]
    return {
        **_head(answer, request),
        "content": blocks,
        "stop_reason": _stop_reason(answer),
        "usage": usage(answer, request),
    }


def stream(answer: Answer, request: Request) -> Iterator[Event | Wait | HangUp]:
    """The answer as the events of a Messages API stream, with the places where the writer is to wait."""
    used = usage(answer, request)
    start = {**_head(answer, request), "content": [], "stop_reason": None, "usage": {**used, "output_tokens": 1}}
    yield {"type": "message_start", "message": start}
    yield {"type": "ping"}
    index = 0
    for part in answer.parts:
        match part:
            case Gate():
                yield Wait(gate=part)
            case Pause(seconds):
                yield Wait(seconds)
            case ApiError():
                yield part.body
                return
            case HangUp():
                yield part
                return
            case _:
                yield from _block(index, part)
                index += 1
    delta = {"stop_reason": _stop_reason(answer), "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": used}
    yield {"type": "message_stop"}


def usage(answer: Answer, request: Request) -> dict[str, Any]:
    """Token counts a real model might report: four characters a token, all but the newest message cached."""
    messages = request.get("messages") or []
    prefix = tokens([request.get("system"), request.get("tools"), messages[:-2]])
    newest = tokens(messages[-2:])
    said = sum(tokens(block) for part in answer.parts if (block := _finished(part)))
    fresh = len(messages) <= 2
    return {
        "input_tokens": 4,
        "cache_creation_input_tokens": newest + (prefix if fresh else 0),
        "cache_read_input_tokens": 0 if fresh else prefix,
        "output_tokens": max(said, 1),
        "service_tier": "standard",
        **(answer.usage or {}),
    }


def tokens(value: Any) -> int:
    """A rough count of tokens in anything that JSON can hold."""
    return len(json.dumps(value, ensure_ascii=False)) // 4


def _head(answer: Answer, request: Request) -> Event:
    return {
        "id": f"msg_scripted_{next(_serial):08d}",
        "type": "message",
        "role": "assistant",
        "model": answer.model or request.get("model", "scripted"),
        "stop_sequence": None,
    }


def _stop_reason(answer: Answer) -> str:
    calls = any(isinstance(part, ToolUse) for part in answer.parts)
    return answer.stop_reason or ("tool_use" if calls else "end_turn")


def _finished(part: Part) -> Event | None:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Thinking(text):
            return {"type": "thinking", "thinking": text, "signature": part.signature}
        case ToolUse(name, arguments):
            return {"type": "tool_use", "id": part.id or _call_id(), "name": name, "input": arguments}
        case Raw(block):
            return block
        case _:
            return None


def _block(index: int, part: Text | Thinking | ToolUse | Raw) -> Iterator[Event | Wait]:
    """Start, deltas and stop of one content block."""
    empty, deltas = _opening(part)
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        if not isinstance(part, Raw) and part.delay:
            yield Wait(part.delay)
    yield {"type": "content_block_stop", "index": index}


def _opening(part: Text | Thinking | ToolUse | Raw) -> tuple[Event, Iterator[Event]]:
    match part:
        case Text(text, chunk):
            return {"type": "text", "text": ""}, ({"type": "text_delta", "text": t} for t in _pieces(text, chunk))
        case Thinking(text, chunk):
            words = ({"type": "thinking_delta", "thinking": t} for t in _pieces(text, chunk))
            signed = [{"type": "signature_delta", "signature": part.signature}]
            return {"type": "thinking", "thinking": "", "signature": ""}, itertools.chain(words, signed)
        case ToolUse(name, arguments):
            source = json.dumps(arguments, ensure_ascii=False)
            pieces = ({"type": "input_json_delta", "partial_json": t} for t in _pieces(source, part.chunk))
            return {"type": "tool_use", "id": part.id or _call_id(), "name": name, "input": {}}, pieces
        case Raw(block):
            return block, iter(())


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[i : i + size] for i in range(0, len(text), size))


def _call_id() -> str:
    return f"toolu_scripted_{next(_serial):08d}"
