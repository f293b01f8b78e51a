"""Conversation > Turn > Block: what the agent said and did, as plain data.

Above: the reducer writes these, `render` reads them, users get a finished `Turn` as `claude_nb.last`.
Below: the standard library. Times are seconds since the epoch, as given to the reducer, 0.0 where nobody knows
(turns of a stored transcript); money is US dollars.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

TurnStatus = Literal["queued", "running", "done", "failed", "interrupted", "cancelled"]
ToolStatus = Literal["pending", "waiting", "running", "done", "failed", "cancelled"]
NoticeLevel = Literal["info", "warning", "error"]
QuestionKind = Literal["permission", "choice", "plan", "form", "confirm"]
QuestionStatus = Literal["open", "answered", "expired", "cancelled"]


@dataclass(slots=True, kw_only=True)
class Block:
    """One piece of a turn. `key` is unique in its turn and never changes; `parent` is the key of the tool call
    that a sub-agent's block belongs to, None at the top level. `ended` is None while it still grows."""

    key: str
    parent: str | None = None
    started: float = 0.0
    ended: float | None = None

    @property
    def duration(self) -> float | None:
        """Seconds from start to end, None while open and where the times are not known."""
        return max(0.0, self.ended - self.started) if self.started and self.ended is not None else None


@dataclass(slots=True, kw_only=True)
class Text(Block):
    """Markdown from the model; untrusted."""

    text: str = ""


@dataclass(slots=True, kw_only=True)
class Thinking(Block):
    """The model's thinking. `redacted` when the provider sent it encrypted: then there is no text."""

    text: str = ""
    redacted: bool = False


@dataclass(slots=True, kw_only=True)
class Tool(Block):
    """One tool call and what came of it.

    `input` is whole once `input_done`; until then `input_json` holds what has streamed. `result` is the content of
    the tool result: text or a list of Messages API content blocks (dicts). `detail` is the CLI's structured result
    (`tool_use_result`: for Edit the patch, for Bash stdout and stderr), if it sent one. `name` is as the CLI calls
    it (`mcp__server__tool` for MCP).
    """

    id: str
    name: str
    input: dict[str, Any] = field(default_factory=dict)
    input_json: str = ""
    input_done: bool = False
    status: ToolStatus = "pending"
    result: str | list[dict[str, Any]] | None = None
    detail: Any = None
    error: str | None = None

    @property
    def result_text(self) -> str:
        """The text of the result; images and other parts are left out."""
        if isinstance(self.result, list):
            parts = [part for part in self.result if isinstance(part, dict)]
            return "\n".join(part.get("text", "") for part in parts if part.get("type") == "text")
        return self.result or ""


@dataclass(slots=True, kw_only=True)
class Notice(Block):
    """Something worth knowing that neither side said: a retry, a rate limit, a compaction, an API error.

    `code` is a stable word for the kind (`api_retry`, `rate_limit`, `compact`, `api_error`, `interrupted`, ...).
    """

    text: str
    level: NoticeLevel = "info"
    code: str = ""


@dataclass(slots=True, kw_only=True)
class Question(Block):
    """A question to the person, placed after the tool call it belongs to (`tool`: that call's key).

    `id` is what an answer must name; random, so it cannot be guessed. `ask` holds what is asked (for a permission:
    tool_name, input, title, description, decision_reason, blocked_path, suggestions, agent) and `decision` what was
    answered, for the record: `{"behavior": "allow" | "deny", ...}` or None.
    """

    id: str
    kind: QuestionKind
    tool: str | None = None
    ask: dict[str, Any] = field(default_factory=dict)
    status: QuestionStatus = "open"
    decision: dict[str, Any] | None = None
    expires: float | None = None


@dataclass(slots=True, frozen=True)
class CodeBlock:
    """A fenced code block of an answer: `language` as written after the fence (may be empty), `code` its text."""

    language: str
    code: str


