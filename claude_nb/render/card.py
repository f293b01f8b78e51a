"""The body of a question: what a person decides on, shown whole.

Above: `widgets.card` (the page), `magics` (typed answers). Below: `view`'s parts, `pieces`, `flavour`. Where a tool's
own view folds and cuts, this one does neither: what is not seen cannot be agreed to. Only beyond `MOST` characters is
something left out, and then the card knows and says so.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from typing import Any

from .diff import Diff
from .flavour import blocks as markdown_blocks
from .pieces import diff_rows
from .plain import lines_of
from .sanitize import sanitize
from .text import clean, escape, escape_prose, visible
from .view import Code, Fields, Part, Prose

MOST = 200_000
"""Characters of one part that a page is given."""
_WEB = re.compile(r"https?://[^\s<>\"']+\Z", re.IGNORECASE)
_HIDDEN = "Lines of which the formatting hides a part, as they were written:"
# One letter alone may be a mark of Markdown: the x of a task that is done.
_WORD = re.compile(r"[^\W\d_]{2,}")
_TAG = re.compile(r"<[^>]*>")
_FENCE = re.compile(r"^[ >]*(?:`{3,}|~{3,})[ ]*[\w+-]*[ ]*$", re.MULTILINE)


@dataclass(slots=True, frozen=True)
class Link:
    """An address to be opened by a click; one that is not http(s) is shown as text."""

    url: str


Body = tuple[Part | Link, ...]


def shown(text: str) -> str:
    """One line of text for a person to decide on: hidden characters visible, no line ends."""
    return " ".join(visible(text).split())


def hidden_lines(source: str, html: str) -> list[str]:
    """The lines of Markdown with words that its HTML does not show: link definitions, addresses behind a text."""
    missing = Counter(_words(unescape(_FENCE.sub("", source)))) - Counter(_words(unescape(_TAG.sub(" ", html))))
    return [line for line in source.split("\n") if any(word in missing for word in _words(unescape(line)))]


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def json_part(value: Any) -> Code:
    """Any value, as indented JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return Code(visible(text), "json", "in")


def body_html(body: Body) -> str:
    """The parts one below the other, as sanitised HTML of the live look."""
    return sanitize("".join(map(_part, body)))


def body_lines(body: Body) -> list[str]:
    """The parts as lines of text without control characters."""
    lines: list[str] = []
    for part in body:
        lines += [visible(part.url)] if isinstance(part, Link) else lines_of(part)
    return lines


def is_whole(body: Body) -> bool:
    """Whether `body_html` leaves nothing out."""
    return all(_size(part) <= MOST for part in body)


def _size(part: Part | Link) -> int:
    match part:
        case Code() | Prose():
            return len(part.text)
        case Diff():
            return sum(len(row) + 1 for row in part.rows)
        case Fields():
            return sum(len(name) + len(value) for name, value in part.rows)
        case _:
            return 0


def _part(part: Part | Link) -> str:
    match part:
        case Code():
            prompt = "$ " if part.language == "bash" else ""
            return f'<pre class="cnb-in cnb-whole">{escape(prompt + _fit(part.text))}</pre>'
        case Diff():
            return f'<pre class="cnb-diff cnb-whole">{diff_rows(_fitting(part.rows))}</pre>' if part.rows else ""
        case Prose():
            source = clean(_fit(part.text))
            html = f'<div class="cnb-text cnb-whole">{"".join(markdown_blocks(source, {}))}</div>'
            hidden = "\n".join(hidden_lines(source, html))
            note = f'<div class="cnb-label">{_HIDDEN}</div><pre class="cnb-in cnb-whole">{escape(hidden)}</pre>'
            return html + note if hidden else html
        case Fields():
            rows = (
                f'<div><span class="cnb-field">{escape_prose(name)}</span> {escape_prose(_fit(value))}</div>'
                for name, value in part.rows
            )
            return f'<div class="cnb-fields">{"".join(rows)}</div>'
        case Link():
            text = escape(visible(part.url))
            safe = _WEB.match(part.url)
            return f'<div><a class="cnb-a" href="{escape(part.url)}">{text}</a></div>' if safe else f"<div>{text}</div>"
        case _:
            return ""


def _fit(text: str) -> str:
    """The text; of one that is too long both ends, and how much is missing between them."""
    if len(text) <= MOST:
        return text
    half = MOST // 2
    return f"{text[:half]}\n⟨{len(text) - 2 * half:,} characters not shown⟩\n{text[-half:]}"


def _fitting(rows: Iterable[str]) -> list[str]:
    kept: list[str] = []
    room = MOST
    for row in rows:
        if len(row) >= room:
            return [*kept, row[:room], "@ the rest is not shown"]
        kept.append(row)
        room -= len(row) + 1
    return kept
