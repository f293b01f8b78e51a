"""What each option may hold, by its kind: the mistakes that would otherwise mean something else, or break far away.

Layer 0, pure. Above: `options.check`, which says them before anything starts. Below: `config`, `hook`. Text for a list
is the worst of them: its letters would be the list.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import is_dataclass
from numbers import Real
from typing import Any, TypeAlias

Fits: TypeAlias = Callable[[Any], bool]


def is_server(value: Any) -> bool:
    """It is an MCP server itself, not the entry of one: a class of the packages that make them. Imports nothing."""
    packages = {kind.__module__.partition(".")[0] for kind in type(value).__mro__}
    return not packages.isdisjoint(("mcp", "fastmcp"))


def misshapen(options: Any) -> str | None:
    """What is wrong with the first option of a wrong kind, and what to write; None if there is none.

    Values are not shown: they may be secrets.
    """
    for name, (fits, wanted) in SHAPES.items():
        value = getattr(options, name)
        # A field that may be None has None for its default, which is its class's attribute.
        may_be_none = getattr(type(options), name, ...) is None
        if not fits(value) and not (value is None and may_be_none):
            return f"{name} must be {wanted}; this is {_kind(value)}."
    return None


def _kind(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}" + (" of other things" if _many(value) else "")


def _many(value: Any) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str | bytes)


def _a(*kinds: Any) -> Fits:
    return lambda value: isinstance(value, kinds)


def _list(*kinds: Any) -> Fits:
    return lambda value: _many(value) and not isinstance(value, Mapping) and all(isinstance(v, kinds) for v in value)


def _dict(of: Fits = lambda value: True) -> Fits:
    return lambda value: isinstance(value, Mapping) and all(isinstance(k, str) and of(v) for k, v in value.items())


def _either(*fits: Fits) -> Fits:
    return lambda value: any(one(value) for one in fits)


def _is_system_prompt(value: Any) -> bool:
    needs: dict[Any, tuple[str, Any]] = {
        "preset": ("preset", str),
        "custom": ("prompt", str),
        "file": ("path", (str, os.PathLike)),
    }
    if not isinstance(value, Mapping) or value.get("type") not in needs:
        return isinstance(value, str)
    key, kinds = needs[value["type"]]
    return isinstance(value.get(key), kinds)


def _is_agent(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _are_matchers(value: Any) -> bool:
    return _list(object)(value) and all(
        _list(object)(getattr(v, "hooks", None)) and all(map(callable, v.hooks)) for v in value
    )


_PATH = (_a(str, os.PathLike), "a path, as text or Path")
_NUMBER = (_a(Real), "a number")
_FUNCTION = (callable, "a function")

SHAPES: dict[str, tuple[Fits, str]] = {
    "tools": (
        _either(_list(str), _dict()),
        'a list of names such as ["Read", "Bash"], or {"type": "preset", "preset": "claude_code"}',
    ),
    "allowed_tools": (_list(str), 'a list of texts, such as ["Read", "Bash(git *)"]'),
    "append_allowed_tools": (_list(str), 'a list of texts, such as ["Read", "Bash(git *)"]'),
    "disallowed_tools": (_list(str), 'a list of texts, such as ["Write", "Bash(rm *)"]'),
    "system_prompt": (
        _is_system_prompt,
        'a text, or {"type": "preset", "preset": "claude_code"}, {"type": "custom", "prompt": ...}, '
        '{"type": "file", "path": ...}',
    ),
    "mcp_servers": (
        _either(_a(str, os.PathLike), _dict(_either(_dict(), is_server))),
        'a dict of name to server, such as {"calc": create_sdk_mcp_server("calc", tools=[...])}, or the path of a file',
    ),
    "session_id": (_a(str), "a text; write str(it)"),
    "resume": (_a(str), "a text; write str(it)"),
    "max_turns": _NUMBER,
    "max_budget_usd": _NUMBER,
    "max_thinking_tokens": _NUMBER,
    "max_buffer_size": _NUMBER,
    "control_timeout": _NUMBER,
    "betas": (_list(str), "a list of texts"),
    "cwd": _PATH,
    "cli_path": _PATH,
    "settings": (_a(str, os.PathLike), "the path of a file, or JSON as text; write json.dumps(it)"),
    "add_dirs": (_list(str, os.PathLike), 'a list of folders, such as ["/data"]'),
    "env": (_dict(_a(str)), 'a dict of texts, such as {"NAME": "1"}'),
    "extra_args": (
        lambda value: _dict()(value) and not any(name.startswith("-") for name in value),
        'a dict of flags without their dashes, such as {"debug-file": "log.txt", "bare": None}',
    ),
    "stderr": _FUNCTION,
    "can_use_tool": _FUNCTION,
    "on_elicitation": _FUNCTION,
    "on_user_dialog": _FUNCTION,
    "hooks": (_dict(_are_matchers), 'a dict of lists, such as {"PreToolUse": [HookMatcher("Bash", [function])]}'),
    "agents": (_dict(_is_agent), 'a dict such as {"reviewer": AgentDefinition(description=..., prompt=...)}'),
    "setting_sources": (_list(str), 'a list, such as ["user", "project"]; [] loads none, None loads all'),
    "sandbox": (_dict(), 'a dict such as {"enabled": True}'),
    "plugins": (_list(Mapping), 'a list such as [{"type": "local", "path": ...}]'),
    "thinking": (_dict(), 'a dict such as {"type": "enabled", "budget_tokens": 8000}'),
    "output_format": (_dict(), 'a dict: {"type": "json_schema", "schema": {...}}'),
    "task_budget": (lambda value: _dict()(value) and isinstance(value.get("total"), int), 'a dict: {"total": tokens}'),
    "supported_dialog_kinds": (_list(str), "a list of texts"),
}
"""Field to what it may hold, and how to say it. A field that is not here is flag or text, and its rule is elsewhere."""
