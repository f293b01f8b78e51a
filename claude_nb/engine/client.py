"""`ClaudeSDKClient`: conversations that stay open, in the caller's own loop.

Layer 2. Above: users. Below: `pool` (a named session for each `session_id` given to `query`, each with a CLI of its own
while it needs one). Here is only who is asked, and in which order the answers are read.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import aclosing
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self

import anyio
from anyio.abc import ByteStream

from claude_nb.errors import CLIConnectionError, TurnInterrupted
from claude_nb.protocol.message import Message, ResultMessage
from claude_nb.protocol.options import ClaudeAgentOptions

from .background import spawn
from .content import Content, Prompts, each, is_frame, messages
from .directed import DirectedControls
from .named import NamedSession
from .pool import Pool
from .responses import Responses
from .transport import Transport, TransportStream

logger = logging.getLogger(__name__)

DEFAULT = "default"
# An idle CLI holds over 200 MB; with these, a notebook that names sessions freely stays within 2 GB.
MAX_RUNNING = 8


class ClaudeSDKClient(DirectedControls):
    """A client for many prompts, in one or several conversations, with control while they run.

    `async with ClaudeSDKClient(options) as client:` connects and disconnects. Control methods act on the session that
    was prompted last, or on the one that `session_id` names; `session(name)` gives one to work with. A session goes by
    the name with which it was begun, and by the id that its messages carry.

    `connect` opens one session, as the options say (`resume`, `session_id` ...). It is that of the first prompt,
    whatever its `session_id`; every other name begins an empty session. `transport` replaces the CLI process of the
    opened session.

    Each session has a CLI process while it needs one, at most `max_running` at once (None: no bound). When all places
    are taken, the session that has been idle longest is parked: its process ends, and its next prompt resumes it as it
    was. When none is idle, prompts wait, in order of arrival. `park_after` parks sessions that were idle for so many
    seconds. Nothing is parked while something runs in its background.
    """

    def __init__(
        self,
        options: ClaudeAgentOptions | None = None,
        transport: Transport | None = None,
        *,
        max_running: int | None = MAX_RUNNING,
        park_after: float | None = None,
    ):
        self.options = options or ClaudeAgentOptions()
        self._transport = transport
        self._limits = {"max_running": max_running, "park_after": park_after}
        self._pool: Pool | None = None
        self._connected = False
        self._responses = Responses()
        self._feeding: anyio.CancelScope | None = None
        self._feeding_failed: Exception | None = None

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        await self.disconnect()
        return False

    # -- life ---------------------------------------------------------------------------------------------------

    async def connect(self, prompt: Content | Prompts | None = None) -> None:
        """Start the CLI, and send `prompt` if one is given (a stream of them is sent as it comes)."""
        await self.disconnect()
        pool = Pool(self.options, **self._limits)  # type: ignore[arg-type]  # the two have types of their own
        try:
            await pool.open(DEFAULT, self._stream())
        except BaseException:
            await pool.aclose()
            raise
        self._pool, self._responses, self._connected = pool, Responses(), True
        self._feeding_failed = None
        if isinstance(prompt, AsyncIterable):
            self._feeding = anyio.CancelScope()
            spawn(partial(self._feed, pool, self._feeding, prompt), "prompts of a claude client")
        elif prompt is not None:
            try:
                await self.query(prompt)
            except BaseException:
                await self.disconnect()
                raise

    def _stream(self) -> ByteStream | None:
        """What replaces the process of the session that is opened."""
        return TransportStream(self._transport) if self._transport is not None else None

    async def _feed(self, pool: Pool, scope: anyio.CancelScope, prompts: Prompts) -> None:
        """As a task of nobody's: what goes wrong is told to who waits for more responses; the session goes on."""
        failure: Exception | None = None
        with scope:
            try:
                await self._send(DEFAULT, prompts)
            except Exception as error:
                logger.debug("the stream of prompts failed", exc_info=True)
                failure = error
        if self._feeding is scope:
            self._feeding, self._feeding_failed = None, failure
        pool.bell.ring()

    def _tell_feeding_failed(self) -> None:
        failure, self._feeding_failed = self._feeding_failed, None
        if failure is not None:
            raise failure

    async def disconnect(self) -> None:
        """End all sessions. Messages that were not read yet can still be read."""
        self._connected = False
        if self._feeding is not None:
            self._feeding.cancel()
            self._feeding = None
        if self._pool is not None:
            with anyio.CancelScope(shield=True):
                await self._pool.aclose()

    def session(self, name: str | None = None) -> NamedSession:
        """The session of that name; without one, the session that was prompted last, or that `connect` opened.

        Raises `CLIConnectionError` if there is none.
        """
        return self._find(self._running_pool(), name)

    def _find(self, pool: Pool, name: str | None) -> NamedSession:
        if name is None:
            return pool.latest
        if session := pool.get(name):
            return session
        raise CLIConnectionError(f"There is no session {name!r} yet; query(..., session_id={name!r}) begins it.")

    @property
    def sessions(self) -> dict[str, NamedSession]:
        """All sessions by name; a message tells its session by `session_id`, which is that of one of these."""
        return {session.name: session for session in self._running_pool()}

    @property
    def session_id(self) -> str | None:
        """The id of the session that was prompted last, for `resume`."""
        return self.session().session_id

    def _running_pool(self) -> Pool:
        if self._pool is None or not self._connected:
            raise CLIConnectionError("Not connected. Call connect() first.")
        return self._pool

    # -- turns --------------------------------------------------------------------------------------------------

    async def query(self, prompt: Content | Prompts, session_id: str = DEFAULT) -> None:
        """Send a prompt and return; read the answer with `receive_response`.

        A prompt is text, or pieces (text, images, documents ...); several may come as an async iterable, or as a list
        of `user_message`s. Each `session_id` (a user message may name one itself) is a conversation of its own that
        knows nothing of the others; it begins with its first prompt. Prompts to a session that is busy are queued by
        the CLI, in order; one to a session without a process may have to wait for a place. Raises `ContentError` for
        what cannot be sent, `BudgetExceededError` when a resumed session has nothing left of its `max_budget_usd`.
        """
        self._running_pool()
        await self._send(session_id, prompt)

    async def _send(self, name: str, prompt: Content | Prompts) -> None:
        async with aclosing(each(prompt if isinstance(prompt, AsyncIterable) else messages(prompt))) as prompts:
            async for item in prompts:
                await self._say(name, item)

    async def _say(self, name: str, item: Any) -> None:
        """To the session of that name, or to the one that the user message names itself."""
        if is_frame(item) and item.get("session_id") not in (None, "", DEFAULT):
            name = item["session_id"]
        pool = self._running_pool()
        self._responses.expect(*await pool.submit(name, item))
        pool.bell.ring()

    async def new_session(self, prompt: Content | Prompts | None = None, session_id: str | None = None) -> str:
        """Begin an empty conversation beside the others, with `prompt` if given; returns its name for `query`.

        One that has that name already is ended. A session that was warmed up (`prewarm`) is taken if there is one.
        """
        pool = self._running_pool()
        name = pool.fresh_name() if session_id is None else session_id
        if old := pool.get(name):
            self._responses.forget(old)
        session = await pool.begin_anew(name)
        if prompt is not None:
            await self.query(prompt, session.name)
        return session.name

    async def fork_session(self, source: str | None = None, session_id: str | None = None) -> str:
        """Begin a conversation that knows what the session `source` knows by now; returns its name for `query`.

        Without `source`, what the session knows that was prompted last. It starts with the client's options: rules that
        were granted to `source` do not go with it.
        """
        pool = self._running_pool()
        fork = await pool.fork(self.session(source), pool.fresh_name() if session_id is None else session_id)
        return fork.name

    async def prewarm(self, count: int = 1) -> int:
        """Start CLIs for the next new sessions, so that their first prompt need not wait for one.

        At most as many as there are free places; returns how many were started.
        """
        return await self._running_pool().prewarm(count)

    # -- answers ------------------------------------------------------------------------------------------------

    async def receive_messages(self, session_id: str | None = None) -> AsyncIterator[Message]:
        """All messages of all sessions (or of the one named) as they come, until the client disconnects.

        The order within a session is kept. Raises what ended a CLI in mid-turn, after its last message; when called
        again it goes on with the others, and the next prompt to that session resumes it. Raises too what a stream of
        prompts failed with that was given to `connect`, once those that were sent have their answers.
        """
        pool = self._pool_to_read()
        while True:
            chosen = [session for session in pool if session_id is None or session.goes_by(session_id)]
            for session in chosen:
                for message in self._responses.unread(session):
                    yield message
            if self._responses.due() is None:
                self._tell_feeding_failed()
            if all(session.over for session in chosen or pool):
                return
            await pool.bell.wait()

    async def receive_response(self, session_id: str | None = None) -> AsyncIterator[Message]:
        """The messages up to and including the result of the oldest prompt whose response was not received yet.

        Of all sessions, or of the one named; so each `query` is followed by one `receive_response`, and several in any
        sessions by as many, in the order of the queries. The CLI may answer prompts that were queued in one turn: the
        first of their responses has its messages, each of them its result. A result that was read with
        `receive_messages` is not received again.

        A response that was left early is not taken up by the next one. An extra turn of the CLI (a background task's
        report) is among the messages and does not end the response. A prompt that was taken out of the queue has no
        result: its response ends with what there is. Raises what ended the CLI if there will be no result. When there
        is no prompt to answer, it waits for the next of the stream that was given to `connect`, and raises what that
        failed with; without one, the response ends with the next result of any kind.
        """
        pool = self._pool_to_read()
        while (response := self._responses.due(session_id)) is None and self._feeding is not None:
            await pool.bell.wait()
        if response is None:
            self._tell_feeding_failed()
            async for unasked in self._next_turn(pool, self._find(pool, session_id)):
                yield unasked
            return
        ticket = response.ticket
        with self._responses.reading(response):
            while response.passed or response.shared is None:
                while (message := self._responses.take(response)) is not None:
                    yield message
                    if message is ticket.outcome:
                        return
                if ticket.done:
                    break
                await pool.bell.wait()
        if isinstance(ticket.outcome, ResultMessage):
            yield ticket.outcome
        elif ticket.outcome is not None and not isinstance(ticket.outcome, TurnInterrupted):
            if not response.session.over:
                response.inbox.failure = None  # told now; the session can go on
            raise ticket.outcome.with_traceback(None)

    async def _next_turn(self, pool: Pool, session: NamedSession) -> AsyncIterator[Message]:
        while True:
            for message in self._responses.unread(session):
                yield message
                if isinstance(message, ResultMessage):
                    return
            if session.over:
                return
            await pool.bell.wait()

    def _pool_to_read(self) -> Pool:
        if self._pool is not None and any(inbox.items for session in self._pool for inbox in session.inboxes):
            return self._pool
        return self._running_pool()

    # -- control ------------------------------------------------------------------------------------------------

    async def get_server_info(self, *, session_id: str | None = None) -> dict[str, Any] | None:
        """What the CLI said about itself when it was last started."""
        return self.session(session_id).server_info
