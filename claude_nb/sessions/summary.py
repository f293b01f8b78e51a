"""What a session is about, without reading all of it: from a file's two ends, or entry by entry as they are stored.

Above: `catalog` (files), `store` and `from_store` (stores). Below: `model` and `transcript`.
Both ways gather the same facts, a plain dict that a store keeps as it is; `info` turns facts into SDKSessionInfo.
The names of the facts are those of the official SDK, so that a store written by one can be listed by the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .model import Entry, SDKSessionInfo, SessionKey, SessionStoreEntry, SessionSummaryEntry
from .transcript import parse, parse_line

Facts = dict[str, Any]

_LAST_WINS = {
    "customTitle": "custom_title",
    "aiTitle": "ai_title",
    "lastPrompt": "last_prompt",
    "summary": "summary_hint",
    "gitBranch": "git_branch",
}
"""Top-level field of an entry -> fact: the last entry that has it tells."""

_END_SIZE = 65_536
_PROMPT_LENGTH = 200
_COMMAND = re.compile(r"<command-name>(.*?)</command-name>")
_NOT_TYPED = re.compile(
    r"""\s*(?:
        <local-command-(?:stdout|stderr|caveat)> | <session-start-hook> | <task-notification> | <tick> | <goal>
      | \[Request\ interrupted\ by\ user
      | <ide_(?P<ide>opened_file|selection)>.*</ide_(?P=ide)>\s*$
    )""",
    re.VERBOSE | re.DOTALL,
)
"""User entries that no user typed."""


def fold_session_summary(
    prev: SessionSummaryEntry | None, key: SessionKey, entries: Iterable[SessionStoreEntry]
) -> SessionSummaryEntry:
    """The summary after `entries` were appended to the session `key`; `prev` is the one before, None at first.

    For stores, inside `append`; not for keys with a `subpath`. Pure: `prev` stays as it is. `mtime` is carried
    over (0 at first): the store sets it once it has written.
    """
    summary = SessionSummaryEntry(
        session_id=prev["session_id"] if prev else key["session_id"],
        mtime=prev["mtime"] if prev else 0,
        data=dict(prev["data"]) if prev else {},
    )
    for entry in entries:
        _note_start(summary["data"], entry)
        _note_end(summary["data"], entry)
    return summary


def facts_of(entries: Iterable[Mapping[str, Any]]) -> Facts:
    """The facts that `entries`, the whole of a session, tell."""
    facts: Facts = {}
    for entry in entries:
        _note_start(facts, entry)
        _note_end(facts, entry)
    return facts


def facts_of_file(path: Path) -> tuple[Facts, int, int] | None:
    """Facts from the first and last 64 KiB of a transcript, its mtime (ms) and size; None if empty or unreadable."""
    try:
        with path.open("rb") as file:
            head = file.read(_END_SIZE)
            size = file.seek(0, 2)
            file.seek(max(0, size - _END_SIZE))
            tail = file.read(_END_SIZE) if size > _END_SIZE else head
            mtime = path.stat().st_mtime_ns // 1_000_000
    except OSError:
        return None
    if not head:
        return None
    facts: Facts = {}
    for entry in parse(head):
        _note_start(facts, entry)
        if facts.get("first_prompt_locked") and "created_at" in facts and "cwd" in facts:
            break
    for field, fact in _LAST_WINS.items():
        value = _last(tail, field)
        if value is None and tail is not head:
            value = _last(head, field)
        if value is not None:
            facts[fact] = value
    facts["tag"] = _last(tail, "tag", "tag")
    return facts, mtime, size


def info(
    session_id: str, facts: Facts, mtime: int, *, size: int | None = None, cwd: str | None = None
) -> SDKSessionInfo | None:
    """Facts as SDKSessionInfo; None for a sub-agent's transcript and for one that nobody ever wrote in.

    `cwd` stands in where the entries do not name the working folder. Times in milliseconds, `size` in bytes.
    """
    first = facts.get("first_prompt") if facts.get("first_prompt_locked") else facts.get("command_fallback")
    title = facts.get("custom_title") or facts.get("ai_title") or None
    summary = title or facts.get("last_prompt") or facts.get("summary_hint") or first
    if not summary or facts.get("is_sidechain"):
        return None
    return SDKSessionInfo(
        session_id=session_id,
        summary=summary,
        last_modified=mtime,
        file_size=size,
        custom_title=title,
        first_prompt=first or None,
        git_branch=facts.get("git_branch") or None,
        cwd=facts.get("cwd") or cwd,
        tag=facts.get("tag") or None,
        created_at=facts.get("created_at"),
    )


def title_of(facts: Facts) -> str | None:
    """What a copy of the session is named after: its title, else its first prompt."""
    for fact in ("custom_title", "ai_title", "first_prompt", "command_fallback"):
        if title := facts.get(fact):
            return str(title)
    return None


def milliseconds(timestamp: object) -> int | None:
    """An entry's ISO timestamp as milliseconds since the epoch; None if it is none. No zone means UTC."""
    if not isinstance(timestamp, str):
        return None
    try:
        time = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def _note_start(facts: Facts, entry: Mapping[str, Any]) -> None:
    """Facts that the first entry to have them settles."""
    facts.setdefault("is_sidechain", entry.get("isSidechain") is True)
    if "created_at" not in facts and (created := milliseconds(entry.get("timestamp"))) is not None:
        facts["created_at"] = created
    if "cwd" not in facts and isinstance(cwd := entry.get("cwd"), str) and cwd:
        facts["cwd"] = cwd
    if not facts.get("first_prompt_locked"):
        for text in _typed_texts(entry):
            if command := _COMMAND.search(text):
                facts.setdefault("command_fallback", command[1])
            else:
                cut = text[:_PROMPT_LENGTH].rstrip() + "…" if len(text) > _PROMPT_LENGTH else text
                facts.update(first_prompt=cut, first_prompt_locked=True)
                return


def _note_end(facts: Facts, entry: Mapping[str, Any]) -> None:
    """Facts that the last entry to have them settles."""
    for field, fact in _LAST_WINS.items():
        if isinstance(value := entry.get(field), str):
            facts[fact] = value
    if entry.get("type") == "tag":
        facts["tag"] = entry.get("tag") or None


def _typed_texts(entry: Mapping[str, Any]) -> list[str]:
    """The texts of a user entry that a person may have typed, each on one line."""
    message = entry.get("message")
    if entry.get("type") != "user" or not isinstance(message, dict):
        return []
    content = message.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if entry.get("isMeta") or entry.get("isCompactSummary") or not isinstance(blocks, list):
        return []
    blocks = [b for b in blocks if isinstance(b, dict)]
    if any(b.get("type") == "tool_result" for b in blocks):
        return []
    texts = [b["text"] for b in blocks if b.get("type") == "text" and isinstance(b.get("text"), str)]
    lines = (text.replace("\n", " ").strip() for text in texts)
    return [line for line in lines if line and not _NOT_TYPED.match(line)]


def _last(window: bytes, field: str, entry_type: str | None = None) -> str | None:
    """The last top-level `field` in a piece of a transcript, of entries of `entry_type` if given.

    Looks for the bytes first and parses only lines that hold them: most of a transcript is never parsed. The same
    name inside a message or a tool's input does not count.
    """
    name = f'"{field}":'.encode()
    end = len(window)
    while (at := window.rfind(name, 0, end)) >= 0:
        end = at
        value_at = at + len(name)
        if not window[value_at : value_at + 2].lstrip().startswith(b'"'):
            continue  # not a text: most likely a tool's schema, and those lines are long
        end = window.rfind(b"\n", 0, at) + 1
        stop = window.find(b"\n", at)
        entry: Entry | None = parse_line(window[end : stop if stop >= 0 else None])
        if entry and isinstance(value := entry.get(field), str) and entry_type in (None, entry.get("type")):
            return value
    return None
