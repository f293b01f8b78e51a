"""Permission rules as text, and how much one lets through: what must be said before a person allows it for longer
than once.

Layer 0, pure. Above: the permission card, `%claude allow`, the memory of what a CLI was told. Below: stdlib. Rules are
those of the CLI 2.1 in its settings: `Bash(npm test *)`, `Edit`, `mcp__server__tool`, `mcp__server`; in the content
a backslash stands before a parenthesis or backslash that is no syntax.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any, Literal

Breadth = Literal["narrow", "tool", "control"]
"""`narrow`: some uses of a tool; `tool`: every use of it; `control`: anything at all, with this user's rights."""

# Tools that run whatever text they are given.
_SHELLS = frozenset({"Bash", "PowerShell", "REPL", "Monitor"})
# Commands that run whatever text follows them, or go on with it as a command.
_COMMANDS = """
    sh bash dash zsh ksh fish csh tcsh pwsh powershell cmd python ipython node deno bun ruby perl php lua Rscript R
    julia osascript sudo doas su env eval exec command builtin source xargs nohup time timeout nice setsid ssh
"""
_RUNNERS = frozenset(_COMMANDS.split())
_VERSION = re.compile(r"[\d.]+$|\.exe$")
_NAME = re.compile(r"[A-Za-z_][\w*-]*")
_EVERYTHING = re.compile(r"(?:domain:)?[\s*:/?.]*")
_ONE_MCP_TOOL = re.compile(r"mcp__.+?__[^*]+")
_SYNTAX = re.compile(r"[\\()]")
_ESCAPE = r"\\\g<0>"
_ESCAPED = re.compile(r"\\([\\()])")
_FILE_TOOLS = frozenset({"Read", "Write", "Edit", "MultiEdit", "NotebookEdit", "Glob", "Grep", "LS"})
_GLOBS_AT_END = re.compile(r"(?:/[*?.]*)+$")
# All that is yours, or everybody's: the root, what lies right below it, a home, a drive.
_WIDE = re.compile(r"/?|/[^/]+|/(?:home|Users)/[^/]+|~[^/]*|\.\.(?:/.*)?|[A-Za-z]:(?:/[Uu]sers(?:/[^/]+)?)?")


def parse(text: str) -> tuple[str, str | None] | None:
    """Tool and content of one rule such as `Bash(git status:*)`; None for what is no rule, or more than one."""
    name, bracket, rest = text.strip().partition("(")
    if _NAME.fullmatch(name) is None:
        return None
    if not bracket:
        return name, None
    content = rest[:-1]
    ends = _depth(content) == 0 and rest.endswith(")") and content
    return (name, _ESCAPED.sub(r"\1", content)) if ends else None


def _depth(content: str) -> int | None:
    """How many parentheses are left open; None where more are closed than were opened, or the end is escaped."""
    depth, marks = 0, iter(content)
    for mark in marks:
        if mark == "\\" and next(marks, None) is None:
            return None
        depth += {"(": 1, ")": -1}.get(mark, 0)
        if depth < 0:
            return None
    return depth


def written(tool_name: str, content: str | None) -> str | None:
    """The rule as the CLI reads it in its settings; None for one that would be read as another, broader one."""
    text = tool_name if content is None else f"{tool_name}({_SYNTAX.sub(_ESCAPE, content)})"
    return text if parse(text) == (tool_name, content) else None


def breadth(tool_name: str, rule_content: str | None) -> Breadth:
    """How much the rule covers. One tool of an MCP server is narrow: a rule cannot say less about it."""
    whole = rule_content is None or _EVERYTHING.fullmatch(rule_content) is not None
    if rule_content is not None and tool_name in _FILE_TOOLS:
        # In a rule one slash stands for the project, two for the root.
        whole = whole or is_wide(rule_content.removeprefix("/"))
    if rule_content is not None and tool_name in _SHELLS:
        whole = whole or _runs_anything(rule_content)
    if not whole or _ONE_MCP_TOOL.fullmatch(tool_name):
        return "narrow"
    return "control" if tool_name in _SHELLS or set(tool_name) <= {"*"} else "tool"


def _runs_anything(pattern: str) -> bool:
    """Whether a command's pattern leaves open what is run: no word before its first `*` says so."""
    head, star, _ = pattern.partition("*")
    words = head.removesuffix(":").split()
    return bool(star) and all(word.startswith("-") or "=" in word or _is_runner(word) for word in words)


def _is_runner(word: str) -> bool:
    return _VERSION.sub("", posixpath.basename(word)) in _RUNNERS


def is_wide(folder: str) -> bool:
    """Whether a folder, or a pattern for all that is in one, is the whole computer, a home, or what holds homes."""
    path = _GLOBS_AT_END.sub("", folder.strip().replace("\\", "/"))
    path = posixpath.normpath(path) if path else ""
    return _WIDE.fullmatch(f"/{path.lstrip('/')}" if path.startswith("/") else path) is not None


def breadth_of_update(update: dict[str, Any]) -> Breadth:
    """The same for an update of permissions in its wire form; an unknown one counts as `control`."""
    match update.get("type"):
        case "setMode":
            return "narrow" if update.get("mode") in ("default", "plan", "acceptEdits", "dontAsk") else "control"
        case "addDirectories":
            folders = update.get("directories")
            wide = not isinstance(folders, list) or any(is_wide(str(folder)) for folder in folders)
            return "tool" if wide else "narrow"
        case "addRules" if update.get("behavior") == "allow":
            rules = [rule for rule in update.get("rules") or [] if isinstance(rule, dict)]
            found = {breadth(str(rule.get("toolName")), rule.get("ruleContent")) for rule in rules}
            order: tuple[Breadth, ...] = ("control", "tool", "narrow")
            return next((b for b in order if b in found), "control")
        case "addRules" | "removeDirectories":
            return "narrow"
        case _:
            return "control"
