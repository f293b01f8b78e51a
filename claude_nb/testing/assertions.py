"""What tests say about a run, in a word each. What is found is returned, so that a test can look closer.

Above: users' tests and ours. Below: `transport`, `demo.model`, messages. Each raises AssertionError with what there was
instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from claude_nb.demo.model import ScriptedModel
from claude_nb.protocol.block import ToolUseBlock
from claude_nb.protocol.message import AssistantMessage, Message, ResultMessage

from .transport import Asked, FakeTransport

T = TypeVar("T")


def assert_tool_called(messages: Iterable[Message], name: str, **input: Any) -> ToolUseBlock:
    """The tool `name` was called, with `input` among its arguments; the first such call is returned."""
    answers = [message for message in messages if isinstance(message, AssistantMessage)]
    calls = [block for answer in answers for block in answer.content if isinstance(block, ToolUseBlock)]
    return _first(f"call of {name} with {input}", calls, lambda c: c.name == name and _has(c.input, input))


def assert_ended_well(messages: Iterable[Message]) -> ResultMessage:
    """The last message is a result, and no error; it is returned."""
    last = next(reversed(list(messages)), None)
    if not isinstance(last, ResultMessage) or last.is_error:
        raise AssertionError(f"The run did not end well. Its last message: {last!r}")
    return last


def assert_prompt_sent(to: FakeTransport | ScriptedModel, text: str) -> str:
    """A prompt that holds `text` was sent; it is returned whole."""
    prompts = to.prompts if isinstance(to, FakeTransport) else [request.prompt for request in to.requests]
    return _first(f"prompt with {text!r}", prompts, lambda prompt: text in prompt)


def assert_permission_asked(cli: FakeTransport, tool: str, **input: Any) -> dict[str, Any]:
    """Leave to use `tool` with `input` was asked for; the answer is returned, in wire form."""
    asked = [a for a in cli.asked if a.request["subtype"] == "can_use_tool"]

    def fits(question: Asked) -> bool:
        return bool(question.request["tool_name"] == tool) and _has(question.request["input"], input)

    return _first(f"question for {tool} with {input}", asked, fits).answer


def assert_hook_asked(cli: FakeTransport, event: str, **input: Any) -> dict[str, Any]:
    """A hook for `event` was asked, with `input` among what it got; its answer is returned, in wire form."""
    asked = [a for a in cli.asked if a.request["subtype"] == "hook_callback"]
    wanted = {"hook_event_name": event, **input}
    return _first(f"hook with {wanted}", asked, lambda a: _has(a.request["input"], wanted)).answer


def _has(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return found | wanted == found


def _first(what: str, items: Sequence[T], fits: Callable[[T], bool]) -> T:
    for item in items:
        if fits(item):
            return item
    raise AssertionError("\n".join([f"There was no {what}. There was:", *(map(repr, items) if items else ["nothing"])]))
