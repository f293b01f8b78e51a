"""Turns from a stored transcript: what was said before this kernel started.

Pure. Above: `magics.past` reads the messages from disk. Below: the reducer, which gets them as if they came now; costs
and times are not in the messages, so the turns have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from claude_nb.protocol.message import parse_message

from .model import Conversation, Turn
from .notices import Words
from .reduce import Reducer

# The CLI's own entry for a stop, in a user's place (2.1.329).
_STOPPED = "[Request interrupted by user"
_LOST = (
    "was cut off before its end, most likely when its kernel ended. "
    "What was being written at that moment is not in the session's transcript."
)


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
    """The turns these messages make, oldest first; `environ` is where secrets to hide are looked for.

    A turn that a person stopped, or that the transcript holds no end of, is `interrupted`; the latter says so.
    """
    replaying = _Replay(environ)
    for stored in messages:
        replaying.take(stored)
    replaying.finish(last=True)
    return replaying.turns


class _Replay:
    """A reducer that is fed from a transcript, and what it needs to know to end each turn."""

    def __init__(self, environ: Mapping[str, str]):
        conversation = Conversation()
        self.turns = conversation.turns
        self._reducer = Reducer(conversation, environ)
        self._stopped = False
        self._newest: Stored | None = None

    def take(self, stored: Stored) -> None:
        prompt = _prompt(stored)
        if prompt is not None and prompt.startswith(_STOPPED):
            self._stopped = True
        elif prompt is not None:
            self.finish()
            self._stopped = False
            turn = Turn(id=stored.uuid, prompt=prompt, sent=stored.message.get("content") or "")
            self._reducer.open(turn, 0.0)
            self._apply("command_lifecycle", command_uuid=stored.uuid, state="started")
            turn.session_id = stored.session_id
        elif self.turns:
            self._apply(stored.type, message=stored.message, session_id=stored.session_id)
        self._newest = stored

    def finish(self, *, last: bool = False) -> None:
        """End the turn that is open; after the `last` one nothing tells that it was left behind."""
        turn = self._reducer.current
        if turn is None:
            return
        lost = not self._stopped and not self._ended(surely=last)
        if lost:
            asked = " ".join(turn.prompt.split())
            asked = asked if len(asked) <= 60 else f"{asked[:60]}…"
            self._reducer.notice(turn, Words("interrupted", "warning", f"The answer to “{asked}” {_LOST}"), 0.0)
        cut = lost or self._stopped
        ending = (
            {"subtype": "error_during_execution", "terminal_reason": "aborted_tools"} if cut else {"subtype": "success"}
        )
        self._apply("result", **ending, user_message_uuids=[turn.id], session_id=turn.session_id or "", is_error=cut)
        turn.cost_usd = None

    def _ended(self, *, surely: bool) -> bool:
        """Whether the newest message is the model's last word. Not every CLI has kept why an answer ended."""
        message = self._newest.message if self._newest is not None and self._newest.type == "assistant" else {}
        content, reason = message.get("content"), message.get("stop_reason")
        if not content or reason in ("tool_use", "pause_turn"):
            return False
        calls = isinstance(content, list) and any(isinstance(b, dict) and b.get("type") == "tool_use" for b in content)
        return not calls and (reason is not None or not surely)

    def _apply(self, kind: str, **fields: Any) -> None:
        self._reducer.apply(parse_message({"type": kind, **fields}), 0.0)


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
