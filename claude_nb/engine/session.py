"""A session: one CLI, one pump, and the callbacks it asks.

Layer 2. Above: `query`, the client, the pool, `chat`. Below: the machine (what is legal), the byte stream (a process, a
`Transport`, a recording), `requests` (ours) and `answers` (to the CLI's). The pump never waits for consumers: listeners
are plain calls in wire order, and replies, questions and the ends of turns are settled before anything could queue. One
background task owns the stream and all tasks of the session, from `start` to `aclose`; callers only exchange values
with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, ClassVar, Self
from uuid import uuid4

import anyio
from anyio.abc import ByteStream, TaskGroup

from claude_nb.errors import (
    ClaudeSDKError,
    CLIConnectionError,
    CLIVersionError,
    ContentError,
    SessionInUseError,
    error_from_exit,
)
from claude_nb.protocol.config import McpServerConfig
from claude_nb.protocol.control import McpSetServersResult
from claude_nb.protocol.framing import MAX_LINE, Garbage
from claude_nb.protocol.launch import check_server, initialize
from claude_nb.protocol.machine import Asked, Closed, Event, Machine, Mirrored, Phase, Replied, TurnEnded, Withdrawn
from claude_nb.protocol.message import ConversationResetMessage, Message, ResultMessage, StreamEvent, SystemMessage
from claude_nb.protocol.options import ClaudeAgentOptions, check, sdk_servers, server_entries
from claude_nb.sessions import Mirror, check_store_options, projects_dir

from .answers import Answered, Answers
from .background import spawn
from .callbacks import Callbacks
from .content import Content, checked_frame, is_frame, to_content
from .control import Controls
from .cost import Meter
from .mirroring import Mirroring
from .process import GRACE, CLIProcess
from .requests import Requests
from .tenure import Tenure
from .transport import TransportStream
from .turn import Ticket
from .work import Work

logger = logging.getLogger(__name__)

Listener = Callable[[Message], None]
Observer = Callable[[Event | Answered], None]

# A write that takes longer finds a CLI that reads no more; seconds.
WRITE_TIMEOUT = 60.0
# How long the CLI's own end is waited for when nothing can be written to it any more; seconds.
LAST_WORDS = 2.0


class Session(Controls):
    """One conversation with one CLI process.

    `listener` is called with each message, in wire order, in the pump: it must not wait, and what it raises is logged.
    `observer` is called likewise with the machine's other events (ends of turns, withdrawn questions, garbage) and
    with our answers. With a `session_store` the transcript is copied there, and a result is told when it is.
    `stream` replaces the process: any byte stream that speaks the protocol. `fresh_uuid` makes the prompts' uuids;
    `used` are those of the conversation so far, and those of this session are added to it.
    """

    def __init__(
        self,
        options: ClaudeAgentOptions | None = None,
        *,
        listener: Listener | None = None,
        observer: Observer | None = None,
        stream: ByteStream | None = None,
        fresh_uuid: Callable[[], str] = lambda: str(uuid4()),
        used: set[str] | None = None,
    ):
        self.options = options or ClaudeAgentOptions()
        check(self.options)
        check_store_options(
            self.options.session_store,
            resume=self.options.resume,
            continue_conversation=self.options.continue_conversation,
            enable_file_checkpointing=self.options.enable_file_checkpointing,
        )
        if stream is None and not (
            self.options.resume or self.options.continue_conversation or self.options.session_id
        ):
            # Our own id, so that it is known before the first answer.
            self.options = replace(self.options, session_id=str(uuid4()))
        self.session_id: str | None = None
        self._take_id()
        self.model: str | None = self.options.model
        self.failure: ClaudeSDKError | None = None
        """What ended the session, if it was not `aclose`."""
        self.meter = Meter()
        """What it costs."""
        self.work = Work()
        """What goes on beside its turns."""
        self._listener, self._observer = listener, observer
        self._fresh_uuid = fresh_uuid
        self._stream = stream
        self._machine = Machine(max_line=self.options.max_buffer_size or MAX_LINE)
        self._callbacks = Callbacks(self.options, self._mcp_notify)
        self._server_info: dict[str, Any] | None = None
        self._tickets: dict[str, Ticket] = {}
        self._used: set[str] = set() if used is None else used
        self._requests = Requests(self._machine, self._write, lambda: self.failure)
        self._answers = Answers(self._machine, self._callbacks, self._write, partial(self._tell, self._observer))
        self._writing = anyio.Lock()
        self._tasks: TaskGroup | None = None
        self._started = self._closing = self._input_ended = False
        self._patient = True
        self._ready, self._done = anyio.Event(), anyio.Event()
        self._news: anyio.Event | None = None
        self._closed = Closed((), (), ())
        self._tenure = Tenure()
        self._beginning: anyio.CancelScope | None = None
        self._mirroring: Mirroring | None = None

    def _take_id(self) -> None:
        self.session_id = self.options.session_id or (None if self.options.fork_session else self.options.resume)

    # -- life ---------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Start the CLI and open the session. Raises what keeps it from starting; nothing is left running then."""
        if self._started:
            raise CLIConnectionError("A session is started once; make a new one.")
        self._started = True
        spawn(self._own, f"claude session {self.session_id}")
        try:
            await self._ready.wait()
        except BaseException:
            await self.aclose()
            raise
        if self.failure is not None:
            await self._done.wait()
            raise self.failure

    async def aclose(self) -> None:
        """End the session: stop the running turn, let the CLI write its transcript, and end it. Bounded; idempotent."""
        if not self._started or self._done.is_set():
            return
        with anyio.CancelScope(shield=True):
            self._closing = True
            if self._beginning is not None:
                self._beginning.cancel()
            # One that never opened has no transcript to write and is not waited for.
            with anyio.move_on_after(GRACE if self._server_info is not None else 0):
                if await self._say_goodbye():
                    await self._done.wait()
            if not self._done.is_set():
                self._patient = False
                if self._tasks is not None:
                    self._tasks.cancel_scope.cancel()
                await self._done.wait()

    async def _say_goodbye(self) -> bool:
        """Stop the turn and close stdin; False when the CLI was never open, or cannot be reached and would work on."""
        if self._server_info is None:
            self._fail(CLIConnectionError("The session was closed before it was open."))
            return False
        try:
            if not self._machine.settled:
                await self._write(self._machine.request("interrupt")[1])
            await self.end_input()
        except ClaudeSDKError:
            return self._machine.settled
        return True

    async def end_input(self) -> None:
        """Close the CLI's stdin: it finishes what it does, asks nothing more and ends."""
        if self._stream is not None:
            async with self._writing:
                try:
                    await self._stream.send_eof()
                except ClaudeSDKError as error:
                    self._deaf(error)
                    raise
                self._input_ended = True

    @property
    def is_alive(self) -> bool:
        """Prompts can be sent."""
        open = self._machine.phase is not Phase.CLOSED
        return open and self._ready.is_set() and not self._closing and not self._done.is_set()

    @property
    def server_info(self) -> dict[str, Any] | None:
        """What the CLI said about itself when the session was opened."""
        return self._server_info

    @property
    def settled(self) -> bool:
        """Nothing is under way: no prompt of ours, no extra turn, no tracked task."""
        return self._machine.settled

    @property
    def waiting(self) -> bool:
        """A prompt of ours or a tracked task is not done yet."""
        return self._machine.waiting

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts (their uuids) that have no result yet, oldest first."""
        return tuple(self._tickets)

    @property
    def at_rest(self) -> bool:
        """Settled, and nothing goes on in the background: the process could be ended and nothing would be lost."""
        return self._machine.settled and not self.work

    async def idle(self) -> None:
        """Wait until nothing is under way, or the session ended."""
        while not self._machine.settled and not self._done.is_set():
            await self.changed()

    async def changed(self) -> None:
        """Wait until the CLI has said something more, or the session ended."""
        if not self._done.is_set():
            self._news = self._news or anyio.Event()
            await self._news.wait()

    def attend(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `function` as a task of the session, which ends with it. It must not raise."""
        self._check_alive()
        self._begin(function)

    async def ended(self) -> None:
        """Wait until the session ended; `failure` then says why."""
        await self._done.wait()

    # -- what we say --------------------------------------------------------------------------------------------

    async def prompt(self, content: Content, *, uuid: str | None = None, **fields: Any) -> Ticket:
        """Send a prompt and return at once; its turn may have to wait for others. `fields` join the frame.

        `uuid` must never have been used in this session, not even before a resume. Raises `CLIConnectionError`, and
        `ContentError` for what cannot be sent.
        """
        message = {"role": "user", "content": to_content(content)}
        frame = {"type": "user", "message": message, "parent_tool_use_id": None, "session_id": ""}
        return await self.send({**frame, **fields}, uuid=uuid)

    async def say(self, item: Content) -> Ticket:
        """Send a prompt, or a user message whose frame the caller built."""
        return await (self.send(item) if is_frame(item) else self.prompt(item))

    async def send(self, frame: dict[str, Any], *, uuid: str | None = None) -> Ticket:
        """Send a user message whose frame the caller built; its own `uuid` is kept. Raises as `prompt` does."""
        uuid = str(uuid or frame.get("uuid") or self._fresh_uuid())
        if uuid in self._used:
            raise ContentError(f"The uuid {uuid} was used in this session before, and the CLI answers one only once.")
        frame = checked_frame(frame)
        if self.options.verbatim_prompts:
            frame = {**frame, "client_composed": True}
        self._check_alive()
        ticket = self._tickets[uuid] = Ticket(uuid)
        self._used.add(uuid)
        try:
            await self._write(self._machine.user_frame(frame, uuid))
        except BaseException:
            self._machine.forget_prompt(uuid)
            self._used.discard(uuid)
            self._tickets.pop(uuid, None)
            raise
        return ticket

    async def request(self, subtype: str, *, timeout: float | None = None, **fields: Any) -> dict[str, Any]:
        """Send a control request and wait for its payload; see `Controls`."""
        self._check_alive()
        return await self._requests.ask(subtype, fields, timeout or self.options.control_timeout)

    async def set_model(self, model: str | None = None) -> str | None:
        """Change the model; see `Controls`."""
        resolved = await super().set_model(model)
        self.model = resolved or model
        return resolved

    async def set_mcp_servers(self, servers: dict[str, McpServerConfig]) -> McpSetServersResult:
        """Replace the MCP servers set at run time; see `Controls`."""
        # The CLI would drop those of this process that are not among them, though it was started with them.
        own: dict[str, McpServerConfig] = {
            name: {"type": "sdk", "name": name, "instance": instance}
            for name, instance in sdk_servers(self.options).items()
        }
        servers = {**own, **server_entries(servers)}
        configs = {name: {k: v for k, v in config.items() if k != "instance"} for name, config in servers.items()}
        instances, known = sdk_servers(ClaudeAgentOptions(mcp_servers=servers)), self._callbacks.servers
        if others := known.others(instances):
            # All the CLI knows of such a server is its name: it would go on with the one before.
            kept = {name: config for name, config in configs.items() if name not in others}
            await self.request("mcp_set_servers", servers=kept)
        await known.add(instances)
        return McpSetServersResult.model_validate(await self.request("mcp_set_servers", servers=configs))

    def _check_alive(self) -> None:
        if not self._started:
            raise CLIConnectionError("Not connected. Call connect() first.")
        if self._closing or self._done.is_set():
            raise self.failure or CLIConnectionError("The session is closed.")

    async def _write(self, data: bytes) -> None:
        """Write whole lines, one writer at a time. Shielded: half a line would end the CLI."""
        if self._stream is None:
            raise self.failure or CLIConnectionError("The session is not open.")
        async with self._writing:
            with anyio.move_on_after(WRITE_TIMEOUT, shield=True) as patience:
                try:
                    await self._stream.send(data)
                except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
                    failure = CLIConnectionError("The CLI takes no more input; it has ended or is ending.")
                    self._deaf(failure)
                    raise failure from error
                except ClaudeSDKError as error:
                    self._deaf(error)
                    raise
            if patience.cancelled_caught:
                self._fail(CLIConnectionError(f"The CLI read nothing for {WRITE_TIMEOUT:g} s; the session was ended."))
                raise CLIConnectionError("The CLI does not read its input.")

    def _deaf(self, error: ClaudeSDKError) -> None:
        """Nothing reaches the CLI any more: the session ends, with `error` unless the CLI's end explains more."""
        if not self._input_ended:
            self._begin(partial(self._give_up, error))

    async def _give_up(self, error: ClaudeSDKError) -> None:
        await anyio.sleep(LAST_WORDS)
        self._fail(error)

    # -- the background task ------------------------------------------------------------------------------------

    async def _own(self) -> None:
        """Everything between start and end; never raises, `failure` says what went wrong."""
        try:
            await self._open_stream()
            if self._closing:
                return
            async with anyio.create_task_group() as self._tasks:
                self._callbacks.tasks = self._tasks
                self._copy_to_store()
                if isinstance(self._stream, CLIProcess):
                    self._tasks.start_soon(self._stream.read_stderr)
                    self._tasks.start_soon(self._stream.end_stdout)
                self._tasks.start_soon(self._initialize)
                await self._pump()
                if isinstance(self._stream, CLIProcess):
                    # Its last words may still be on their way.
                    with anyio.move_on_after(1):
                        await self._stream.silent.wait()
                self._tasks.cancel_scope.cancel()
        except ClaudeSDKError as error:
            self._fail(error)
        except Exception as error:
            logger.exception("the session ended by a fault of its own")
            self._fail(CLIConnectionError(f"The session ended unexpectedly: {error!r}"))
        finally:
            with anyio.CancelScope(shield=True):
                await self._end()

    async def _open_stream(self) -> None:
        with anyio.CancelScope() as self._beginning:
            if self._closing:
                self._beginning.cancel()
            if self._stream is None:
                self.options = await self._tenure.begin(self.options)
                self._take_id()
                self.meter = Meter(self._tenure.carried_usd)
                self._stream = await CLIProcess.start(self.options)
            elif isinstance(self._stream, TransportStream):
                await self._stream.connect()

    def _copy_to_store(self) -> None:
        if self.options.session_store is not None:
            eager = self.options.session_store_flush == "eager"
            mirror = Mirror(self.options.session_store, projects_dir(env=self.options.env), eager=eager)
            self._mirroring = Mirroring(mirror, self._deliver, self._begin)

    async def _initialize(self) -> None:
        try:
            info = await self._requests.ask("initialize", initialize(self.options), self.options.control_timeout)
            check_server(info, self.options)
        except ClaudeSDKError as error:
            # The end of the session explains more than the missing answer, and comes by itself.
            if not isinstance(error, CLIConnectionError) or isinstance(error, CLIVersionError):
                self._fail(error)
            return
        self._server_info = info
        self._ready.set()

    async def _pump(self) -> None:
        assert self._stream is not None
        data = b"."
        while data:
            try:
                data = await self._stream.receive()
            except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
                data = b""
            except ClaudeSDKError as error:
                self._fail(error)
                data = b""
            self._dispatch_all(self._machine.receive(data))
            self._wake()

    def _wake(self) -> None:
        if self._news is not None:
            self._news.set()
            self._news = None

    # -- what the CLI says --------------------------------------------------------------------------------------

    def _dispatch_all(self, events: list[Event]) -> None:
        listener, direct = self._listener, self._mirroring is None
        for event in events:
            if direct and type(event) is StreamEvent:  # most are these, so they take the short way
                if listener is not None:
                    try:
                        listener(event)
                    except Exception:
                        logger.exception("a listener failed; the session goes on")
            else:
                self._dispatch(event)

    def _dispatch(self, event: Event) -> None:
        if isinstance(event, Closed):
            self._closed = event  # told when it is known why
        elif self._mirroring is None or isinstance(event, _NEVER_HELD):
            self._deliver(event)
        else:
            self._mirroring.take(event)

    def _deliver(self, event: Event) -> None:
        if isinstance(event, StreamEvent):
            self._tell(self._listener, event)
        elif handler := self._EVENTS.get(type(event)):
            handler(self, event)
            self._tell(self._observer, event)
        else:
            self._notice(event)  # type: ignore[arg-type]
            self._tell(self._listener, event)

    def _tell(self, hear: Callable[[Any], None] | None, event: Event | Answered) -> None:
        if hear is not None:
            try:
                hear(event)
            except Exception:
                logger.exception("a listener failed; the session goes on")

    def _notice(self, message: Message) -> None:
        """Keep what the session itself wants to know."""
        before = self.session_id
        if isinstance(message, SystemMessage) and message.subtype == "init":
            self.session_id = message.data.get("session_id") or self.session_id
            self.model = message.data.get("model") or self.model
        elif isinstance(message, ResultMessage):
            self.session_id = message.session_id or self.session_id
        elif isinstance(message, ConversationResetMessage):
            self.session_id = message.new_conversation_id or self.session_id
        self.meter.heard(message)
        self.work.heard(message)
        if self.session_id not in (None, before) and isinstance(self._stream, CLIProcess):
            self._begin(partial(self._follow, self.session_id))

    def _begin(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """As a task of the session, unless it is ending."""
        if self._tasks is not None:
            self._tasks.start_soon(function)

    async def _follow(self, session_id: str) -> None:
        """The lock goes with the id."""
        try:
            await self._tenure.follow(session_id)
        except SessionInUseError as error:
            logger.warning("%s", error)

    def _turn_ended(self, event: TurnEnded) -> None:
        for uuid in event.uuids:
            if ticket := self._tickets.pop(uuid, None):
                ticket.end(event.outcome)

    def _replied(self, event: Replied) -> None:
        self._requests.replied(event)

    def _asked(self, event: Asked) -> None:
        if self._tasks is None:
            return  # the last words of a CLI that is gone
        if ticket := self._tickets.get(event.prompt or ""):
            self._answers.context = ticket.context
        self._answers.asked(event, self._tasks)

    def _withdrawn(self, event: Withdrawn) -> None:
        self._answers.withdrawn(event)

    def _garbage(self, event: Garbage) -> None:
        logger.warning("the CLI sent %d bytes that are no frame (%s): %.80r", event.size, event.reason, event.head)

    def _ignore(self, event: Any) -> None:
        """Only the observer wants it."""

    _EVENTS: ClassVar[dict[type, Callable[[Any, Any], None]]] = {
        Replied: _replied,
        TurnEnded: _turn_ended,
        Asked: _asked,
        Withdrawn: _withdrawn,
        Garbage: _garbage,
        Mirrored: _ignore,
    }

    def _mcp_notify(self, server_name: str, message: dict[str, Any]) -> None:
        if self._tasks is not None:
            self._tasks.start_soon(self._mcp_send, {"server_name": server_name, "message": message})

    async def _mcp_send(self, fields: dict[str, Any]) -> None:
        """What an in-process MCP server says unasked goes to the CLI, which may refuse it."""
        try:
            await self._requests.ask("mcp_message", fields, self.options.control_timeout)
        except ClaudeSDKError as error:
            logger.debug("the CLI did not take a notification of %s: %s", fields["server_name"], error)

    # -- the end ------------------------------------------------------------------------------------------------

    def _fail(self, error: ClaudeSDKError) -> None:
        """End the session because of `error`, unless it is ending already."""
        self.failure = self.failure or error
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()

    async def _let_go(self) -> None:
        """Give back all that was taken: servers, process, store and lock, in this order."""
        self._dispatch_all(self._machine.receive(b""))
        await self._callbacks.servers.aclose()
        if isinstance(self._stream, CLIProcess):
            self._stream.patient = self._patient
        if self._stream is not None:
            await self._stream.aclose()
        if self._mirroring is not None:
            await self._mirroring.finish()
        await self._tenure.end()

    async def _end(self) -> None:
        last, self._tasks = self._machine.last_result, None
        try:
            await self._let_go()
        except Exception as error:  # whoever waits for the end must hear of it in any case
            logger.exception("the session did not end cleanly")
            self.failure = self.failure or CLIConnectionError(f"The session did not end cleanly: {error!r}")
        exit_code, stderr = None, ""
        if isinstance(self._stream, CLIProcess):
            exit_code, stderr = self._stream.exit_code, self._stream.stderr_tail
        if self.failure is None and not (self._closing and self._ready.is_set()):
            open_work = self._tickets or self._requests.open or not self._ready.is_set()
            if open_work or exit_code not in (0, None):
                self.failure = error_from_exit(exit_code, stderr, last, opened=self._server_info is not None)
        reason = self.failure or CLIConnectionError("The session was closed before the turn ended.")
        for ticket in self._tickets.values():
            ticket.end(reason)
        self._requests.close()
        self._tickets.clear()
        self._done.set()
        self._ready.set()
        self._wake()
        self._tell(self._observer, self._closed)


# Replies and questions pass at once, however long a store takes.
_NEVER_HELD = (Replied, Asked, Withdrawn, Garbage)
