"""`%claude WORD ...`: what can be done beside asking. One row per word; each returns what to print or show.

Layer 5, below the magic. A question to the agent never goes here: `%%claude` holds prompts, and an unknown word
says so, since IPython reads `%claude what is x?` as a request for help on a name.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from claude_nb.magics.notebook import Notebook


class Command(NamedTuple):
    """One subcommand: its arguments as the help shows them, what it does, and the function that does it."""

    usage: str
    about: str
    run: Callable[[Notebook, list[str]], Any]


def run(notebook: Notebook, line: str) -> Any:
    """Carry out one `%claude` line; raises UsageError for what it does not know."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%claude {line}: {error}") from None
    name = words[0] if words else "help"
    if name not in COMMANDS:
        known = ", ".join(COMMANDS)
        raise UsageError(
            f"%claude knows these words: {known}. To ask the agent something, put the prompt into a cell that "
            f"begins with %%claude:\n\n%%claude\n{line}"
        )
    return COMMANDS[name].run(notebook, words[1:])


def _none(words: list[str], name: str) -> None:
    if words:
        raise UsageError(f"%claude {name} takes no arguments, got: {' '.join(words)}")


def _help(notebook: Notebook, words: list[str]) -> str:
    width = max(len(f"%claude {c.usage}") for c in COMMANDS.values())
    rows = [f"  {'%claude ' + c.usage:<{width}}  {c.about}" for c in COMMANDS.values()]
    return "\n".join(
        [
            "Put a prompt into a cell that begins with %%claude (options: %%claude --help).",
            "",
            *rows,
        ]
    )


def _new(notebook: Notebook, words: list[str]) -> str:
    name = words[0] if words else notebook.current
    notebook.renew(name)
    return f"Session '{name}' starts afresh with the next prompt."


def _status(notebook: Notebook, words: list[str]) -> str:
    _none(words, "status")
    return notebook.status()


def _stop(notebook: Notebook, words: list[str]) -> str:
    return notebook.stop(words[0] if words else None)


def _last(notebook: Notebook, words: list[str]) -> Any:
    if words not in ([], ["--sent"]):
        raise UsageError("%claude last [--sent]")
    turn = notebook.latest()
    if turn is None:
        return "Nothing has been asked yet."
    return notebook.sent(turn) if words else turn


def _model(notebook: Notebook, words: list[str]) -> str:
    if len(words) > 1:
        raise UsageError("%claude model [NAME]")
    return notebook.model(words[0] if words else None)


def _cost(notebook: Notebook, words: list[str]) -> str:
    _none(words, "cost")
    return notebook.cost()


def _budget(notebook: Notebook, words: list[str]) -> str:
    if not words:
        return notebook.cost()
    amount = words[0].removeprefix("$")
    if amount == "none":
        return notebook.set_budget(None)
    try:
        limit = float(amount)
    except ValueError:
        limit = -1.0
    if limit <= 0 or len(words) > 1:
        raise UsageError("%claude budget AMOUNT takes US dollars, for example `%claude budget 10`, or `none`")
    return notebook.set_budget(limit)


def _tools(notebook: Notebook, words: list[str]) -> str:
    action, names = (words[0], words[1:]) if words else ("list", [])
    if action == "list" and not names:
        return notebook.tool_list()
    if action == "add" and names:
        return notebook.add_tools(names)
    if action == "remove" and names:
        return notebook.remove_tools(names)
    raise UsageError("%claude tools [list | add NAME ... | remove NAME ...]")


COMMANDS: dict[str, Command] = {
    "new": Command("new [SESSION]", "forget the conversation and begin anew", _new),
    "status": Command("status", "sessions, models, and what is running", _status),
    "stop": Command("stop [SESSION]", "stop what is running or queued, keep what was answered", _stop),
    "last": Command("last [--sent]", "the last answer once more; what exactly was sent", _last),
    "model": Command("model [NAME]", "show or change the model", _model),
    "cost": Command("cost", "what was spent, and what is left of the budget", _cost),
    "budget": Command("budget [AMOUNT|none]", "show or change the notebook's budget in US dollars", _budget),
    "tools": Command("tools [add|remove NAME ...]", "your functions that the agent may call", _tools),
    "help": Command("help", "this list", _help),
}
