"""What an edit changes, as lines with signs.

Above: `view`. Below: difflib, `text`. Lines carry their sign (`+`, `-`, a blank, or `@` for a jump) as first character.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from .text import empty_lines, visible

# difflib is quadratic on hostile input: beyond this many lines an edit is shown as all out, all in.
_LIMIT = 3000


@dataclass(slots=True, frozen=True)
class Diff:
    """Rows of a unified diff, and how many lines it adds and removes."""

    rows: tuple[str, ...]
    added: int = 0
    removed: int = 0


# This many empty lines in a row become their number: they could push what follows out of sight.
_EMPTY = 4


def _diff(rows: Iterable[str]) -> Diff:
    shown: list[str] = []
    added = removed = 0
    for (sign, empty), run in groupby(rows, key=lambda row: (row[:1], not row[1:].strip())):
        lines = [sign + visible(row[1:]) for row in run]
        added += len(lines) if sign == "+" else 0
        removed += len(lines) if sign == "-" else 0
        # A row with only a sign that is no line of the text stays as it is: a jump.
        shown += [sign + empty_lines(len(lines))] if empty and sign != "@" and len(lines) >= _EMPTY else lines
    return Diff(tuple(shown), added, removed)


def patch_diff(detail: dict[str, Any]) -> Diff | None:
    """The diff in the CLI's structured result (`structuredPatch`: hunks with oldStart, newStart and signed lines)."""
    rows: list[str] = []
    hunks = detail.get("structuredPatch")
    for hunk in hunks if isinstance(hunks, list) else []:
        if not isinstance(hunk, dict) or not isinstance(hunk.get("lines"), list):
            return None
        rows.append(f"@ line {hunk.get('newStart', '?')}")
        rows += [str(line) for line in hunk["lines"] if str(line)[:1] in ("+", "-", " ")]
    return _diff(rows) if rows else None


def edits_diff(edits: Sequence[dict[str, Any]]) -> Diff:
    """The diff of replacements (`old_string`, `new_string`), each on its own: where they stand is not known."""
    rows: list[str] = []
    for number, edit in enumerate(edits):
        old, new = (_split(edit.get(key)) for key in ("old_string", "new_string"))
        if number and (old or new):
            rows.append("@")
        rows += _compare(old, new)
        if edit.get("replace_all") is True:
            rows.append("@ wherever it occurs")
    return _diff(rows)


def write_diff(text: str, *, removed: bool = False) -> Diff:
    """A whole text as added (or removed) lines."""
    return _diff(("-" if removed else "+") + line for line in _split(text))


def file_diff(before: str, after: str) -> Diff:
    """What becomes of a whole text; jumps name the line of the new one."""
    old, new = (text.split("\n") for text in (before, after))
    if len(old) + len(new) > _LIMIT:
        rows = _around_the_middle(old, new)
    else:
        rows = list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]
    return _diff(re.sub(r"^@@ .*\+(\d+).*", r"@ line \1", row) for row in rows)


def _around_the_middle(old: list[str], new: list[str]) -> list[str]:
    """The diff of long texts: what they begin and end with alike is left out, all between is out and in."""
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    most = min(len(old), len(new)) - start
    tails = zip(reversed(old), reversed(new), strict=False)
    end = next((i for i, (a, b) in enumerate(tails) if a != b or i == most), most)
    out, into = (lines[start : len(lines) - end] for lines in (old, new))
    if len(out) + len(into) <= _LIMIT:
        between = list(difflib.unified_diff(out, into, lineterm="", n=3))[2:]
        return [
            re.sub(r"\+(\d+)", lambda m: f"+{int(m[1]) + start}", row) if row[:2] == "@@" else row for row in between
        ]
    return [f"@ line {start + 1}", *("-" + line for line in out), *("+" + line for line in into)]


def _split(text: Any) -> list[str]:
    return text.removesuffix("\n").split("\n") if isinstance(text, str) and text else []


def _compare(old: list[str], new: list[str]) -> list[str]:
    if len(old) + len(new) > _LIMIT:
        return ["-" + line for line in old] + ["+" + line for line in new]
    rows = difflib.unified_diff(old, new, lineterm="", n=3)
    # The first two rows are file names; hunk headers hold line numbers of the fragment, which mean nothing.
    return ["@" if row.startswith("@@") else row for row in list(rows)[3:]]
