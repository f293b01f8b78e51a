"""The blocks of one turn, written from stream events and whole messages alike.

Pure. Above: `reduce`, which knows which turn a message belongs to. Below: `model`, `redact`. The CLI sends each
block twice when partial messages are on: as stream events, then whole in an assistant message just before the
block's stop event (CLI 2.1.329). The whole one settles what the pieces left open; without pieces it stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from claude_nb.protocol import block as wire

from .model import Block, Change, ChangeKind, Question, Text, Thinking, Tool, ToolStatus, Turn
from .redact import RedactedStream, Redactor

# What the CLI tells the model of a call that a stop ended (2.1.329). Where the person gave a reason it goes on
# otherwise.
_STOPPED = re.compile(r"The user doesn't want to proceed with this tool use\..*? STOP what you are doing", re.DOTALL)
WAITING = "Waiting for you"
_ACTIVITY = {"text": "Writing", "thinking": "Thinking", "redacted_thinking": "Thinking"}


class _Piece:
    """A block that is being streamed, and the redactor of its text."""

    __slots__ = ("block", "settled", "stream")

    def __init__(self, block: Block, stream: RedactedStream):
        self.block, self.stream, self.settled = block, stream, False


class TurnWriter:
    """Writes into one turn; every method returns the changes it made, in order."""

    def __init__(self, turn: Turn, redactor: Redactor):
        self.turn = turn
        self._redactor = redactor
        self._pieces: dict[tuple[str | None, int], _Piece] = {}
        self._tools: dict[str, Tool] = {}
        self._count = 0

    def tool(self, tool_use_id: str | None) -> Tool | None:
        """The tool call with that id, if it is in this turn."""
        return self._tools.get(tool_use_id) if tool_use_id else None

    def key(self) -> str:
        """A fresh block key."""
        self._count += 1
        return f"b{self._count}"

    def add(self, block: Block, about: Tool | None = None) -> Change:
        """Add a block that is ready as it is: at the end, or, `about` a tool call, right behind it."""
        blocks = self.turn.blocks
        if about is None:
            blocks.append(block)
        else:
            earlier = sum(isinstance(other, Question) and other.tool == about.key for other in blocks)
            blocks.insert(blocks.index(about) + earlier + 1, block)
        return Change(ChangeKind.ADDED, self.turn, block)

    def wait(self) -> Iterator[Change]:
        """Tool calls with an open question wait, and so do those behind them: the CLI asks about one at a time."""
        asked = {question.tool for question in self._open_questions()}
        held: set[str | None] = set()
        for block in self.turn.blocks:
            if not isinstance(block, Tool) or block.ended is not None:
                continue
            if block.key in asked:
                held.add(block.parent)
            status: ToolStatus = "waiting" if block.parent in held else "running"
            if block.status != status and (block.input_done or block.key in asked):
                block.status = status
                yield Change(ChangeKind.CHANGED, self.turn, block)

    def _open_questions(self) -> Iterator[Question]:
        return (block for block in self.turn.blocks if isinstance(block, Question) and block.status == "open")

    def act(self, activity: str) -> Iterator[Change]:
        """Say what the turn is busy with, if that is new; while a question is open it is that."""
        if any(self._open_questions()):
            activity = WAITING
        if self.turn.activity != activity:
            self.turn.activity = activity
            yield Change(ChangeKind.STATUS, self.turn)

    # -- stream events ------------------------------------------------------------------------------------------

    def stream(self, event: dict[str, Any], parent_id: str | None, now: float) -> Iterator[Change]:
        """Apply one Messages API stream event."""
        kind = event.get("type")
        if kind == "content_block_delta":
            yield from self._delta(event, parent_id, now)
        elif kind == "content_block_start":
            yield from self._start(event, parent_id, now)
        elif kind == "content_block_stop":
            if piece := self._pieces.pop((parent_id, event.get("index", 0)), None):
                yield from self._finish(piece, now)
        elif kind == "message_start":
            model = (event.get("message") or {}).get("model")
            if model and parent_id is None and model != self.turn.model:
                self.turn.model = model
                yield Change(ChangeKind.STATUS, self.turn)

    def _start(self, event: dict[str, Any], parent_id: str | None, now: float) -> Iterator[Change]:
        content = event.get("content_block") or {}
        block = self._block(content, parent_id, now)
        if block is None:
            return
        self._pieces[parent_id, event.get("index", 0)] = _Piece(block, self._redactor.stream())
        yield self.add(block)
        if parent_id is None:
            tool = block.name if isinstance(block, Tool) else None
            yield from self.act(f"Preparing {tool}" if tool else _ACTIVITY.get(content.get("type", ""), "Working"))

    def _delta(self, event: dict[str, Any], parent_id: str | None, now: float) -> Iterator[Change]:
        piece = self._pieces.get((parent_id, event.get("index", 0)))
        if piece is None or piece.settled:
            return
        delta = event.get("delta") or {}
        grown = delta.get("text") or delta.get("thinking") or delta.get("partial_json") or ""
        if grown and (text := piece.stream.feed(grown)):
            yield self._grow(piece.block, text)

    def _grow(self, block: Block, text: str) -> Change:
        if isinstance(block, Tool):
            block.input_json += text
        elif isinstance(block, Text | Thinking):
            block.text += text
        return Change(ChangeKind.GREW, self.turn, block, text)

    def _finish(self, piece: _Piece, now: float) -> Iterator[Change]:
        if not piece.settled:
            piece.settled = True
            if rest := piece.stream.close():
                yield self._grow(piece.block, rest)
            yield from self._close(piece.block, now)

    def _close(self, block: Block, now: float) -> Iterator[Change]:
        if block.ended is None and not isinstance(block, Tool):
            block.ended = now
            yield Change(ChangeKind.CLOSED, self.turn, block)

    # -- whole messages -----------------------------------------------------------------------------------------

    def content(
        self, blocks: list[Any], parent_id: str | None, now: float, thought_ms: float | None = None
    ) -> Iterator[Change]:
        """Apply the blocks of an assistant message; `thought_ms` is how long its thinking took, if it says so."""
        for block in blocks:
            data = block.model_dump(mode="python") if not isinstance(block, wire.UnknownBlock) else block.raw
            kind = data.get("type")
            if kind in ("tool_result", "server_tool_result") or "tool_use_id" in data:
                yield from self.result(data, None, now)
                continue
            piece = self._streamed(data, parent_id)
            if piece is None:
                made = self._block(data, parent_id, now)
                if made is None:
                    continue
                yield self.add(made)
                piece = _Piece(made, self._redactor.stream())
            if thought_ms is not None and isinstance(piece.block, Thinking):
                piece.block.started = min(piece.block.started, now - thought_ms / 1000)
            yield from self._settle(piece, data, now)

    def _streamed(self, data: dict[str, Any], parent_id: str | None) -> _Piece | None:
        """The streamed block that this whole one repeats: the same tool call, or the oldest open one of its kind."""
        if (tool := self.tool(data.get("id"))) is not None:
            found = (p for p in self._pieces.values() if p.block is tool)
            return next(found, None) or _Piece(tool, self._redactor.stream())
        kind = _KINDS.get(data.get("type", ""))
        for (parent, _), piece in sorted(self._pieces.items(), key=lambda item: item[0][1]):
            if parent == parent_id and not piece.settled and kind is not None and type(piece.block) is kind:
                return piece
        return None

    def _settle(self, piece: _Piece, data: dict[str, Any], now: float) -> Iterator[Change]:
        block = piece.block
        piece.settled = True
        if isinstance(block, Tool):
            block.input = self._redactor.value(data.get("input") or {})
            block.input_done = True
            if block.status == "pending":
                block.status = "running"
            yield Change(ChangeKind.CHANGED, self.turn, block)
            yield from self.wait()
            if block.parent is None:
                yield from self.act(f"Running {block.name}")
            return
        whole = self._redactor.text(data.get("text") or data.get("thinking") or "")
        if isinstance(block, Text | Thinking) and whole != block.text:
            if whole.startswith(block.text):
                yield self._grow(block, whole[len(block.text) :])
            elif whole:
                block.text = whole
                yield Change(ChangeKind.CHANGED, self.turn, block)
        yield from self._close(block, now)

    def result(self, data: dict[str, Any], detail: Any, now: float) -> Iterator[Change]:
        """Apply a tool result: `data` as the Messages API has it, `detail` the CLI's structured form."""
        tool = self.tool(data.get("tool_use_id"))
        if tool is None:
            return
        content = data.get("content")
        tool.result = self._redactor.value(content if isinstance(content, str | list) else str(content or ""))
        tool.detail = self._redactor.value(detail)
        failed = bool(data.get("is_error"))
        tool.status = "failed" if failed else "done"
        tool.error = tool.result_text if failed else None
        if failed and _STOPPED.match(tool.result_text):
            tool.status, tool.result, tool.detail, tool.error = "cancelled", None, None, "Stopped by you"
        tool.input_done = True
        tool.ended = now
        yield Change(ChangeKind.CHANGED, self.turn, tool)
        yield Change(ChangeKind.CLOSED, self.turn, tool)

    def end(self, now: float) -> Iterator[Change]:
        """Close whatever is still open: what was streamed stays, tool calls without a result are cancelled."""
        for piece in list(self._pieces.values()):
            yield from self._finish(piece, now)
        self._pieces.clear()
        for block in self.turn.blocks:
            if block.ended is not None:
                continue
            if isinstance(block, Tool):
                block.status = "cancelled"
            block.ended = now
            yield Change(ChangeKind.CHANGED, self.turn, block)
            yield Change(ChangeKind.CLOSED, self.turn, block)

    def _block(self, data: dict[str, Any], parent_id: str | None, now: float) -> Block | None:
        kind = _KINDS.get(data.get("type", ""))
        if kind is None:
            return None
        parent = self.tool(parent_id)
        base: dict[str, Any] = {"key": self.key(), "parent": parent.key if parent else None, "started": now}
        if kind is Tool:
            tool = Tool(**base, id=str(data.get("id", "")), name=str(data.get("name", "")))
            self._tools[tool.id] = tool
            return tool
        if kind is Thinking:
            return Thinking(**base, redacted=data.get("type") == "redacted_thinking")
        return Text(**base)


_KINDS: dict[str, type[Block]] = {
    "text": Text,
    "thinking": Thinking,
    "redacted_thinking": Thinking,
    "tool_use": Tool,
    "server_tool_use": Tool,
    "mcp_tool_use": Tool,
}
