"""`query()`: one run of the agent, as an async iterator of its messages.

Layer 2. Above: users, `ask`. Below: `session`, `inbox`. Runs in the caller's own loop, asyncio or trio.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import anyio

from claude_nb.errors import ClaudeSDKError, ContentError
from claude_nb.protocol.message import Message
from claude_nb.protocol.options import ClaudeAgentOptions, is_bidirectional

from .content import Content, Prompts, each, messages
from .inbox import Inbox
from .session import Session
from .transport import Transport, TransportStream

logger = logging.getLogger(__name__)

# A CLI that says it is busy although no prompt and no agent of ours is: how long it is waited for, seconds.
CEILING = 600.0


async def query(
    *,
    prompt: Content | Prompts,
    options: ClaudeAgentOptions | None = None,
    transport: Transport | None = None,
) -> AsyncIterator[Message]:
    """Run the agent on a prompt, or on a stream of them, and yield all it says.

    A prompt is text, or pieces (`Content`: text, images, documents, paths, figures); several may come as an async
    iterable, or as a list of `user_message`s. The last message of each prompt is its `ResultMessage`.

    Raises `CLINotFoundError`, `CLIConnectionError`, `ProcessError`, and `ResultError` after the result when the run
    ends badly; `LineTooLongError` in place of a result that is longer than `max_buffer_size`; `OptionsError` and
    `ContentError` before anything starts.
    """
    options = options or ClaudeAgentOptions()
    prompts = prompt if isinstance(prompt, AsyncIterable) else messages(prompt)
    inbox = Inbox(all_notes=bool(_setting(options, "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS")))
    stream = TransportStream(transport) if transport is not None else None
    session = Session(options, listener=inbox.put, observer=inbox.note, stream=stream)
    feeder = _Feeder(session, prompts)
    await session.start()
    try:
        session.attend(feeder.run)
        while True:
            while inbox.items:
                yield inbox.take()
            if inbox.closed:
                break
            await inbox.bell.wait()
        if failure := feeder.failure or session.failure or inbox.lost or feeder.unsent:
            raise failure
    finally:
        await session.aclose()


class _Feeder:
    """Writes the prompts and closes stdin when the run has ended."""

    def __init__(self, session: Session, prompts: list[Any] | Prompts):
        self.failure: Exception | None = None
        self.unsent: ClaudeSDKError | None = None
        """Why a prompt did not reach the CLI; how that ended may explain more."""
        self._session, self._prompts = session, prompts

    async def run(self) -> None:
        """To be run as a task; a prompt iterator that fails is kept in `failure`."""
        session = self._session
        sent = False
        try:
            async with aclosing(each(self._prompts)) as prompts:
                async for item in prompts:
                    await session.say(item)
                    sent = True
        except ContentError as error:
            self.failure = error
        except ClaudeSDKError as error:
            self.unsent = error
        except Exception as error:
            self.failure = error
        else:
            # With nobody to ask back to, the CLI may know at once that nothing more comes.
            if sent and is_bidirectional(session.options):
                await run_end(session)
        with suppress(ClaudeSDKError):  # it ends the session
            await session.end_input()


async def run_end(session: Session) -> None:
    """Wait for the end of the run: every prompt has its result, no agent works in the background, the CLI is idle."""
    ceiling = float(_setting(session.options, "CLAUDE_CODE_PRINT_BG_WAIT_CEILING_MS") or CEILING * 1000) / 1000
    while session.is_alive and not session.settled:
        patience = None if session.waiting or not ceiling else ceiling
        with anyio.move_on_after(patience) as scope:
            await session.changed()
        if scope.cancelled_caught:
            logger.warning("the CLI said for %g s that it is busy, with nothing to do; the run is ended", ceiling)
            return


def _setting(options: ClaudeAgentOptions, name: str) -> str | None:
    return options.env.get(name) or os.environ.get(name)
