"""A transcript as the CLI writes it: lines to entries, entries to the conversation they hold. Pure but for `read`.

Above: `catalog` and `from_store`. Below: `model`.
The file is a tree: every entry names its parent, a rewind or a resume further up starts a new branch at the end of
the file. Parallel tool calls branch as well: the CLI writes one assistant entry per content block, each the child
of the one before, and each tool result as the child of its own call; a walk from the last entry to the root
therefore misses calls and results of the same answer, which `chain` puts back (CLI 2.1.329).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from .model import Entry, SessionMessage

LINKED = frozenset({"user", "assistant", "system", "attachment", "progress"})
"""Types of the entries that form the tree; all others are notes beside it (titles, tags, costs, queue)."""

_MESSAGES = frozenset({"user", "assistant"})


def parse(data: bytes) -> Iterator[Entry]:
    """Entries of a piece of a transcript. Lines that are not JSON objects (half-written, cut off) are left out.

    Lines end at LF alone: the CLI leaves U+2028 and its like unescaped inside strings.
    """
    for line in data.split(b"\n"):
        if (entry := parse_line(line)) is not None:
            yield entry


def parse_line(line: bytes) -> Entry | None:
    """The entry in a line, None if there is none."""
    if not line or line.isspace():
        return None
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def read(path: Path) -> list[Entry]:
    """All entries of a transcript file; empty if it cannot be read."""
    try:
        return list(parse(path.read_bytes()))
    except OSError:
        return []


def dump(entry: Entry) -> bytes:
    """An entry as a line of a transcript, LF included. `type` comes first: the CLI's own lines begin so."""
    ordered = {"type": entry["type"], **entry} if "type" in entry else entry
    # A lone surrogate (half an emoji, cut by some tool) has no UTF-8; escaped it survives.
    try:
        text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False)
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(ordered, separators=(",", ":")).encode() + b"\n"


def is_main(entry: Entry) -> bool:
    """Whether an entry belongs to the conversation a person had: no sub-agent's, team mate's or hidden entry."""
    return not (entry.get("isSidechain") or entry.get("teamName") or entry.get("isMeta"))


def chain(entries: Iterable[Entry], wanted: Callable[[Entry], bool] = is_main) -> list[Entry]:
    """The current branch, first to last: from the last `wanted` message up to the root, parallel calls put back.

    After a compaction it starts at the summary: what came before is linked as `logicalParentUuid` only.
    """
    nodes = {e["uuid"]: e for e in entries if e.get("type") in LINKED and isinstance(e.get("uuid"), str)}
    leaf = next((e for e in reversed(nodes.values()) if e["type"] in _MESSAGES and wanted(e)), None)
    branch: dict[str, Entry] = {}
    while leaf is not None and leaf["uuid"] not in branch:
        branch[leaf["uuid"]] = leaf
        leaf = nodes.get(leaf.get("parentUuid") or "")
    return _with_parallel_calls(list(reversed(branch.values())), nodes)


def _with_parallel_calls(branch: list[Entry], nodes: dict[str, Entry]) -> list[Entry]:
    """`branch` with the tool calls and results of its own answers that lie beside it, right after each answer."""
    last_of = {answer: e["uuid"] for e in branch if (answer := _answer_id(e))}
    on_branch = {e["uuid"] for e in branch}
    answered = {call for e in branch for call in _block_ids(e, "tool_result", "tool_use_id")}
    answer_of: dict[str, str] = {}  # of an assistant entry's uuid and of a tool call's id
    calls: dict[str, list[Entry]] = {}
    results: dict[str, list[Entry]] = {}
    for entry in nodes.values():
        if answer := _answer_id(entry):
            if answer not in last_of:
                continue
            answer_of[entry["uuid"]] = answer
            answer_of.update(dict.fromkeys(_block_ids(entry, "tool_use", "id"), answer))
            if entry["uuid"] not in on_branch:
                calls.setdefault(answer, []).append(entry)
    for entry in nodes.values():
        ids = _block_ids(entry, "tool_result", "tool_use_id")
        if entry["uuid"] in on_branch or not set(ids) - answered:
            continue
        home = next((answer_of[k] for k in (entry.get("parentUuid"), *ids) if k in answer_of), None)
        if home is not None:
            answered.update(ids)
            results.setdefault(home, []).append(entry)
    if not calls and not results:
        return branch
    whole: list[Entry] = []
    for entry in branch:
        whole.append(entry)
        answer = _answer_id(entry)
        if answer and last_of[answer] == entry["uuid"]:
            for beside in (calls, results):
                whole += sorted(beside.get(answer, ()), key=lambda e: str(e.get("timestamp", "")))
    return whole


def _answer_id(entry: Entry) -> str | None:
    """Id of the model's answer that an assistant entry is one block of."""
    message = entry.get("message")
    if entry.get("type") != "assistant" or not isinstance(message, dict):
        return None
    answer = message.get("id")
    return answer if isinstance(answer, str) and answer else None


def _block_ids(entry: Entry, block_type: str, field: str) -> list[str]:
    message = entry.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list):
        return []
    blocks = (b for b in content if isinstance(b, dict) and b.get("type") == block_type)
    return [b[field] for b in blocks if isinstance(b.get(field), str)]


def messages(entries: Iterable[Entry]) -> list[SessionMessage]:
    """The conversation a person had, first to last; a compaction's summary stands for what it replaced."""
    return [_message(e) for e in chain(entries) if e["type"] in _MESSAGES and is_main(e)]


def subagent_messages(entries: Iterable[Entry], metadata: dict[str, Any] | None) -> list[SessionMessage]:
    """A sub-agent's conversation. `metadata` is what its `.meta.json` (in a store: `agent_metadata`) says."""
    parents = [
        value if isinstance(value := (metadata or {}).get(name), str) else None
        for name in ("toolUseId", "parentAgentId")
    ]
    return [_message(e, *parents) for e in chain(entries, lambda _: True) if e["type"] in _MESSAGES]


def _message(entry: Entry, tool_use_id: str | None = None, agent_id: str | None = None) -> SessionMessage:
    return SessionMessage(
        entry["type"], entry["uuid"], entry.get("sessionId", ""), entry.get("message"), tool_use_id, agent_id
    )


def page(items: list[Any], limit: int | None, offset: int) -> list[Any]:
    """`limit` items from `offset` on; no or a non-positive limit means all, a negative offset none skipped."""
    start = max(0, offset)
    return items[start : start + limit] if limit is not None and limit > 0 else items[start:]
