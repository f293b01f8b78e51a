"""What was asked and what was decided, in one line: the record that stays in an output.

Above: `html`, `terminal`, `bundle`. Below: `conversation`, `view`, `text`. A decision is a dict with `behavior`
("allow" or "deny") and what the permission result of the SDK holds: `message`, `interrupt`, `updated_input`,
`updated_permissions`; `by` names who decided if it was not the person ("policy", "timeout").
"""

from __future__ import annotations

from typing import Any

from claude_nb.conversation.model import Question, Tool

from .text import one_line, visible
from .view import title

_ENDED = {
    "open": "Waiting for an answer",
    "expired": "Denied: no answer in time",
    "cancelled": "Withdrawn before an answer",
}
_DESTINATIONS = {
    "session": "this session",
    "projectSettings": "this project",
    "localSettings": "this project, only you",
    "userSettings": "all your projects",
}


def record(question: Question, root: str | None = None) -> tuple[bool | None, str]:
    """Whether it was allowed (None: not answered), and the line that says so, for a permission with the call it is
    about: `Bash make test · Allowed once`. Paths below `root` are relative."""
    allowed, line = _outcome(question)
    name = question.ask.get("tool_name")
    if question.kind != "permission" or not name:
        return allowed, line
    return allowed, f"{_call(str(name), question.ask.get('input'), root)} · {line}"


def _call(name: str, given: Any, root: str | None) -> str:
    input = dict(given) if isinstance(given, dict) else {}
    if "command" in input:
        input.pop("description", None)  # what runs, not what the model calls it
    return one_line(title(Tool(key="", id="", name=name, input=input, input_done=True), root), 120)


def _outcome(question: Question) -> tuple[bool | None, str]:
    if question.status != "answered" or question.decision is None:
        return None, _ENDED.get(question.status, _ENDED["cancelled"])
    decision = question.decision
    allowed = decision.get("behavior") == "allow"
    say = _SAY[question.kind]
    line = say(decision) if allowed else _denied(decision, _REFUSED[question.kind])
    by = decision.get("by")
    return allowed, line + (f" (by {one_line(visible(str(by)), 40)})" if by else "")


def _permitted(decision: dict[str, Any]) -> str:
    updates = decision.get("updated_permissions") or decision.get("updatedPermissions") or []
    rules = [_rule(update) for update in updates if isinstance(update, dict)]
    edited = " with edited input" if _edited(decision) else ""
    return f"Allowed always{edited}: {'; '.join(rules)}" if rules else f"Allowed once{edited}"


def _edited(decision: dict[str, Any]) -> bool:
    return bool(decision.get("edited"))


def _rule(update: dict[str, Any]) -> str:
    where = _DESTINATIONS.get(str(update.get("destination")), "this session")
    if update.get("type") == "setMode":
        return f"mode {update.get('mode')} for {where}"
    if update.get("type") == "addDirectories":
        return f"folders {', '.join(map(str, update.get('directories') or []))} for {where}"
    rules = [
        f"{r.get('toolName') or r.get('tool_name')}"
        + (f"({c})" if (c := r.get("ruleContent") or r.get("rule_content")) else "")
        for r in update.get("rules") or []
        if isinstance(r, dict)
    ]
    return f"{', '.join(rules)} for {where}"


def _denied(decision: dict[str, Any], word: str) -> str:
    reason = one_line(str(decision.get("message") or ""), 300)
    stopped = " and stopped" if decision.get("interrupt") else ""
    return f"{word}{stopped}: {reason}" if reason else f"{word}{stopped}"


def _answered(decision: dict[str, Any]) -> str:
    given = decision.get("answers")
    if not isinstance(given, dict) or not given:
        return "Answered"
    return "Answered: " + "; ".join(
        f"{q} {', '.join(map(str, a)) if isinstance(a, list) else a}" for q, a in given.items()
    )


def _approved(decision: dict[str, Any]) -> str:
    return "Plan approved"


def _chosen(decision: dict[str, Any]) -> str:
    return f"Answered: {decision.get('choice')}"


_SAY = {"permission": _permitted, "choice": _answered, "plan": _approved, "form": _answered, "confirm": _chosen}
_REFUSED = {
    "permission": "Denied",
    "choice": "Not answered",
    "plan": "Kept planning",
    "form": "Declined",
    "confirm": "Declined",
}
