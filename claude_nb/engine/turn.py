"""A prompt on its way to a result.

Layer 2. Above: `session` hands tickets out and ends them, `chat` and the client wait for them. Below: anyio.
"""

from __future__ import annotations

import contextvars

import anyio

from claude_nb.errors import ClaudeSDKError
from claude_nb.protocol.message import ResultMessage


class Ticket:
    """One prompt that was written. `uuid` names it; `done` says whether its turn ended."""

    def __init__(self, uuid: str):
        self.uuid = uuid
        self.context = contextvars.copy_context()
        """Where the prompt came from: callbacks asked while it runs see its context variables."""
        self.outcome: ResultMessage | ClaudeSDKError | None = None
        self._event = anyio.Event()

    @property
    def done(self) -> bool:
        """The turn ended: with a result, by being cancelled, or with the CLI."""
        return self.outcome is not None

    def end(self, outcome: ResultMessage | ClaudeSDKError) -> None:
        """The turn ended, with a result or for the reason given."""
        if self.outcome is None:
            self.outcome = outcome
            self._event.set()

    async def result(self) -> ResultMessage:
        """Wait for the result; one that tells of an error is returned, not raised.

        Raises `TurnInterrupted` if the prompt was cancelled before it ran, `LineTooLongError` if its result was too
        long to be read, and what ended the CLI (`ProcessError` or `CLIConnectionError`) if there will be no result.
        """
        await self._event.wait()
        if isinstance(self.outcome, ResultMessage):
            return self.outcome
        assert self.outcome is not None
        # A fresh traceback for each waiter; the error itself is shared.
        raise self.outcome.with_traceback(None)
