"""Permission questions and answers: what the CLI asks with `can_use_tool` and what may be said back.

Layer 0, pure. Above: `engine.permission` asks people and policies. Below: stdlib. Names and fields follow the official
Python SDK 0.2.186; the context also carries what newer CLIs tell (protocol page 2.7, CLI 2.1.329).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

logger = logging.getLogger(__name__)

PermissionMode = Literal["default", "acceptEdits", "plan", "bypassPermissions", "dontAsk", "auto"]
PERMISSION_MODES: tuple[str, ...] = get_args(PermissionMode)
PermissionBehavior = Literal["allow", "deny", "ask"]
PermissionUpdateDestination = Literal["userSettings", "projectSettings", "localSettings", "session"]
_UpdateType = Literal["addRules", "replaceRules", "removeRules", "setMode", "addDirectories", "removeDirectories"]

# What each kind of update must say; the CLI ignores all updates of an answer when one lacks its field.
_NEEDS: dict[str, tuple[str, ...]] = {
    "addRules": ("rules", "behavior"),
    "replaceRules": ("rules", "behavior"),
    "removeRules": ("rules", "behavior"),
    "setMode": ("mode",),
    "addDirectories": ("directories",),
    "removeDirectories": ("directories",),
}


@dataclass
class PermissionRuleValue:
    """A rule: a tool and what it matches within it (`npm test` for Bash); None covers every use of the tool."""

    tool_name: str
    rule_content: str | None = None

    def __str__(self) -> str:
        return f"{self.tool_name}({self.rule_content})" if self.rule_content else self.tool_name

    @classmethod
    def parse(cls, text: str) -> PermissionRuleValue:
        """`Bash(npm test)` or `Read`, as people and settings files write rules."""
        name, bracket, content = text.strip().partition("(")
        if bracket and content.endswith(")"):
            return cls(name.strip(), content[:-1] or None)
        return cls(text.strip())


@dataclass
class PermissionUpdate:
    """A change of rules, mode or directories. `destination` None means the session: it ends with it."""

    type: _UpdateType
    rules: list[PermissionRuleValue] | None = None
    behavior: PermissionBehavior | None = None
    mode: PermissionMode | None = None
    directories: list[str] | None = None
    destination: PermissionUpdateDestination | None = None

    def to_dict(self) -> dict[str, Any]:
        """The wire form. Raises ValueError when a field its type needs is missing, or the type is unknown."""
        if self.type not in _NEEDS:
            raise ValueError(f"PermissionUpdate cannot have the type {self.type!r}; use one of {', '.join(_NEEDS)}.")
        wire: dict[str, Any] = {"type": self.type, "destination": self.destination or "session"}
        for name in _NEEDS[self.type]:
            value = getattr(self, name)
            if value is None:
                raise ValueError(f"PermissionUpdate(type={self.type!r}) needs {name}.")
            wire[name] = [_rule_to_wire(rule) for rule in value] if name == "rules" else value
        return wire

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PermissionUpdate:
        """An update from its wire form, for instance one of the CLI's suggestions."""
        rules = data.get("rules")
        return cls(
            type=data["type"],
            rules=None if rules is None else [_rule_from_wire(rule) for rule in rules],
            behavior=data.get("behavior"),
            mode=data.get("mode"),
            directories=data.get("directories"),
            destination=data.get("destination"),
        )


def _rule_to_wire(rule: PermissionRuleValue) -> dict[str, Any]:
    # A null ruleContent makes the CLI reject the whole answer.
    wire = {"toolName": rule.tool_name}
    return wire if rule.rule_content is None else {**wire, "ruleContent": rule.rule_content}


def _rule_from_wire(rule: dict[str, Any]) -> PermissionRuleValue:
    return PermissionRuleValue(tool_name=rule["toolName"], rule_content=rule.get("ruleContent"))


@dataclass
class ToolPermissionContext:
    """What the CLI tells about a permission question.

    `signal` is an `anyio.Event` set when the question is withdrawn. `suggestions` are updates worth offering as
    "always". `raw` is the whole request.
    """

    signal: Any | None = None
    suggestions: list[PermissionUpdate] = field(default_factory=list)
    tool_use_id: str | None = None
    agent_id: str | None = None
    blocked_path: str | None = None
    decision_reason: str | None = None
    title: str | None = None
    display_name: str | None = None
    description: str | None = None
    requires_user_interaction: bool = False
    raw: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass
class PermissionResultAllow:
    """Allow the call, with other input if `updated_input` is given, and apply `updated_permissions`."""

    behavior: Literal["allow"] = "allow"
    updated_input: dict[str, Any] | None = None
    updated_permissions: list[PermissionUpdate] | None = None


@dataclass
class PermissionResultDeny:
    """Deny the call; the model reads `message`. With `interrupt` the turn ends too."""

    behavior: Literal["deny"] = "deny"
    message: str = ""
    interrupt: bool = False


PermissionResult: TypeAlias = PermissionResultAllow | PermissionResultDeny
CanUseTool: TypeAlias = Callable[[str, dict[str, Any], ToolPermissionContext], Awaitable[PermissionResult]]


class CanUseToolShadowedWarning(UserWarning):
    """`can_use_tool` will never be asked about a tool: a rule or the mode allows it before."""


def context_from_request(request: dict[str, Any], signal: Any | None = None) -> ToolPermissionContext:
    """The context of a `can_use_tool` request; suggestions that cannot be read are left out (they stay in `raw`)."""
    suggestions = []
    for suggestion in request.get("permission_suggestions") or []:
        try:
            suggestions.append(PermissionUpdate.from_dict(suggestion))
        except (KeyError, TypeError, AttributeError):
            logger.debug("a permission suggestion of an unknown shape was left out")
    return ToolPermissionContext(
        signal=signal,
        suggestions=suggestions,
        requires_user_interaction=bool(request.get("requires_user_interaction")),
        raw=request,
        **{
            name: request.get(name)
            for name in (
                "tool_use_id",
                "agent_id",
                "blocked_path",
                "decision_reason",
                "title",
                "display_name",
                "description",
            )
        },
    )


def result_to_wire(result: PermissionResult, input: dict[str, Any]) -> dict[str, Any]:
    """The answer to a `can_use_tool` request whose tool input was `input`. Raises TypeError for anything else.

    Updates that cannot be sent are all left out with a warning, since the CLI would ignore them together anyway; the
    call is still allowed.
    """
    if isinstance(result, PermissionResultDeny):
        return {"behavior": "deny", "message": result.message} | ({"interrupt": True} if result.interrupt else {})
    if not isinstance(result, PermissionResultAllow):
        raise TypeError(
            f"can_use_tool must return PermissionResultAllow or PermissionResultDeny, not {type(result).__name__}."
        )
    wire: dict[str, Any] = {
        "behavior": "allow",
        "updatedInput": input if result.updated_input is None else result.updated_input,
    }
    if result.updated_permissions:
        try:
            wire["updatedPermissions"] = [update.to_dict() for update in result.updated_permissions]
        except ValueError as error:
            logger.warning("the permission updates were not sent: %s", error)
    return wire
