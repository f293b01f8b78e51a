"""A turn as a MIME bundle: the same content as HTML, Markdown and plain text.

Above: `kernel` and `chat` show it at the end of a turn. Below: `html`, `plain`, `safe`.
"""

from __future__ import annotations

import re
import textwrap

from claude_nb.conversation.model import Block, Notice, Question, Text, Thinking, Tool, Turn

from .flavour import verbatim_regions
from .footer import footer_parts
from .html import turn_html
from .plain import head_line, notice_line, part_lines, question_line, thinking_line
from .safe import safe_markdown
from .style import Look
from .text import clean, visible
from .view import tool_view

_MARKDOWN_MARKS = re.compile(r"([\\`*_\[\]<>#|~$!&])")


def turn_bundle(turn: Turn, look: Look) -> dict[str, str]:
    """`text/html`, `text/markdown` and `text/plain` of a turn. Each can stand alone."""
    return {
        "text/html": turn_html(turn, look),
        "text/markdown": turn_markdown(turn, look),
        "text/plain": turn_plain(turn, look),
    }


def turn_plain(turn: Turn, look: Look) -> str:
    """The turn as text: the answer as its Markdown, tool calls as lines with their results indented."""
    parts = [f"Note: {visible(note)}" for note in turn.notices]
    for block, depth in _walk(turn):
        text = _plain(block, look)
        if text:
            parts.append(textwrap.indent(text, "  " * depth))
    return "\n\n".join([*parts, *_ending(turn, look)])


def turn_markdown(turn: Turn, look: Look) -> str:
    """The turn as harmless Markdown (see `safe`)."""
    parts = [f"*Note: {_inline(note)}*" for note in turn.notices]
    for block, depth in _walk(turn):
        text = _markdown(block, look)
        if text:
            parts.append(textwrap.indent(text, "> " * depth, lambda line: True) if depth else text)
    parts += [f"*{_inline(line)}*" for line in _ending(turn, look)]
    return safe_markdown("\n\n".join(parts))


def _walk(turn: Turn, parent: str | None = None, depth: int = 0) -> list[tuple[Block, int]]:
    """Blocks in reading order, a sub-agent's after its call, with their depth."""
    out: list[tuple[Block, int]] = []
    known = {b.key for b in turn.blocks}
    for block in turn.blocks:
        if block.parent == parent or (parent is None and block.parent not in known):
            out.append((block, depth))
            if isinstance(block, Tool):
                out += _walk(turn, block.key, depth + 1)
    return out


def _ending(turn: Turn, look: Look) -> list[str]:
    state, facts = footer_parts(turn, show_cost=look.show_cost)
    error = f"{state}: {turn.error}" if turn.error and turn.status == "failed" else state
    return [visible(line) for line in (error, " · ".join(facts)) if line]


def _plain(block: Block, look: Look) -> str:
    match block:
        case Text():
            return clean(block.text).strip("\n")
        case Thinking():
            return thinking_line(block)
        case Tool():
            view = tool_view(block, look.root)
            lines = textwrap.indent("\n".join(part_lines(view)), "    ")
            return f"{view.icon} {head_line(view, block.status)}" + (f"\n{lines}" if lines.strip() else "")
        case Notice():
            return notice_line(block)
        case Question():
            return question_line(block, look.root)
    return ""


def _markdown(block: Block, look: Look) -> str:
    match block:
        case Text():
            return _closed(clean(block.text).strip("\n"))
        case Tool():
            view = tool_view(block, look.root)
            lines = "\n".join(part_lines(view))
            return f"**{_inline(head_line(view, block.status))}**" + (f"\n\n{_fence(lines)}" if lines.strip() else "")
        case _:
            text = _plain(block, look)
            return f"*{_inline(text)}*" if text else ""


def _inline(text: str) -> str:
    """Text that is no Markdown, in one line."""
    return _MARKDOWN_MARKS.sub(r"\\\1", " ".join(visible(text).split()))


def _fence(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    mark = "`" * max(3, longest + 1)
    return f"{mark}\n{text}\n{mark}"


def _closed(text: str) -> str:
    """The text with its last fence closed, if an interrupt left it open: it would swallow what follows."""
    regions = verbatim_regions(text)
    if not regions or regions[-1][2].type != "fence":
        return text
    start, end, token = regions[-1]
    lines = text.split("\n")
    closed = end - start > 1 and lines[end - 1].lstrip("> ").startswith(token.markup)
    return text if closed or end < len(lines) else f"{text}\n{token.markup}"
