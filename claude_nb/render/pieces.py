"""The parts of a tool's view as class-only HTML: boxes of code, diffs, lists, pictures, folded when long.

Above: `html`, which sanitises and dresses what comes from here. Below: `view`, `flavour`, `highlight`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from .diff import Diff
from .flavour import blocks as markdown_blocks
from .highlight import highlight, knows
from .text import clean, escape, escape_prose, one_line, plural, visible
from .view import Checks, Code, Fields, Part, Picture, Prose

# Lines shown before a fold, and the most that a page gets at all: an output is not a file viewer.
_FOLD = {"in": 20, "out": 12, "err": 12, "diff": 20}
_MOST_LINES = 500
_MOST_CHARS = 40_000
_WIDTH = 100  # characters in a line of a page, roughly: a longer line wraps
_SLACK = 3  # fewer lines than this are not worth a fold
_PICTURE_BYTES = 2_000_000
_PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}\Z")
_GLYPHS = {"open": "☐", "doing": "▣", "done": "☑"}


def parts_html(parts: Iterable[Part]) -> str:
    """The parts one below the other."""
    return "".join(_part(part) for part in parts)


def prose_html(text: str) -> str:
    """Markdown in a box of its own."""
    html = "".join(markdown_blocks(clean(text[:_MOST_CHARS]), {}))
    return f'<div class="cnb-text">{html}</div>' if html else ""


def size_of(parts: Iterable[Part]) -> int:
    """How many lines of a page the parts take, roughly."""
    texts = [p.text if isinstance(p, Code | Prose) else "" for p in parts]
    return sum(1 + len(line) // _WIDTH for text in texts for line in text.split("\n"))


def _part(part: Part) -> str:
    match part:
        case Code():
            return _code(part)
        case Diff():
            return _folded(list(part.rows), "diff", diff_rows) if part.rows else ""
        case Prose():
            return prose_html(part.text)
        case Fields():
            rows = (
                f'<div><span class="cnb-field">{escape_prose(name)}</span> {escape_prose(value)}</div>'
                for name, value in part.rows
            )
            return f'<div class="cnb-fields">{"".join(rows)}</div>'
        case Checks():
            rows = (f'<li class="cnb-{s}">{_GLYPHS[s]} {escape_prose(text)}</li>' for s, text in part.items)
            return f'<ul class="cnb-checks">{"".join(rows)}</ul>'
        case Picture():
            return _picture(part)


def _code(part: Code) -> str:
    rows = part.text.split("\n")
    if part.role == "in" and part.language == "bash":
        return _folded([f"$ {rows[0]}", *rows[1:]], "in", _plain_rows)
    if not knows(part.language):
        return _folded(rows, part.role, _plain_rows)
    # Colours need a ground they were chosen for.
    return _folded(rows, part.role, lambda some: highlight("\n".join(some), part.language), ground=" cnb-lit")


def _plain_rows(rows: Sequence[str]) -> str:
    return escape("\n".join(rows))


def diff_rows(rows: Sequence[str]) -> str:
    """Signed lines as coloured rows."""
    # Each row is a block for its background and keeps its newline inside, so that it still reads without styles.
    classes = {"+": "add", "-": "del", "@": "hunk"}
    drawn = []
    for row in rows:
        sign = "⋯" if row[:1] == "@" else row[:1]
        drawn.append(f'<span class="cnb-{classes.get(row[:1], "same")}">{sign}{escape(row[1:])}\n</span>')
    return "".join(drawn)


def _folded(rows: list[str], role: str, draw: Callable[[Sequence[str]], str], *, ground: str = "") -> str:
    """The rows in a box; beyond the first ones in a fold, beyond the most a page gets left out, with a word."""
    total, rows = len(rows), _cut(rows)
    left_out = f", {plural(total - len(rows), 'line')} more not shown" if total > len(rows) else ""
    limit = _FOLD[role]
    if len(rows) <= limit + _SLACK:
        more = f'<div class="cnb-label">{left_out.removeprefix(", ")}</div>' if left_out else ""
        return f'<pre class="cnb-{role}{ground}">{draw(rows)}</pre>{more}'
    summary = f"{plural(len(rows) - limit, 'more line')}{left_out}"
    return (
        f'<pre class="cnb-{role}{ground}">{draw(rows[:limit])}</pre>'
        f'<details class="cnb-more"><summary class="cnb-fold">{summary}</summary>'
        f'<pre class="cnb-{role}{ground}">{draw(rows[limit:])}</pre></details>'
    )


def _cut(rows: list[str]) -> list[str]:
    """The first rows, within both limits; a single row beyond them is cut short."""
    kept: list[str] = []
    room = _MOST_CHARS
    for row in rows[:_MOST_LINES]:
        if len(row) > room:
            return kept or [row[:room] + "…"]
        room -= len(row) + 1
        kept.append(row)
    return kept


def _picture(part: Picture) -> str:
    size = len(part.data) * 3 // 4
    if part.mime not in _PICTURES or not _BASE64.match(part.data) or size > _PICTURE_BYTES:
        kind = escape_prose(one_line(visible(part.mime), 40))
        return f'<div class="cnb-label">image ({kind}, {size:,} bytes), not shown</div>'
    return f'<img class="cnb-picture" alt="image from the tool" src="data:{part.mime};base64,{part.data}">'
