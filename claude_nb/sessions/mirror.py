"""Entries on their way to a store: the CLI's `transcript_mirror` frames, batched; and a whole session from the disk.

Above: the engine's pump hands in frames and awaits `flush` before it passes on a result and at the end; users import
sessions. Below: `store`, `paths` and anyio. The CLI sends such frames when started with `--session-mirror`, after
its own write (CLI 2.1.329).
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import anyio
import anyio.to_thread

from claude_nb.errors import SessionNotFoundError

from .catalog import agent_metadata, subagent_files
from .model import SessionKey, SessionStoreEntry
from .paths import check_session_id, find_transcript
from .store import SessionStore, session_key
from .transcript import parse_line

log = logging.getLogger(__name__)

MAX_ENTRIES = 500
MAX_BYTES = 1 << 20
APPEND_TIMEOUT = 60.0
RETRY_DELAYS = (0.2, 0.8)
"""Seconds before the second and the third attempt."""


@dataclass(frozen=True)
class MirrorFailure:
    """Entries that did not reach the store: where they belong (None if that could not be told), and why."""

    key: SessionKey | None
    error: str


class Mirror:
    """Collects entries and appends them to a store, per transcript in the order they came.

    `projects_dir` is the folder of transcripts of the CLI that is mirrored. Waits while it has few entries, unless
    `eager`. The store is never asked twice at once. What a cancelled flush had not yet stored stays for the next.
    """

    def __init__(
        self,
        store: SessionStore,
        projects_dir: str | Path,
        *,
        eager: bool = False,
        append_timeout: float = APPEND_TIMEOUT,
        retry_delays: Sequence[float] = RETRY_DELAYS,
    ):
        self._store = store
        self._projects_dir = os.fspath(projects_dir)
        self._limits = (0, 0) if eager else (MAX_ENTRIES, MAX_BYTES)
        self._append_timeout = append_timeout
        self._retry_delays = retry_delays
        self._pending: dict[str, list[SessionStoreEntry]] = {}
        self._entries = self._bytes = 0
        self._lock = anyio.Lock()

    @property
    def pending(self) -> int:
        """How many entries wait."""
        return self._entries

    def add(self, file_path: str, entries: list[SessionStoreEntry], size: int | None = None) -> bool:
        """Take in a frame. True: enough has come together, start a `flush` beside the stream.

        `size` is the frame's length in bytes, if the caller knows it.
        """
        self._pending.setdefault(file_path, []).extend(entries)
        self._entries += len(entries)
        self._bytes += size if size is not None else len(json.dumps(entries))
        return self._entries > self._limits[0] or self._bytes > self._limits[1]

    async def flush(self) -> list[MirrorFailure]:
        """Bring all that waits to the store. Returns what failed for good; raises nothing but cancellation.

        Flushes queue up behind each other, so after one all that was added before it is stored or reported.
        """
        async with self._lock:
            batch, self._pending = self._pending, {}
            self._entries = self._bytes = 0
            failures: list[MirrorFailure] = []
            try:
                while batch:
                    path, entries = next(iter(batch.items()))
                    if entries and (failure := await self._store_entries(path, entries)):
                        failures.append(failure)
                    del batch[path]
            finally:
                self._put_back(batch)
            return failures

    def _put_back(self, batch: dict[str, list[SessionStoreEntry]]) -> None:
        later, self._pending = self._pending, {}
        for path, entries in (*batch.items(), *later.items()):
            self._pending.setdefault(path, []).extend(entries)
        self._entries += sum(map(len, batch.values()))

    async def _store_entries(self, path: str, entries: list[SessionStoreEntry]) -> MirrorFailure | None:
        key = key_of_file(path, self._projects_dir)
        if key is None:
            return MirrorFailure(None, f"{path} is not a transcript under {self._projects_dir}")
        for delay in (*self._retry_delays, None):
            with anyio.move_on_after(self._append_timeout) as patience:
                try:
                    await self._store.append(key, entries)
                    return None
                except Exception as error:  # a store is anybody's code
                    log.debug("append to the session store failed: %r", error)
                    failure = MirrorFailure(key, str(error) or type(error).__name__)
            if patience.cancelled_caught:
                # Not tried again: the entries may still arrive, and a second call would race with the first.
                return MirrorFailure(key, f"the store did not answer within {self._append_timeout:g} s")
            if delay is not None:
                await anyio.sleep(delay)
        return failure


def key_of_file(file_path: str, projects_dir: str) -> SessionKey | None:
    """The key of a transcript file under `projects_dir`; None for any other file."""
    for file, root in ((file_path, projects_dir), (os.path.realpath(file_path), os.path.realpath(projects_dir))):
        try:
            parts = Path(file).relative_to(root).parts
        except ValueError:
            continue  # spelled differently, on a link or another drive: the real paths decide
        if not parts or ".." in parts or not parts[-1].endswith(".jsonl"):
            return None
        if len(parts) == 2:
            return session_key(parts[0], parts[1].removesuffix(".jsonl"))
        if len(parts) >= 4:
            return session_key(parts[0], parts[1], "/".join(parts[2:]).removesuffix(".jsonl"))
    return None


async def import_session_to_store(
    session_id: str,
    store: SessionStore,
    *,
    directory: str | Path | None = None,
    include_subagents: bool = True,
    batch_size: int = MAX_ENTRIES,
    config_dir: str | Path | None = None,
) -> None:
    """Copy a session from this disk into a store, under the key that mirroring would have used.

    In appends of at most `batch_size` entries or 1 MiB. Can be repeated: entries have uuids. Raises ValueError for a
    bad id, SessionNotFoundError if there is no such session, and whatever the store raises.
    """
    check_session_id(session_id)
    path = await anyio.to_thread.run_sync(find_transcript, session_id, directory, config_dir)
    if path is None:
        raise SessionNotFoundError(f"No session {session_id} on this disk to import")
    project = path.parent.name
    await _import_file(path, session_key(project, session_id), store, batch_size)
    if not include_subagents:
        return
    for file in await anyio.to_thread.run_sync(subagent_files, path):
        subpath = file.relative_to(path.with_suffix("")).with_suffix("").as_posix()
        key = session_key(project, session_id, subpath)
        await _import_file(file, key, store, batch_size)
        if metadata := await anyio.to_thread.run_sync(agent_metadata, file):
            await store.append(key, [cast(SessionStoreEntry, {**metadata, "type": "agent_metadata"})])


async def _import_file(path: Path, key: SessionKey, store: SessionStore, batch_size: int) -> None:
    batches = _batches(path, batch_size if batch_size > 0 else MAX_ENTRIES)
    while batch := await anyio.to_thread.run_sync(next, batches, None):
        await store.append(key, batch)


def _batches(path: Path, batch_size: int) -> Iterator[list[SessionStoreEntry]]:
    """A transcript's entries in batches. Half-written lines are left out."""
    batch: list[SessionStoreEntry] = []
    size = 0
    with path.open("rb") as file:
        for line in file:
            if (entry := parse_line(line)) is None:
                continue
            batch.append(cast(SessionStoreEntry, entry))
            size += len(line)
            if len(batch) >= batch_size or size >= MAX_BYTES:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch
