"""Messages on their way from the pump to a consumer that reads at its own pace.

Layer 2. Above: `query`, the client. Below: anyio. Filled by plain calls, unbounded, with one wake-up for all that came
in one chunk: a slow consumer never holds the pump, and a stream of deltas costs no event per delta.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import anyio

from claude_nb.errors import ClaudeSDKError, LineTooLongError
from claude_nb.protocol.machine import Closed, TurnEnded
from claude_nb.protocol.message import CommandLifecycleMessage, Message, ResultMessage, StreamEvent, SystemMessage


class Bell:
    """Wakes who waits; several inboxes may share one."""

    def __init__(self) -> None:
        self.awaited: anyio.Event | None = None
        """What those who wait are waiting for."""

    def ring(self) -> None:
        """Something happened."""
        if self.awaited is not None:
            self.awaited.set()
            self.awaited = None

    async def wait(self) -> None:
        """Wait for the next ring."""
        self.awaited = self.awaited or anyio.Event()
        await self.awaited.wait()


@dataclass(slots=True)
class End:
    """A result that was not taken yet, and the prompts (their uuids) that it answers: none in an extra turn."""

    result: ResultMessage
    prompts: tuple[str, ...] = ()


class Inbox:
    """The messages of one session that nobody took yet: `items`, oldest first.

    `ends` are the results among them: they tell whose the messages before them are. Notes for the host program alone
    (the session's state, where a prompt of ours is) stay out unless `all_notes` is set. The `bell` rings when a message
    came, a turn ended, or the session ended (`closed`).
    """

    def __init__(self, bell: Bell | None = None, *, all_notes: bool = False):
        self.items: deque[Message] = deque()
        self.ends: deque[End] = deque()
        self.closed = False
        self.cut_off: tuple[str, ...] = ()
        """The prompts that were under way when it was `closed`."""
        self.failure: ClaudeSDKError | None = None
        """What kept the CLI from finishing its work, once it is `closed`."""
        self.lost: LineTooLongError | None = None
        """The first result that could not be read."""
        self.bell = bell or Bell()
        self._all_notes = all_notes

    def put(self, message: Message) -> None:
        """A message came."""
        if type(message) is not StreamEvent:
            if _for_the_host(message) and not self._all_notes:
                return
            if isinstance(message, ResultMessage):
                self.ends.append(End(message))
        self.items.append(message)
        if self.bell.awaited:
            self.bell.ring()

    def note(self, event: object) -> None:
        """Something else happened."""
        if isinstance(event, Closed):
            self.closed, self.cut_off = True, event.prompts
        elif isinstance(event, TurnEnded):
            if isinstance(event.outcome, LineTooLongError):
                self.lost = self.lost or event.outcome
            elif self.ends and self.ends[-1].result is event.outcome:
                self.ends[-1].prompts += event.uuids
        else:
            return
        self.bell.ring()

    def take(self) -> Message:
        """Take the oldest message."""
        message = self.items.popleft()
        if self.ends and message is self.ends[0].result:
            self.ends.popleft()
        return message

    def holds(self, result: object) -> bool:
        """The result was not taken yet."""
        return any(end.result is result for end in self.ends)


def _for_the_host(message: Message) -> bool:
    if isinstance(message, SystemMessage):
        return bool(message.data.get("sdk_host_only"))
    return isinstance(message, CommandLifecycleMessage)
