"""Writes a turn step by step as the reducer does, and passes each change on. For tests of faces, without any CLI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from claude_nb.conversation.model import (
    Block,
    Change,
    ChangeKind,
    Notice,
    Question,
    QuestionKind,
    QuestionStatus,
    Text,
    Thinking,
    Tool,
    Turn,
    Usage,
)

B = TypeVar("B", bound=Block)


def cut(text: str, size: int) -> Iterator[str]:
    """`text` in deltas of `size` characters."""
    return (text[start : start + size] for start in range(0, len(text), size))


class Scribe:
    """One turn in the making; `sink` gets its changes, `clock` tells the time (epoch seconds)."""

    def __init__(self, sink: Callable[[list[Change]], object], clock: Callable[[], float] = lambda: 1000.0):
        self._sink, self._clock = sink, clock
        self.turn = Turn(id="turn-1", prompt="Play", status="running", started=clock(), activity="Working")
        self.turn.model, self.turn.session_id = "scripted", "0123456789abcdef"
        self._tell(ChangeKind.OPENED)

    @staticmethod
    def tell_opened(sink: Callable[[list[Change]], object], turn: Turn) -> None:
        """What a face hears that begins to watch a turn in the middle."""
        sink([Change(ChangeKind.OPENED, turn)])

    def _tell(self, kind: ChangeKind, block: Block | None = None, text: str = "") -> None:
        self._sink([Change(kind, self.turn, block, text)])

    def act(self, activity: str) -> None:
        """Change the running line."""
        self.turn.activity = activity
        self._tell(ChangeKind.STATUS)

    def add(self, block: B) -> B:
        """Add a block."""
        block.started = self._clock()
        self.turn.blocks.append(block)
        self._tell(ChangeKind.ADDED, block)
        return block

    def text(self, key: str, parent: str | None = None) -> Text:
        """Begin an answer."""
        return self.add(Text(key=key, parent=parent))

    def think(self, key: str) -> Thinking:
        """Begin thinking."""
        return self.add(Thinking(key=key))

    def notice(self, key: str, text: str, **fields: Any) -> Notice:
        """Say something that neither side said."""
        return self.add(Notice(key=key, text=text, **fields))

    def grow(self, block: Text | Thinking, deltas: Iterable[str]) -> None:
        """Append deltas, each a change of its own."""
        for delta in deltas:
            block.text += delta
            self._tell(ChangeKind.GREW, block, delta)

    def rewrite(self, block: Text, text: str) -> None:
        """The whole message says something else than its pieces did."""
        block.text = text
        self._tell(ChangeKind.CHANGED, block)

    def close(self, block: Block) -> None:
        """The block is finished."""
        block.ended = self._clock()
        self._tell(ChangeKind.CLOSED, block)

    def call(self, key: str, name: str, parent: str | None = None) -> Tool:
        """Begin a tool call; its input is still to come."""
        return self.add(Tool(key=key, parent=parent, id=f"toolu_{key}", name=name))

    def input_grows(self, tool: Tool, deltas: Iterable[str]) -> None:
        """Append to the JSON of a tool's input."""
        for delta in deltas:
            tool.input_json += delta
            self._tell(ChangeKind.GREW, tool, delta)

    def start(self, tool: Tool, **input: Any) -> Tool:
        """The tool's input is whole and it runs."""
        tool.input, tool.input_done, tool.status = input, True, "running"
        self._tell(ChangeKind.CHANGED, tool)
        return tool

    def answer(self, tool: Tool, result: str, *, failed: bool = False, detail: Any = None) -> None:
        """The tool's result."""
        tool.result, tool.detail = result, detail
        tool.status, tool.error = ("failed", result) if failed else ("done", None)
        self._tell(ChangeKind.CHANGED, tool)
        self.close(tool)

    def ask(self, key: str, kind: QuestionKind, ask: dict[str, Any], **fields: Any) -> Question:
        """Put a question to the person, behind the tool call that it belongs to."""
        question = Question(key=key, id=f"question-{key}", kind=kind, ask=ask, started=self._clock(), **fields)
        about = next((i for i, block in enumerate(self.turn.blocks) if block.key == question.tool), None)
        self.turn.blocks.insert(len(self.turn.blocks) if about is None else about + 1, question)
        self._tell(ChangeKind.ADDED, question)
        return question

    def settle(self, question: Question, status: QuestionStatus, decision: dict[str, Any] | None = None) -> None:
        """The question is over."""
        question.status, question.decision = status, decision
        self._tell(ChangeKind.CHANGED, question)
        self.close(question)

    def end(self, status: str = "done") -> None:
        """The turn is over."""
        self.turn.status = status  # type: ignore[assignment]
        self.turn.ended = self._clock()
        self.turn.usage = Usage(input_tokens=1200, output_tokens=345, cache_read_input_tokens=8000)
        self.turn.cost_usd, self.turn.num_turns = 0.0123, 2
        self._tell(ChangeKind.ENDED)
