"""The notebook's side of its conversations: which session, what is sent, where it is shown, who may be asked.

Layer 5. Above: the magics, which bring arguments and print what comes back. Below: chats (on the engine's thread),
the kernel's pump and places, and the stages. Everything here runs on the main thread unless it says otherwise.
"""

from __future__ import annotations

import concurrent.futures
import contextvars
import logging
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

import claude_nb
from claude_nb.chat import Budget, Chat
from claude_nb.conversation import Question, Turn
from claude_nb.engine import portal
from claude_nb.engine.tool import SdkMcpTool
from claude_nb.engine.tool import tool as make_tool
from claude_nb.kernel.cell import Kind, Place, detect
from claude_nb.kernel.interpolate import interpolate
from claude_nb.kernel.pump import Pump
from claude_nb.kernel.tools import MainThreadRunner
from claude_nb.magics import past, permissions, rules, stages
from claude_nb.magics.asking import Asker, Seat
from claude_nb.magics.confirm import agreed
from claude_nb.magics.guard import NotebookGuard, told_notebook
from claude_nb.magics.past import Past
from claude_nb.magics.rewind import Rewinds
from claude_nb.magics.session import NamedSession
from claude_nb.protocol.permission import PermissionMode, PermissionResultAllow, ToolPermissionContext
from claude_nb.questions import Decided
from claude_nb.render.style import Look

if TYPE_CHECKING:
    from claude_nb.magics import ClaudeMagics

logger = logging.getLogger(__name__)


