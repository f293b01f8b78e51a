"""Control requests of ours: sent, matched with their replies, given up in time.

Layer 2. Above: `session`, which writes the bytes and passes on what the machine hears. Below: the machine, which knows
the ids. A reply is matched when it is heard, before any queue, so it never waits for a reader of messages.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from claude_nb.errors import ClaudeSDKError, CLIConnectionError, ControlError, ControlTimeoutError
from claude_nb.protocol.machine import Machine, Replied


class Requests:
    """The requests of one session. `failure` says why it ended, for those that then get no reply."""

    def __init__(
        self,
        machine: Machine,
        write: Callable[[bytes], Awaitable[None]],
        failure: Callable[[], ClaudeSDKError | None],
    ):
        self._machine, self._write, self._failure = machine, write, failure
        self._waiters: dict[str, _Waiter] = {}

    @property
    def open(self) -> bool:
        """Somebody waits for a reply."""
        return bool(self._waiters)

    async def ask(self, subtype: str, fields: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Send a request and wait for its payload, at most `timeout` seconds.

        Raises `ControlTimeoutError`, `ControlError` when the CLI refuses, `CLIConnectionError` when it ends first,
        `LineTooLongError` when its reply is too long to be read.
        """
        request_id, data = self._machine.request(subtype, **fields)
        waiter = self._waiters[request_id] = _Waiter()
        try:
            with anyio.move_on_after(timeout) as patience:
                await self._write(data)
                await waiter.event.wait()
            if patience.cancelled_caught:
                raise ControlTimeoutError(f"The CLI did not answer {subtype} within {timeout:g} s.", subtype=subtype)
        finally:
            del self._waiters[request_id]
            self._machine.forget(request_id)
        if waiter.reply is None:
            raise self._failure() or CLIConnectionError(f"The session ended before the CLI answered {subtype}.")
        if waiter.reply.lost is not None:
            raise waiter.reply.lost
        if waiter.reply.error is not None:
            raise ControlError(
                f"The CLI refused {subtype}: {waiter.reply.error}", subtype=subtype, code=waiter.reply.code
            )
        return waiter.reply.body

    def replied(self, event: Replied) -> None:
        """Wake who waits for this reply."""
        if waiter := self._waiters.get(event.id):
            waiter.reply = event
            waiter.event.set()

    def close(self) -> None:
        """There will be no more replies."""
        for waiter in self._waiters.values():
            waiter.event.set()


class _Waiter:
    """A request that waits for its reply."""

    __slots__ = ("event", "reply")

    def __init__(self) -> None:
        self.event = anyio.Event()
        self.reply: Replied | None = None
