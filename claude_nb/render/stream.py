"""Markdown in pieces -> the source of each top-level block, as soon as it can no longer change.

Above: `markdown` (HTML of a stream) and `terminal`. Below: `flavour` for where blocks start.

CommonMark decides about blocks line by line and never reopens one that it has closed. So of the open text all blocks
but the last are finished, and the last one is when its own kind says so: a heading by its line, a paragraph by a
blank line, a fence by its closing mark. Looking costs a parse of the open text; it is done only at lines where a block
may start or end, and never more often than what was fed pays for, so that the whole stays linear.
"""

from __future__ import annotations

import re
from typing import Literal

from .flavour import block_starts
from .text import clean

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
# Lines at which an open block may have ended: those that can start a block at the top level.
_STARTS_BLOCK = re.compile(r" {0,3}(?:#{1,6}(?:\s|$)|```|~~~|>|[-+*](?:\s|$)|\d{1,9}[.)](?:\s|$)|\$\$|\\\[|[-*_])")
_BLANKS = " \t\n"  # what Markdown means by a blank line; a no-break space is none
# A failed look for finished blocks costs the length of the open text; what is fed pays for it, this much a character.
_CREDIT = 6
# Blocks that a blank line closes, and those that their own line closes.
_CLOSED_BY_BLANK = {"paragraph_open", "table_open", "blockquote_open", "maths_block"}
_CLOSED_AT_ONCE = {"heading_open", "hr"}


class BlockStream:
    """Text in, finished blocks of Markdown source out, in order; together they are the text, cleaned."""

    def __init__(self) -> None:
        self._lines: list[str] = []  # complete lines of the open blocks, each with its newline
        self._partial = ""  # the line being written
        self._fence: re.Pattern[str] | None = None  # what closes the fence the open text starts with
        self._credit = 0

    @property
    def tail(self) -> str:
        """The open text: what no finished block holds yet."""
        return "".join(self._lines) + self._partial

    @property
    def tail_kind(self) -> Literal["fence", "text"]:
        """`fence` while the open text is a code block that still grows."""
        return "fence" if self._fence or (not self._lines and _FENCE.match(self._partial)) else "text"

    def feed(self, text: str) -> list[str]:
        """Take more text; the blocks that are finished now (often none)."""
        self._credit += _CREDIT * len(text)
        self._partial += text
        if "\n" not in text and "\r" not in text:
            return []
        # A carriage return may be half of a line end: it stays until the next character is known.
        held = "\r" if self._partial.endswith("\r") else ""
        source = self._partial[: len(self._partial) - len(held)].replace("\r\n", "\n").replace("\r", "\n")
        *lines, rest = source.split("\n")
        self._partial = rest + held
        finished: list[str] = []
        for line in lines:
            finished += self._line(clean(line) + "\n")
        return finished

    def close(self) -> list[str]:
        """The end of the text: all that was still open."""
        source, self._lines, self._partial, self._fence = clean(self.tail), [], "", None
        return [source] if source.strip(_BLANKS) else []

    def _line(self, line: str) -> list[str]:
        after_blank = bool(self._lines) and not self._lines[-1].strip(_BLANKS)
        self._lines.append(line)
        if self._fence:
            return self._cut(len(self._lines)) if self._fence.match(line) else []
        blank = not line.strip(_BLANKS)
        if len(self._lines) == 1 or not (after_blank or blank or _STARTS_BLOCK.match(line)):
            return self._first(line) if len(self._lines) == 1 else []
        if (after_blank and (blank or line[0] in " \t")) or self._credit < 0:
            return []  # inside a list or an indented block; or the open text has been looked through too often
        return self._look_for_end(blank)

    def _first(self, line: str) -> list[str]:
        """The first line of the open text: blank, a heading, a fence, or the start of something longer."""
        if not line.strip(_BLANKS):
            self._lines.clear()
            return []
        self._note_fence()
        return [] if self._fence else self._look_for_end(blank=False)

    def _look_for_end(self, blank: bool) -> list[str]:
        source = "".join(self._lines)
        self._credit -= len(source)
        starts = block_starts(source)
        if not starts:  # only link definitions, or nothing
            return self._cut(len(self._lines)) if blank else []
        first, _, token = starts[-1]
        closed = token.type in _CLOSED_AT_ONCE or (blank and token.type in _CLOSED_BY_BLANK)
        return self._cut(len(self._lines) if closed else first)

    def _cut(self, count: int) -> list[str]:
        """Render the first `count` lines; the rest stays open."""
        if not count:
            return []
        source = "".join(self._lines[:count])
        del self._lines[:count]
        self._fence = None
        self._note_fence()
        return [source]

    def _note_fence(self) -> None:
        if self._lines and (match := _FENCE.match(self._lines[0])):
            mark = match[1]
            self._fence = re.compile(rf" {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
