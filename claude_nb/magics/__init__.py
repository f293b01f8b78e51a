"""`%claude` and `%%claude`: the magics, thin; and loading and unloading the extension.

Layer 5, the top. Arguments in, a cell's output out; everything else is `notebook` (state and running), `commands`
(the words of `%claude`), `cell` (the options of `%%claude`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from traitlets import Bool, Float, Unicode, default

from claude_nb.conversation import Turn
from claude_nb.magics import commands
from claude_nb.magics.cell import make_parser, parse
from claude_nb.magics.errors import briefly
from claude_nb.magics.notebook import Notebook
from claude_nb.magics.settings import Dollars, Policy
from claude_nb.render.bundle import turn_bundle
from claude_nb.render.style import Look


def _with_options(magic: Callable[[Any, str, str], None]) -> Callable[[Any, str, str], None]:
    """`%%claude?` shows the options: `%%claude --help` alone in a cell is refused by IPython, for want of a body."""
    magic.__doc__ = make_parser().format_help()
    return magic


@magics_class
class ClaudeMagics(Magics):
    """Ask a coding agent from a notebook cell. Set these in `ipython_config.py` or with `%config ClaudeMagics`."""

    model = Unicode("", help="Model of new sessions; empty: the default of your account.").tag(config=True)
    cwd = Unicode("", help="Working folder of new sessions; empty: the kernel's at the first prompt.").tag(config=True)
    cli_path = Unicode("", help="The Claude Code CLI to run; empty: the one that is found.").tag(config=True)
    budget_usd = Dollars(5.0, allow_none=True, help="What this notebook may spend, in US dollars; None: no limit.").tag(
        config=True
    )
    show_cost = Bool(True, help="Show what a turn cost in its footer.").tag(config=True)
    permission_policy = Policy(
        help="Who decides when nobody can be asked: 'deny', 'allow', or a function (or its dotted name) called with "
        "the tool's name, its input and the context; True allows, False denies, None asks where somebody can answer."
    ).tag(config=True)

    question_timeout = Float(
        3600.0, allow_none=True, min=0.0, help="Seconds after which an unanswered card is denied; 0: never."
    ).tag(config=True)

    park_after = Float(
        900.0,
        allow_none=True,
        min=0.0,
        help="Seconds after which the process of an idle session is ended (it holds 200 MB and more); the next prompt "
        "goes on where it was; 0: never.",
    ).tag(config=True)

    @default("permission_policy")
    def _default_policy(self) -> str:
        return os.environ.get("CLAUDE_NB_PERMISSION_POLICY", "deny")

    def __init__(self, shell: Any, **kwargs: Any):
        super().__init__(shell, **kwargs)
        self.notebook = Notebook(shell, self)
        self.observe(lambda change: self.notebook.set_budget(change.new), "budget_usd")

    @cell_magic("claude")  # type: ignore[arg-type]  # typed for plain functions only
    @_with_options
    def ask(self, line: str, cell: str) -> None:
        """Ask the agent; `_with_options` puts the options' help here."""
        args = parse(line)
        if args.help:
            print(make_parser().format_help())
            return
        with briefly():
            self.notebook.ask(args, cell)

    @line_magic("claude")  # type: ignore[arg-type]
    def command(self, line: str) -> Turn | None:
        """Everything beside asking; see `%claude help`."""
        with briefly():
            outcome = commands.run(self.notebook, line)
        if isinstance(outcome, str):
            print(outcome)
            return None
        return outcome  # type: ignore[no-any-return]


class _Loaded:
    """What loading put in place, so that unloading takes away exactly that."""

    def __init__(self, shell: Any):
        self.shell = shell
        table = shell.magics_manager.magics
        self.before = {kind: table[kind].get("claude") for kind in ("line", "cell")}
        self.magics = ClaudeMagics(shell=shell, parent=shell)
        shell.register_magics(self.magics)
        formatters = shell.display_formatter
        self.formatter = formatters.mimebundle_formatter.for_type(Turn, self._bundle)
        if self.magics not in shell.configurables:
            shell.configurables.append(self.magics)

    def _bundle(self, turn: Turn, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return turn_bundle(turn, Look(live=False, show_cost=self.magics.show_cost))

    def undo(self) -> None:
        self.magics.notebook.close()
        table = self.shell.magics_manager.magics
        for kind, magic in self.before.items():
            if magic is None:
                table[kind].pop("claude", None)
            else:
                table[kind]["claude"] = magic
        formatter = self.shell.display_formatter.mimebundle_formatter
        if self.formatter is None:
            formatter.pop(Turn, None)
        else:
            formatter.for_type(Turn, self.formatter)
        self.shell.magics_manager.registry.pop("ClaudeMagics", None)
        if self.magics in self.shell.configurables:
            self.shell.configurables.remove(self.magics)


_loaded: dict[int, _Loaded] = {}


def load(shell: Any) -> None:
    """Register the magics in this shell; does nothing where they are."""
    if id(shell) not in _loaded:
        _loaded[id(shell)] = _Loaded(shell)


def loaded_notebook() -> Notebook | None:
    """The notebook of the shell that this code runs in, None where the extension is not loaded."""
    from IPython import get_ipython

    loaded = _loaded.get(id(get_ipython()))
    return loaded.magics.notebook if loaded is not None else None


def unload(shell: Any) -> None:
    """Take away what `load` brought, and put back what it replaced."""
    loaded = _loaded.pop(id(shell), None)
    if loaded is not None:
        loaded.undo()
