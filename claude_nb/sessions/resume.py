"""A session from a store, laid out for the CLI to resume: a config folder of its own in a temporary place.

Above: the engine starts the CLI with `CLAUDE_CONFIG_DIR` set to it and `--resume` its session id, and closes it
after the process has ended. Below: `store`, `from_store`, `credentials`, `change` (writes files) and anyio.
"""

from __future__ import annotations

import errno
import json
import logging
import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TypeVar, cast

import anyio
import anyio.to_thread

from claude_nb.errors import OptionsError, SessionStoreError

from .catalog import metadata_file
from .change import write_transcript
from .credentials import copy_settings, write_private
from .from_store import split_metadata
from .model import Entry, SessionListSubkeysKey, SessionStoreEntry
from .paths import is_session_id, project_key_for_directory
from .store import SessionStore, implements, session_key

log = logging.getLogger(__name__)

T = TypeVar("T")

LOAD_TIMEOUT = 60.0
_REMOVE_DELAYS = (0.1, 0.1, 0.2, 0.4)
_HELD_FOR_A_MOMENT = frozenset({errno.EBUSY, errno.EPERM, errno.EACCES, errno.ENOTEMPTY, errno.EMFILE, errno.ENFILE})


class MaterializedResume:
    """A session ready to be resumed. `config_dir` is what `CLAUDE_CONFIG_DIR` must be, `session_id` what to resume.

    Holds copies of credentials: close it (or use it as an async context manager) when the CLI has ended.
    """

    def __init__(self, config_dir: Path, session_id: str):
        self.config_dir, self.session_id = config_dir, session_id

    async def aclose(self) -> None:
        """Remove the folder, also when cancelled; at most about a second, and it never raises."""
        with anyio.CancelScope(shield=True):
            for delay in (*_REMOVE_DELAYS, None):
                try:
                    await anyio.to_thread.run_sync(shutil.rmtree, self.config_dir)
                except FileNotFoundError:
                    return
                except OSError as error:  # Windows: a virus scanner or the indexer looks at the new files
                    if delay is None or error.errno not in _HELD_FOR_A_MOMENT:
                        break
                    await anyio.sleep(delay)
                else:
                    return
            await anyio.to_thread.run_sync(shutil.rmtree, self.config_dir, True)
        if self.config_dir.exists():
            log.warning("could not remove all of %s, which holds a copy of the credentials", self.config_dir)

    async def __aenter__(self) -> MaterializedResume:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def check_store_options(
    store: SessionStore | None,
    *,
    resume: str | None = None,
    continue_conversation: bool = False,
    enable_file_checkpointing: bool = False,
) -> None:
    """Raise OptionsError (a ValueError) for options that cannot be meant together with `store`."""
    if store is None:
        return
    if continue_conversation and resume is None and not implements(store, "list_sessions"):
        raise OptionsError("continue_conversation with a session_store needs a store that has list_sessions()")
    if enable_file_checkpointing:
        raise OptionsError(
            "session_store cannot be combined with enable_file_checkpointing: checkpoints stay on this disk, "
            "and a session resumed from the store elsewhere would not have them"
        )


async def materialize_resume(
    store: SessionStore,
    session_id: str | None = None,
    *,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    load_timeout: float = LOAD_TIMEOUT,
) -> MaterializedResume | None:
    """Lay out the session `session_id`, or the newest of the folder `cwd`, with its sub-agents' transcripts.

    `env` is what the CLI's environment adds to this process's: it decides where credentials and settings are
    copied from. None if the store has no such session (or the id is not a UUID): then start the CLI as without a
    store. Raises SessionStoreError if the store fails or takes longer than `load_timeout` seconds for one call.
    """
    reader = _Reader(store, project_key_for_directory(cwd), load_timeout)
    found = await reader.newest() if session_id is None else await reader.session(session_id)
    if found is None:
        return None
    session_id, entries = found
    resumed = MaterializedResume(Path(tempfile.mkdtemp(prefix="claude-resume-")), session_id)
    try:
        folder = resumed.config_dir / "projects" / reader.project
        await anyio.to_thread.run_sync(write_transcript, folder / f"{session_id}.jsonl", entries)
        await anyio.to_thread.run_sync(copy_settings, resumed.config_dir, env)
        for subpath in await reader.subpaths(session_id):
            agent = await reader.load(session_id, subpath)
            await anyio.to_thread.run_sync(_write_subagent, folder / session_id, subpath, agent)
    except BaseException:
        await resumed.aclose()
        raise
    return resumed


class _Reader:
    """Calls of a store, each bounded in time and with an error that says which one failed."""

    def __init__(self, store: SessionStore, project: str, timeout: float):
        self.store, self.project, self.timeout = store, project, timeout

    async def session(self, session_id: str) -> tuple[str, list[Entry]] | None:
        entries = await self.load(session_id) if is_session_id(session_id) else []
        return (session_id, entries) if entries else None

    async def newest(self) -> tuple[str, list[Entry]] | None:
        """The session that was written last and is not a sub-agent's."""
        listed = await self._bounded("list_sessions", lambda: self.store.list_sessions(self.project))
        for item in sorted(listed, key=lambda item: item["mtime"], reverse=True):
            found = await self.session(item["session_id"])
            if found and not found[1][0].get("isSidechain"):
                return found
        return None

    async def subpaths(self, session_id: str) -> list[str]:
        if not implements(self.store, "list_subkeys"):
            return []
        session = SessionListSubkeysKey(project_key=self.project, session_id=session_id)
        listed = await self._bounded("list_subkeys", lambda: self.store.list_subkeys(session))
        for subpath in listed:
            if not is_safe_subpath(subpath):
                log.warning("the session store names a transcript outside the session: %r left out", subpath)
        return [subpath for subpath in listed if is_safe_subpath(subpath)]

    async def load(self, session_id: str, subpath: str | None = None) -> list[Entry]:
        key = session_key(self.project, session_id, subpath)
        entries: list[SessionStoreEntry] | None = await self._bounded("load", lambda: self.store.load(key))
        return cast(list[Entry], entries or [])

    async def _bounded(self, method: str, call: Callable[[], Awaitable[T]]) -> T:
        with anyio.move_on_after(self.timeout):
            try:
                return await call()
            except Exception as error:  # a store is anybody's code
                raise SessionStoreError(f"The session store's {method}() failed: {error}") from error
        raise SessionStoreError(
            f"The session store's {method}() did not answer within {self.timeout:g} s. "
            "Raise load_timeout_ms if it needs longer."
        )


def is_safe_subpath(subpath: str) -> bool:
    """Whether a subpath from a store stays inside its session's folder, on every system."""
    parts = re.split(r"[/\\]", subpath)
    return all(part not in ("", ".", "..") for part in parts) and not re.search(r"[:\0]", subpath)


def _write_subagent(folder: Path, subpath: str, entries: list[Entry]) -> None:
    metadata, transcript = split_metadata(entries)
    file = folder / f"{subpath}.jsonl"
    if transcript:
        write_transcript(file, transcript)
    if metadata is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(metadata_file(file), json.dumps(metadata).encode())
