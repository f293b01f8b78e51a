"""A session store on anything fsspec reaches: S3, GCS, Azure, SFTP, a shared folder, memory.

Above: users. Below: `store`, `summary`, `transcript`, anyio and (late) fsspec with the driver of the URL.
Object stores cannot append, so every append is an object of its own; their names sort in the order of writing:

    <root>/<project key>/<session id>/<milliseconds>-<count>-<random>.jsonl
    <root>/<project key>/<session id>/<subpath>/<milliseconds>-<count>-<random>.jsonl
    <root>/<project key>/<session id>/summary.json
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import quote, unquote

import anyio
import anyio.to_thread

from .model import (
    SessionKey,
    SessionListSubkeysKey,
    SessionStoreEntry,
    SessionStoreListEntry,
    SessionSummaryEntry,
)
from .resume import is_safe_subpath
from .store import Deduplicator, SessionStore, session_key
from .summary import fold_session_summary
from .transcript import dump, parse, parse_line

log = logging.getLogger(__name__)

_SUMMARY = "summary.json"


class FsspecSessionStore(SessionStore):
    """Sessions under a URL: `FsspecSessionStore("s3://bucket/sessions", **storage_options)`.

    `filesystem` takes a ready fsspec file system instead, `url` is then a path in it. Blocking drivers run in
    worker threads. Needs the extra `claude-nb[fsspec]`, and the driver of the URL (`s3fs` for s3). Sessions may be
    written by several processes at once; a summary that such a race has spoilt is noticed and not used.
    """

    def __init__(self, url: str, *, filesystem: Any = None, **storage_options: Any):
        if filesystem is None:
            from fsspec.core import url_to_fs

            filesystem, url = url_to_fs(url, **storage_options)
        self._fs = filesystem
        self._root = url.rstrip("/")
        self._locks: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)
        self._clock = self._count = 0

    async def append(self, key: SessionKey, entries: list[SessionStoreEntry]) -> None:
        """Write `entries` as one new object, and the summary of a conversation anew."""
        if not entries:
            return
        data = b"".join(dump(cast(dict[str, Any], entry)) for entry in entries)
        async with self._locks[self._folder(session_key(key["project_key"], key["session_id"]))]:
            name, mtime = self._next_name()
            await anyio.to_thread.run_sync(self._write, f"{self._folder(key)}/{name}", data)
            if not key.get("subpath"):
                try:
                    await anyio.to_thread.run_sync(self._fold, key, entries, mtime)
                except Exception as error:  # the entries are safe; the session is read whole when it is listed
                    log.debug("summary of %s was not written: %r", key["session_id"], error)

    async def load(self, key: SessionKey) -> list[SessionStoreEntry] | None:
        """All entries under `key`, each uuid once; None if there are none."""
        return await anyio.to_thread.run_sync(self._load, key)

    async def list_sessions(self, project_key: str) -> list[SessionStoreListEntry]:
        """The project's sessions with the time of their last write, on the writers' clocks."""
        parts = await anyio.to_thread.run_sync(self._parts_by_session, project_key)
        return [SessionStoreListEntry(session_id=id, mtime=_mtime(names)) for id, names in parts.items()]

    async def list_session_summaries(self, project_key: str) -> list[SessionSummaryEntry]:
        """Those summaries of the project's sessions that tell of all that was written."""
        return await anyio.to_thread.run_sync(self._summaries, project_key)

    async def delete(self, key: SessionKey) -> None:
        """Remove a session whole, or one sub-agent's transcript."""
        await anyio.to_thread.run_sync(self._delete, key)

    async def list_subkeys(self, key: SessionListSubkeysKey) -> list[str]:
        """The sub-agents' transcripts of a session."""
        folder = self._folder(session_key(key["project_key"], key["session_id"]))
        files = await anyio.to_thread.run_sync(self._find, folder)
        places = (file.rpartition("/")[0] for file in files if _is_part(file))
        return [unquote(place) for place in dict.fromkeys(places) if place]

    def _folder(self, key: SessionKey) -> str:
        names = [key["project_key"], key["session_id"]]
        if subpath := key.get("subpath"):
            names += subpath.split("/")
        if not all(is_safe_subpath(quote(name, safe="")) for name in names):
            raise ValueError(f"not a session key: {key!r}")
        return "/".join((self._root, *(quote(name, safe="") for name in names)))

    def _next_name(self) -> tuple[str, int]:
        self._clock = max(self._clock + 1, time.time_ns() // 1_000_000)  # never twice the same, nor back
        self._count += 1
        return f"{self._clock:013d}-{self._count:06d}-{secrets.token_hex(4)}.jsonl", self._clock

    def _write(self, path: str, data: bytes) -> None:
        self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._fs.pipe_file(path, data)

    def _find(self, folder: str) -> list[str]:
        """Paths below `folder`, relative to it, sorted."""
        self._fs.invalidate_cache(folder)
        try:
            found = self._fs.find(folder)
        except FileNotFoundError:
            return []
        inside = self._fs._strip_protocol(folder).rstrip("/") + "/"
        return sorted(str(path).removeprefix(inside) for path in found)

    def _load(self, key: SessionKey) -> list[SessionStoreEntry] | None:
        folder = self._folder(key)
        names = [name for name in self._find(folder) if _is_part(name) and "/" not in name]
        if not names:
            return None
        # Unlike `cat`, this takes paths as they are (no globbing); object stores are asked for many at once.
        contents = self._fs.cat_ranges([f"{folder}/{name}" for name in names], None, None, on_error="raise")
        seen = Deduplicator()
        entries: list[SessionStoreEntry] = []
        for content in contents:
            entries += seen.new([cast(SessionStoreEntry, entry) for entry in parse(content)])
        return entries

    def _parts_by_session(self, project_key: str) -> dict[str, list[str]]:
        """Names of the parts of each conversation of a project."""
        parts: dict[str, list[str]] = {}
        for file in self._find(self._folder(session_key(project_key, "-")).rpartition("/")[0]):
            session, _, name = file.partition("/")
            if _is_part(name) and "/" not in name:
                parts.setdefault(unquote(session), []).append(name)
        return parts

    def _fold(self, key: SessionKey, entries: Iterable[SessionStoreEntry], mtime: int) -> None:
        path = f"{self._folder(key)}/{_SUMMARY}"
        kept = self._read_summary(path) or {"parts": 0, "summary": None}
        summary = fold_session_summary(kept["summary"], key, entries)
        summary["mtime"] = mtime
        self._write(path, json.dumps({"parts": kept["parts"] + 1, "summary": summary}).encode())

    def _read_summary(self, path: str) -> dict[str, Any] | None:
        try:
            return parse_line(self._fs.cat_file(path))
        except FileNotFoundError:
            return None

    def _summaries(self, project_key: str) -> list[SessionSummaryEntry]:
        found = []
        for session_id, names in self._parts_by_session(project_key).items():
            kept = self._read_summary(f"{self._folder(session_key(project_key, session_id))}/{_SUMMARY}")
            if kept and kept["parts"] == len(names) and kept["summary"]["mtime"] == _mtime(names):
                found.append(cast(SessionSummaryEntry, kept["summary"]))
        return found

    def _delete(self, key: SessionKey) -> None:
        folder = self._folder(key)
        files = self._find(folder)
        if key.get("subpath"):
            files = [file for file in files if "/" not in file]
        if files:
            self._fs.rm([f"{folder}/{file}" for file in files])


def _is_part(file: str) -> bool:
    return file.endswith(".jsonl")


def _mtime(names: Iterable[str]) -> int:
    return max(int(name.split("-", 1)[0]) for name in names)
