"""What the CLI asks, answered: a task per question, in the context of the prompt that is being worked on.

Layer 2. Above: `session`, which passes on what the machine hears. Below: `callbacks` (what to answer), the machine
(whether an answer is still wanted).
"""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.abc import TaskGroup

from claude_nb.errors import ClaudeSDKError, LineTooLongError
from claude_nb.protocol.machine import Asked, Machine, Withdrawn

from .background import is_cancelled
from .callbacks import Callbacks, Silent

logger = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True)
class Answered:
    """We answered a question of the CLI, with this body."""

    question: Asked
    body: dict[str, Any]


class Answers:
    """The open questions of one session. `told` gets each answer that was sent."""

    def __init__(
        self,
        machine: Machine,
        callbacks: Callbacks,
        write: Callable[[bytes], Awaitable[None]],
        told: Callable[[Answered], None],
    ):
        self.context = contextvars.copy_context()
        """Where callbacks run: a copy of that of the prompt being worked on, or of the last that was."""
        self._machine, self._callbacks, self._write, self._told = machine, callbacks, write, told
        self._open: dict[str, tuple[anyio.CancelScope, anyio.Event]] = {}

    def asked(self, event: Asked, tasks: TaskGroup) -> None:
        """Begin to answer."""
        question = self._open[event.id] = anyio.CancelScope(), anyio.Event()
        tasks.start_soon(self._answer, event, *question)

    def withdrawn(self, event: Withdrawn) -> None:
        """The CLI does not want an answer any more: the callback is told by its signal, and cancelled."""
        if question := self._open.get(event.id):
            scope, signal = question
            signal.set()
            scope.cancel()

    async def _answer(self, event: Asked, scope: anyio.CancelScope, signal: anyio.Event) -> None:
        for variable, value in self.context.items():
            variable.set(value)
        data: bytes | None = None
        body: dict[str, Any] | None = None
        try:
            with scope:
                body = await self._ask(event, signal)
                data = self._machine.answer(event.id, body)
        except Silent:
            pass
        # SystemExit: a callback that calls exit() ends its question, not the engine.
        except (Exception, SystemExit) as error:
            if not isinstance(error, LookupError | LineTooLongError):
                logger.warning("the callback for %s failed", event.subtype, exc_info=True)
            body, data = None, self._machine.refuse(event.id, str(error) or repr(error))
        finally:
            self._open.pop(event.id, None)
        if data is not None:
            await self._send(event, body, data)

    async def _ask(self, event: Asked, signal: anyio.Event) -> dict[str, Any]:
        if event.lost is not None:
            raise event.lost
        try:
            return await self._callbacks.answer(event.subtype, event.body, signal)
        except anyio.get_cancelled_exc_class():
            if is_cancelled():
                raise
            # Let through, it would pass for the end of the session.
            raise RuntimeError("Something that the callback waited for was cancelled.") from None

    async def _send(self, event: Asked, body: dict[str, Any] | None, data: bytes) -> None:
        try:
            await self._write(data)
        except ClaudeSDKError:
            logger.debug("the CLI ended before it could be answered")
        else:
            if body is not None:
                self._told(Answered(event, body))
