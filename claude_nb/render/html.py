"""Blocks and turns as HTML: what the live page shows and what a saved notebook keeps, the same structure.

Above: `bundle`, and the live face, which places the pieces itself. Below: `view` (what a tool shows), `pieces` (how
its parts look), `flavour` (Markdown). Everything is made with classes only; `sanitize` and `style` come last.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from claude_nb.conversation.model import Block, Notice, Question, Text, Thinking, Tool, Turn

from .footer import footer_parts
from .markdown import to_html
from .pieces import parts_html, prose_html, size_of
from .plain import thinking_line
from .question import record
from .sanitize import sanitize
from .style import Look, dress
from .text import escape, escape_prose, plural, visible
from .view import ToolView, tool_view

# Status -> word for people and screen readers, glyph or empty for a pill, class.
_STATUS = {
    "pending": ("preparing", "", "busy"),
    "waiting": ("waiting for you", "", "busy"),
    "running": ("running", "", "busy"),
    "done": ("done", "✓", "status"),
    "failed": ("failed", "", "bad"),
    "cancelled": ("cancelled", "", "busy"),
}
_NOTICE = {"info": "ℹ", "warning": "⚠", "error": "✕"}
# A result up to this many lines is shown without a click.
_SHORT = 12
# More calls than this in a row are folded together, if they only looked.
_MOST_IN_A_ROW = 3


def block_html(block: Block, look: Look) -> str:
    """The block's own HTML, without the blocks of a sub-agent under it. Safe for `innerHTML`."""
    match block:
        case Text():
            return _text(block, look)
        case Thinking():
            html = _thinking(block)
        case Tool():
            html = _tool(block, tool_view(block, look.root), look)
        case Notice():
            html = _note(block.text, block.level)
        case Question():
            html = _question(block, look.root)
        case _:
            html = ""
    return dress(sanitize(html), look)


def turn_html(turn: Turn, look: Look) -> str:
    """The whole turn: its blocks with sub-agents' work under their calls, and the footer (or what it is doing)."""
    notes = "".join(dress(sanitize(_note(text, "info")), look) for text in turn.notices)
    body = "".join(_nested(turn, None, look))
    foot = (status_html if turn.status in ("queued", "running") else footer_html)(turn, look)
    opening = dress('<div class="cnb-turn">', look)
    return f"{opening}{notes}{body}{_failure(turn, look)}{foot}</div>"


def footer_html(turn: Turn, look: Look) -> str:
    """The line under a finished turn: how it ended, time, tokens, cost, model, session."""
    state, facts = footer_parts(turn, show_cost=look.show_cost)
    pill = f'<span class="cnb-bad">{escape(state)}</span> ' if state else ""
    text = " · ".join(escape_prose(visible(fact)) for fact in facts)
    if not pill and not text:
        return ""
    return dress(sanitize(f'<div class="cnb-foot">{pill}<span class="cnb-facts">{text}</span></div>'), look)


def status_html(turn: Turn, look: Look) -> str:
    """The line under a turn that still runs: what it is doing."""
    default = "Queued behind the turn that is running" if turn.status == "queued" else "Working"
    text = escape_prose(visible(turn.activity or default))
    html = f'<div class="cnb-foot cnb-running" role="status"><span class="cnb-facts">{text}…</span></div>'
    return dress(sanitize(html), look)


def _nested(turn: Turn, parent: str | None, look: Look) -> list[str]:
    known = {block.key for block in turn.blocks}
    # A block whose parent never came (its call was not sent to us) still shows, at the top.
    here = [b for b in turn.blocks if b.parent == parent or (parent is None and b.parent not in known)]
    out = []
    for only_looked, run in groupby(here, lambda block: _only_looked(block, look)):
        blocks = list(run)
        pieces = [piece for block in blocks for piece in _with_kids(turn, block, look)]
        calls = [block for block in blocks if isinstance(block, Tool)]
        if only_looked and len(calls) > _MOST_IN_A_ROW:
            names = Counter(tool_view(call, look.root).name for call in calls)
            counted = ", ".join(f"{name} {count}" for name, count in names.items())
            pieces = _fold(f"{plural(len(calls), 'tool call')}: {counted}", pieces, look)
        out += pieces
    return out


