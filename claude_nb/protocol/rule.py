"""How much a permission rule lets through: what must be said before a person allows it for longer than once.

Layer 0, pure. Above: the permission card and `%claude allow`. Below: stdlib. Rules are those of the CLI 2.1:
`Bash(npm test *)`, `Edit`, `mcp__server__tool`, `mcp__server`.
"""

from __future__ import annotations

import re
from typing import Any, Literal

Breadth = Literal["narrow", "tool", "control"]
"""`narrow`: some uses of a tool; `tool`: every use of it; `control`: anything at all, with this user's rights."""

# Tools that run whatever text they are given.
_SHELLS = frozenset({"Bash", "PowerShell", "REPL", "Monitor"})
_EVERYTHING = re.compile(r"[\s*:/?]*")
_ONE_MCP_TOOL = re.compile(r"mcp__.+?__[^*]+")


def breadth(tool_name: str, rule_content: str | None) -> Breadth:
    """How much the rule covers. One tool of an MCP server is narrow: a rule cannot say less about it."""
    whole = rule_content is None or _EVERYTHING.fullmatch(rule_content) is not None
    if not whole or _ONE_MCP_TOOL.fullmatch(tool_name):
        return "narrow"
    return "control" if tool_name in _SHELLS or set(tool_name) <= {"*"} else "tool"


def breadth_of_update(update: dict[str, Any]) -> Breadth:
    """The same for an update of permissions in its wire form; an unknown one counts as `control`."""
    match update.get("type"):
        case "setMode":
            return "narrow" if update.get("mode") in ("default", "plan", "acceptEdits", "dontAsk") else "control"
        case "addDirectories":
            folders = update.get("directories")
            wide = not isinstance(folders, list) or any(re.fullmatch(r"/|[A-Za-z]:[\\/]?|~", str(f)) for f in folders)
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
