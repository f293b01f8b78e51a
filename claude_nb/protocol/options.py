"""The options of a session, and what may not be combined.

Layer 0, pure. Above: `launch` turns them into argv, environment and the initialize request; the engine keeps them.
Below: `config`, `permission` and `hook` (what they hold), `shape`. All fields of the official Python SDK 0.2.186 with
its defaults, in its order; ours follow after them, by keyword only.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias
from uuid import UUID

from claude_nb.errors import OptionsError

from .config import (
    EFFORT_LEVELS,
    SETTING_SOURCES,
    AgentDefinition,
    EffortLevel,
    McpServerConfig,
    SandboxSettings,
    SdkBeta,
    SdkPluginConfig,
    SettingSource,
    SystemPromptCustom,
    SystemPromptFile,
    SystemPromptPreset,
    TaskBudget,
    ThinkingConfig,
    ToolsPreset,
)
from .hook import HOOK_EVENTS, Hooks
from .permission import PERMISSION_MODES, CanUseTool, PermissionMode
from .shape import is_server, misshapen

ElicitationCallback: TypeAlias = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Gets the request of an MCP server, gives `{"action": "accept" | "decline" | "cancel", "content"?: {...}}`."""
DialogCallback: TypeAlias = Callable[[dict[str, Any]], Awaitable[Any]]
"""Gets `dialog_kind` and `payload`, gives the dialog's result; None cancels it."""


@dataclass
class ClaudeAgentOptions:
    """How a session is started. Every field has a default; `ClaudeAgentOptions()` is Claude Code as installed.

    Beyond the official fields: `append_allowed_tools` adds to `allowed_tools`; `on_elicitation` and `on_user_dialog`
    answer MCP servers and dialogs of the kinds in `supported_dialog_kinds`; `replay_user_messages` has the CLI repeat
    each prompt as a `UserMessage` with its uuid (None: with `enable_file_checkpointing`, since rewinds need them);
    `agent` names the agent that answers; `title` names the session; `prompt_suggestions` and
    `agent_progress_summaries` ask the CLI for more messages; `persist_session` False keeps the session off the disk;
    `control_timeout` bounds each control request, in seconds. What may hold secrets is not in the `repr`.
    """

    tools: list[str] | ToolsPreset | None = None
    allowed_tools: list[str] = field(default_factory=list)
    system_prompt: str | SystemPromptPreset | SystemPromptCustom | SystemPromptFile | None = None
    mcp_servers: dict[str, McpServerConfig] | str | Path = field(default_factory=dict, repr=False)
    strict_mcp_config: bool = False
    permission_mode: PermissionMode | None = None
    continue_conversation: bool = False
    resume: str | None = None
    session_id: str | None = None
    max_turns: int | None = None
    max_budget_usd: float | None = None
    disallowed_tools: list[str] = field(default_factory=list)
    model: str | None = None
    fallback_model: str | None = None
    betas: list[SdkBeta] = field(default_factory=list)
    permission_prompt_tool_name: str | None = None
    cwd: str | Path | None = None
    cli_path: str | Path | None = None
    settings: str | None = field(default=None, repr=False)
    add_dirs: list[str | Path] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict, repr=False)
    extra_args: dict[str, str | None] = field(default_factory=dict, repr=False)
    max_buffer_size: int | None = None
    debug_stderr: Any = field(default=sys.stderr, repr=False)
    stderr: Callable[[str], None] | None = None
    can_use_tool: CanUseTool | None = None
    hooks: Hooks | None = None
    user: str | None = None
    include_partial_messages: bool = False
    include_hook_events: bool = False
    forward_subagent_text: bool = False
    verbatim_prompts: bool = False
    fork_session: bool = False
    resume_session_at: str | None = None
    resume_drops_turn: str | None = None
    agents: dict[str, AgentDefinition] | None = None
    setting_sources: list[SettingSource] | None = None
    skills: list[str] | Literal["all"] | None = None
    sandbox: SandboxSettings | None = None
    plugins: list[SdkPluginConfig] = field(default_factory=list)
    max_thinking_tokens: int | None = None
    thinking: ThinkingConfig | None = None
    effort: EffortLevel | None = None
    output_format: dict[str, Any] | None = None
    enable_file_checkpointing: bool = False
    session_store: Any = None
    session_store_flush: Literal["batched", "eager"] = "batched"
    load_timeout_ms: int = 60_000
    task_budget: TaskBudget | None = None
    client_app: str | None = None

    append_allowed_tools: list[str] = field(default_factory=list, kw_only=True)
    on_elicitation: ElicitationCallback | None = field(default=None, kw_only=True)
    on_user_dialog: DialogCallback | None = field(default=None, kw_only=True)
    supported_dialog_kinds: list[str] = field(default_factory=list, kw_only=True)
    replay_user_messages: bool | None = field(default=None, kw_only=True)
    agent: str | None = field(default=None, kw_only=True)
    title: str | None = field(default=None, kw_only=True)
    prompt_suggestions: bool = field(default=False, kw_only=True)
    agent_progress_summaries: bool = field(default=False, kw_only=True)
    persist_session: bool = field(default=True, kw_only=True)
    control_timeout: float = field(default=60.0, kw_only=True)


