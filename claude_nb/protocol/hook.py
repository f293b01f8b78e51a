"""Hooks: the 33 events a callback can be registered for, what comes in and what may be said back.

Layer 0, pure. Above: `engine.hook` runs the callbacks. Below: `hook_input` and `hook_output`, the shapes. Names follow
the official Python SDK 0.2.186. Source: protocol page 2.6 and 2.7, CLI 2.1.329.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypedDict, get_args

from .hook_output import HookJSONOutput

HookEvent = Literal[
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PostToolBatch",
    "Notification",
    "UserPromptSubmit",
    "UserPromptExpansion",
    "SessionStart",
    "SessionEnd",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "PreModelSwitch",
    "PostModelSwitch",
    "PermissionRequest",
    "PermissionDenied",
    "Setup",
    "TeammateIdle",
    "TaskCreated",
    "TaskCompleted",
    "Elicitation",
    "ElicitationResult",
    "ConfigChange",
    "WorktreeCreate",
    "WorktreeRemove",
    "InstructionsLoaded",
    "CwdChanged",
    "FileChanged",
    "DirectoryAdded",
    "MessageDisplay",
]
HOOK_EVENTS: tuple[str, ...] = get_args(HookEvent)
"""Every event. Callbacks are registered after the start: SessionStart reaches them with the sources `compact` and
`clear`, Setup never. CwdChanged and FileChanged come only where the settings have a hook for them too at the start."""

# The values a matcher of the event is compared with; events that are not here have no matcher.
MATCHED_FIELDS: dict[str, str] = {
    "PreToolUse": "tool_name",
    "PostToolUse": "tool_name",
    "PostToolUseFailure": "tool_name",
    "PermissionRequest": "tool_name",
    "PermissionDenied": "tool_name",
    "Notification": "notification_type",
    "SessionStart": "source",
    "SessionEnd": "reason",
    "PreCompact": "trigger",
    "PostCompact": "trigger",
    "SubagentStart": "agent_type",
    "SubagentStop": "agent_type",
    "Setup": "trigger",
    "ConfigChange": "source",
    "Elicitation": "mcp_server_name",
    "ElicitationResult": "mcp_server_name",
}


class HookContext(TypedDict):
    """`signal` is an `anyio.Event` that is set when the CLI no longer waits for the hook."""

    signal: Any | None


HookCallback: TypeAlias = Callable[[Any, str | None, HookContext], Awaitable[HookJSONOutput]]


@dataclass
class HookMatcher:
    """Callbacks for those occurrences of an event that `matcher` fits (None: all).

    `matcher` is an exact name, names joined by `|`, or a regular expression, compared with the field in
    `MATCHED_FIELDS`. `timeout` is in seconds. `on_failure`: what happens when a callback fails or times out,
    "continue" (the CLI's default) or "block" for guards that must hold.
    """

    matcher: str | None = None
    hooks: list[HookCallback] = field(default_factory=list)
    timeout: float | None = None
    on_failure: Literal["continue", "block"] | None = None


Hooks: TypeAlias = dict[HookEvent, list[HookMatcher]]

_RESERVED = {"async_": "async", "continue_": "continue"}


def register(hooks: Hooks | None) -> tuple[dict[str, Any] | None, dict[str, HookCallback]]:
    """What `initialize` says about the hooks, and the callbacks by the ids it gives them."""
    wire: dict[str, Any] = {}
    callbacks: dict[str, HookCallback] = {}
    for event, matchers in (hooks or {}).items():
        for matcher in matchers:
            ids = []
            for callback in matcher.hooks:
                ids.append(f"hook_{len(callbacks)}")
                callbacks[ids[-1]] = callback
            entry: dict[str, Any] = {"matcher": matcher.matcher, "hookCallbackIds": ids}
            if matcher.timeout is not None:
                entry["timeout"] = matcher.timeout
            if matcher.on_failure is not None:
                entry["onFailure"] = matcher.on_failure
            wire.setdefault(event, []).append(entry)
    return wire or None, callbacks


def needs_on_failure(hooks: Hooks | None) -> bool:
    """A guard that must hold was asked for; the CLI must show that it understands it."""
    return any(m.on_failure == "block" for matchers in (hooks or {}).values() for m in matchers)


def output_to_wire(output: Any) -> dict[str, Any]:
    """A callback's answer in wire form; None says nothing. Raises TypeError for anything but a dict."""
    if output is None:
        return {}
    if not isinstance(output, dict):
        raise TypeError(f"A hook must return a dict or None, not {type(output).__name__}.")
    return {_RESERVED.get(str(key), str(key)): value for key, value in output.items()}