class Notebook:
    """All conversations of one notebook (or terminal session). One per loaded extension."""

    current = "default"

    def __init__(self, shell: Any, settings: ClaudeMagics):
        self.shell = shell
        self.settings = settings
        self.pump = Pump.connect(shell)
        self.budget = Budget(settings.budget_usd)
        self.functions: dict[str, SdkMcpTool[Any]] = {}
        self._sessions: dict[str, NamedSession] = {}
        self._seats: dict[str, Seat] = {}
        self._running: dict[str, concurrent.futures.Future[Turn]] = {}
        self._untold: list[Turn] = []
        self.asker = Asker(self.pump, lambda: settings.question_timeout)
        self.rewinds = Rewinds(self, _scheduler)
        self._started_in = Path.cwd()
        self.guard = NotebookGuard(lambda: told_notebook(shell.user_ns), self._started_in)

    # -- asking -------------------------------------------------------------------------------------------------

    def ask(self, args: Any, prompt: str) -> Turn | None:
        """Send a prompt and show its answer; blocks until the turn ends, unless `args.bg`."""
        if not prompt.strip():
            raise UsageError("The prompt is empty: write it below the %%claude line.")
        name = args.session or self.current
        if self.pump.waiting and self._is_busy(name):
            raise UsageError(
                f"Session '{name}' is answering, and this runs as part of its turn, so it would wait for itself. "
                "Use another --session."
            )
        self._prepare(name, args)
        self.rewinds.settle(name)
        place = detect(self.shell)
        turn = self._compose(self.session(name), prompt, raw=args.raw)
        chat = self._chat(name)
        self._tell_untold(place)
        stage = stages.choose(
            place,
            Look(live=False, show_cost=self.settings.show_cost, root=str(self.session(name).cwd)),
            self.pump,
            quiet=args.quiet,
            schedule=_scheduler(place),
            heard=partial(self._heard, chat, turn),
        )
        stage.open()
        waits = not (args.bg and place.kind is Kind.LAB)
        if args.bg and place.kind is Kind.TERMINAL:
            turn.notices.append("A terminal waits for the answer: --bg is for notebooks.")
        self._seats[turn.id] = Seat(place, stage, waits)
        future = portal.start(chat.run, turn, stage)
        self._running[turn.id] = future
        if not waits:
            future.add_done_callback(lambda done: self._finish(turn, args, stage, done))
            return None
        try:
            self._wait(future, chat, turn, stage)
        finally:
            self._keep(turn, args.out)
        if turn.error is not None and not (args.no_raise and turn.status != "interrupted"):
            raise turn.error
        return turn

    def _wait(self, future: concurrent.futures.Future[Turn], chat: Chat, turn: Turn, stage: stages.Stage) -> None:
        try:
            self.pump.run_until(future, on_interrupt=lambda: portal.post(chat.stop, turn.id))
        except concurrent.futures.CancelledError:
            pass  # stopped while it waited in line: the turn says so
        finally:
            if turn.ended is None:  # a second interrupt: the CLI may take its time, the cell does not
                portal.call(chat.give_up, turn)
            self._forget(turn)
            self.pump.drain()
            stage.close(turn)

    def _finish(self, turn: Turn, args: Any, stage: stages.Stage, done: concurrent.futures.Future[Turn]) -> None:
        """The end of a background turn; the engine's thread."""
        self._forget(turn)
        self._keep(turn, args.out)  # before it is shown: who sees the answer may use it at once
        stage.close(turn, late=True)

    def _forget(self, turn: Turn) -> None:
        self._seats.pop(turn.id, None)
        self._running.pop(turn.id, None)

    def _keep(self, turn: Turn, out: str | None) -> None:
        claude_nb.last = turn
        if out:
            self.shell.user_ns[out] = turn

    def _compose(self, session: NamedSession, prompt: str, *, raw: bool) -> Turn:
        turn = Turn(id=str(uuid.uuid4()), prompt=prompt, sent=prompt)
        if not raw:
            filled = interpolate(prompt, self.shell.user_ns)
            turn.sent, turn.notices = filled.content, list(filled.notices)
        turn.notices += [notice for notice in (session.trust_notice(), self._offer(session)) if notice]
        return turn

    def _offer(self, session: NamedSession) -> str | None:
        """Says, before a session's first prompt in this kernel, that an earlier one can be continued instead."""
        if session.name != self.current:  # `%claude resume` is about the notebook's own
            return None
        if session.chat is not None or (found := self.earlier(session.name)) is None:
            return None
        ago = past.age(time.time() - found.when)
        asked = found.asked if len(found.asked) <= 60 else f"{found.asked[:60]}…"
        return f"This begins a new conversation. The last one ({ago}: “{asked}”) goes on with `%claude resume`."

    def _prepare(self, name: str, args: Any) -> None:
        """Apply the options that belong to the session, before anything is sent."""
        if args.out and not args.out.isidentifier():
            raise UsageError(f"--out takes the name of a variable, not {args.out!r}")
        if args.new:
            self.check_idle(name)
            self.session(name).find_folder(args.cwd)
        if args.tool:
            self.add_functions(args.tool)
        if args.new:
            self.renew(name)
        self.session(name).settle_cwd(args.cwd)
        if args.model:
            self.set_model(args.model, name)

    def _tell_untold(self, place: Place) -> None:
        """Show what background tasks reported since the last prompt."""
        while self._untold:
            turn = self._untold.pop(0)
            whose = "" if turn.session_name in ("", "default") else f" of session '{turn.session_name}'"
            turn.notices.insert(0, f"A background task{whose} reported this after its prompt was answered.")
            stages.Final(place, Look(live=False, show_cost=self.settings.show_cost)).close(turn)

    # -- sessions -----------------------------------------------------------------------------------------------

    @property
    def chats(self) -> dict[str, Chat]:
        """The chats that were begun, by session name."""
        return {name: session.chat for name, session in self._sessions.items() if session.chat is not None}

    def session(self, name: str) -> NamedSession:
        """The session of that name; made if it is new."""
        if name not in self._sessions:
            self._sessions[name] = NamedSession(name, self.settings, self.functions, self._runner, self.guard)
        return self._sessions[name]

    def _chat(self, name: str) -> Chat:
        session = self.session(name)
        if session.chat is None:
            session.chat = portal.get_portal().call(self._make_chat, session)
        return session.chat

    def _make_chat(self, session: NamedSession) -> Chat:
        """On the engine's loop, where a chat lives."""
        chat = Chat(
            name=session.name,
            make_options=session.options,
            stamp=session.stamp,
            settings=session.settings,
            decide=partial(self._decide, session),
            answer=partial(self._answer, session),
            terms=lambda turn: self.asker.terms(self._seats.get(turn.id), trusted=session.trusts_folder),
            budget=self.budget,
            park_after=lambda: self.settings.park_after,
            on_own_turn=self._untold.append,
            on_start=partial(self._remember, session),
            on_mode=session.follow_mode,
            warning=lambda: session.rules.warning,
        )
        self.rewinds.follow(chat)
        return chat

    def _runner(self, chat: Chat) -> MainThreadRunner:
        return MainThreadRunner(
            self.pump, context=lambda: self._context_of(chat), on_interrupt=lambda: portal.post(chat.stop)
        )

    # -- questions (engine's thread) ----------------------------------------------------------------------------

    async def _decide(
        self,
        session: NamedSession,
        turn: Turn,
        tool_name: str,
        input: dict[str, Any],
        context: ToolPermissionContext,
    ) -> Decided | None:
        if session.rules.permits(tool_name):
            return Decided(PermissionResultAllow())
        policy = permissions.load_policy(self.settings.permission_policy)
        decided = await permissions.by_policy(policy, tool_name, input, context)
        if decided is not None:
            return decided
        seat = self._seats.get(turn.id)
        if seat is None or seat.place.kind is Kind.HEADLESS:
            return permissions.without_a_person(policy, tool_name)
        return None

    async def _answer(self, session: NamedSession, question: Question, turn: Turn, ask: dict[str, Any]) -> Any:
        result = await self.asker.answer(question, turn, ask, self._seats.get(turn.id))
        if isinstance(result, PermissionResultAllow) and result.updated_permissions:
            if not session.is_as_loaded():
                for update in result.updated_permissions:
                    update.destination = "session"
            session.learn(result.updated_permissions)
            self._settle_open(session)
        return result

    def _settle_open(self, session: NamedSession) -> None:
        """Answer the session's open cards that its mode now permits."""
        turns = {turn.id for turn in session.chat.conversation.turns} if session.chat else set()
        folder = session.cwd or Path.cwd()
        self.asker.settle(
            turns,
            lambda ask: PermissionResultAllow() if session.rules.covers(ask, folder) else None,
        )

    def _heard(self, chat: Chat, turn: Turn, message: dict[str, Any]) -> None:
        match message.get("k"):
            case "stop":
                portal.post(chat.stop, turn.id)
            case "answer":
                self.asker.heard(turn.id, message)

    def _context_of(self, chat: Chat) -> contextvars.Context | None:
        """Where what a tool of this chat prints belongs: the cell of the turn that runs."""
        running = next((t for t in chat.conversation.turns if t.status == "running"), None)
        seat = self._seats.get(running.id) if running else None
        return seat.place.context if seat else None

    # -- what the line magic asks for ---------------------------------------------------------------------------

    def renew(self, name: str) -> None:
        """Begin session `name` anew."""
        self.check_idle(name)
        session = self.session(name)
        session.forget()
        self.rewinds.forget(name)
        if session.chat is not None:
            portal.call(session.chat.renew)

    def _is_busy(self, name: str) -> bool:
        chat = self.chats.get(name)
        return chat is not None and chat.busy

    def check_idle(self, name: str) -> None:
        """What would wait for a turn's end does not begin: the cell could do nothing for the turn meanwhile."""
        if self._is_busy(name):
            raise UsageError(f"Session '{name}' is answering. Stop it with `%claude stop`, or wait for its end.")

    def _identity(self) -> Path:
        """What this notebook is known by from kernel to kernel: its file, or the folder where nobody told us."""
        return self.guard.known() or self._started_in

    def _remember(self, session: NamedSession, session_id: str) -> None:
        """So that a later kernel can go on with it, even if this one dies in mid-turn. The engine's thread."""
        if session.cwd is not None:
            past.remember(self._identity(), session.name, session_id, session.cwd)

    def earlier(self, name: str) -> Past | None:
        """The session this notebook had under that name before this kernel started."""
        return past.last_session(self._identity(), name)

    def resume(self, name: str, found: Past) -> list[Turn]:
        """Go on with an earlier session; its turns."""
        self.check_idle(name)
        session = self.session(name)
        session.forget()
        self.rewinds.forget(name)
        session.settle_cwd(str(found.folder))
        turns = past.read_turns(found)
        portal.call(self._chat(name).adopt, found.session_id, turns, past.cost_so_far(found))
        return turns

    def stop(self, name: str | None) -> list[str]:
        """Stop what runs and what waits, in one session or in all; the names of those that were busy."""
        busy = [chat for chat in self.chats.values() if chat.busy and name in (None, chat.name)]
        for chat in busy:
            portal.call(chat.stop)
        return [chat.name for chat in busy]

    def latest(self) -> Turn | None:
        """The turn asked last, finished or not."""
        turns = [turn for chat in self.chats.values() for turn in chat.conversation.turns if turn.origin == "human"]
        if turns:
            return max(reversed(turns), key=lambda turn: turn.started)  # of resumed turns no times are known
        found = self.earlier(self.current)
        turns = past.read_turns(found) if claude_nb.last is None and found else []
        return turns[-1] if turns else claude_nb.last

    def set_model(self, model: str, name: str) -> None:
        """Change a session's model from the next prompt on."""
        session = self.session(name)
        session.model = model
        if session.chat is not None:
            portal.call(session.chat.set_model, model)

    def set_mode(self, mode: PermissionMode, name: str) -> None:
        """Change a session's permission mode, at once where its CLI runs."""
        session = self.session(name)
        if session.chat is not None:  # first: what the CLI says of its old mode until then must not bring that back
            portal.call(session.chat.set_permission_mode, rules.cli_mode(mode))
        changed, session.rules.mode = session.rules.mode != mode, mode
        if session.chat is not None:
            if changed:
                portal.loop().call_soon_threadsafe(session.chat.warn_running)
            portal.loop().call_soon_threadsafe(self._settle_open, session)

    def add_rule(self, behavior: rules.Behavior, rule: str, name: str) -> None:
        """Add a rule to a session, at once where its CLI runs."""
        session = self.session(name)
        session.rules.add(behavior, rule)
        if session.chat is not None:
            portal.call(session.chat.tell_settings)

    def set_budget(self, limit: float | None) -> None:
        """Change what this notebook may spend, in US dollars."""
        self.budget.limit_usd = limit

    def confirm(self, question: str, word: str) -> bool:
        """Have a person agree by a click or by typing `word`: a cell's source does neither. False where nobody is."""
        place = detect(self.shell)
        return agreed(self.asker, self.pump, place, _scheduler(place), question, word)

    def add_functions(self, names: list[str]) -> None:
        """Give the agent functions of the notebook."""
        for name in names:
            found = self.shell.user_ns.get(name)
            if not isinstance(found, SdkMcpTool):
                if not callable(found):
                    raise UsageError(f"There is no function named {name!r} in this notebook.")
                found = make_tool(found)
            self.functions[found.name] = found
        self._tell_functions()

    def remove_functions(self, names: list[str]) -> None:
        """Take functions away from the agent."""
        missing = [name for name in names if self.functions.pop(name, None) is None]
        if missing:
            raise UsageError(f"The agent has no function named {', '.join(missing)}.")
        self._tell_functions()

    def _tell_functions(self) -> None:
        for session in self._sessions.values():
            session.functions_changed()

    # -- the end ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End all sessions and give back what was taken from the kernel."""
        for chat in self.chats.values():
            portal.call(chat.stop)
            portal.call(chat.park)
        self.pump.close()


def _scheduler(place: Place) -> stages.Schedule:
    """Runs a call on the engine's loop after a delay in seconds, in the context of the cell; from any thread."""
    loop = portal.loop()

    def schedule(delay: float, call: Callable[[], None]) -> None:
        loop.call_soon_threadsafe(lambda: loop.call_later(delay, call, context=place.context))

    return schedule
