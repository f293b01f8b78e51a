"""Sessions in a store: the twins of `catalog` and `change`, with the store as first argument.

Above: users and the notebook. Below: `store`, `summary`, `transcript` and `fork`. Names and call shapes follow the
official Python SDK 0.2.186. `directory` (default: the current one) only makes the project key; other errors than
those named are the store's own.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import cast
from uuid import uuid4

import anyio

from claude_nb.errors import SessionNotFoundError

from .change import tag_entry, title_entry
from .fork import fork_entries, timestamp
from .model import (
    Entry,
    ForkSessionResult,
    SDKSessionInfo,
    SessionMessage,
    SessionStoreEntry,
    SessionStoreListEntry,
    SessionSummaryEntry,
)
from .paths import check_session_id, is_session_id, project_key_for_directory
from .store import SessionStore, implements, session_key
from .summary import facts_of, info, milliseconds
from .transcript import messages, page, subagent_messages

_LOADS_AT_ONCE = 16

Directory = str | Path | None


async def list_sessions_from_store(
    session_store: SessionStore, directory: Directory = None, limit: int | None = None, offset: int = 0
) -> list[SDKSessionInfo]:
    """The sessions of a project in a store, newest first.

    Uses the store's summaries where it has them and they are as new as the session; other sessions are loaded, at
    most 16 at once, and only until the page asked for is full. One that fails to load is listed with an empty
    summary. Raises ValueError if the store can neither list sessions nor summaries.
    """
    project = project_key_for_directory(directory)
    summaries: dict[str, SessionSummaryEntry] = {}
    if implements(session_store, "list_session_summaries"):
        summaries = {s["session_id"]: s for s in await session_store.list_session_summaries(project)}
    elif not implements(session_store, "list_sessions"):
        raise ValueError("This session store has neither list_sessions() nor list_session_summaries()")
    if implements(session_store, "list_sessions"):
        listed = list(await session_store.list_sessions(project))
    else:
        listed = [SessionStoreListEntry(session_id=id, mtime=s["mtime"]) for id, s in summaries.items()]
    listed.sort(key=lambda session: session["mtime"], reverse=True)

    wanted = max(0, offset) + limit if limit is not None and limit > 0 else len(listed)
    infos: list[SDKSessionInfo] = []
    while listed and len(infos) < wanted:
        size = max(_LOADS_AT_ONCE, wanted - len(infos))
        some, listed = listed[:size], listed[size:]
        infos += await _infos(session_store, project, some, summaries, _real(directory))
    return page(infos, limit, offset)


async def _infos(
    store: SessionStore,
    project: str,
    listed: list[SessionStoreListEntry],
    summaries: dict[str, SessionSummaryEntry],
    cwd: str,
) -> list[SDKSessionInfo]:
    """What is known of the `listed` sessions, in their order, without those that have nothing to show."""
    infos: list[SDKSessionInfo | None] = [None] * len(listed)
    limiter = anyio.CapacityLimiter(_LOADS_AT_ONCE)

    async def load(index: int, session_id: str, mtime: int) -> None:
        async with limiter:
            try:
                entries = await store.load(session_key(project, session_id))
            except Exception:  # a store is anybody's code; one bad session does not hide the others
                infos[index] = SDKSessionInfo(session_id, "", mtime)
                return
        infos[index] = info(session_id, facts_of(entries or ()), mtime, cwd=cwd)

    async with anyio.create_task_group() as group:
        for index, session in enumerate(listed):
            session_id, mtime = session["session_id"], session["mtime"]
            summary = summaries.get(session_id)
            if summary is not None and summary["mtime"] >= mtime:
                infos[index] = info(session_id, summary["data"], mtime, cwd=cwd)
            else:
                group.start_soon(load, index, session_id, mtime)
    return [one for one in infos if one is not None]


async def get_session_info_from_store(
    session_store: SessionStore, session_id: str, directory: Directory = None
) -> SDKSessionInfo | None:
    """What is known of one session in a store; `last_modified` is the time of its last entry."""
    entries = await _load(session_store, session_id, directory)
    if not entries:
        return None
    times = (milliseconds(entry.get("timestamp")) for entry in reversed(entries))
    mtime = next((t for t in times if t is not None), time.time_ns() // 1_000_000)
    return info(session_id, facts_of(entries), mtime, cwd=_real(directory))


async def get_session_messages_from_store(
    session_store: SessionStore,
    session_id: str,
    directory: Directory = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[SessionMessage]:
    """The conversation of a session in a store as it stands; empty if there is none."""
    return page(messages(await _load(session_store, session_id, directory)), limit, offset)


async def list_subagents_from_store(
    session_store: SessionStore, session_id: str, directory: Directory = None
) -> list[str]:
    """Ids of the sub-agents of a session in a store. Raises ValueError if the store cannot list subkeys."""
    if not is_session_id(session_id):
        return []
    if not implements(session_store, "list_subkeys"):
        raise ValueError("This session store has no list_subkeys(), so its sub-agents cannot be listed")
    return list(await _subagents(session_store, project_key_for_directory(directory), session_id))


async def get_subagent_messages_from_store(
    session_store: SessionStore,
    session_id: str,
    agent_id: str,
    directory: Directory = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[SessionMessage]:
    """The conversation of one sub-agent in a store; empty if there is none."""
    if not is_session_id(session_id) or not agent_id:
        return []
    project = project_key_for_directory(directory)
    subpath: str | None = f"subagents/agent-{agent_id}"
    if implements(session_store, "list_subkeys"):
        subpath = (await _subagents(session_store, project, session_id)).get(agent_id)
    if subpath is None:
        return []
    loaded = await session_store.load(session_key(project, session_id, subpath))
    metadata, entries = split_metadata(cast(list[Entry], loaded or []))
    return page(subagent_messages(entries, metadata), limit, offset)


async def rename_session_via_store(
    session_store: SessionStore, session_id: str, title: str, directory: Directory = None
) -> None:
    """Give a session in a store a title. Raises ValueError for a bad id or an empty title."""
    await _append(session_store, session_id, title_entry(session_id, title), directory)


async def tag_session_via_store(
    session_store: SessionStore, session_id: str, tag: str | None, directory: Directory = None
) -> None:
    """Put a tag on a session in a store; None takes it off. Raises ValueError for a bad id or an empty tag."""
    await _append(session_store, session_id, tag_entry(session_id, tag), directory)


async def delete_session_via_store(session_store: SessionStore, session_id: str, directory: Directory = None) -> None:
    """Remove a session from a store; nothing happens if the store cannot delete. Raises ValueError for a bad id."""
    check_session_id(session_id)
    if implements(session_store, "delete"):
        await session_store.delete(session_key(project_key_for_directory(directory), session_id))


async def fork_session_via_store(
    session_store: SessionStore,
    session_id: str,
    directory: Directory = None,
    up_to_message_id: str | None = None,
    title: str | None = None,
) -> ForkSessionResult:
    """Copy a session in a store into a new one there, up to a message if one is named.

    File checkpoints do not come along: their contents are on the disk of the machine that made them. Raises
    ValueError for a bad id, no such message or nothing to copy, SessionNotFoundError if there is no such session.
    """
    check_session_id(session_id)
    if up_to_message_id is not None:
        check_session_id(up_to_message_id, "up_to_message_id")
    entries = await _load(session_store, session_id, directory)
    if not entries:
        raise SessionNotFoundError(f"No session {session_id} in the store for this folder")
    fork = fork_entries(entries, session_id, up_to=up_to_message_id, title=title)
    key = session_key(project_key_for_directory(directory), fork.session_id)
    await session_store.append(key, cast(list[SessionStoreEntry], fork.entries))
    return ForkSessionResult(fork.session_id, fork.uuids)


def split_metadata(entries: list[Entry]) -> tuple[Entry | None, list[Entry]]:
    """The last `agent_metadata` of a sub-agent's entries (without its `type`), and the transcript without them."""
    notes = [e for e in entries if e.get("type") == "agent_metadata"]
    metadata = {k: v for k, v in notes[-1].items() if k != "type"} if notes else None
    return metadata, [e for e in entries if e.get("type") != "agent_metadata"]


async def _load(store: SessionStore, session_id: str, directory: Directory) -> list[Entry]:
    if not is_session_id(session_id):
        return []
    return cast(list[Entry], await store.load(session_key(project_key_for_directory(directory), session_id)) or [])


async def _append(store: SessionStore, session_id: str, entry: Entry, directory: Directory) -> None:
    key = session_key(project_key_for_directory(directory), session_id)
    dated = {**entry, "uuid": str(uuid4()), "timestamp": timestamp()}
    await store.append(key, [cast(SessionStoreEntry, dated)])


async def _subagents(store: SessionStore, project: str, session_id: str) -> dict[str, str]:
    """Id -> subpath of a session's sub-agents."""
    found: dict[str, str] = {}
    for subpath in await store.list_subkeys({"project_key": project, "session_id": session_id}):
        name = subpath.rsplit("/", 1)[-1]
        if subpath.startswith("subagents/") and name.startswith("agent-"):
            found.setdefault(name.removeprefix("agent-"), subpath)
    return found


def _real(directory: Directory) -> str:
    return os.path.realpath(directory or os.curdir)
