"""What the agent may do without asking: the mode and the rules of a session.

Layer 5, below `notebook`. Both live as long as the session. The rules are told to the CLI at each of its starts, since
it forgets session rules (design decision 14), and whenever they change. They travel as JSON: a flag's list is split at
commas and blanks, and a rule with a command that the model made up would become several. The mode that allows
everything is kept here and never reaches the CLI: guards and deny rules hold in it, and what only a person can answer
is still asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from claude_nb.protocol.permission import PermissionMode, PermissionUpdate
from claude_nb.protocol.rule import breadth, parse, written

Behavior = Literal["allow", "deny"]

MODES: dict[str, str] = {
    "default": "asks before the agent changes or runs something",
    "acceptEdits": "lets the agent edit files of the folder without asking",
    "plan": "lets the agent look, think and propose a plan, but change nothing",
    "bypassPermissions": "asks nothing: every command runs with your rights",
}
ARMED = "bypassPermissions"
# Tools that mode acceptEdits is about, and the field of their input that names the file.
EDITS = {"Write": "file_path", "Edit": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path"}
# Questions that are the tool's point: no mode answers them.
FOR_PEOPLE = ("AskUserQuestion", "ExitPlanMode")


def cli_mode(mode: PermissionMode) -> PermissionMode:
    """The mode as the CLI gets it."""
    return "default" if mode == ARMED else mode


def warning(rule: str) -> str | None:
    """What allowing this rule gives away, for somebody who is about to; None for a narrow one."""
    tool, content = parse(rule) or (rule, None)
    match breadth(tool, content):
        case "control":
            return "This lets the agent run any command with your rights: it is full control of your account here."
        case "tool":
            return f"This lets the agent use {tool} with any input without asking."
        case _:
            return None


@dataclass(slots=True)
class Rules:
    """Mode and rules of one session; the rules as the CLI reads them in its settings."""

    mode: PermissionMode = "default"
    allow: list[str] = field(default_factory=list)
    deny: list[str] = field(default_factory=list)
    granted: list[str] = field(default_factory=list)
    """Rules that a card allowed: the running CLI knows them, the next one is told."""
    folders: list[str] = field(default_factory=list)
    """Folders that a card added."""

    def learn(self, updates: Iterable[PermissionUpdate]) -> None:
        """Keep what a card allowed for as long as the session lives, wherever else the CLI keeps it.

        It may be a settings file that is not loaded. A rule that could be misread is asked about again instead.
        """
        for update in updates:
            if update.type == "setMode" and update.mode in MODES:
                self.mode = update.mode
            elif update.type == "addRules" and update.behavior == "allow":
                texts = [written(rule.tool_name, rule.rule_content) for rule in update.rules or []]
                self.granted += [text for text in texts if text is not None and text not in self.granted]
            elif update.type == "addDirectories":
                self.folders += [folder for folder in update.directories or [] if folder not in self.folders]

    def follow(self, mode: str) -> None:
        """The CLI says which mode it is in: it leaves plan mode by itself when a plan was approved."""
        if mode in MODES and mode not in (ARMED, self.cli_mode):
            self.mode = cast(PermissionMode, mode)

    @property
    def armed(self) -> bool:
        """Nothing is asked."""
        return self.mode == ARMED

    @property
    def cli_mode(self) -> PermissionMode:
        """The mode as the CLI gets it."""
        return cli_mode(self.mode)

    @property
    def warning(self) -> str | None:
        """What every turn says of itself in a mode that asks nothing."""
        if not self.armed:
            return None
        return (
            f"Mode {self.mode}: everything the agent does is allowed, with your rights. `%claude mode default` ends it."
        )

    @property
    def settings(self) -> dict[str, Any]:
        """The rules as settings of the CLI."""
        lists = {"allow": [*self.allow, *self.granted], "deny": list(self.deny)}
        return {"permissions": lists} if any(lists.values()) else {}

    def add(self, behavior: Behavior, rule: str) -> None:
        """Add a rule; the newest word on it counts."""
        other = self.deny if behavior == "allow" else self.allow
        own = self.allow if behavior == "allow" else self.deny
        if rule in other:
            other.remove(rule)
        if rule not in own:
            own.append(rule)

    def permits(self, tool_name: str) -> bool:
        """Whether the mode by itself answers a question of the CLI with yes.

        In acceptEdits it never does: what that mode covers the CLI does not ask, and what it asks is for a person.
        """
        return self.armed and tool_name not in FOR_PEOPLE

    def covers(self, ask: dict[str, Any], folder: Path) -> bool:
        """Whether the mode permits what an open card asks, so that the CLI would not have asked in it.

        In acceptEdits that is an edit of an ordinary file in `folder` for which the CLI named no reason to ask (a
        sensitive file, a folder that is not this one, a rule, a hook).
        """
        name = ask["tool_name"]
        if self.permits(name):
            return True
        if (
            self.mode != "acceptEdits"
            or name not in EDITS
            or ask.get("decision_reason_type")
            or ask.get("blocked_path")
        ):
            return False
        return _is_ordinary(ask["input"].get(EDITS[name]), folder)

    def __str__(self) -> str:
        rows = [f"mode {self.mode}: {MODES[self.mode]}"]
        rows += [f"allow {rule}" for rule in [*self.allow, *self.granted]] + [f"deny  {rule}" for rule in self.deny]
        return "\n".join(rows)


def _is_ordinary(path: Any, folder: Path) -> bool:
    """Whether it lies below the folder, links followed, and no part of its way there is hidden."""
    if not isinstance(path, str) or not os.path.isabs(path):  # the CLI may stand elsewhere than we think
        return False
    real, root = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    return real.is_relative_to(root) and not any(part.startswith(".") for part in real.relative_to(root).parts)
