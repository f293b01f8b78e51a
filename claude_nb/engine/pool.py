"""The named sessions of one client: begun, forked, warmed up and ended together.

Layer 2. Above: the client. Below: `named` sessions, which share `places`. The CLI keeps one context per process,
whatever `session_id` its messages carry (measured on CLI 2.1.329), so each name is a session with a process of its own.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

import anyio
from anyio.abc import ByteStream

from claude_nb.errors import CLIConnectionError
from claude_nb.protocol.options import ClaudeAgentOptions

from .content import Content
from .inbox import Bell, Inbox
from .named import NamedSession, beginning, resuming
from .places import Places
from .turn import Ticket


class Pool:
    """At most `max_running` processes at once (None: no bound); see `NamedSession` for `park_after`."""

    def __init__(self, options: ClaudeAgentOptions, *, max_running: int | None = None, park_after: float | None = None):
        self.options = options
        with suppress(OSError):  # there is no such folder any more, which the start will tell
            # All processes run where the first one does, wherever the program goes meanwhile.
            self.options = replace(options, cwd=os.path.abspath(options.cwd or os.curdir))
        self.places = Places(max_running)
        self.bell = Bell()
        """Rings for all sessions."""
        self._park_after = park_after
        self._sessions: dict[str, NamedSession] = {}
        self._spares: list[NamedSession] = []
        self._names = 0
        self._opened: NamedSession | None = None
        self._latest: NamedSession | None = None

    def __iter__(self) -> Iterator[NamedSession]:
        return iter(list(self._sessions.values()))

    def get(self, name: str) -> NamedSession | None:
        """The session that goes by that name, or by that id."""
        return self._sessions.get(name) or next((session for session in self if session.goes_by(name)), None)

    def __getitem__(self, name: str) -> NamedSession:
        """That session, begun if there is none: with a process that was warmed up, or with none yet."""
        if session := self.get(name):
            return session
        if not self._spares:
            return self.add(name, beginning(self.options, str(uuid4())))
        spare = self._sessions[name] = self._spares.pop()
        spare.name = name
        return spare

    async def open(self, name: str, stream: ByteStream | None = None) -> NamedSession:
        """The session of the options themselves (what they resume, if anything), with a process; to be called once."""
        session = self._opened = self._latest = self.add(name, self.options, stream)
        await session.start()
        return session

    @property
    def latest(self) -> NamedSession:
        """The session that was prompted last, or that was opened."""
        assert self._latest is not None
        return self._latest

    async def submit(self, name: str, item: Content) -> tuple[NamedSession, Ticket, Inbox]:
        """Send a prompt or a user message to the session of that name; see `NamedSession.submit`.

        The first of all goes to the session that was opened, which takes the name if it is a new one: code that names
        its only session needs only one process.
        """
        opened, self._opened = self._opened, None
        if opened and opened in self._sessions.values() and not opened.prompted and self.get(name) is None:
            self._sessions = {name if session is opened else key: session for key, session in self._sessions.items()}
            opened.name = name
        session = self[name]
        ticket, inbox = await session.submit(item)
        self._latest = session
        return session, ticket, inbox

    def add(self, name: str, options: ClaudeAgentOptions, stream: ByteStream | None = None) -> NamedSession:
        """A session with options of its own. The name must be free."""
        session = self._sessions[name] = self._make(name, options, stream)
        return session

    def _make(self, name: str, options: ClaudeAgentOptions, stream: ByteStream | None = None) -> NamedSession:
        return NamedSession(name, options, self.places, bell=self.bell, park_after=self._park_after, stream=stream)

    def fresh_name(self) -> str:
        """A name that no session has."""
        while True:
            self._names += 1
            if (name := f"session-{self._names}") not in self._sessions:
                return name

    async def fork(self, source: NamedSession, name: str) -> NamedSession:
        """A session that knows what `source` knows by now, and goes its own way; with the options of the pool."""
        if self.get(name):
            raise CLIConnectionError(f"There is a session {name!r} already.")
        if not await source.has_history():
            return self[name]
        return self.add(name, resuming(self.options, source.session_id, fork_to=str(uuid4())))

    async def prewarm(self, count: int = 1) -> int:
        """Start processes for the next sessions to begin, as far as there are free places; returns how many."""
        if self.places.limit is not None:
            count = min(count, self.places.limit - self.places.taken - self.places.waiting)
        spares = [self._make("spare", beginning(self.options, str(uuid4()))) for _ in range(count)]
        self._spares += spares
        try:
            await _all(session.start for session in spares)
        except BaseException:
            for session in spares:
                if session in self._spares:
                    self._spares.remove(session)
            await _all(session.aclose for session in spares)
            raise
        return len(spares)

    async def begin_anew(self, name: str) -> NamedSession:
        """An empty session of that name; one that goes by it already is ended."""
        if old := self.get(name):
            name = old.name
            del self._sessions[name]
            await old.aclose()
        session = self[name]
        if old is self._latest:
            self._latest = session
        return session

    async def aclose(self) -> None:
        """End all sessions."""
        self.places.close()
        await _all(session.aclose for session in (*self._sessions.values(), *self._spares))


async def _all(calls: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """All at once; the first error is raised as it is."""
    errors: list[Exception] = []

    async def run(call: Callable[[], Awaitable[None]]) -> None:
        try:
            await call()
        except Exception as error:
            errors.append(error)

    async with anyio.create_task_group() as tasks:
        for call in list(calls):
            tasks.start_soon(run, call)
    if errors:
        raise errors[0]