def sdk_servers(options: ClaudeAgentOptions) -> dict[str, Any]:
    """The in-process MCP servers by name: instances of `mcp` servers."""
    if not isinstance(options.mcp_servers, dict):
        return {}
    entries = server_entries(options.mcp_servers)
    return {name: entry["instance"] for name, entry in entries.items() if entry.get("type") == "sdk"}


def server_entries(servers: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of MCP servers by name; a server of the `mcp` package may stand for its own."""
    return {
        name: {"type": "sdk", "name": name, "instance": server} if is_server(server) else server
        for name, server in servers.items()
    }


def is_bidirectional(options: ClaudeAgentOptions) -> bool:
    """The CLI may ask us something while it works, so its stdin stays open to the end of the run."""
    callbacks = (options.hooks, options.can_use_tool, options.on_elicitation, options.on_user_dialog)
    return any(callbacks) or bool(sdk_servers(options))


def check(options: ClaudeAgentOptions) -> None:
    """Raise `OptionsError` for options that cannot be meant, with the reason; nothing has been started then."""
    if why := misshapen(options):
        raise OptionsError(why)
    for wrong, why in _RULES:
        if wrong(options):
            raise OptionsError(why)
    for name in options.skills if isinstance(options.skills, list) else []:
        _check_skill(name)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


_Rule: TypeAlias = tuple[Callable[[ClaudeAgentOptions], Any], str]
_RULES: tuple[_Rule, ...] = (
    (
        lambda o: o.can_use_tool and o.permission_prompt_tool_name,
        "can_use_tool and permission_prompt_tool_name both answer permission questions; set one of them.",
    ),
    (
        lambda o: o.permission_mode is not None and o.permission_mode not in (*PERMISSION_MODES, "manual"),
        f"permission_mode must be one of {', '.join(PERMISSION_MODES)}.",
    ),
    (
        lambda o: o.continue_conversation and o.resume,
        "continue_conversation takes the latest session and resume a given one; set one of them.",
    ),
    (
        lambda o: o.session_id is not None and not _is_uuid(o.session_id),
        "session_id must be a UUID; the CLI takes no other names. (A named session is its own client.)",
    ),
    (
        lambda o: o.session_id and (o.resume or o.continue_conversation) and not o.fork_session,
        "session_id names a new session; with resume or continue_conversation it needs fork_session too.",
    ),
    (
        lambda o: o.fork_session and not (o.resume or o.continue_conversation),
        "fork_session needs a session to fork: set resume or continue_conversation.",
    ),
    (
        lambda o: o.resume_session_at is not None and not (o.resume or o.continue_conversation),
        "resume_session_at says where a resumed session is cut; set resume too.",
    ),
    (
        lambda o: o.resume_drops_turn is not None and o.resume_session_at is None,
        "resume_drops_turn checks what resume_session_at cuts off; set resume_session_at too.",
    ),
    (lambda o: o.max_turns is not None and o.max_turns < 1, "max_turns must be at least 1."),
    (lambda o: o.max_budget_usd is not None and o.max_budget_usd <= 0, "max_budget_usd must be more than 0."),
    (
        lambda o: o.model is not None and o.model == o.fallback_model,
        "fallback_model must be another model than model.",
    ),
    (
        lambda o: o.effort is not None and o.effort not in EFFORT_LEVELS,
        f"effort must be one of {', '.join(EFFORT_LEVELS)}.",
    ),
    (
        lambda o: o.setting_sources is not None and any(s not in SETTING_SOURCES for s in o.setting_sources),
        f"setting_sources may hold {', '.join(SETTING_SOURCES)}; [] loads none, None loads all.",
    ),
    (
        lambda o: any(event not in HOOK_EVENTS for event in o.hooks or {}),
        "hooks names an event there is not; claude_nb.HOOK_EVENTS lists them.",
    ),
    (
        lambda o: o.thinking is not None and o.thinking.get("type") not in ("adaptive", "enabled", "disabled"),
        "thinking must have the type adaptive, enabled (with budget_tokens) or disabled.",
    ),
    (
        lambda o: o.thinking is not None and o.thinking["type"] == "enabled" and "budget_tokens" not in o.thinking,
        "thinking of the type enabled needs budget_tokens.",
    ),
    (
        lambda o: (
            o.output_format is not None
            and not (o.output_format.get("type") == "json_schema" and isinstance(o.output_format.get("schema"), dict))
        ),
        'output_format must be {"type": "json_schema", "schema": {...}}.',
    ),
    (
        lambda o: any(plugin.get("type") != "local" or not plugin.get("path") for plugin in o.plugins),
        'plugins must be {"type": "local", "path": ...}; the CLI takes no other kind.',
    ),
    (
        lambda o: o.skills is not None and not isinstance(o.skills, list) and o.skills != "all",
        'skills must be a list of names, or "all".',
    ),
    (
        lambda o: o.session_store is not None and o.enable_file_checkpointing,
        "File checkpoints stay on this disk, so enable_file_checkpointing does not go with session_store.",
    ),
    (
        lambda o: not o.persist_session and (o.resume or o.continue_conversation or o.session_store),
        "persist_session=False keeps the session off the disk, so nothing can be resumed, continued or stored.",
    ),
    (
        lambda o: (
            isinstance(o.mcp_servers, dict)
            and any(c.get("type") == "sdk" and "instance" not in c for c in server_entries(o.mcp_servers).values())
        ),
        "An MCP server of the type sdk needs its instance; create_sdk_mcp_server() makes such a server.",
    ),
    (
        lambda o: o.max_buffer_size is not None and o.max_buffer_size < 1,
        "max_buffer_size is the longest line in bytes; it must be more than 0.",
    ),
)


def _check_skill(name: Any) -> None:
    """Skill names become permission rules, so characters with a meaning there must not slip through."""
    if not isinstance(name, str) or not name or name != name.strip():
        raise OptionsError(f"A skill's name must be a text without outer spaces, not {name!r}.")
    if name == "*" or name.endswith((":*", " *")):
        raise OptionsError(f'skills takes exact names, not {name!r}; "all" enables every skill.')
    if name.startswith("/"):
        raise OptionsError(f"skills takes the skill's name {name.lstrip('/')!r}, not the slash command.")
    if "\\\\" in name or any(char in "(),\ufeff" or ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 for char in name):
        raise OptionsError(f"A skill's name cannot hold brackets, commas or control characters: {name!r}.")
