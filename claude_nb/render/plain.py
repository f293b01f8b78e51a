"""Tool calls, notices and records as lines of plain text, for what has no HTML.

Above: `bundle` (Markdown and plain text of a turn) and `terminal`. Below: `view`, `question`, `text`.
Nothing here holds a control character: the lines may go to a terminal.
"""

from __future__ import annotations

from claude_nb.conversation.model import Notice, Question, Thinking

from .diff import Diff
from .question import record
from .text import clean, plural, seconds, visible
from .view import Checks, Code, Fields, Part, Picture, Prose, ToolView

# Lines of one part: the HTML holds more.
_DIFF_SHOWN = 20
_SHOWN = 8
_MARKS = {"done": "[x]", "doing": "[-]", "open": "[ ]"}
_LEVELS = {"info": "Note", "warning": "Warning", "error": "Error"}
_STATES = {
    "pending": "preparing",
    "waiting": "waiting for you",
    "running": "running",
    "failed": "failed",
    "cancelled": "cancelled",
}


def head_line(view: ToolView, status: str) -> str:
    """`Read src/app.py (42 lines)`; how it went if not simply done."""
    state = ", ".join(filter(None, [_STATES.get(status, ""), view.preview]))
    return f"{view.name} {view.subject}".rstrip() + (f" ({state})" if state else "")


def part_lines(view: ToolView, *, full: bool = False) -> list[str]:
    """Input and result, some lines of each; of a quiet tool only if it failed or `full`."""
    parts = [p for p in view.input if full or not isinstance(p, Prose)]
    if full or not view.quiet:
        parts += view.output
    lines: list[str] = []
    for part in parts:
        shown = lines_of(part)
        limit = _DIFF_SHOWN if isinstance(part, Diff) else _SHOWN
        lines += shown[:limit]
        if len(shown) > limit:
            lines.append(f"… {plural(len(shown) - limit, 'more line')}")
    return lines


def notice_line(block: Notice) -> str:
    """`Warning: the API is busy, trying again`."""
    return f"{_LEVELS.get(block.level, 'Note')}: {visible(block.text)}"


def question_line(block: Question, root: str | None = None) -> str:
    """The record of a decision: `✓ Bash make · Allowed once`."""
    allowed, line = record(block, root)
    return f"{ {True: '✓', False: '✕', None: '?'}[allowed] } {visible(line)}"


def thinking_line(block: Thinking) -> str:
    """`Thought for 3.2s`."""
    if block.ended is None:
        return "Thinking…"
    return "Thought" if block.duration is None else f"Thought for {seconds(block.duration)}"


def lines_of(part: Part) -> list[str]:
    """All lines of one part."""
    match part:
        case Code():
            prompt = "$ " if part.role == "in" and part.language == "bash" else ""
            return (prompt + part.text).split("\n")
        case Diff():
            return ["⋯" + row[1:] if row[:1] == "@" else row for row in part.rows]
        case Prose():
            return clean(part.text).split("\n")
        case Fields():
            return [f"{name}: {value}" for name, value in part.rows]
        case Checks():
            return [f"{_MARKS[state]} {text}" for state, text in part.items]
        case Picture():
            return [f"[image {visible(part.mime)}]"]
