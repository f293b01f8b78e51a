"""Whether a folder's own Claude settings may load: only after a person has seen them, and only as they were seen.

Layer 5, below `notebook`. A project's `.claude/settings.json` runs hooks unasked and can send requests, the API key
included, elsewhere (measured, protocol page 9); a folder is not trusted because a kernel started in it. What was
trusted is remembered by the hash of its contents, outside the folder; any change asks again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claude_nb.magics import memory

_NAME = "trust"

# What the CLI loads from a folder with the sources `project` and `local`.
FILES = (".claude/settings.json", ".claude/settings.local.json", ".mcp.json", "CLAUDE.md", "CLAUDE.local.md")
FOLDERS = (".claude/agents", ".claude/commands", ".claude/skills", ".claude/output-styles", ".claude/rules")


@dataclass(slots=True)
class FolderSettings:
    """What a folder would bring into a session. `digest` is the hash of all of it; rows are sentences for a person."""

    folder: Path
    digest: str
    rows: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        width = max((len(kind) for kind, _ in self.rows), default=0)
        return "\n".join(f"  {kind:<{width}}  {what}" for kind, what in self.rows)


def read_folder(folder: Path) -> FolderSettings | None:
    """What Claude settings the folder holds, None if it has none."""
    found: dict[str, bytes] = {}
    for name in FILES:
        with contextlib.suppress(OSError):
            found[name] = (folder / name).read_bytes()
    for name in FOLDERS:
        for path in sorted((folder / name).rglob("*")):
            with contextlib.suppress(OSError):
                if path.is_file():
                    found[path.relative_to(folder).as_posix()] = path.read_bytes()
    if not found:
        return None
    digest = hashlib.sha256()
    for name, data in sorted(found.items()):
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    settings = FolderSettings(folder, digest.hexdigest())
    for name, data in found.items():
        settings.rows.extend(_rows(name, data))
    return settings


def _rows(name: str, data: bytes) -> list[tuple[str, str]]:
    if not name.endswith(".json"):
        return [("instructions" if name.endswith(".md") else "file", f"{name} ({len(data):,} bytes)")]
    try:
        content = json.loads(data)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return [("unreadable", f"{name} is not a JSON object")]
    rows: list[tuple[str, str]] = []
    for event, matchers in _items(content.get("hooks")):
        rows += [("hook", f"{event} runs: {command}") for command in _commands(matchers)]
    rows += [("environment", f"{key}={value}") for key, value in _items(content.get("env"))]
    rows += [("MCP server", f"{key}: {_server(value)}") for key, value in _items(content.get("mcpServers"))]
    for behavior, listed in _items(content.get("permissions")):
        what = ", ".join(map(str, listed)) if isinstance(listed, list) else str(listed)
        rows.append(("permission", f"{behavior}: {what}"))
    known = {"hooks", "env", "mcpServers", "permissions", "$schema"}
    rows += [("setting", f"{key} = {json.dumps(value)[:200]}") for key, value in content.items() if key not in known]
    return rows


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _commands(matchers: Any) -> list[str]:
    hooks = [hook for m in (matchers if isinstance(matchers, list) else []) if isinstance(m, dict)
             for hook in (m.get("hooks") or []) if isinstance(hook, dict)]  # fmt: skip
    return [str(hook.get("command") or hook.get("url") or hook.get("prompt") or hook) for hook in hooks]


def _server(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return str(value.get("url") or " ".join(map(str, [value.get("command", ""), *(value.get("args") or [])])))


# -- what was trusted ------------------------------------------------------------------------------------------


def is_trusted(settings: FolderSettings) -> bool:
    """Whether exactly these settings of this folder were trusted."""
    return memory.recall(_NAME).get(os.path.realpath(settings.folder)) == settings.digest


def was_trusted(settings: FolderSettings) -> bool:
    """Whether this folder was trusted with other settings than it has now."""
    return memory.recall(_NAME).get(os.path.realpath(settings.folder)) not in (None, settings.digest)


def remember(settings: FolderSettings) -> None:
    """Trust these settings from now on. Written whole or not at all."""
    memory.keep(_NAME, {**memory.recall(_NAME), os.path.realpath(settings.folder): settings.digest})


def forget(folder: Path) -> None:
    """Trust this folder's settings no longer."""
    known = memory.recall(_NAME)
    if known.pop(os.path.realpath(folder), None) is not None:
        memory.keep(_NAME, known)
