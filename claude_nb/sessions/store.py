"""Transcripts kept elsewhere than on this disk: what a store must do, and one in memory.

Above: `mirror` writes to a store, `resume` and `from_store` read from one, `remote` is one over fsspec, users write
their own. Below: `model` and `summary`. Names and call shapes follow the official Python SDK 0.2.186, so a store
written for it works here.
"""

from __future__ import annotations

import copy
import time
from typing import Protocol

from .model import (
    SessionKey,
    SessionListSubkeysKey,
    SessionStoreEntry,
    SessionStoreListEntry,
    SessionSummaryEntry,
)
from .summary import fold_session_summary

OPTIONAL_METHODS = frozenset({"list_sessions", "list_session_summaries", "delete", "list_subkeys"})


class SessionStore(Protocol):
    """Keeps copies of transcripts: the CLI goes on writing its own, entries are mirrored here, sessions resume here.

    `append` and `load` are all a store needs. The rest may be missing, or stay as inherited, and is then left
    alone. Nothing is ever deleted from a store but by `delete_session_via_store`. Any exception may be raised: it is
    reported, and the session goes on.
    """

    async def append(self, key: SessionKey, entries: list[SessionStoreEntry]) -> None:
        """Keep `entries` after those that are there, in this order.

        May be called again with the same entries after a failure: one that has a `uuid` is kept once.
        """
        ...

    async def load(self, key: SessionKey) -> list[SessionStoreEntry] | None:
        """All entries under `key`, equal to what was appended; None if there never were any."""
        ...

    async def list_sessions(self, project_key: str) -> list[SessionStoreListEntry]:
        """The sessions of a project with the time of their last write, in any order."""
        raise NotImplementedError

    async def list_session_summaries(self, project_key: str) -> list[SessionSummaryEntry]:
        """The summaries of a project's sessions, folded in `append` by `fold_session_summary`.

        Sub-agents' entries are not folded in. Two appends to one session must not fold at the same time.
        """
        raise NotImplementedError

    async def delete(self, key: SessionKey) -> None:
        """Remove a session with all its sub-agents' transcripts or, for a key with a `subpath`, that one only."""
        raise NotImplementedError

    async def list_subkeys(self, key: SessionListSubkeysKey) -> list[str]:
        """The `subpath`s that were appended to in a session."""
        raise NotImplementedError


def implements(store: SessionStore, method: str) -> bool:
    """Whether a store has an optional method of its own, rather than none or the inherited one that refuses."""
    own = getattr(type(store), method, None) or getattr(store, method, None)
    return own is not None and own is not getattr(SessionStore, method)


def session_key(project_key: str, session_id: str, subpath: str | None = None) -> SessionKey:
    """A key, with a `subpath` only if there is one."""
    key = SessionKey(project_key=project_key, session_id=session_id)
    if subpath:
        key["subpath"] = subpath
    return key


_Place = tuple[str, str, str]
"""Project key, session id and subpath (empty for the conversation itself)."""


class Deduplicator:
    """Which of the entries to come are new: one that has a uuid counts once, one without always."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def new(self, entries: list[SessionStoreEntry]) -> list[SessionStoreEntry]:
        """The entries whose uuid was not seen before, and those that have none."""
        kept = []
        for entry in entries:
            uuid = entry.get("uuid")
            if not isinstance(uuid, str) or uuid not in self._seen:
                kept.append(entry)
            if isinstance(uuid, str):
                self._seen.add(uuid)
        return kept


class InMemorySessionStore(SessionStore):
    """A store in this process's memory: for tests, and to carry a session from one client to another."""

    def __init__(self) -> None:
        self._entries: dict[_Place, list[SessionStoreEntry]] = {}
        self._seen: dict[_Place, Deduplicator] = {}
        self._mtimes: dict[_Place, int] = {}
        self._summaries: dict[tuple[str, str], SessionSummaryEntry] = {}
        self._clock = 0

    async def append(self, key: SessionKey, entries: list[SessionStoreEntry]) -> None:
        """Keep copies of `entries`; none at all leave no trace."""
        if not entries:
            return
        place, session = _place(key), (key["project_key"], key["session_id"])
        new = self._seen.setdefault(place, Deduplicator()).new(entries)
        self._entries.setdefault(place, []).extend(copy.deepcopy(new))
        self._clock = max(self._clock + 1, time.time_ns() // 1_000_000)  # never twice the same, nor back
        self._mtimes[place] = self._clock
        if not key.get("subpath"):
            summary = fold_session_summary(self._summaries.get(session), key, new)
            self._summaries[session] = {**summary, "mtime": self._clock}

    async def load(self, key: SessionKey) -> list[SessionStoreEntry] | None:
        """Copies of all entries under `key`, None if there never were any."""
        return copy.deepcopy(self._entries.get(_place(key)))

    async def list_sessions(self, project_key: str) -> list[SessionStoreListEntry]:
        """The project's sessions with the time of their last write."""
        return [
            SessionStoreListEntry(session_id=session, mtime=mtime)
            for (project, session, subpath), mtime in self._mtimes.items()
            if project == project_key and not subpath
        ]

    async def list_session_summaries(self, project_key: str) -> list[SessionSummaryEntry]:
        """The summaries of the project's sessions."""
        found = [summary for (project, _), summary in self._summaries.items() if project == project_key]
        return copy.deepcopy(found)

    async def delete(self, key: SessionKey) -> None:
        """Remove a session whole, or one sub-agent's transcript."""
        place = _place(key)
        if not place[2]:
            self._summaries.pop(place[:2], None)
        for other in [p for p in self._entries if p == place or (not place[2] and p[:2] == place[:2])]:
            for table in (self._entries, self._mtimes, self._seen):
                table.pop(other, None)

    async def list_subkeys(self, key: SessionListSubkeysKey) -> list[str]:
        """The sub-agents' transcripts of a session."""
        session = (key["project_key"], key["session_id"])
        return [subpath for *place, subpath in self._entries if tuple(place) == session and subpath]

    def get_entries(self, key: SessionKey) -> list[SessionStoreEntry]:
        """What is kept under `key`, for tests; empty if nothing."""
        return list(self._entries.get(_place(key), []))

    @property
    def size(self) -> int:
        """How many sessions there are; sub-agents' transcripts do not count."""
        return sum(not subpath for _, _, subpath in self._entries)

    def clear(self) -> None:
        """Forget everything."""
        for table in (self._entries, self._seen, self._mtimes, self._summaries):
            table.clear()


def _place(key: SessionKey) -> _Place:
    return key["project_key"], key["session_id"], key.get("subpath", "")
