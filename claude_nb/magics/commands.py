"""`%claude WORD ...`: what can be done beside asking. One row per word; each returns what to print or show.

Layer 5, below the magic. A question to the agent never goes here: `%%claude` holds prompts, and an unknown word
says so, since IPython reads `%claude what is x?` as a request for help on a name.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from IPython.core.error import UsageError

from claude_nb.magics import reports, rules, trust
from claude_nb.protocol.permission import PermissionMode
from claude_nb.protocol.rule import parse
from claude_nb.render.card import MOST
from claude_nb.render.text import plural, visible

if TYPE_CHECKING:
    from claude_nb.magics.notebook import Notebook


class Command(NamedTuple):
    """One subcommand: its arguments as the help shows them, what it does, and the function that does it.

    What stands after the word is split as a shell does, or handed over as it stands if `whole`.
    """

    usage: str
    about: str
    run: Callable[[Notebook, list[str]], Any]
    whole: bool = False


def run(notebook: Notebook, line: str) -> Any:
    """Carry out one `%claude` line; raises UsageError for what it does not know."""
    name, rest = [*line.split(maxsplit=1), "", ""][:2]
    name = name or "help"
    if name in ("-h", "--help"):
        name = "help"
    if name not in COMMANDS:
        known = ", ".join(COMMANDS)
        raise UsageError(
            f"%claude knows these words: {known}. To ask the agent something, put the prompt into a cell that "
            f"begins with %%claude:\n\n%%claude\n{line}"
        )
    command, rest = COMMANDS[name], rest.strip()
    try:
        words = [rest] if command.whole else shlex.split(rest)
    except ValueError as error:
        raise UsageError(f"%claude {line}: {error}") from None
    return command.run(notebook, words)


def _none(words: list[str], name: str) -> None:
    if words:
        raise UsageError(f"%claude {name} takes no arguments, got: {' '.join(words)}")


def _help(notebook: Notebook, words: list[str]) -> str:
    width = max(len(f"%claude {c.usage}") for c in COMMANDS.values())
    rows = [f"  {'%claude ' + c.usage:<{width}}  {c.about}" for c in COMMANDS.values()]
    return "\n".join(
        [
            "Put a prompt into a cell that begins with %%claude (options: %%claude?).",
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
    return reports.status(notebook)


def _stop(notebook: Notebook, words: list[str]) -> str:
    stopped = notebook.stop(words[0] if words else None)
    return f"Stopped: {', '.join(stopped)}." if stopped else "Nothing is running."


def _last(notebook: Notebook, words: list[str]) -> Any:
    if words not in ([], ["--sent"]):
        raise UsageError("%claude last [--sent]")
    turn = notebook.latest()
    if turn is None:
        return "Nothing has been asked yet."
    return reports.sent(turn) if words else turn


def _model(notebook: Notebook, words: list[str]) -> str:
    if len(words) > 1:
        raise UsageError("%claude model [NAME]")
    if not words:
        return reports.model(notebook, notebook.current)
    notebook.set_model(words[0], notebook.current)
    return f"Session '{notebook.current}' uses {words[0]} from the next prompt on."


def _cost(notebook: Notebook, words: list[str]) -> str:
    _none(words, "cost")
    return reports.cost(notebook)


def _budget(notebook: Notebook, words: list[str]) -> str:
    if words:
        amount = words[0].removeprefix("$")
        try:
            limit = None if amount == "none" else float(amount)
        except ValueError:
            limit = -1.0
        if len(words) > 1 or (limit is not None and limit <= 0):
            raise UsageError("%claude budget AMOUNT takes US dollars, for example `%claude budget 10`, or `none`")
        notebook.set_budget(limit)
    return reports.cost(notebook)


def _tools(notebook: Notebook, words: list[str]) -> str:
    action, names = (words[0], words[1:]) if words else ("list", [])
    if action == "add" and names:
        notebook.add_functions(names)
    elif action == "remove" and names:
        notebook.remove_functions(names)
    elif action != "list" or names:
        raise UsageError("%claude tools [list | add NAME ... | remove NAME ...]")
    return reports.functions(notebook)


def _sessions(notebook: Notebook, words: list[str]) -> str:
    _none(words, "sessions")
    return reports.sessions(notebook) or "There are no stored sessions for this folder."


def _resume(notebook: Notebook, words: list[str]) -> str:
    if len(words) > 1:
        raise UsageError("%claude resume [NUMBER|SESSION ID]; `%claude sessions` lists them")
    found = reports.stored(notebook, words[0]) if words else notebook.earlier(notebook.current)
    if found is None:
        raise UsageError("There is no such session; `%claude sessions` lists those of this folder.")
    turns = notebook.resume(notebook.current, found)
    count = plural(len(turns), "turn")
    return f"The next prompt goes on with “{found.asked}” ({count}; `%claude last` shows the last one)."


def _checkpoints(notebook: Notebook, words: list[str]) -> str | None:
    return notebook.rewinds.checkpoints_command(words)


def _rewind(notebook: Notebook, words: list[str]) -> str | None:
    return notebook.rewinds.rewind_command(words)


def _mode(notebook: Notebook, words: list[str]) -> str:
    name, session_rules = notebook.current, notebook.session(notebook.current).rules
    if not words:
        return f"Session '{name}', mode {session_rules.mode}: it {rules.MODES[session_rules.mode]}."
    if len(words) > 1 or words[0] not in rules.MODES:
        raise UsageError(f"%claude mode [{' | '.join(rules.MODES)}]")
    mode = words[0]
    if mode == rules.ARMED and not session_rules.armed:
        question = f"Mode {mode} in session '{name}'\nIt {rules.MODES[mode]}. It ends with the session or the kernel."
        if not notebook.confirm(question, "bypass"):
            return f"Mode stays {session_rules.mode}: nobody agreed."
    notebook.set_mode(cast(PermissionMode, mode), name)
    return f"Session '{name}', mode {mode}: it {rules.MODES[mode]}."


HELD_BACK = (
    "The Claude settings here have changed, and telling the running CLI a rule would make it load them: "
    "the new rule holds from the next prompt on."
)


def _rule(notebook: Notebook, words: list[str], behavior: rules.Behavior) -> str:
    name, rule = notebook.current, " ".join(words)
    if parse(rule) is None:
        raise UsageError(
            f"%claude {behavior} RULE takes one rule, for example `%claude {behavior} Bash(git status:*)`. "
            "A parenthesis in it that has no partner is written with a backslash before it."
        )
    warning = rules.warning(rule) if behavior == "allow" else None
    question = f"Allow {rule} in session '{name}'\n{warning} It ends with the session."
    if warning is not None and not notebook.confirm(question, "allow"):
        return f"{rule} is not allowed: nobody agreed."
    notebook.add_rule(behavior, rule, name)
    session = notebook.session(name)
    return str(session.rules) if session.is_as_loaded() else f"{session.rules}\n{HELD_BACK}"


def _allow(notebook: Notebook, words: list[str]) -> str:
    return _rule(notebook, words, "allow")


def _deny(notebook: Notebook, words: list[str]) -> str:
    return _rule(notebook, words, "deny")


def _rules(notebook: Notebook, words: list[str]) -> str:
    _none(words, "rules")
    return str(notebook.session(notebook.current).rules)


def _trust(notebook: Notebook, words: list[str]) -> str:
    session = notebook.session(notebook.current)
    folder = session.cwd or Path.cwd()
    if words == ["--forget"]:
        trust.forget(folder)
        return f"The settings of {folder} are not loaded from the next prompt on."
    _none(words, "trust")
    settings = trust.read_folder(folder)
    if settings is None:
        return f"{folder} has no Claude settings of its own."
    listed = f"The Claude settings of {visible(str(folder))}, those of the folders above it included:\n{settings}\n"
    listed += "Rules that allow something count where they are this folder's own."
    if not settings.whole or len(listed) > MOST:
        return f"{listed[:MOST]}\nThey stay off: nobody could read them all before saying yes."
    if trust.is_trusted(settings):
        return f"{listed}\nYou trusted them; `%claude trust --forget` takes that back."
    if not notebook.confirm(f"{listed}\nLoaded, they act with your rights and without asking.", "trust"):
        return f"{listed}\nThey stay off: nobody agreed."
    trust.remember(settings)
    return "They are loaded from the next prompt on, until they change."


COMMANDS: dict[str, Command] = {
    "new": Command("new [SESSION]", "forget the conversation and begin anew", _new),
    "status": Command("status", "sessions, models, and what is running", _status),
    "stop": Command("stop [SESSION]", "stop what is running or queued, keep what was answered", _stop),
    "last": Command("last [--sent]", "the last answer once more; what exactly was sent", _last),
    "sessions": Command("sessions", "stored sessions of this folder, newest first", _sessions),
    "resume": Command("resume [NUMBER|ID]", "go on with an earlier session (default: this notebook's last)", _resume),
    "checkpoints": Command("checkpoints [SESSION]", "the prompts to go back to, and what that changes", _checkpoints),
    "rewind": Command("rewind NUMBER | --undo", "go back to before a prompt: files, conversation or both", _rewind),
    "model": Command("model [NAME]", "show or change the model", _model),
    "cost": Command("cost", "what was spent, and what is left of the budget", _cost),
    "budget": Command("budget [AMOUNT|none]", "show or change the notebook's budget in US dollars", _budget),
    "mode": Command("mode [NAME]", f"what is asked before it happens: {', '.join(rules.MODES)}", _mode),
    "allow": Command("allow RULE", "let the agent do something without asking, in this session", _allow, whole=True),
    "deny": Command("deny RULE", "never let the agent do something, in this session", _deny, whole=True),
    "rules": Command("rules", "the mode and the rules of this session", _rules),
    "trust": Command("trust [--forget]", "see this folder's own Claude settings, and let them load", _trust),
    "tools": Command("tools [add|remove NAME ...]", "your functions that the agent may call", _tools),
    "help": Command("help", "this list", _help),
}
