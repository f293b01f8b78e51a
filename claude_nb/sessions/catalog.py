"""Sessions on this machine's disk: list them, look at one, read what was said in it.

Above: users and the notebook. Below: `paths` finds files, `summary` and `transcript` read them. Nothing here
writes. All calls block on the disk; from async code run them in a thread. Names and call shapes follow the official
Python SDK 0.2.186; `config_dir` (default: `CLAUDE_CONFIG_DIR`, else `~/.claude`) is ours.
Unknown ids and unreadable files give None or an empty list.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .model import SDKSessionInfo, SessionMessage
from .paths import find_transcript, is_session_id, session_folders
from .summary import facts_of_file, info
from .transcript import messages, page, read, subagent_messages


def list_sessions(
    directory: str | Path | None = None,
    limit: int | None = None,
    offset: int = 0,
    include_worktrees: bool = True,
    *,
    config_dir: str | Path | None = None,
) -> list[SDKSessionInfo]:
    """Sessions of a folder (and of its git worktrees) or, without one, of all projects; newest first.

    Reads at most 128 KiB per file, and only the files that the page asked for needs: `limit=20` of a thousand
    sessions reads about twenty.
    """
    found: list[tuple[int, Path, str | None]] = []
    for folder, cwd in session_folders(directory, config_dir, include_worktrees=include_worktrees):
        found += [(mtime, path, cwd) for mtime, path in _transcripts(folder)]
    found.sort(key=lambda item: item[0], reverse=True)
    wanted = max(0, offset) + limit if limit is not None and limit > 0 else len(found)
    infos: dict[str, SDKSessionInfo] = {}
    for _, path, cwd in found:
        if len(infos) >= wanted:
            break
        if path.stem not in infos and (one := _info(path, cwd)) is not None:
            infos[path.stem] = one
    return page(list(infos.values()), limit, offset)


def get_session_info(
    session_id: str, directory: str | Path | None = None, *, config_dir: str | Path | None = None
) -> SDKSessionInfo | None:
    """What is known of one session; None if there is none, or nothing was ever written in it."""
    path = find_transcript(session_id, directory, config_dir)
    return _info(path, os.path.realpath(directory) if directory is not None else None) if path else None


def get_session_messages(
    session_id: str,
    directory: str | Path | None = None,
    limit: int | None = None,
    offset: int = 0,
    *,
    config_dir: str | Path | None = None,
) -> list[SessionMessage]:
    """The conversation of a session as it stands, first to last, tool calls and results included."""
    path = find_transcript(session_id, directory, config_dir)
    return page(messages(read(path)), limit, offset) if path else []


def list_subagents(
    session_id: str, directory: str | Path | None = None, *, config_dir: str | Path | None = None
) -> list[str]:
    """Ids of the sub-agents that worked in a session."""
    path = find_transcript(session_id, directory, config_dir)
    return list(dict.fromkeys(_agent_id(file) for file in subagent_files(path))) if path else []


def get_subagent_messages(
    session_id: str,
    agent_id: str,
    directory: str | Path | None = None,
    limit: int | None = None,
    offset: int = 0,
    *,
    config_dir: str | Path | None = None,
) -> list[SessionMessage]:
    """The conversation of one sub-agent, each message with the ids of the call and the agent that started it."""
    path = find_transcript(session_id, directory, config_dir)
    for file in subagent_files(path) if path else ():
        if _agent_id(file) == agent_id:
            return page(subagent_messages(read(file), agent_metadata(file)), limit, offset)
    return []


def subagent_files(transcript: Path) -> list[Path]:
    """Files of the sub-agents of the session in `transcript`; workflows put theirs in folders of their own."""
    return sorted((transcript.with_suffix("") / "subagents").rglob("agent-*.jsonl"))


def metadata_file(agent_file: Path) -> Path:
    """The file beside a sub-agent's transcript that says who started it."""
    return agent_file.with_suffix(".meta.json")


def agent_metadata(agent_file: Path) -> dict[str, Any] | None:
    """What is in a sub-agent's metadata file; None if it is missing or not a JSON object."""
    try:
        metadata = json.loads(metadata_file(agent_file).read_bytes())
    except (OSError, ValueError):
        return None
    return metadata if isinstance(metadata, dict) else None


def _agent_id(file: Path) -> str:
    return file.stem.removeprefix("agent-")


def _info(path: Path, cwd: str | None) -> SDKSessionInfo | None:
    found = facts_of_file(path)
    if found is None:
        return None
    facts, mtime, size = found
    return info(path.stem, facts, mtime, size=size, cwd=cwd)


def _transcripts(folder: Path) -> Iterator[tuple[int, Path]]:
    """Modification time (ns) and path of every session's file in a folder."""
    try:
        items = list(os.scandir(folder))
    except OSError:
        return
    for item in items:
        if item.name.endswith(".jsonl") and is_session_id(item.name.removesuffix(".jsonl")):
            with suppress(OSError):  # deleted meanwhile
                yield item.stat().st_mtime_ns, folder / item.name
