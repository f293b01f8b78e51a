"""A named session: one conversation over all the CLI processes that carry it, one at a time.

Layer 2. Above: `pool`, the client. Below: `session` (one process), `places` (who may have one), `memory` (what the next
process must be told). The process comes with the first prompt and may be ended when it is idle; the next prompt resumes
the conversation by its id, with model, mode, thinking, rules, directories, MCP servers and budget as they were.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from anyio.abc import ByteStream

from claude_nb.errors import BudgetExceededError, CLIConnectionError, ControlError
from claude_nb.protocol.config import McpServerConfig
from claude_nb.protocol.control import McpSetServersResult
from claude_nb.protocol.machine import Closed
from claude_nb.protocol.message import Message, ResultMessage, StreamEvent, SystemMessage
from claude_nb.protocol.options import ClaudeAgentOptions
from claude_nb.sessions.paths import config_home, find_transcript

from .answers import Answered
from .background import spawn
from .content import Content
from .control import Controls
from .inbox import Bell, Inbox
from .memory import Memory
from .places import Places
from .session import Session
from .turn import Ticket

logger = logging.getLogger(__name__)


class NamedSession(Controls):
    """One conversation. `park_after` seconds of idleness its process is ended; None: only when its place is needed.

    Each process has an inbox of its own; those that still hold messages, and the current one, are in `inboxes`.
    """

    def __init__(
        self,
        name: str,
        options: ClaudeAgentOptions,
        places: Places,
        *,
        bell: Bell | None = None,
        park_after: float | None = None,
        stream: ByteStream | None = None,
    ):
        self.name = name
        self.inboxes: deque[Inbox] = deque()
        self.model = options.model
        self.running = False
        """It has a process."""
        self.over = False
        """It will never have a process again."""
        self.prompted = False
        """It is a conversation: a prompt was sent, or waits for a place."""
        self._options, self._places, self._stream = options, places, stream
        self._bell, self._park_after = bell or Bell(), park_after
        self._inbox = Inbox(self._bell)
        self._session: Session | None = None
        self._memory = Memory()
        self._used: set[str] = set()
        self._line = anyio.Lock()
        self._heard_result = False
        self._spent_before = 0.0

    # -- how it stands ------------------------------------------------------------------------------------------

    @property
    def session_id(self) -> str | None:
        """The id under which the CLI keeps the conversation, for `resume`; None before it has told."""
        return self._session.session_id if self._session is not None else self._options.session_id

    def goes_by(self, name: str) -> bool:
        """It is meant by `name`: its own, or its id."""
        return name in (self.name, self.session_id)

    @property
    def server_info(self) -> dict[str, Any] | None:
        """What the CLI said about itself when it was last started."""
        return self._session.server_info if self._session is not None else None

    @property
    def settled(self) -> bool:
        """Nothing is under way, not even in the background."""
        return not self.running or (self._session is not None and self._session.at_rest)

    @property
    def may_leave(self) -> bool:
        """The process could be ended now and nothing would be lost."""
        alive = self._session is not None and self._session.is_alive
        return alive and self.settled and self._resumable

    @property
    def stays(self) -> bool:
        """See `places.Tenant`."""
        return (self._session is not None and bool(self._session.work)) or not self._resumable

    @property
    def _resumable(self) -> bool:
        return self._stream is None and self._options.persist_session

    @property
    def spent_usd(self) -> float:
        """What the conversation has cost since this object was made, in US dollars."""
        return self._spent_before + (self._session.meter.spent_usd if self._session and self.running else 0.0)

    @property
    def turn_usd(self) -> float:
        """What its last turn has cost, in US dollars."""
        return self._session.meter.turn_usd if self._session is not None else 0.0

    # -- life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Have a process ready before the first prompt. Raises what keeps it from starting."""
        async with self._up():
            pass

    async def idle(self) -> None:
        """Wait until nothing is under way in the foreground."""
        if self._session is not None:
            await self._session.idle()

    async def park(self) -> bool:
        """End the process once nothing is under way; True if there is none now. The next prompt goes on where it was.

        False: something runs in the background, the session is in use again, or it could not be resumed.
        """
        await self.idle()
        session = self._session
        if self.running and session is not None and self._places.dismiss(self):
            await session.ended()
        return not self.running

    def leave(self) -> None:
        """See `places.Tenant`."""
        assert self._session is not None
        spawn(partial(self._end_process, self._session), f"park {self.name}")

    async def _end_process(self, session: Session) -> None:
        await session.aclose()
        self._places.left(self)

    async def aclose(self) -> None:
        """End the conversation here; what was not read yet can still be read."""
        self.over = True
        if self._session is not None:
            await self._session.aclose()
        self._bell.ring()

    # -- what we say --------------------------------------------------------------------------------------------

    async def prompt(self, content: Content, *, uuid: str | None = None, **fields: Any) -> Ticket:
        """Send a prompt and return at once, or as soon as there is a place for the process; see `Session.prompt`.

        Its messages can be read with the client's `receive_messages`, until the next response is received.
        """
        self.prompted = True
        async with self._up() as session:
            return await session.prompt(content, uuid=uuid, **fields)

    async def submit(self, item: Content) -> tuple[Ticket, Inbox]:
        """Send a prompt or a user message; the inbox is where its answer will be."""
        self.prompted = True
        async with self._up() as session:
            inbox = self._inbox
            return await session.say(item), inbox

    async def request(self, subtype: str, *, timeout: float | None = None, **fields: Any) -> dict[str, Any]:
        """Send any control request; a session without a process gets one. See `Controls`."""
        if subtype == "interrupt" and not self.running:
            return {}
        async with self._up(urgent=True) as session:
            payload = await session.request(subtype, timeout=timeout, **self._memory.wording(subtype, fields))
        self._memory.requested(subtype, fields)
        return payload

    async def set_model(self, model: str | None = None) -> str | None:
        """Change the model; see `Controls`."""
        resolved = await super().set_model(model)
        self.model = resolved or model
        return resolved

    async def set_mcp_servers(self, servers: dict[str, McpServerConfig]) -> McpSetServersResult:
        """Replace the MCP servers set at run time; see `Controls`."""
        async with self._up(urgent=True) as session:
            result = await session.set_mcp_servers(servers)
        self._memory.servers = servers
        return result

    # -- processes ----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _up(self, *, urgent: bool = False) -> AsyncIterator[Session]:
        """A running process that nobody ends meanwhile."""
        await self._places.enter(self, urgent=urgent)
        try:
            async with self._line:
                session = await self._process()
            yield session
        finally:
            self._places.exit(self)

    async def _process(self) -> Session:
        old = self._session
        if old is not None:
            if old.is_alive:
                return old
            await old.aclose()  # it may be ending by itself
            if not self._resumable:
                raise old.failure or CLIConnectionError("The session is closed.")
        options = self._options if old is None else await self._next_options(old)
        if self.over:
            raise CLIConnectionError("The session is closed.")
        inbox = self._inbox = Inbox(self._bell)
        session = Session(
            options,
            listener=partial(self._hear, inbox),
            observer=partial(self._note, inbox),
            stream=self._stream,
            used=self._used,
        )
        self.running, self._session = True, session
        self.inboxes.append(inbox)
        try:
            await session.start()
            if old is not None:
                await self._remind(session)
        except BaseException:
            await session.aclose()
            raise
        if self._park_after is not None and self._resumable:
            spawn(partial(self._watch, session, self._park_after), f"watch {self.name}")
        return session

    async def _next_options(self, old: Session) -> ClaudeAgentOptions:
        options = self._memory.options(self._options)
        if self._options.max_budget_usd is not None:
            left = self._options.max_budget_usd - self.spent_usd
            if left <= 0:
                raise BudgetExceededError(
                    f"The budget of ${self._options.max_budget_usd:.2f} of session {self.name!r} is used up "
                    f"(${self.spent_usd:.2f} spent), so nothing was sent."
                )
            options = replace(options, max_budget_usd=left)
        if await self.has_history():
            again = resuming(options, old.session_id)
            if self._heard_result:
                return again
            # A cut is only made by the first prompt after it.
            at, turn = options.resume_session_at, options.resume_drops_turn
            return replace(again, resume_session_at=at, resume_drops_turn=turn)
        # Nothing was written yet: begin as the first process did.
        first = old.options
        return replace(
            options,
            session_id=first.session_id,
            resume=first.resume,
            continue_conversation=first.continue_conversation,
            fork_session=first.fork_session,
        )

    async def has_history(self) -> bool:
        """There is something to resume: it was prompted, and the CLI has written that down."""
        if self._session is None or self.session_id is None:
            return False
        if self._options.session_store is not None:
            return self._heard_result
        home, cwd = config_home(env=self._options.env), self._options.cwd or Path.cwd()
        return await to_thread.run_sync(find_transcript, self.session_id, cwd, home) is not None

    async def _remind(self, session: Session) -> None:
        if self._memory.servers is not None:
            await session.set_mcp_servers(self._memory.servers)
        for subtype, fields in self._memory.requests():
            try:
                await session.request(subtype, **fields)
            except ControlError as error:
                raise CLIConnectionError(f"The session could not be brought back as it was: {error}") from error

    async def _watch(self, session: Session, seconds: float) -> None:
        """As a task of nobody's: park the session when it has been idle for so long."""
        while session.is_alive:
            await session.idle()
            with anyio.move_on_after(seconds) as patience:
                await session.changed()
            if patience.cancelled_caught and self._places.dismiss(self):
                return

    # -- what the CLI says --------------------------------------------------------------------------------------

    def prompts_of(self, inbox: Inbox) -> tuple[str, ...]:
        """The prompts (their uuids) that the next message in that inbox answers; none: it is of an extra turn."""
        if inbox.ends:
            return inbox.ends[0].prompts
        if inbox.closed:
            return inbox.cut_off[:1]
        return self._session.prompts[:1] if self._session is not None else ()

    def _hear(self, inbox: Inbox, message: Message) -> None:
        inbox.put(message)
        if type(message) is StreamEvent:
            return
        self._memory.heard(message)
        if isinstance(message, ResultMessage):
            self._heard_result = True
        elif isinstance(message, SystemMessage) and message.subtype == "init":
            self.model = message.data.get("model") or self.model
        if self._places.waiting:
            self._places.serve()

    def _note(self, inbox: Inbox, event: object) -> None:
        if isinstance(event, Answered):
            self._memory.answered(event.body)
        if isinstance(event, Closed):
            self._ended(inbox, event)
        inbox.note(event)
        if self._places.waiting:
            self._places.serve()

    def _ended(self, inbox: Inbox, event: Closed) -> None:
        assert self._session is not None
        self._spent_before, self.running = self.spent_usd, False
        self._used.difference_update(event.prompts)  # it may not have read them
        failure = self._session.failure
        if event.prompts or self._session.work or not self._resumable:
            inbox.failure = failure
        elif failure is not None and self.server_info is not None:  # one that never opened is told to who opens it
            logger.warning("the idle CLI of session %s ended; its next prompt goes on with a new one", self.name)
        self.over |= not self._resumable
        self._places.serve()


def resuming(options: ClaudeAgentOptions, session_id: str | None, *, fork_to: str | None = None) -> ClaudeAgentOptions:
    """The options to go on with a session, or with a fork of it that has the id `fork_to`."""
    return replace(_unbound(options), resume=session_id, fork_session=fork_to is not None, session_id=fork_to)


def beginning(options: ClaudeAgentOptions, session_id: str) -> ClaudeAgentOptions:
    """The options to begin an empty session."""
    return replace(_unbound(options), session_id=session_id)


def _unbound(options: ClaudeAgentOptions) -> ClaudeAgentOptions:
    """Without what names one session of all."""
    return replace(
        options,
        resume=None,
        session_id=None,
        continue_conversation=False,
        fork_session=False,
        resume_session_at=None,
        resume_drops_turn=None,
    )
