"""A chat: one named session, its conversation, and the faces that show its turns.

Layer 4. Above: the magics and the panel. Below: `engine` (the CLI), `conversation` (the reducer). A chat lives on the
engine's loop: every method here is called there, one task per prompt. Prompts to a busy chat wait in line and are
handed to the CLI one at a time, so a turn is never mixed with the next.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import anyio

from claude_nb.conversation import Change, ChangeKind, Conversation, Question, Tool, Turn
from claude_nb.conversation.model import QuestionStatus
from claude_nb.conversation.notices import Words
from claude_nb.conversation.reduce import Reducer
from claude_nb.engine.background import spawn
from claude_nb.engine.session import Session
from claude_nb.errors import BudgetExceededError, ClaudeSDKError, RewindError, TurnInterrupted
from claude_nb.protocol.message import Message, SystemMessage
from claude_nb.protocol.options import ClaudeAgentOptions
from claude_nb.protocol.permission import PermissionMode
from claude_nb.questions import Answer, Decide, Questions, Terms
from claude_nb.sessions.paths import find_transcript

logger = logging.getLogger(__name__)

# After an interrupt the CLI reports the end of the turn at once; one that does not is ended and resumed by id.
INTERRUPT_SECONDS = 10.0
# A CLI that has only just got a prompt may not heed an interrupt: then it is told again.
INTERRUPT_AGAIN_SECONDS = 2.0
SETTLE_SECONDS = 2.0


class Face(Protocol):
    """Whatever shows a turn. Called on the engine's thread; must neither wait nor write to what it is given."""

    def changed(self, changes: Sequence[Change]) -> None:
        """The conversation took these steps, in this order."""


MakeOptions = Callable[["Chat"], ClaudeAgentOptions]


@dataclass(slots=True, frozen=True)
class Position:
    """Where a conversation stands, so that it can be brought back there: the session that its next prompt goes on
    from (None: a fresh one), the transcript entry after which that is cut (None: nowhere), and its turns.

    `recap` is told to the model with the next prompt.
    """

    session_id: str | None = None
    cut_at: str | None = None
    turns: tuple[Turn, ...] = ()
    total_cost_usd: float = 0.0
    recap: str | None = None


async def _at_rest(session: Session) -> bool:
    """Whether nothing is under way in the CLI, not even in the background; it says so a moment after the result."""
    with anyio.move_on_after(SETTLE_SECONDS):
        await session.idle()
    return session.at_rest


@dataclass(slots=True)
class Budget:
    """Money for all chats of a notebook, in US dollars. `limit_usd` None: no limit."""

    limit_usd: float | None = None
    spent_usd: float = 0.0

    @property
    def left_usd(self) -> float | None:
        """What is left, never below zero; None without a limit."""
        return None if self.limit_usd is None else max(0.0, self.limit_usd - self.spent_usd)


