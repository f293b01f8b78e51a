"""Turns from a stored transcript: what was said before this kernel started.

Pure. Above: `magics.past` reads the messages from disk. Below: the reducer, which gets them as if they came now; costs
and times are not in the messages, so the turns have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from claude_nb.protocol.message import parse_message

from .model import Conversation, Tool, Turn
from .reduce import Reducer


class Stored(Protocol):
    """A message as `sessions.get_session_messages` gives it."""

    @property
    def type(self) -> str:
        """`user` or `assistant`."""

    @property
    def uuid(self) -> str:
        """Its id in the transcript; a prompt's is the one it was sent under."""

    @property
    def session_id(self) -> str:
        """The session it belongs to."""

    @property
    def message(self) -> Any:
        """The Messages API message."""


def replay(messages: Iterable[Stored], environ: Mapping[str, str]) -> list[Turn]:
    """The turns these messages make, oldest first. A turn that was cut off in a tool call is `interrupted`."""
    conversation = Conversation()
    reducer = Reducer(conversation, environ)
    for stored in messages:
        prompt = _prompt(stored)
        if prompt is not None:
            _finish(reducer, conversation)
            turn = Turn(id=stored.uuid, prompt=prompt, sent=stored.message.get("content") or "")
            reducer.open(turn, 0.0)
            reducer.apply(_frame("command_lifecycle", command_uuid=stored.uuid, state="started"), 0.0)
            turn.session_id = stored.session_id
        elif conversation.turns:
            reducer.apply(_frame(stored.type, message=stored.message, session_id=stored.session_id), 0.0)
    _finish(reducer, conversation)
    return conversation.turns


def _prompt(stored: Stored) -> str | None:
    """What a person asked in this message, None if it only carries results of tools."""
    if stored.type != "user" or not isinstance(stored.message, dict):
        return None
    content = stored.message.get("content")
    if isinstance(content, str):
        return content
    blocks = [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []
    if any(block.get("type") == "tool_result" for block in blocks):
        return None
    return "\n".join(block.get("text", "") for block in blocks if block.get("type") == "text")


def _finish(reducer: Reducer, conversation: Conversation) -> None:
    turn = reducer.current
    if turn is None:
        return
    cut = any(isinstance(block, Tool) and block.result is None for block in turn.blocks)
    ending = (
        {"subtype": "error_during_execution", "terminal_reason": "aborted_tools"} if cut else {"subtype": "success"}
    )
    named = {"user_message_uuids": [turn.id], "session_id": turn.session_id or ""}
    reducer.apply(_frame("result", **ending, **named, is_error=cut), 0.0)
    turn.cost_usd = None


def _frame(kind: str, **fields: Any) -> Any:
    return parse_message({"type": kind, **fields})