@dataclass(slots=True, frozen=True)
class Usage:
    """Tokens of one turn, summed over its API calls."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0

    @property
    def total_input_tokens(self) -> int:
        """All that the model read: fresh, from the cache, and written to it."""
        return self.input_tokens + self.cache_read_input_tokens + self.cache_creation_input_tokens


@dataclass(slots=True, kw_only=True, repr=False)
class Turn:
    """One prompt and everything that answered it: the value behind `-o NAME` and `claude_nb.last`.

    `prompt` is what the person wrote, `sent` what the model got (text, or a list of content blocks), `id` the uuid
    under which it was sent. `origin` is "human", or what made the CLI run a turn of its own (a background task).
    `cost_usd` is what this turn cost, not the session's total. `value` is the structured output, if one was asked for.
    """

    id: str
    prompt: str = ""
    sent: str | list[dict[str, Any]] = ""
    notices: list[str] = field(default_factory=list)
    session_name: str = "default"
    session_id: str | None = None
    model: str | None = None
    origin: str = "human"
    status: TurnStatus = "queued"
    blocks: list[Block] = field(default_factory=list)
    started: float = 0.0
    ended: float | None = None
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    num_turns: int = 0
    value: Any = None
    error: Exception | None = None
    activity: str = ""

    @property
    def duration(self) -> float | None:
        """Seconds from the start of the turn to its end, None while it runs and where the times are not known."""
        return max(0.0, self.ended - self.started) if self.started and self.ended is not None else None

    @property
    def text(self) -> str:
        """The answer as Markdown: the top-level text blocks, a blank line between them."""
        parts = (b.text.strip("\n") for b in self.blocks if isinstance(b, Text) and b.parent is None)
        return "\n\n".join(part for part in parts if part)

    @property
    def thinking(self) -> str:
        """The top-level thinking, as text."""
        return "\n\n".join(b.text for b in self.blocks if isinstance(b, Thinking) and b.parent is None and b.text)

    @property
    def tools(self) -> list[Tool]:
        """All tool calls, those of sub-agents included, in order."""
        return [b for b in self.blocks if isinstance(b, Tool)]

    @property
    def code_blocks(self) -> list[CodeBlock]:
        """The fenced code blocks of the answer, in order."""
        from markdown_it import MarkdownIt

        tokens = MarkdownIt("commonmark").parse(self.text)
        return [CodeBlock((t.info.split() or [""])[0], t.content.rstrip("\n")) for t in tokens if t.type == "fence"]

    def children(self, key: str | None) -> Iterator[Block]:
        """The blocks directly under the block `key` (None: the top level), in order."""
        return (b for b in self.blocks if b.parent == key)

    def block(self, key: str) -> Block | None:
        """The block with that key."""
        return next((b for b in self.blocks if b.key == key), None)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        # No addresses, times or costs: a saved notebook should compare equal when it is run again.
        words = self.text.split()
        head = " ".join(words[:12]) + (" …" if len(words) > 12 else "")
        return f"<Turn {self.status}: {head!r}, {len(self.tools)} tool calls>"


@dataclass(slots=True, kw_only=True)
class Conversation:
    """All turns of one named session, oldest first. `total_cost_usd` is the running total of the CLI's session.

    `rewound` are turns that a rewind took out: the model forgot them, but they were paid for.
    """

    name: str = "default"
    session_id: str | None = None
    model: str | None = None
    cwd: str | None = None
    permission_mode: str | None = None
    turns: list[Turn] = field(default_factory=list)
    rewound: list[Turn] = field(default_factory=list)
    total_cost_usd: float = 0.0

    @property
    def spent_usd(self) -> float:
        """What all turns cost together, those that were taken back included."""
        return sum(turn.cost_usd or 0.0 for turn in [*self.turns, *self.rewound])


class ChangeKind(StrEnum):
    """What a change is about."""

    OPENED = "opened"  # a turn began (block is None)
    ADDED = "added"  # a block was added
    GREW = "grew"  # `text` was appended to a Text or Thinking block (or to a tool's input_json)
    CHANGED = "changed"  # anything else about the block
    CLOSED = "closed"  # the block is finished; it may still be CHANGED by a late word, never GREW
    STATUS = "status"  # the turn's own fields changed: status, model, usage, activity
    ENDED = "ended"  # the turn is over


@dataclass(slots=True, frozen=True)
class Change:
    """One step of a conversation. Faces get them in order and must not write to what they point to."""

    kind: ChangeKind
    turn: Turn
    block: Block | None = None
    text: str = ""
