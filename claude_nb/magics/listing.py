"""A folder's Claude settings as lines for a person, who is about to let them load.

Pure. Layer 5, below `trust`. What acts is shown whole: every hook, server, rule and setting as the JSON it is, the
frontmatter of agents, skills and commands, and their text where it names a command to run. Plain instructions are
folded to their first lines, and what is left out is counted. One line each: line ends and hidden characters are
written as escapes, so that no text can pose as another row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from claude_nb.render.text import plural, visible

Row = tuple[str, str]

_HEAD = 5
_LONG = 300
_KINDS = {"hooks": "hook", "env": "environment", "mcpServers": "MCP server", "permissions": "permission"}
# What a command or skill runs when it is used: !`command`, or a fence that begins with ```!
_RUNS = ("!`", "```!")


def describe(path: Path, data: bytes) -> str:
    """The file's name and size, and below it what it would do."""
    rows = list(_rows(path, data))
    width = max((len(kind) for kind, _ in rows), default=0)
    lines = [f"{_line(str(path))} ({plural(len(data), 'byte')})"]
    return "\n".join([*lines, *(f"  {kind:<{width}}  {_line(what)}".rstrip() for kind, what in rows)])


def parse(data: bytes) -> dict[str, Any] | None:
    """The JSON object that a settings file holds, None if it holds none."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _line(text: str) -> str:
    return visible(text.replace("\r", "\\r")).replace("\n", "\\n").replace("\t", "\\t")


def _rows(path: Path, data: bytes) -> Iterator[Row]:
    # Other files are only taken in by those, or run by a hook that is shown.
    if path.suffix.lower() == ".json" and (path.name == ".mcp.json" or ".claude" in path.parts):
        return _json_rows(data)
    if path.suffix.lower() == ".md":
        return _text_rows(data.decode("utf-8-sig", "replace").replace("\r\n", "\n"))
    return iter(())


def _json_rows(data: bytes) -> Iterator[Row]:
    content = parse(data)
    if content is None:
        yield "unreadable", "not a JSON object; its text is:"
        yield from (("", line) for line in data.decode(errors="replace").split("\n"))
        return
    for key, value in content.items():
        kind = _KINDS.get(key)
        if kind is None or not isinstance(value, dict):
            yield "setting", f"{_json(key)}: {_json(value)}"
            continue
        for name, part in value.items():
            # Hooks and rules come in lists: one row for each.
            for each in part if isinstance(part, list) else [part]:
                yield kind, f"{name}: {_json(each)}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text_rows(text: str) -> Iterator[Row]:
    front, body = _split(text)
    yield from (("frontmatter", line) for line in front)
    written = [line for line in body if line.strip()]
    if any(mark in text for mark in _RUNS):
        yield from (("text", line) for line in written)
        return
    for line in written[:_HEAD]:
        cut = len(line) - _LONG
        yield "text", f"{line[:_LONG]} ⟨{cut:,} more characters of plain text⟩" if cut > 0 else line
    if len(written) > _HEAD:
        yield "", f"⟨{plural(len(written) - _HEAD, 'more line')} of plain text⟩"


def _split(text: str) -> tuple[list[str], list[str]]:
    """Lines of the frontmatter and of the rest. One that does not end is all there is."""
    lines = text.lstrip().split("\n")
    if not lines[0].startswith("---"):
        return [], lines
    end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), len(lines))
    return lines[:end], lines[end + 1 :]
