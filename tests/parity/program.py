"""What the example programs have in common."""

from collections.abc import AsyncIterator
from typing import Any

import anyio

from claude_nb import AssistantMessage, ClaudeSDKClient, Message, ResultMessage, TextBlock, ToolUseBlock

PATIENCE = 60.0  # seconds: far more than any program here needs


async def collect(stream: AsyncIterator[Message]) -> list[Message]:
    """All messages of a query or a response."""
    with anyio.fail_after(PATIENCE):
        return [message async for message in stream]


async def ask(client: ClaudeSDKClient, prompt: Any, **fields: Any) -> str | None:
    """One prompt to a client, and the text of its result."""
    await client.query(prompt, **fields)
    return result_of(await collect(client.receive_response())).result


async def first(stream: AsyncIterator[Message], kind: type, **fields: Any) -> Any:
    """The first message of that kind (with those fields); the stream can be read on."""
    with anyio.fail_after(PATIENCE):
        async for message in stream:
            if isinstance(message, kind) and all(getattr(message, name) == value for name, value in fields.items()):
                return message
    raise AssertionError(f"no {kind.__name__} came")


def blocks(messages: list[Message], kind: type) -> list[Any]:
    """The blocks of that kind that the model made."""
    return [b for m in messages if isinstance(m, AssistantMessage) for b in m.content if isinstance(b, kind)]


def text_of(messages: list[Message]) -> str:
    return "".join(block.text for block in blocks(messages, TextBlock))


def tools_of(messages: list[Message]) -> list[str]:
    return [block.name for block in blocks(messages, ToolUseBlock)]


def result_of(messages: list[Message]) -> ResultMessage:
    assert isinstance(messages[-1], ResultMessage)
    return messages[-1]
