"""Notes of the CLI: system messages, typed where the official Python SDK 0.2.186 types them.

Layer 0. Above: `message`. Below: `block` (the lenient base), `record`, pydantic. Source: protocol page 3.1 and 3.2,
CLI 2.1.329.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from pydantic import ConfigDict, Field, ValidationError

from .block import Frame, lenient
from .permission import PermissionMode
from .record import Record

TaskNotificationStatus = Literal["completed", "failed", "stopped"]
TaskUpdatedStatus = Literal["pending", "running", "paused", "completed", "failed", "killed"]
TERMINAL_TASK_STATUSES = frozenset({"completed", "failed", "stopped", "killed"})

FastModeState = Literal["off", "cooldown", "on"]
FastModeDisabledReason = Literal[
    "free",
    "preference",
    "extra_usage_disabled",
    "network_error",
    "unknown",
    "not_first_party",
    "disabled_by_env",
    "model_not_allowed",
    "sdk_opt_in_required",
    "pending",
]


class SystemInitMcpServer(TypedDict):
    """An MCP server in an `init` note."""

    name: str
    status: str
    source: NotRequired[str]


class SystemInitPlugin(TypedDict):
    """A plugin in an `init` note."""

    name: str
    path: str
    version: NotRequired[str]


class SystemInitPluginError(TypedDict):
    """A plugin that could not be loaded."""

    plugin: str
    type: str
    message: str
    path: NotRequired[str]


class SystemInitData(TypedDict):
    """The `data` of the `init` note that begins each turn. More keys may come."""

    type: Literal["system"]
    subtype: Literal["init"]
    uuid: str
    session_id: str
    agents: NotRequired[list[str]]
    apiKeySource: str
    betas: NotRequired[list[str]]
    claude_code_version: str
    cwd: str
    tools: list[str]
    mcp_servers: list[SystemInitMcpServer]
    model: str
    permissionMode: PermissionMode
    slash_commands: list[str]
    terminal_slash_commands: NotRequired[list[str]]
    output_style: str
    skills: list[str]
    plugins: list[SystemInitPlugin]
    plugin_errors: NotRequired[list[SystemInitPluginError]]
    fast_mode_state: NotRequired[FastModeState]
    fast_mode_disabled_reason: NotRequired[FastModeDisabledReason]
    capabilities: NotRequired[list[str]]


class TaskUsage(TypedDict):
    """What a background task has used so far."""

    total_tokens: int
    tool_uses: int
    duration_ms: int


class SystemMessage(Record):
    """A note of the CLI. `subtype` says which, `data` is the whole frame.

    `init` (session id, tools, model ...) comes with every turn, not at the start.
    """

    subtype: str
    data: Frame = Field(default_factory=dict)

    model_config = ConfigDict(defer_build=True, populate_by_name=True)

    @property
    def raw(self) -> dict[str, Any]:
        """The frame as it came."""
        return self.data


class TaskStartedMessage(SystemMessage):
    """A background task or sub-agent began."""

    task_id: str
    description: str = ""
    uuid: str = ""
    session_id: str = ""
    tool_use_id: str | None = None
    task_type: str | None = None


class TaskProgressMessage(SystemMessage):
    """A background task goes on; `usage` is what it has used so far."""

    task_id: str
    description: str = ""
    usage: dict[str, Any] = Field(default_factory=dict)
    uuid: str = ""
    session_id: str = ""
    tool_use_id: str | None = None
    last_tool_name: str | None = None


class TaskNotificationMessage(SystemMessage):
    """A background task ended; its output is in the file `output_file`."""

    task_id: str
    status: str = ""
    output_file: str = ""
    summary: str = ""
    uuid: str = ""
    session_id: str = ""
    tool_use_id: str | None = None
    usage: dict[str, Any] | None = None


class TaskUpdatedMessage(SystemMessage):
    """A background task changed; its end may be told only here (`TERMINAL_TASK_STATUSES`)."""

    task_id: str
    patch: dict[str, Any] = Field(default_factory=dict)
    status: str | None = None
    session_id: str | None = None
    uuid: str | None = None


class HookEventMessage(SystemMessage):
    """A hook from a settings file began, went on or ended."""

    hook_event_name: str = Field(default="", validation_alias="hook_event")
    session_id: str | None = None
    uuid: str | None = None


class MirrorErrorMessage(SystemMessage):
    """Part of the transcript could not be copied to the session store; the session goes on."""

    key: dict[str, Any] | None = None
    error: str = ""


_BY_SUBTYPE: dict[str, type[SystemMessage]] = {
    "task_started": TaskStartedMessage,
    "task_progress": TaskProgressMessage,
    "task_notification": TaskNotificationMessage,
    "task_updated": TaskUpdatedMessage,
    "hook_started": HookEventMessage,
    "hook_progress": HookEventMessage,
    "hook_response": HookEventMessage,
    "mirror_error": MirrorErrorMessage,
}


def parse_system(frame: dict[str, Any]) -> SystemMessage:
    """The typed note of one frame; a plain `SystemMessage` when it lacks what its type needs. Never raises."""
    subtype = str(frame.get("subtype", ""))
    model = _BY_SUBTYPE.get(subtype, SystemMessage)
    fields = {**frame, "subtype": subtype, "data": frame}
    if model is TaskUpdatedMessage and isinstance(patch := frame.get("patch"), dict):
        fields["status"] = patch.get("status")
    try:
        return lenient(model, fields)
    except ValidationError:
        return SystemMessage(subtype=subtype, data=frame)
