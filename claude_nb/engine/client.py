"""`ClaudeSDKClient`: a conversation that stays open, in the caller's own loop.

Layer 2. Above: users. Below: `session` (one for each session name), `inbox`. The CLI keeps one context per process, so
each `session_id` given to `query` is a session of its own, with an inbox of its own.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self

import anyio

from claude_nb.errors import CLIConnectionError, TurnInterrupted
from claude_nb.protocol.config import McpServerConfig
from claude_nb.protocol.control import McpSetServersResult
from claude_nb.protocol.message import Message, ResultMessage
from claude_nb.protocol.options import ClaudeAgentOptions

from .content import Content, is_frame, messages
from .control import Controls
from .inbox import Bell, Inbox
from .session import Session
from .transport import Transport, TransportStream
from .turn import Ticket

logger = logging.getLogger(__name__)

DEFAULT = "default"

Prompts = AsyncIterable[Any]


class ClaudeSDKClient(Controls):
    """A client for many prompts, with control while they run.

    `async with ClaudeSDKClient(options) as client:` connects and disconnects. Control methods act on the default
    session; `session(name)` gives the others. `transport` replaces the CLI process of the default session.
    """

    def __init__(self, options: ClaudeAgentOptions | None = None, transport: Transport | None = None):
        self.options = options or ClaudeAgentOptions()
        self._transport = transport
        self._sessions: dict[str, Session] = {}
        self._inboxes: dict[str, Inbox] = {}
        self._bell = Bell()
        self._sent: deque[tuple[str, Ticket]] = deque()
        self._opening = anyio.Lock()
        self._names = 0

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
        if DEFAULT in self._sessions:
            await self.disconnect()
        self._inboxes, self._sent = {}, deque()
        stream = TransportStream(self._transport) if self._transport is not None else None
        session = await self._open(DEFAULT, self.options, stream)
        if isinstance(prompt, AsyncIterable):
            session.attend(partial(self._feed, DEFAULT, prompt))
        elif prompt is not None:
            await self.query(prompt)

    async def _feed(self, name: str, prompts: Prompts) -> None:
        """As a task of the session: a stream of prompts that fails ends with a log entry, the session goes on."""
        try:
            await self._send(name, prompts)
        except Exception:
            logger.exception("the stream of prompts failed")

    async def disconnect(self) -> None:
        """End all sessions. Messages that were not read yet can still be read."""
        sessions, self._sessions = self._sessions, {}
        async with anyio.create_task_group() as tasks:
            for session in sessions.values():
                tasks.start_soon(session.aclose)

    async def _open(self, name: str, options: ClaudeAgentOptions, stream: TransportStream | None = None) -> Session:
        inbox = self._inboxes[name] = Inbox(self._bell)
        session = Session(options, listener=inbox.put, observer=inbox.note, stream=stream)
        await session.start()
        self._sessions[name] = session
        return session

    def session(self, name: str = DEFAULT) -> Session:
        """The session of that name. Raises `CLIConnectionError` if there is none."""
        if DEFAULT not in self._sessions:
            raise CLIConnectionError("Not connected. Call connect() first.")
        if name not in self._sessions:
            raise CLIConnectionError(f"There is no session {name!r} yet; query(..., session_id={name!r}) begins it.")
        return self._sessions[name]

    @property
    def session_id(self) -> str | None:
        """The id of the default session, for `resume`."""
        return self.session().session_id

    # -- turns --------------------------------------------------------------------------------------------------

    async def query(self, prompt: Content | Prompts, session_id: str = DEFAULT) -> None:
        """Send a prompt and return; read the answer with `receive_response`.

        A prompt is text, or pieces (text, images, documents ...); several may come as an async iterable, or as a list
        of `user_message`s. Each `session_id` (a user message may name one itself) is a conversation of its own that
        knows nothing of the others; it begins with its first prompt. Prompts to a session that is busy are queued by
        the CLI, in order. Raises `ContentError` for what cannot be sent.
        """
        self.session()
        await self._send(session_id, prompt)

    async def _send(self, name: str, prompt: Content | Prompts) -> None:
        if isinstance(prompt, AsyncIterable):
            async for item in prompt:
                await self._say(name, item)
        else:
            for item in messages(prompt):
                await self._say(name, item)

    async def _say(self, name: str, item: Any) -> None:
        """To the session of that name, or to the one that the user message names itself."""
        if is_frame(item) and item.get("session_id") not in (None, "", DEFAULT):
            name = item["session_id"]
        session = await self._named(name)
        self._sent.append((name, await session.say(item)))

    async def new_session(self, prompt: Content | Prompts | None = None, session_id: str | None = None) -> str:
        """Begin an empty conversation beside the others, with `prompt` if given; returns its name for `query`."""
        if session_id is None:
            self._names += 1
            session_id = f"session-{self._names}"
        old = self._sessions.get(session_id)
        if old is not None and session_id != DEFAULT:
            await old.aclose()
            del self._sessions[session_id]
        if prompt is None:
            await self._named(session_id)
        else:
            await self.query(prompt, session_id)
        return session_id

    async def _named(self, name: str) -> Session:
        self.session()
        async with self._opening:
            if name not in self._sessions:
                fresh = replace(
                    self.options,
                    resume=None,
                    session_id=None,
                    continue_conversation=False,
                    fork_session=False,
                    resume_session_at=None,
                    resume_drops_turn=None,
                )
                await self._open(name, fresh)
        return self._sessions[name]

    async def receive_messages(self) -> AsyncIterator[Message]:
        """All messages of all sessions as they come, until the client disconnects or the last session ends.

        Raises what ended the session then.
        """
        self._check_connected()
        while True:
            for inbox in list(self._inboxes.values()):
                while inbox.items:
                    yield inbox.items.popleft()
            if all(inbox.closed for inbox in self._inboxes.values()):
                break
            await self._bell.wait()
        for session in self._sessions.values():
            if session.failure is not None:
                raise session.failure

    async def receive_response(self) -> AsyncIterator[Message]:
        """The messages up to and including the result of the oldest prompt that was not received yet.

        An extra turn of the CLI (a background task's report) is among them and does not end the response. A prompt
        that was taken out of the queue has no result: its response ends with what there is. Raises what ended the
        session if there will be no result. Without a prompt, the response ends with the next result of any kind.
        """
        self._check_connected()
        name, ticket = self._sent.popleft() if self._sent else (DEFAULT, None)
        inbox = self._inboxes[name]
        while True:
            while inbox.items:
                message = inbox.items.popleft()
                yield message
                if isinstance(message, ResultMessage) and (ticket is None or message is ticket.outcome):
                    self._forget(message)
                    return
            if inbox.closed or (ticket is not None and isinstance(ticket.outcome, TurnInterrupted)):
                break
            await self._bell.wait()
        session = self._sessions.get(name)
        if inbox.closed and session is not None and session.failure is not None:
            raise session.failure

    def _forget(self, result: ResultMessage) -> None:
        """One result may answer several prompts: all of them are received with it."""
        self._sent = deque(entry for entry in self._sent if entry[1].outcome is not result)

    def _check_connected(self) -> None:
        if not any(inbox.items for inbox in self._inboxes.values()):
            self.session()

    # -- control ------------------------------------------------------------------------------------------------

    async def request(self, subtype: str, *, timeout: float | None = None, **fields: Any) -> dict[str, Any]:
        """Send any control request to the default session; see `Controls`."""
        return await self.session().request(subtype, timeout=timeout, **fields)

    async def set_model(self, model: str | None = None) -> str | None:
        """Change the model of the default session; see `Controls`."""
        return await self.session().set_model(model)

    async def set_mcp_servers(self, servers: dict[str, McpServerConfig]) -> McpSetServersResult:
        """Replace the MCP servers set at run time; see `Controls`."""
        return await self.session().set_mcp_servers(servers)

    @property
    def server_info(self) -> dict[str, Any] | None:
        """What the CLI said about itself when it was opened."""
        return self.session().server_info

    async def get_server_info(self) -> dict[str, Any] | None:
        """The same, as the official SDK has it."""
        return self.server_info