@dataclass(slots=True, kw_only=True)
class Chat:
    """One named session.

    `make_options` says how its CLI is started and `stamp` names what they depend on: when it changes, the session is
    resumed with new ones at its next prompt. `settings` are told to the CLI at its start, and hold at once when they
    change (`tell_settings`). The CLI's questions go to `decide` (rules) and, if that leaves them open, are shown in the
    turn and go to `answer` (a person) under `terms`; `questions` is what the CLI calls. `on_own_turn` gets each
    finished turn that no prompt of ours began (a background task's report), `on_change` each change that the CLI's
    words made, `on_mode` the permission mode whenever the CLI says it (a plan that is approved ends its mode).
    `warning` is what every turn must say of itself, in red.
    `environ` is where secrets to hide are looked for. After `park_after` idle seconds (None: never) the CLI is ended.
    """

    make_options: MakeOptions
    decide: Decide
    answer: Answer
    terms: Callable[[Turn], Terms] = lambda turn: Terms()
    stamp: Callable[[], Hashable] = lambda: None
    settings: Callable[[], dict[str, Any]] = dict
    budget: Budget = field(default_factory=Budget)
    name: str = "default"
    park_after: Callable[[], float | None] = lambda: None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    on_own_turn: Callable[[Turn], None] = lambda turn: None
    on_start: Callable[[str], None] = lambda session_id: None
    on_change: Callable[[Change], None] = lambda change: None
    on_mode: Callable[[str], None] = lambda mode: None
    warning: Callable[[], str | None] = lambda: None
    questions: Questions = field(init=False)
    conversation: Conversation = field(init=False)
    session: Session | None = field(init=False, default=None)
    resume_id: str | None = field(init=False, default=None)
    cut_at: str | None = field(init=False, default=None)
    """The transcript entry after which the session is cut (and forked) when it is resumed."""
    _recap: str | None = field(init=False, default=None)
    _reducer: Reducer = field(init=False)
    _faces: dict[str, Face] = field(init=False, default_factory=dict)
    _waiting: dict[str, anyio.CancelScope] = field(init=False, default_factory=dict)
    _starting: anyio.CancelScope | None = field(init=False, default=None)
    """Around the start of a CLI for the running turn."""
    _stopped: dict[str, anyio.Event] = field(init=False, default_factory=dict)
    """The turns that are being stopped, and their ends."""
    _line: anyio.Lock = field(init=False, default_factory=anyio.Lock)
    _started_with: Hashable = field(init=False, default=None)
    _told: dict[str, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.questions = Questions(
            self, self.decide, self.answer, self.terms, lambda: Path(self.conversation.cwd or ".").absolute()
        )
        self._renew()

    def _renew(self) -> None:
        self.conversation = Conversation(name=self.name)
        self._reducer = Reducer(self.conversation, self.environ)
        self.resume_id = self.cut_at = self._recap = None

    @property
    def busy(self) -> bool:
        """A turn is running or waiting."""
        return bool(self._faces)

    # -- turns --------------------------------------------------------------------------------------------------

    async def run(self, turn: Turn, face: Face) -> Turn:
        """Send the turn's prompt, follow the answer to its end, and return the finished turn.

        A failure is in `turn.error`, never raised, so that what was streamed stays with it. Cancelling the task ends
        the turn as interrupted (cancelled, if it still waited).
        """
        turn.id = turn.id or str(uuid4())
        self._faces[turn.id] = face
        self._emit(self._reducer.open(turn, time.time()))
        self._warn(turn)
        try:
            with anyio.CancelScope() as waiting:
                self._waiting[turn.id] = waiting
                if ahead := len(self._faces) - 1:
                    turn.activity = f"Queued behind {ahead} other prompt{'s' if ahead > 1 else ''} of this session"
                    self._emit([Change(ChangeKind.STATUS, turn)])
                async with self._line:
                    del self._waiting[turn.id]
                    await self._answer_prompt(turn)
            if waiting.cancelled_caught:
                self._emit(self._reducer.cancel(turn, time.time()))
        except ClaudeSDKError as error:
            if turn.id in self._stopped and not isinstance(error, TurnInterrupted):
                error = TurnInterrupted("The turn was stopped. What was answered until then is kept.")
            self._emit(self._reducer.fail(turn, error, time.time()))
        except anyio.get_cancelled_exc_class():
            await self.give_up(turn)
            raise
        finally:
            self._faces.pop(turn.id, None)
            self._waiting.pop(turn.id, None)
            if ended := self._stopped.pop(turn.id, None):
                ended.set()
        return turn

    async def _answer_prompt(self, turn: Turn) -> None:
        left = self.budget.left_usd
        if left == 0:
            raise BudgetExceededError(
                f"The notebook's budget of ${self.budget.limit_usd:.2f} is used up "
                f"(${self.budget.spent_usd:.2f} spent), so nothing was sent. Raise it with `%claude budget AMOUNT`."
            )
        self._emit(self._reducer.send(turn, time.time()))
        session = await self._started()
        self._tell_recap(turn)
        try:
            ticket = await session.prompt(turn.sent, uuid=turn.id)
            await ticket.result()
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await self._abandon(session)
            raise
        finally:
            if not session.is_alive:
                await self.park()
                await self._find_transcript()

    async def _started(self) -> Session:
        """`_connected`, for a turn that may be stopped meanwhile. Raises `TurnInterrupted`."""
        session = None
        try:
            with anyio.CancelScope() as self._starting:
                session = await self._connected()
            if session is None or self._starting.cancel_called:
                raise TurnInterrupted("The turn was stopped before its prompt was sent.")
        finally:
            self._starting = None
        return session

    async def _find_transcript(self) -> None:
        """A CLI that died in its first turn may have kept it: the next prompt goes on from there then."""
        id, folder = self.conversation.session_id, self.conversation.cwd
        if self.resume_id is None and id is not None:
            with anyio.CancelScope(shield=True):
                stored = await anyio.to_thread.run_sync(find_transcript, id, folder)
            self.resume_id = id if stored is not None else None

    async def _connected(self) -> Session:
        """The running session; started, or resumed where it was, when there is none."""
        stamp = (self.budget.limit_usd, self.stamp())
        session = self.session
        # A background task would die with its CLI: while one lives, the new options have to wait.
        if session is not None and session.is_alive and (self._started_with == stamp or not await _at_rest(session)):
            await self.tell_settings()
            return session
        await self.park()
        session = Session(self.make_options(self), listener=self._hear)
        await session.start()
        self.session, self._started_with, self._told = session, stamp, {}
        spawn(partial(self._watch, session), f"watch {self.name}")
        if session.session_id:
            self.on_start(session.session_id)
        await self.tell_settings()
        return session

    async def _watch(self, session: Session) -> None:
        """As a task of nobody's: end the CLI when it has been idle for long; an idle one costs over 200 MB."""
        while session.is_alive:
            await session.idle()
            with anyio.move_on_after(self.park_after() or None) as patience:
                await session.changed()
            if patience.cancelled_caught and not self.busy:
                async with self._line:
                    if self.session is session and session.at_rest and not self.busy:
                        await self.park()

    async def _abandon(self, session: Session) -> None:
        """The caller left in mid-turn: the CLI must be idle before the next prompt, or it is ended and resumed."""
        with anyio.move_on_after(INTERRUPT_SECONDS) as patience:
            try:
                await session.interrupt()
                while not session.settled and session.is_alive:
                    with anyio.move_on_after(INTERRUPT_AGAIN_SECONDS) as again:
                        await session.idle()
                    if again.cancelled_caught:
                        await session.interrupt()
            except ClaudeSDKError:
                patience.cancel()
        if patience.cancelled_caught:
            await self.park()

    async def give_up(self, turn: Turn) -> None:
        """Nobody waits for this turn any more: it ends with what it has. Does nothing if it has ended."""
        if turn.status == "queued":
            self._emit(self._reducer.cancel(turn, time.time()))
        else:
            error = TurnInterrupted("The turn was cancelled. What was answered until then is kept.")
            self._emit(self._reducer.fail(turn, error, time.time()))

    # -- control ------------------------------------------------------------------------------------------------

    async def stop(self, turn_id: str | None = None) -> None:
        """Stop one turn, or all: a waiting prompt is withdrawn, the running one interrupted.

        What was streamed stays and the session goes on. Returns once the turn has ended; does nothing when idle.
        """
        for waiting_id, scope in list(self._waiting.items()):
            if turn_id in (None, waiting_id):
                scope.cancel()
        running = next((i for i in self._faces if i not in self._waiting), None)
        if running is not None and turn_id in (None, running):
            ended = self._stopped.setdefault(running, anyio.Event())
            self._say_stopping(running)
            if self._starting is not None:
                self._starting.cancel()
            elif self.session is not None and self.session.is_alive:
                await self._abandon(self.session)
            await ended.wait()

    def _say_stopping(self, turn_id: str) -> None:
        turn = next(turn for turn in self.conversation.turns if turn.id == turn_id)
        turn.activity = "Stopping"
        self._emit([Change(ChangeKind.STATUS, turn)])

    async def set_model(self, model: str | None) -> str | None:
        """Change the model from the next API call on; gives back the name the CLI resolved it to."""
        if self.session is not None and self.session.is_alive:
            resolved = await self.session.set_model(model)
            self.conversation.model = resolved or model
        return self.conversation.model

    async def set_permission_mode(self, mode: PermissionMode) -> None:
        """Change the CLI's permission mode at once; one that is not running gets it at its start."""
        if self.session is not None and self.session.is_alive:
            await self.session.set_permission_mode(mode)

    async def tell_settings(self) -> None:
        """Tell a running CLI the `settings` it does not know yet: they hold from its next step on, in mid-turn too."""
        settings = self.settings()
        if self.session is not None and self.session.is_alive and settings != self._told:
            await self.session.apply_flag_settings(settings)
            self._told = settings

    async def park(self) -> None:
        """End the CLI; the next prompt resumes the session where it was."""
        session, self.session = self.session, None
        if session is not None:
            await session.aclose()

    async def adopt(self, session_id: str, turns: list[Turn], total_cost_usd: float) -> None:
        """Go on with a stored session from the next prompt on; `turns` are what was said in it.

        `total_cost_usd` is what it had cost by then: it belongs to an earlier notebook's budget.
        """
        async with self._line:
            await self.park()
            self._renew()
            self.resume_id = session_id
            self._reducer.rewind(turns, session_id, total_cost_usd)

    async def renew(self) -> None:
        """End the session and begin an empty one under the same name."""
        async with self._line:
            await self.park()
            self._renew()

    # -- going back ---------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def at_rest(self) -> AsyncIterator[Session]:
        """The running session (started, if need be) while no turn runs and none begins. Raises RewindError if busy."""
        if self.busy:
            raise RewindError(
                f"Session '{self.name}' is answering a prompt. Stop it with `%claude stop`, or wait for its end."
            )
        async with self._line:
            session = await self._connected()
            if not await _at_rest(session):
                raise RewindError(f"A background task of session '{self.name}' is running; wait for its end.")
            yield session

    @property
    def position(self) -> Position:
        """Where the conversation stands."""
        conversation = self.conversation
        return Position(
            self.resume_id, self.cut_at, tuple(conversation.turns), conversation.total_cost_usd, self._recap
        )

    async def move(self, position: Position) -> None:
        """Bring the conversation to `position`: its next prompt goes on from there. Call it `at_rest`."""
        await self.park()
        self._reducer.rewind(position.turns, position.session_id, position.total_cost_usd)
        self.resume_id, self.cut_at, self._recap = position.session_id, position.cut_at, position.recap

    def _tell_recap(self, turn: Turn) -> None:
        # A slash command has to stand alone; the recap waits for the prompt after it.
        if self._recap is None or (isinstance(turn.sent, str) and turn.sent.startswith("/")):
            return
        recap, self._recap = self._recap, None
        if isinstance(turn.sent, str):
            turn.sent = f"{recap}\n\n{turn.sent}"
        else:
            turn.sent = [{"type": "text", "text": recap}, *turn.sent]

    # -- what the CLI says --------------------------------------------------------------------------------------

    def _hear(self, message: Message) -> None:
        if isinstance(message, SystemMessage) and (mode := message.data.get("permissionMode")):
            self.on_mode(str(mode))
        changes = self._reducer.apply(message, time.time())
        for change in list(changes):
            self.on_change(change)
            if change.kind is ChangeKind.OPENED:
                self._warn(change.turn)
            if change.kind is ChangeKind.ENDED:
                self.resume_id, self.cut_at = self.conversation.session_id, None
                self.budget.spent_usd += change.turn.cost_usd or 0.0
                if change.turn.origin != "human":
                    self.on_own_turn(change.turn)
        self._emit(changes)

    def warn_running(self) -> None:
        """Say the `warning` in the turns that run or wait, too, as it has just come up."""
        for turn in [turn for turn in self.conversation.turns if turn.id in self._faces]:
            self._warn(turn)

    def _warn(self, turn: Turn) -> None:
        if (text := self.warning()) is not None:
            self._emit(self._reducer.notice(turn, Words("warning", "error", text), time.time()))

    def _emit(self, changes: Sequence[Change]) -> None:
        """Hand the changes to the faces of their turns; a face that fails never stops the turn."""
        for turn_id in dict.fromkeys(change.turn.id for change in changes):
            face = self._faces.get(turn_id)
            if face is None:
                continue
            try:
                face.changed([change for change in changes if change.turn.id == turn_id])
            except Exception:
                logger.exception("a face failed; the turn goes on without it")

    # -- questions ----------------------------------------------------------------------------------------------

    def asked(self, turn: Turn, question: Question, tool_use_id: str | None) -> None:
        """Show an open question after its tool call."""
        shown = question.ask
        changes = self._reducer.ask(turn, question, tool_use_id, time.time())
        if question.ask.get("input") != shown.get("input"):
            question.ask["redacted"] = True  # what is shown must not be taken for what was asked
        self._emit(changes)

    def settled(self, turn: Turn, question: Question, status: QuestionStatus, decision: dict[str, Any] | None) -> None:
        """Leave the record of a question that is over; nothing, if its turn has ended and left it already."""
        if question.status == "open":
            self._emit(self._reducer.settle(turn, question, status, decision, time.time()))

    def recorded(self, turn: Turn, question: Question, tool_use_id: str | None, decision: dict[str, Any]) -> None:
        """Leave the record of a question that was answered before anybody was asked."""
        now = time.time()
        changes = self._reducer.ask(turn, question, tool_use_id, now)
        self._emit([*changes, *self._reducer.settle(turn, question, "answered", decision, now)])

    def turn_of(self, tool_use_id: str | None) -> Turn | None:
        """The turn that runs, else the one that made this tool call."""
        if self._reducer.current is not None:
            return self._reducer.current
        turns = reversed(self.conversation.turns)
        return next((t for t in turns if any(isinstance(b, Tool) and b.id == tool_use_id for b in t.blocks)), None)
