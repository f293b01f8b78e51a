"""The notebook's side of its conversations: which session, what is sent, where it is shown, who may be asked.

Layer 5. Above: the magics, which bring arguments and print what comes back. Below: chats (on the engine's thread),
the kernel's pump and places, and the stages. Everything here runs on the main thread unless it says otherwise.
"""

from __future__ import annotations

import concurrent.futures
import contextvars
import logging
import os
import uuid
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from IPython.core.error import UsageError

import claude_nb
from claude_nb.chat import Budget, Chat
from claude_nb.conversation import Question, Turn
from claude_nb.engine import portal
from claude_nb.engine.tool import SdkMcpTool, create_sdk_mcp_server
from claude_nb.engine.tool import tool as make_tool
from claude_nb.errors import OptionsError
from claude_nb.kernel.cell import Kind, Place, detect
from claude_nb.kernel.interpolate import interpolate
from claude_nb.kernel.pump import Pump
from claude_nb.kernel.tools import MainThreadRunner, ask_typed_from
from claude_nb.magics import permissions, stages
from claude_nb.magics.errors import short
from claude_nb.protocol.config import McpSdkServerConfig
from claude_nb.protocol.options import ClaudeAgentOptions
from claude_nb.protocol.permission import (
    PermissionResult,
    ToolPermissionContext,
)
from claude_nb.render.style import Look

if TYPE_CHECKING:
    from claude_nb.magics import ClaudeMagics

logger = logging.getLogger(__name__)

SERVER = "notebook"
ABOUT = (
    "You are working inside a Jupyter notebook: the person reads your answer as the output of a notebook cell, "
    "rendered as Markdown with code highlighting, tables and TeX maths. Their variables live in the notebook's "
    "kernel; you see only what the prompt includes and what the functions of the `notebook` MCP server return. "
    "Code that they should run in the notebook belongs into fenced code blocks of your answer."
)


