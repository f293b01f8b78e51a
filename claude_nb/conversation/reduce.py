"""The reducer: messages in, changes out; the only writer of the conversation.

Pure. Above: `chat` feeds it and hands the changes to the faces. Below: `write` (blocks), `notices` (sentences),
`redact`. The clock is an argument. A turn of ours begins with `open` and ends with the result that names its uuid;
what the CLI says when no prompt of ours is running is a turn of its own (a background task that finished).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar
from uuid import uuid4

from claude_nb.errors import TurnInterrupted, error_from_result
from claude_nb.protocol import block as wire
from claude_nb.protocol.message import (
    AssistantMessage,
    CommandLifecycleMessage,
    ConversationResetMessage,
    Message,
    RateLimitEvent,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    ToolProgressMessage,
    UnknownMessage,
    UserMessage,
)

from .model import (
    Change,
    ChangeKind,
    Conversation,
    Notice,
    Question,
    QuestionStatus,
    Tool,
    Turn,
    TurnStatus,
    Usage,
)
from .notices import Words, from_rate_limit, from_system, from_unknown
from .redact import Redactor
from .write import WAITING, TurnWriter


class Reducer:
    """Keeps one conversation up to date.

    `environ` is where the redactor learns which values are secrets; pass `os.environ` and the CLI's own environment.
    Times (`now`) are seconds since the epoch.
    """

    def __init__(self, conversation: Conversation, environ: Mapping[str, str] | None = None):
        self.conversation = conversation
        self._redactor = Redactor(environ)
        self._writers: dict[str, TurnWriter] = {}
        self._waiting: list[Turn] = []
        self._current: Turn | None = None
        self._lifecycle_seen = False

    @property
    def current(self) -> Turn | None:
        """The turn that is running."""
        return self._current

    # -- our own steps ------------------------------------------------------------------------------------------

    def open(self, turn: Turn, now: float) -> list[Change]:
        """A prompt was handed to the CLI (or waits for its place): `turn` joins the conversation."""
        turn.started = now
        turn.session_name = self.conversation.name
        turn.session_id = self.conversation.session_id
        turn.model = turn.model or self.conversation.model
        # `sent` stays: it is the model's. Faces show these two.
        turn.prompt, turn.notices = self._redactor.text(turn.prompt), self._redactor.value(turn.notices)
        self.conversation.turns.append(turn)
        self._waiting.append(turn)
        self._writers[turn.id] = TurnWriter(turn, self._redactor)
        return [Change(ChangeKind.OPENED, turn)]

    def send(self, turn: Turn, now: float) -> list[Change]:
        """The prompt of `turn` is on its way; what the CLI says belongs to it once the CLI says it has started."""
        turn.status, turn.started, turn.activity = "running", now, "Starting"
        return [Change(ChangeKind.STATUS, turn)]

    def fail(self, turn: Turn, error: Exception, now: float) -> list[Change]:
        """`turn` ends with an error that no result carried: the CLI died, the prompt never left, it was cancelled."""
        status: TurnStatus = "interrupted" if isinstance(error, TurnInterrupted) else "failed"
        return list(self._end(turn, status, error, now))

    def cancel(self, turn: Turn, now: float) -> list[Change]:
        """`turn` was withdrawn before it was sent."""
        error = TurnInterrupted("The prompt was cancelled while it waited; nothing was sent.")
        return list(self._end(turn, "cancelled", error, now))

    def rewind(self, turns: Sequence[Turn], session_id: str | None, total_cost_usd: float) -> None:
        """The conversation now stands where it consisted of `turns`, all of them turns of its own, while none runs.

        `total_cost_usd` is what the CLI's running total of the session stood at.
        """
        kept = {turn.id for turn in turns}
        known = [*self.conversation.rewound, *self.conversation.turns]
        self.conversation.rewound = [turn for turn in known if turn.id not in kept]
        self.conversation.turns = list(turns)
        self.conversation.session_id, self.conversation.total_cost_usd = session_id, total_cost_usd

    def notice(self, turn: Turn, words: Words, now: float) -> list[Change]:
        """Put a notice into the turn."""
        writer = self._writers[turn.id]
        text = self._redactor.text(words.text)
        block = Notice(key=writer.key(), started=now, ended=now, text=text, level=words.level, code=words.code)
        return [writer.add(block)]

    def ask(self, turn: Turn, question: Question, tool_use_id: str | None, now: float) -> list[Change]:
        """Put a question after the tool call it belongs to; the call waits."""
        writer = self._writers[turn.id]
        tool = writer.tool(tool_use_id)
        question.key, question.started = writer.key(), now
        question.ask = self._redactor.value(question.ask)
        if tool is not None:
            question.tool, question.parent = tool.key, tool.parent
        return [writer.add(question, tool), *writer.wait(), *writer.act(WAITING)]

    def settle(
        self, turn: Turn, question: Question, status: QuestionStatus, decision: dict[str, Any] | None, now: float
    ) -> list[Change]:
        """The question was answered, ran out of time, or was withdrawn."""
        question.status, question.decision, question.ended = status, self._redactor.value(decision), now
        changes = [Change(ChangeKind.CHANGED, turn, question), Change(ChangeKind.CLOSED, turn, question)]
        writer = self._writers[turn.id]
        tool = turn.block(question.tool) if question.tool else None
        activity = f"Running {tool.name}" if isinstance(tool, Tool) and tool.ended is None else "Working"
        return [*changes, *writer.wait(), *writer.act(activity)]

    # -- what the CLI says --------------------------------------------------------------------------------------

    def apply(self, message: Message, now: float) -> list[Change]:
        """Fold one message into the conversation. Never raises on what the CLI says."""
        return list(self._apply(message, now))

    def _apply(self, message: Message, now: float) -> Iterable[Change]:
        # The events of a stream come by the thousand: they are looked for first.
        for kind, handle in self._HANDLERS:
            if isinstance(message, kind):
                return handle(self, message, now)
        return ()

    def _stream(self, message: StreamEvent, now: float) -> Iterator[Change]:
        writer = yield from self._writer(message.parent_tool_use_id, now)
        yield from writer.stream(message.event, message.parent_tool_use_id, now)

    def _assistant(self, message: AssistantMessage, now: float) -> Iterator[Change]:
        writer = yield from self._writer(message.parent_tool_use_id, now)
        if message.error:
            # The CLI words an API error as if the model had said it; it is a notice.
            text = " ".join(b.text for b in message.content if isinstance(b, wire.TextBlock))
            yield from self._say(Words(message.error, "error", text or message.error), now)
            return
        thought = (message.model_extra or {}).get("thinking_duration_ms")
        yield from writer.content(message.content, message.parent_tool_use_id, now, thought)

    def _user(self, message: UserMessage, now: float) -> Iterator[Change]:
        if isinstance(message.content, str):
            return
        results = [b for b in message.content if isinstance(b, wire.ToolResultBlock)]
        for result in results:
            writer = self._owner(result.tool_use_id) or (yield from self._writer(message.parent_tool_use_id, now))
            # The structured form is of the message; with several results it cannot be told whose it is.
            detail = message.tool_use_result if len(results) == 1 else None
            yield from writer.result(result.model_dump(mode="python"), detail, now)

    def _system(self, message: SystemMessage, now: float) -> Iterator[Change]:
        data = message.data
        if message.subtype == "init":
            self.conversation.session_id = data.get("session_id") or self.conversation.session_id
            self.conversation.cwd = data.get("cwd") or self.conversation.cwd
            self.conversation.model = data.get("model") or self.conversation.model
            self.conversation.permission_mode = data.get("permissionMode") or self.conversation.permission_mode
            writer = yield from self._writer(None, now)
            writer.turn.session_id = self.conversation.session_id
            if self.conversation.model and writer.turn.model != self.conversation.model:
                writer.turn.model = self.conversation.model
                yield Change(ChangeKind.STATUS, writer.turn)
        elif message.subtype == "status":
            if self._current and data.get("status") in _STATUS_ACTIVITY:
                yield from self._writers[self._current.id].act(_STATUS_ACTIVITY[data["status"]])
        else:
            yield from self._say(from_system(message.subtype, data), now)

    def _lifecycle(self, message: CommandLifecycleMessage, now: float) -> Iterator[Change]:
        self._lifecycle_seen = True
        if message.state == "started" and self._current is None:
            turn = next((t for t in self._waiting if t.id == message.command_uuid), None)
            if turn is not None:
                yield from self._begin(turn, now)

    def _progress(self, message: ToolProgressMessage, now: float) -> Iterator[Change]:
        owner = self._owner(message.tool_use_id)
        if owner and message.parent_tool_use_id is None:
            yield from owner.act(f"Running {message.tool_name} for {message.elapsed_time_seconds:.0f} s")

    def _rate_limit(self, message: RateLimitEvent, now: float) -> Iterator[Change]:
        return self._say(from_rate_limit(message.rate_limit_info), now)

    def _unknown(self, message: UnknownMessage, now: float) -> Iterator[Change]:
        return self._say(from_unknown(message.type, message.error), now)

    def _reset(self, message: ConversationResetMessage, now: float) -> Iterator[Change]:
        self.conversation.session_id, self.conversation.total_cost_usd = message.new_conversation_id, 0.0
        yield from ()

    def _result(self, message: ResultMessage, now: float) -> Iterator[Change]:
        named = set(message.user_message_uuids or [])
        if message.user_message_uuid:
            named.add(message.user_message_uuid)
        turn = self._current
        if turn is None or (named and turn.id not in named):
            turn = next((t for t in self._waiting if t.id in named), turn)
        if turn is None:
            turn = (yield from self._writer(None, now)).turn
        total = message.total_cost_usd
        if total is not None:
            before = self.conversation.total_cost_usd
            turn.cost_usd = total - before if total >= before else total
            self.conversation.total_cost_usd = total
        turn.usage = _usage(message.usage)
        turn.num_turns = message.num_turns
        turn.value = self._redactor.value(message.structured_output)
        turn.session_id = self.conversation.session_id = message.session_id or self.conversation.session_id
        origin = message.origin if isinstance(message.origin, dict) else {}
        if turn.origin != "human":
            turn.origin = origin.get("kind") or turn.origin
        if message.result and not turn.blocks and not message.is_error:
            # A slash command answers in its result alone.
            writer = self._writers[turn.id]
            yield from writer.content([wire.TextBlock(text=message.result)], None, now)
        error = error_from_result(message)
        status: TurnStatus = "done"
        if error is not None:
            status = "interrupted" if isinstance(error, TurnInterrupted) else "failed"
        yield from self._end(turn, status, error, now)
        for other in [t for t in self._waiting if t.id in named]:
            yield from self.notice(other, _TOGETHER, now)
            yield from self._end(other, status, error, now)

    _HANDLERS: ClassVar[tuple[tuple[type, Callable[..., Iterable[Change]]], ...]] = (
        (StreamEvent, _stream),
        (AssistantMessage, _assistant),
        (UserMessage, _user),
        (ResultMessage, _result),
        (SystemMessage, _system),
        (CommandLifecycleMessage, _lifecycle),
        (ToolProgressMessage, _progress),
        (RateLimitEvent, _rate_limit),
        (ConversationResetMessage, _reset),
        (UnknownMessage, _unknown),
    )

    # -- which turn ---------------------------------------------------------------------------------------------

    def _writer(self, parent_id: str | None, now: float) -> Generator[Change, None, TurnWriter]:
        """The writer for what comes now; opens the turn it belongs to when none is running."""
        if (owner := self._owner(parent_id)) is not None:
            return owner
        if self._current is None:
            if self._waiting and not self._lifecycle_seen:
                yield from self._begin(self._waiting[0], now)
            else:
                turn = Turn(id=str(uuid4()), origin="task-notification")
                yield from self.open(turn, now)
                yield from self._begin(turn, now)
        assert self._current is not None
        return self._writers[self._current.id]

    def _begin(self, turn: Turn, now: float) -> Iterator[Change]:
        """From here on, what the CLI says belongs to this turn."""
        self._waiting.remove(turn)
        self._current = turn
        if turn.status != "running":
            yield from self.send(turn, now)

    def _owner(self, tool_use_id: str | None) -> TurnWriter | None:
        """The writer of the turn that made this tool call; it may be an earlier turn's background agent."""
        if tool_use_id is None:
            return None
        writers = reversed(self._writers.values())
        return next((w for w in writers if w.tool(tool_use_id) is not None), None)

    def _say(self, words: Words | None, now: float) -> Iterator[Change]:
        turn = self._current or (self.conversation.turns[-1] if self.conversation.turns else None)
        if words is not None and turn is not None:
            yield from self.notice(turn, words, now)

    def _end(self, turn: Turn, status: TurnStatus, error: Exception | None, now: float) -> Iterator[Change]:
        if turn.ended is not None:
            return
        if turn in self._waiting:
            self._waiting.remove(turn)
        if self._current is turn:
            self._current = None
        for question in [b for b in turn.blocks if isinstance(b, Question) and b.status == "open"]:
            yield from self.settle(turn, question, "cancelled", None, now)
        yield from self._writers[turn.id].end(now)
        if error is not None:
            self._redactor.error(error)
        turn.status, turn.error, turn.ended, turn.activity = status, error, now, ""
        yield Change(ChangeKind.ENDED, turn)


_STATUS_ACTIVITY = {"requesting": "Waiting for the model", "compacting": "Summarising the conversation"}
_TOGETHER = Words("together", "info", "Answered together with the prompt before it.")


def _usage(data: dict[str, Any] | None) -> Usage:
    known = {name: (data or {}).get(name) or 0 for name in Usage.__dataclass_fields__}
    return Usage(**known)
