"""What a session holds while its CLI runs: the lock on its id, and the folder in which a store's session is laid out.

Layer 2. Above: `session`, which begins it before the CLI starts and ends it after the CLI is gone. Below: `sessions`.
All of it is about the disk of this machine, so a session over a custom transport has none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from anyio import to_thread

from claude_nb.errors import SessionInUseError
from claude_nb.protocol.options import ClaudeAgentOptions
from claude_nb.sessions import MaterializedResume, SessionLock, list_sessions, materialize_resume
from claude_nb.sessions.paths import config_home, find_transcript

from .cost import carried_usd

logger = logging.getLogger(__name__)


class Tenure:
    """`carried_usd` is what the session had cost before; `forked_from` the session that somebody else has open."""

    def __init__(self) -> None:
        self.carried_usd = 0.0
        self.forked_from: str | None = None
        self._env: Mapping[str, str] = {}
        self._lock: SessionLock | None = None
        self._folder: MaterializedResume | None = None

    async def begin(self, options: ClaudeAgentOptions) -> ClaudeAgentOptions:
        """Make ready what `options` ask for, and give the options that the CLI is to be started with.

        A session that is open elsewhere is not resumed but forked. Raises `SessionStoreError`.
        """
        self._env = options.env
        if options.session_store is not None and (options.resume or options.continue_conversation):
            options = await self._lay_out(options)
        return await to_thread.run_sync(self._take, options)

    async def follow(self, session_id: str) -> None:
        """The CLI goes on under another id."""
        await to_thread.run_sync(self._move, session_id)

    async def end(self) -> None:
        """The CLI is gone. Never raises."""
        if self._lock is not None:
            await to_thread.run_sync(self._lock.release)
        if self._folder is not None:
            await self._folder.aclose()

    async def _lay_out(self, options: ClaudeAgentOptions) -> ClaudeAgentOptions:
        self._folder = await materialize_resume(
            options.session_store,
            options.resume,
            cwd=options.cwd,
            env=options.env,
            load_timeout=options.load_timeout_ms / 1000,
        )
        if self._folder is None:
            return options
        env = {**options.env, "CLAUDE_CONFIG_DIR": str(self._folder.config_dir)}
        return replace(options, resume=self._folder.session_id, continue_conversation=False, env=env)

    def _take(self, options: ClaudeAgentOptions) -> ClaudeAgentOptions:
        """Looks at the disk, so it runs in a thread."""
        home = config_home(env=options.env)
        resumed = options.resume
        if options.continue_conversation:
            latest = list_sessions(options.cwd or Path.cwd(), limit=1, include_worktrees=False, config_dir=home)
            resumed = latest[0].session_id if latest else None
        if resumed is not None:
            self.carried_usd = carried_usd(find_transcript(resumed, options.cwd or Path.cwd(), home))
        if not options.persist_session:
            return options
        if options.fork_session and options.session_id is None:
            # Our own id, so that it is known before the first answer.
            options = replace(options, session_id=str(uuid4()))
        wanted = options.session_id or resumed
        try:
            self._move(wanted)
        except SessionInUseError as error:
            if resumed is None or options.fork_session:
                raise
            logger.warning("%s This one goes on in a fork of it.", error)
            self.forked_from = resumed
            options = replace(options, fork_session=True, session_id=str(uuid4()))
            self._move(options.session_id)
        return options

    def _move(self, session_id: str | None) -> None:
        if session_id is None or (self._lock is not None and self._lock.session_id == session_id.lower()):
            return
        try:
            lock = SessionLock(session_id, env=self._env)
            lock.acquire()
        except (OSError, ValueError) as error:
            # A folder that cannot be written to, or an id that the CLI will refuse in its own words.
            logger.warning("the session %s is not guarded by a lock: %s", session_id, error)
            return
        if self._lock is not None:
            self._lock.release()
        self._lock = lock