class Notebook:
    """All conversations of one notebook (or terminal session). One per loaded extension."""

    current = "default"

    def __init__(self, shell: Any, settings: ClaudeMagics):
        self.shell = shell
        self.settings = settings
        self.pump = Pump.connect(shell)
        self.budget = Budget(settings.budget_usd)
        self.chats: dict[str, Chat] = {}
        self.tools: dict[str, SdkMcpTool[Any]] = {}
        self._cwd: dict[str, Path] = {}
        self._model: dict[str, str | None] = {}
        self._places: dict[str, Place] = {}
        self._running: dict[str, concurrent.futures.Future[Turn]] = {}
        self._untold: list[Turn] = []

    # -- asking -------------------------------------------------------------------------------------------------

    def ask(self, args: Any, prompt: str) -> Turn | None:
        """Send a prompt and show its answer; blocks until the turn ends, unless `args.bg`."""
        if not prompt.strip():
            raise UsageError("The prompt is empty: write it below the %%claude line.")
        name = args.session or self.current
        self._prepare(name, args)
        place = detect(self.shell)
        turn = self._compose(prompt, raw=args.raw)
        chat = self._chat(name)
        self._tell_untold(place)
        stage = stages.choose(
            place,
            Look(live=False, show_cost=self.settings.show_cost, root=str(self._cwd[name])),
            self.pump,
            quiet=args.quiet,
            schedule=_scheduler(place),
            on_stop=lambda: portal.post(chat.stop, turn.id),
        )
        stage.open()
        self._places[turn.id] = place
        future = portal.start(chat.run, turn, stage)
        self._running[turn.id] = future
        if args.bg and place.kind is Kind.LAB:
            future.add_done_callback(lambda done: self._finish(turn, args, stage, done))
            return None
        self._wait(future, chat, turn, stage)
        self._keep(turn, args.out)
        if turn.error is not None and not (args.no_raise and turn.status != "interrupted"):
            raise short(turn.error)
        return turn

    def _wait(self, future: concurrent.futures.Future[Turn], chat: Chat, turn: Turn, stage: stages.Stage) -> None:
        try:
            self.pump.run_until(future, on_interrupt=lambda: portal.post(chat.stop, turn.id))
        except concurrent.futures.CancelledError:
            pass  # stopped while it waited in line: the turn says so
        finally:
            self._forget(turn)
            self.pump.drain()
            stage.close(turn)

    def _finish(self, turn: Turn, args: Any, stage: stages.Stage, done: concurrent.futures.Future[Turn]) -> None:
        """The end of a background turn; the engine's thread."""
        self._forget(turn)
        stage.close(turn, late=True)
        self._keep(turn, args.out)

    def _forget(self, turn: Turn) -> None:
        self._places.pop(turn.id, None)
        self._running.pop(turn.id, None)

    def _keep(self, turn: Turn, out: str | None) -> None:
        claude_nb.last = turn
        if out:
            self.shell.user_ns[out] = turn

    def _compose(self, prompt: str, *, raw: bool) -> Turn:
        turn = Turn(id=str(uuid.uuid4()), prompt=prompt, sent=prompt)
        if not raw:
            filled = interpolate(prompt, self.shell.user_ns)
            turn.sent, turn.notices = filled.content, list(filled.notices)
        return turn

    def _prepare(self, name: str, args: Any) -> None:
        """Apply the options that belong to the session, before anything is sent."""
        if args.out and not args.out.isidentifier():
            raise UsageError(f"--out takes the name of a variable, not {args.out!r}")
        if args.tool:
            self.add_tools(args.tool)
        if args.new:
            self.renew(name)
        self._settle_cwd(name, args.cwd)
        if args.model:
            self.model(args.model, name)

    def _settle_cwd(self, name: str, asked: str | None) -> None:
        """The working folder is fixed at the first prompt, so that later `os.chdir` calls do not move the agent."""
        folder = Path(asked or self.settings.cwd or os.getcwd()).expanduser().resolve()
        fixed = self._cwd.get(name)
        if fixed is not None:
            if asked and folder != fixed:
                raise UsageError(
                    f"Session '{name}' works in {fixed} since its first prompt; to work elsewhere use another "
                    f"--session, or --new to begin anew."
                )
            return
        if not folder.is_dir():
            raise OptionsError(f"The working folder does not exist: {folder}. Choose another with --cwd.")
        self._cwd[name] = folder

    def _tell_untold(self, place: Place) -> None:
        """Show what background tasks reported since the last prompt."""
        while self._untold:
            turn = self._untold.pop(0)
            stages.Final(place, Look(live=False, show_cost=self.settings.show_cost)).close(turn)

    # -- sessions -----------------------------------------------------------------------------------------------

    def _chat(self, name: str) -> Chat:
        if name not in self.chats:
            self.chats[name] = portal.get_portal().call(self._make_chat, name)
        return self.chats[name]

    def _make_chat(self, name: str) -> Chat:
        """On the engine's loop, where a chat lives."""
        return Chat(
            name=name,
            make_options=self._options,
            stamp=lambda: self._stamp(name),
            decide=self._decide,
            answer=self._answer,
            budget=self.budget,
            on_own_turn=self._untold.append,
        )

    def _stamp(self, name: str) -> Hashable:
        return (self._cwd.get(name), tuple(self.tools.items()))

    def _options(self, chat: Chat) -> ClaudeAgentOptions:
        settings = self.settings
        runner = MainThreadRunner(
            self.pump,
            context=lambda: self._context_of(chat),
            on_interrupt=lambda: portal.post(chat.stop),
        )
        server = create_sdk_mcp_server(SERVER, tools=list(self.tools.values()), runner=runner)
        return ClaudeAgentOptions(
            cli_path=settings.cli_path or None,
            cwd=self._cwd[chat.name],
            model=self._model.get(chat.name) or settings.model or None,
            system_prompt={"type": "preset", "preset": "claude_code", "append": ABOUT},
            setting_sources=["user"],
            include_partial_messages=True,
            forward_subagent_text=True,
            enable_file_checkpointing=True,
            can_use_tool=chat.permit,
            mcp_servers={SERVER: cast(McpSdkServerConfig, server)} if self.tools else {},
            max_budget_usd=self.budget.left_usd,
            resume=chat.resume_id,
        )

    # -- questions (engine's thread) ----------------------------------------------------------------------------

    async def _decide(
        self, turn: Turn, tool_name: str, input: dict[str, Any], context: ToolPermissionContext
    ) -> PermissionResult | None:
        policy = permissions.load_policy(self.settings.permission_policy)
        decided = await permissions.by_policy(policy, tool_name, input, context)
        if decided is not None:
            return decided
        place = self._places.get(turn.id)
        if place is None or place.kind is Kind.HEADLESS:
            return permissions.without_a_person(policy)
        return None

    async def _answer(self, question: Question, turn: Turn) -> PermissionResult:
        answer = await ask_typed_from(
            self.pump,
            permissions.wording(question),
            permissions.CHOICES,
            "n",
            context=self._places[turn.id].context,
        )
        return permissions.typed(answer)

    def _context_of(self, chat: Chat) -> contextvars.Context | None:
        """Where what a tool of this chat prints belongs: the cell of the turn that runs."""
        running = next((t for t in chat.conversation.turns if t.status == "running"), None)
        place = self._places.get(running.id) if running else None
        return place.context if place else None

    # -- what the line magic asks for ---------------------------------------------------------------------------

    def renew(self, name: str) -> None:
        """Begin session `name` anew."""
        self._cwd.pop(name, None)
        if name in self.chats:
            portal.call(self.chats[name].renew)

    def stop(self, name: str | None) -> str:
        """Stop what runs and what waits, in one session or in all."""
        chats = [chat for chat in self.chats.values() if chat.busy and name in (None, chat.name)]
        for chat in chats:
            portal.call(chat.stop)
        return f"Stopped: {', '.join(c.name for c in chats)}." if chats else "Nothing is running."

    def latest(self) -> Turn | None:
        """The turn asked last, finished or not."""
        turns = [turn for chat in self.chats.values() for turn in chat.conversation.turns if turn.origin == "human"]
        return max(turns, key=lambda turn: turn.started, default=claude_nb.last)

    def sent(self, turn: Turn) -> str:
        """What exactly the model got."""
        if isinstance(turn.sent, str):
            return turn.sent
        return "\n".join(
            part["text"] if part.get("type") == "text" else f"[{part.get('type')} block]" for part in turn.sent
        )

    def model(self, model: str | None, name: str | None = None) -> str:
        """Show or change a session's model."""
        name = name or self.current
        chat = self.chats.get(name)
        if model is None:
            known = chat.conversation.model if chat else None
            return f"Model: {known or self._model.get(name) or self.settings.model or 'the default of your account'}"
        self._model[name] = model
        if chat is not None:
            portal.call(chat.set_model, model)
        return f"Session '{name}' uses {model} from the next prompt on."

    def cost(self) -> str:
        """What was spent."""
        rows = [
            f"  {name}: ${sum(t.cost_usd or 0 for t in chat.conversation.turns):.4f} in "
            f"{len(chat.conversation.turns)} turns"
            for name, chat in self.chats.items()
        ]
        limit = self.budget.limit_usd
        budget = "no budget is set" if limit is None else f"${self.budget.left_usd:.2f} left of ${limit:.2f}"
        return "\n".join([f"Spent in this notebook: ${self.budget.spent_usd:.4f} ({budget})", *rows])

    def set_budget(self, limit: float | None) -> str:
        """Change what this notebook may spend."""
        self.budget.limit_usd = limit
        return self.cost()

    def status(self) -> str:
        """Sessions, models, and what is running."""
        if not self.chats:
            return "No session yet: the first %%claude cell starts one."
        rows = []
        for name, chat in self.chats.items():
            running = next((t for t in chat.conversation.turns if t.status == "running"), None)
            state = (running.activity or "running") if running else "idle" if chat.session else "parked"
            rows.append(
                f"{name}: {state}; model {chat.conversation.model or 'not known yet'}; "
                f"{len(chat.conversation.turns)} turns; folder {self._cwd.get(name)}; "
                f"session {chat.conversation.session_id or '-'}"
            )
        return "\n".join([*rows, self.cost().splitlines()[0]])

    def add_tools(self, names: list[str]) -> str:
        """Give the agent functions of the notebook."""
        for name in names:
            found = self.shell.user_ns.get(name)
            if not isinstance(found, SdkMcpTool):
                if not callable(found):
                    raise UsageError(f"There is no function named {name!r} in this notebook.")
                found = make_tool(found)
            self.tools[found.name] = found
        return self.tool_list()

    def remove_tools(self, names: list[str]) -> str:
        """Take functions away from the agent."""
        missing = [name for name in names if self.tools.pop(name, None) is None]
        if missing:
            raise UsageError(f"The agent has no function named {', '.join(missing)}.")
        return self.tool_list()

    def tool_list(self) -> str:
        """The functions the agent has."""
        if not self.tools:
            return "The agent has none of your functions. Give it one with `%claude tools add NAME`."
        return "\n".join(f"{name}: {(t.description or '').splitlines()[0]}" for name, t in self.tools.items())

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
