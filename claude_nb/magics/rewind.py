"""`%claude checkpoints` and `%claude rewind`: going back, by buttons, by typing, or by `--yes` where nobody is.

Layer 5, below `commands`. Below: `rewinder` (which does it, on the engine's loop), the panel. Main thread, unless it
says otherwise.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, NoReturn, TypeVar, cast

from IPython.core.error import UsageError

from claude_nb.chat import Chat
from claude_nb.conversation.rewind import Checkpoint, Plan, Rewound, Scope
from claude_nb.engine import portal
from claude_nb.errors import ClaudeSDKError
from claude_nb.kernel.cell import Kind, Place, detect
from claude_nb.kernel.tools import ask_typed
from claude_nb.magics.asking import NO_BUTTONS
from claude_nb.magics.errors import short
from claude_nb.magics.rewind_panel import SUMMARY, RewindPanel, choices, confirm_view, lines_bundle, listing_bundle
from claude_nb.magics.stages import Schedule
from claude_nb.render import rewind as words
from claude_nb.rewinder import Rewinder
from claude_nb.widgets.rewind import Panel

if TYPE_CHECKING:
    from claude_nb.magics.notebook import Notebook

T = TypeVar("T")

USAGE = "%claude rewind NUMBER [--files | --conversation | --both] [--summarise] [--session NAME] [--yes] | --undo"
NOBODY = (
    "Nobody can be asked here (this notebook runs without a person), so nothing was changed. "
    "Add --yes to go back without being asked."
)


class Rewinds:
    """The checkpoints of a notebook's sessions. `schedule` makes a cell's way to the engine's thread."""

    def __init__(self, notebook: Notebook, schedule: Callable[[Place], Schedule]):
        self._notebook = notebook
        self._make_schedule = schedule
        self._rewinder = Rewinder(keep=self._is_open_notebook)
        self._panels: dict[str, RewindPanel] = {}

    # -- for the notebook ---------------------------------------------------------------------------------------

    def follow(self, chat: Chat) -> None:
        """Notice what this chat's agent writes."""
        chat.on_change = partial(self._rewinder.watch, chat)

    def settle(self, name: str) -> None:
        """A prompt is about to change the checkpoints of a session: its open panel becomes static."""
        if (panel := self._panels.pop(name, None)) is not None:
            panel.close(late=True)

    def forget(self, name: str) -> None:
        """The session begins anew."""
        self.settle(name)
        self._rewinder.forget(name)

    # -- the line magic -----------------------------------------------------------------------------------------

    def checkpoints_command(self, arguments: list[str]) -> str | None:
        """`%claude checkpoints [SESSION]`: a panel where there are widgets, else a list."""
        if len(arguments) > 1:
            raise UsageError("%claude checkpoints [SESSION]")
        name = arguments[0] if arguments else self._notebook.current
        chat = self._notebook.chats.get(name)
        found = self.checkpoints(name)
        root = self._root(name)
        place = detect(self._notebook.shell)
        if place.kind is not Kind.LAB or chat is None or not found:
            return str(listing_bundle(found, root)["text/plain"])
        panel = self._panel(chat, place, stays=True)
        self.settle(name)
        self._panels[name] = panel
        panel.open(self._call(panel.list_view), listing_bundle(found, root))
        return None

    def rewind_command(self, arguments: list[str]) -> str | None:
        """`%claude rewind ...`: confirmed by a button, by a typed key, or by `--yes`."""
        if not arguments:
            return self.checkpoints_command([])
        args = _parse(arguments)
        name = args.session or self._notebook.current
        place = detect(self._notebook.shell)
        self._notebook.check_idle(name)
        if args.undo:
            return self._undo(name, place, sure=args.yes)
        if args.number is None:
            raise UsageError(USAGE)
        return self._rewind(name, args.number, args.scope, args.summarise, place, sure=args.yes)

    def _rewind(
        self, name: str, number: int, scope: Scope | None, summarise: bool, place: Place, *, sure: bool
    ) -> str | None:
        chat = self._known(name)
        if sure:
            return self._report(self._do(chat, number, scope or "both", summarise), place)
        if place.kind is Kind.HEADLESS:
            raise UsageError(NOBODY)
        todo = self._call(self._rewinder.plan, chat, number)
        scope = "conversation" if summarise and scope is None else scope
        if place.kind is Kind.LAB:
            self.settle(name)
            panel = self._panel(chat, place, stays=False)
            shown = lines_bundle(["Nothing was changed."])
            if self._by_panel(panel, confirm_view(todo, scope, summarise, self._root(name)), shown, place):
                return None
        chosen = _typed(words.plan_lines(todo, time.time(), self._root(name)), todo, scope, summarise)
        if chosen is None:
            return "Nothing was changed."
        scope, summarise = chosen
        return self._report(self._do(chat, number, scope, summarise), place)

    def _undo(self, name: str, place: Place, *, sure: bool) -> str | None:
        chat = self._known(name)
        rewound = self._rewinder.can_undo(chat)
        if rewound is not None and not sure:
            if place.kind is Kind.HEADLESS:
                raise UsageError(NOBODY)
            if place.kind is Kind.LAB:
                self.settle(name)
                panel = self._panel(chat, place, stays=False)
                if self._by_panel(panel, panel.undo_view(), lines_bundle(["Nothing was changed."]), place):
                    return None
            lines = words.undo_lines(rewound, self._rewinder.undo_warnings(chat), self._root(name))
            if ask_typed("\n".join(lines), {"u": "undo the rewind", "n": "never mind"}, "n") != "u":
                return "Nothing was changed."
        return self._report(self._take_back(chat), place)

    def _by_panel(self, panel: RewindPanel, view: Panel, static: dict[str, str], place: Place) -> bool:
        """Block the cell until a click on the panel settled it; False where no page shows it, so that typing has to."""
        front_ends = self._notebook.asker.front_ends
        panel.open(view, static, front_ends.patience(place))
        try:
            rewound = self._notebook.pump.run_until(panel.outcome)
        except TimeoutError:
            front_ends.learn(place, False)
            panel.leave(lines_bundle([front_ends.once(place, NO_BUTTONS)]))
            return False
        finally:
            panel.close()
        front_ends.learn(place, True)
        if rewound is not None:
            self._hand_back(rewound, place)
        return True

    def _report(self, rewound: Rewound, place: Place) -> str:
        handed = self._hand_back(rewound, place)
        lines = words.done_lines(rewound, self._root(rewound.checkpoint.session))
        if not rewound.undone:
            lines.append(words.UNDO_HINT)
        if not handed and rewound.scope != "files" and not rewound.undone:
            lines.append(f"The prompt was:\n\n{self._cell(rewound.checkpoint.session, rewound.prompt)}")
        return "\n".join(lines)

    def _hand_back(self, rewound: Rewound, place: Place) -> bool:
        """Put the prompt into the next cell, to be edited, where there is a person and a place to do so."""
        shell = self._notebook.shell
        editable = place.kind is Kind.LAB or (place.kind is Kind.TERMINAL and getattr(shell, "pt_app", None))
        if not editable or rewound.scope == "files" or rewound.undone:
            return False
        shell.set_next_input(self._cell(rewound.checkpoint.session, rewound.prompt))
        return True

    # -- for Python code ----------------------------------------------------------------------------------------

    def checkpoints(self, name: str | None = None) -> list[Checkpoint]:
        """The checkpoints of a session, oldest first; raises what keeps the CLI from telling them."""
        chat = self._notebook.chats.get(name or self._notebook.current)
        return self._call(self._rewinder.checkpoints, chat) if chat is not None else []

    def rewind(self, number: int, scope: Scope, *, summarise: bool = False, name: str | None = None) -> Rewound:
        """Go back, without asking."""
        return self._do(self._known(name or self._notebook.current), number, scope, summarise)

    def undo(self, name: str | None = None) -> Rewound:
        """Take the last rewind back, without asking."""
        return self._take_back(self._known(name or self._notebook.current))

    # -- help ---------------------------------------------------------------------------------------------------

    def _do(self, chat: Chat, number: int, scope: Scope, summarise: bool) -> Rewound:
        self.settle(chat.name)
        return self._call(partial(self._rewinder.rewind, summarise=summarise), chat, number, scope)

    def _take_back(self, chat: Chat) -> Rewound:
        self.settle(chat.name)
        return self._call(self._rewinder.undo, chat)

    def _call(self, function: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Run something on the engine's loop while the cell waits, so that an interrupt ends it."""
        try:
            return self._notebook.pump.run_until(portal.start(function, *arguments))
        except ClaudeSDKError as error:
            raise short(error) from None

    def _known(self, name: str) -> Chat:
        chat = self._notebook.chats.get(name)
        if chat is None:
            raise UsageError(f"There is no session '{name}' yet, so there is nothing to go back to.")
        return chat

    def _panel(self, chat: Chat, place: Place, *, stays: bool) -> RewindPanel:
        return RewindPanel(
            self._rewinder,
            chat,
            place,
            self._notebook.pump,
            self._make_schedule(place),
            root=self._root(chat.name),
            prefix=partial(self._cell, chat.name),
            stays=stays,
        )

    def _cell(self, name: str, prompt: str) -> str:
        """The cell that asks the prompt."""
        option = "" if name == self._notebook.current else f" --session {name}"
        return f"%%claude{option}\n{prompt.strip()}"

    def _root(self, name: str) -> str | None:
        cwd = self._notebook.session(name).cwd
        return str(cwd) if cwd else None

    def _is_open_notebook(self, chat: Chat, path: str) -> bool:
        cwd = self._notebook.session(chat.name).cwd
        return cwd is not None and self._notebook.guard.why(path, cwd) is not None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{USAGE}\n{message}")


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = _Parser(prog="%claude rewind", add_help=False, allow_abbrev=False)
    parser.add_argument("number", nargs="?", type=int)
    scopes = parser.add_mutually_exclusive_group()
    for scope in ("files", "conversation", "both"):
        scopes.add_argument(f"--{scope}", dest="scope", action="store_const", const=scope)
    parser.add_argument("--summarise", "--summarize", action="store_true")
    parser.add_argument("--session")
    parser.add_argument("--undo", action="store_true")
    parser.add_argument("--yes", action="store_true")
    return parser.parse_args(arguments)


_KEYS = {"both": "b", "conversation": "c", "files": "f", f"conversation{SUMMARY}": "s"}


def _typed(lines: list[str], todo: Plan, scope: Scope | None, summarise: bool) -> tuple[Scope, bool] | None:
    """Ask by typing what to go back with; None for nothing."""
    buttons = choices(todo, scope, summarise)
    verbs = [button.name.partition(" ")[0] for button in buttons]
    keys = {_KEYS[verb] if scope is None else "y": verb for verb in verbs}
    menu = {key: button.label.lower() for key, button in zip(keys, buttons, strict=True)}
    answer = ask_typed("\n".join(lines), {**menu, "n": "never mind"}, "n")
    verb = keys.get(answer)
    return None if verb is None else (cast(Scope, verb.removesuffix(SUMMARY)), verb.endswith(SUMMARY))