def _only_looked(block: Block, look: Look) -> bool:
    """Whether the block changed nothing and tells little: a read or a search that went well, a thought."""
    match block:
        case Tool(status="done"):
            return tool_view(block, look.root).quiet
        case _:
            return isinstance(block, Thinking)


def _with_kids(turn: Turn, block: Block, look: Look) -> list[str]:
    own = [block_html(block, look)]
    if not isinstance(block, Tool) or not (kids := _nested(turn, block.key, look)):
        return own
    steps = sum(kid.parent == block.key for kid in turn.blocks)
    return own + _fold(plural(steps, "step"), kids, look)


def _fold(summary: str, pieces: list[str], look: Look) -> list[str]:
    opening = f'<details class="cnb-kids"><summary class="cnb-fold">{escape_prose(visible(summary))}</summary>'
    return [dress(opening, look), *pieces, "</details>"]


def _text(block: Text, look: Look) -> str:
    html = to_html(block.text, look)
    return dress('<div class="cnb-text">', look) + html + "</div>" if html else ""


def _thinking(block: Thinking) -> str:
    if block.redacted:
        return _note("Thinking, withheld by the provider", "info")
    summary = f'<summary class="cnb-fold">{thinking_line(block)}</summary>'
    return f'<details class="cnb-thinking">{summary}{prose_html(block.text)}</details>'


def _tool(block: Tool, view: ToolView, look: Look) -> str:
    word, glyph, css = _STATUS[block.status]
    badge = f'<span class="cnb-{css}" role="img" aria-label="{word}">{glyph or word}</span>'
    head = [
        f'<span class="cnb-icon" aria-hidden="true">{escape(view.icon)}</span>',
        f'<span class="cnb-name">{escape_prose(view.name)}</span>',
        f'<code class="cnb-subject">{escape(view.subject)}</code>' if view.subject else "",
        f'<span class="cnb-preview">{escape_prose(view.preview)}</span>' if view.preview else "",
        badge,
    ]
    note = f'<div class="cnb-label">{escape_prose(view.note)}</div>' if view.note else ""
    body = note + parts_html(view.input) + parts_html(view.output)
    short = size_of(view.output) <= _SHORT
    # While it waits for an answer its card shows the same, and whole.
    wanted = block.status == "failed" or (short and not view.quiet and block.status != "waiting")
    opened = ' open=""' if body and wanted else ""
    inner = f'<div class="cnb-body">{body}</div>' if body else ""
    return (
        f'<details class="cnb-tool" data-status="{block.status}"{opened}>'
        f'<summary class="cnb-head">{" ".join(filter(None, head))}</summary>{inner}</details>'
    )


def _note(text: str, level: str) -> str:
    glyph = _NOTICE.get(level, _NOTICE["info"])
    return (
        f'<div class="cnb-note cnb-note-{level}" data-level="{level}">'
        f'<span aria-hidden="true">{glyph}</span> {escape_prose(visible(text))}</div>'
    )


def _question(block: Question, root: str | None) -> str:
    allowed, line = record(block, root)
    glyph = {True: "✓", False: "✕", None: "?"}[allowed]
    return (
        f'<div class="cnb-note cnb-note-info cnb-question" data-status="{block.status}">'
        f'<span aria-hidden="true">{glyph}</span> {escape_prose(visible(line))}</div>'
    )


def _failure(turn: Turn, look: Look) -> str:
    """The error of a failed turn, unless a notice already says it."""
    text = str(turn.error) if turn.error else ""
    told = any(isinstance(b, Notice) and b.text and (b.text in text or text in b.text) for b in turn.blocks)
    if not text or told or turn.status == "interrupted":
        return ""
    return dress(sanitize(_note(text, "error")), look)
