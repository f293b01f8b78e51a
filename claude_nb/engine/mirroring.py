"""A session's transcript on its way to a store, and its results held back until it is there.

Layer 2. Above: `session` passes its events through. Below: `sessions.Mirror` (batches, retries). Whoever has seen a
result may resume the session elsewhere, so what the result tells of must be stored first. Replies and questions of the
CLI do not pass here: they are never held back. Protocol page 4.2.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, cast

import anyio

from claude_nb.protocol.machine import Event, Mirrored
from claude_nb.protocol.message import ResultMessage
from claude_nb.protocol.system import parse_system
from claude_nb.sessions import Mirror, MirrorFailure, SessionStoreEntry

logger = logging.getLogger(__name__)

# How long the end of a session waits for a store, seconds.
LAST_FLUSH = 10.0

Start = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


class Mirroring:
    """`deliver` gets the events that may be seen, in order; `start` begins a task of the session."""

    def __init__(self, mirror: Mirror, deliver: Callable[[Event], None], start: Start):
        self._mirror, self._deliver, self._start = mirror, deliver, start
        self._held: deque[Event] = deque()

    def take(self, event: Event) -> None:
        """An event of the conversation came."""
        if isinstance(event, Mirrored):
            if self._mirror.add(event.path, cast(list[SessionStoreEntry], event.entries)):
                self._start(self._flush)
        elif self._held:
            self._held.append(event)
        elif isinstance(event, ResultMessage):
            self._held.append(event)
            self._start(self._release)
        else:
            self._deliver(event)

    async def finish(self) -> None:
        """Store what is left and let everything go, in bounded time."""
        with anyio.move_on_after(LAST_FLUSH) as patience:
            await self._flush()
        if patience.cancelled_caught:
            self._tell(MirrorFailure(None, f"the store did not take the last entries within {LAST_FLUSH:g} s"))
        self._let_go(len(self._held))

    async def _release(self) -> None:
        while held := len(self._held):
            # Results that come in the meantime tell of entries that may have missed this flush.
            await self._flush()
            self._let_go(held)

    def _let_go(self, count: int) -> None:
        for _ in range(count):
            self._deliver(self._held.popleft())

    async def _flush(self) -> None:
        for failure in await self._mirror.flush():
            self._tell(failure)

    def _tell(self, failure: MirrorFailure) -> None:
        logger.warning("part of the transcript is not in the session store: %s", failure.error)
        note = {"type": "system", "subtype": "mirror_error", "key": failure.key, "error": failure.error}
        self._deliver(parse_system(note))
