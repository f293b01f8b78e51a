"""Whose the messages are: what each reader of a client is given.

Layer 2. Above: the client. Below: `named` sessions and the inboxes of their processes. Nothing here waits.

Rules:

- A turn is of the prompts that its result answers; one that is under way, of the oldest prompt without a result. A turn
  that answers no prompt of ours (a background task's report) is of whoever reads next.
- A turn of several prompts goes to the first response of them; the others end with its result alone.
- A response passes over the turns of others. They go to the response that has begun to read them; when it was left, or
  when there is none because somebody waited with a ticket, they are dropped.
- A result that is read as one message of many answers its prompts: no response is due for them any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from claude_nb.errors import ClaudeSDKError, TurnInterrupted
from claude_nb.protocol.message import Message, ResultMessage

from .inbox import Inbox
from .named import NamedSession
from .turn import Ticket


@dataclass(slots=True, eq=False)
class Response:
    """The answer to a prompt, to be read once, and where it will be."""

    session: NamedSession
    ticket: Ticket
    inbox: Inbox
    begun: bool = False
    passed: deque[Message] = field(default_factory=deque)
    """Messages of its turn that another reader came upon."""

    @property
    def shared(self) -> ResultMessage | None:
        """The result, if another has read it already."""
        outcome = self.ticket.outcome
        return outcome if isinstance(outcome, ResultMessage) and not self.inbox.holds(outcome) else None


class Responses:
    """The responses that are due or being read, of all sessions, oldest prompt first."""

    def __init__(self) -> None:
        self._open: dict[tuple[Inbox, str], Response] = {}

    def expect(self, session: NamedSession, ticket: Ticket, inbox: Inbox) -> None:
        """A prompt was sent."""
        self._open[inbox, ticket.uuid] = Response(session, ticket, inbox)

    def due(self, name: str | None = None) -> Response | None:
        """The oldest that nobody has begun to read, of all sessions or of the one named."""
        due = (response for response in self._open.values() if not response.begun)
        return next((response for response in due if name is None or response.session.goes_by(name)), None)

    @contextmanager
    def reading(self, response: Response) -> Iterator[None]:
        """While somebody reads it."""
        response.begun = True
        try:
            yield
        finally:
            self._open.pop((response.inbox, response.ticket.uuid), None)

    def take(self, response: Response) -> Message | None:
        """The next message for that response, if it has come."""
        inboxes = response.session.inboxes
        while not response.passed and response.inbox in inboxes:
            inbox = inboxes[0]
            if inbox.items:
                prompts = response.session.prompts_of(inbox)
                reader = self._reader(inbox, prompts)
                if not prompts or reader is response:
                    return inbox.take()
                under_way = not inbox.ends and not inbox.closed
                if under_way or (reader is not None and not reader.begun):
                    return None
                message = inbox.take()
                if reader is not None:
                    reader.passed.append(message)
            elif inbox is response.inbox or not inbox.closed:
                return None
            else:
                inboxes.popleft()
        return response.passed.popleft() if response.passed else None

    def _reader(self, inbox: Inbox, prompts: tuple[str, ...]) -> Response | None:
        return next((reader for uuid in prompts if (reader := self._open.get((inbox, uuid)))), None)

    def unread(self, session: NamedSession) -> Iterator[Message]:
        """Everything that has come and was not read, process by process; raises what ended one in mid-turn."""
        inboxes = session.inboxes
        while inboxes:
            inbox = inboxes[0]
            while inbox.items:
                message = inbox.take()
                if isinstance(message, ResultMessage):
                    self._answered(inbox, message)
                yield message
            if not inbox.closed:
                return
            if inboxes and inboxes[0] is inbox:
                inboxes.popleft()
            self._ended(inbox)
            if inbox.failure is not None:
                raise inbox.failure.with_traceback(None)

    def _answered(self, inbox: Inbox, result: ResultMessage) -> None:
        def read(outcome: object) -> bool:
            return outcome is result or isinstance(outcome, TurnInterrupted)

        self._forget(lambda due: due.inbox is inbox and read(due.ticket.outcome))

    def _ended(self, inbox: Inbox) -> None:
        self._forget(lambda due: due.inbox is inbox and isinstance(due.ticket.outcome, ClaudeSDKError))

    def forget(self, session: NamedSession) -> None:
        """The session is no more."""
        self._forget(lambda due: due.session is session)

    def _forget(self, which: Callable[[Response], bool]) -> None:
        self._open = {key: due for key, due in self._open.items() if due.begun or not which(due)}
