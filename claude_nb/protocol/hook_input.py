"""What hooks are told: one shape per event.

Layer 0, pure. Above: `hook`. The official Python SDK 0.2.186 has the names it types, the others follow its pattern.
Fields as CLI 2.1.329 sends them; a CLI may add more, so callbacks get the dict as it came.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class HookEffort(TypedDict):
    """How hard the model thinks in this turn."""

    level: str


class BaseHookInput(TypedDict):
    """What every hook is told."""

    session_id: str
    transcript_path: str
    cwd: str
    permission_mode: NotRequired[str]
    prompt_id: NotRequired[str]
    effort: NotRequired[HookEffort]
    agent_id: NotRequired[str]
    agent_type: NotRequired[str]


class _ToolInput(BaseHookInput):
    tool_name: str
    tool_input: dict[str, Any]


class PreToolUseHookInput(_ToolInput):
    """Before a tool runs."""

    hook_event_name: Literal["PreToolUse"]
    tool_use_id: str


class PostToolUseHookInput(_ToolInput):
    """After a tool ran."""

    hook_event_name: Literal["PostToolUse"]
    tool_response: Any
    tool_use_id: str
    duration_ms: NotRequired[int]


class PostToolUseFailureHookInput(_ToolInput):
    """After a tool failed."""

    hook_event_name: Literal["PostToolUseFailure"]
    tool_use_id: str
    error: str
    is_interrupt: NotRequired[bool]
    duration_ms: NotRequired[int]


class PostToolBatchHookInput(BaseHookInput):
    """Once after all tool calls of one answer, before the next request to the model."""

    hook_event_name: Literal["PostToolBatch"]
    tool_calls: list[dict[str, Any]]


class PermissionRequestHookInput(_ToolInput):
    """A permission question is about to be asked."""

    hook_event_name: Literal["PermissionRequest"]
    permission_suggestions: NotRequired[list[Any]]


class PermissionDeniedHookInput(_ToolInput):
    """A tool call was denied."""

    hook_event_name: Literal["PermissionDenied"]
    tool_use_id: str
    reason: str


class NotificationHookInput(BaseHookInput):
    """The CLI would notify its user."""

    hook_event_name: Literal["Notification"]
    message: str
    title: NotRequired[str]
    notification_type: str


class UserPromptSubmitHookInput(BaseHookInput):
    """A prompt arrived."""

    hook_event_name: Literal["UserPromptSubmit"]
    prompt: str
    source: NotRequired[str]


class UserPromptExpansionHookInput(BaseHookInput):
    """A slash command or an MCP prompt was expanded to a prompt."""

    hook_event_name: Literal["UserPromptExpansion"]
    expansion_type: Literal["slash_command", "mcp_prompt"]
    command_name: str
    command_args: str
    command_source: NotRequired[str]
    prompt: str


class SessionStartHookInput(BaseHookInput):
    """A session began (callbacks hear only of `compact`)."""

    hook_event_name: Literal["SessionStart"]
    source: Literal["startup", "resume", "clear", "compact", "fork"]
    model: NotRequired[str]
    session_title: NotRequired[str]


class SessionEndHookInput(BaseHookInput):
    """A session ended."""

    hook_event_name: Literal["SessionEnd"]
    reason: str


class BackgroundTaskSummary(TypedDict):
    """A task that still runs when a turn stops."""

    id: str
    type: str
    status: str
    description: str
    command: NotRequired[str]
    agent_type: NotRequired[str]
    server: NotRequired[str]
    tool: NotRequired[str]
    name: NotRequired[str]


class SessionCronSummary(TypedDict):
    """A prompt the session has scheduled."""

    id: str
    schedule: str
    recurring: bool
    prompt: str


class _StopInput(BaseHookInput):
    stop_hook_active: bool
    last_assistant_message: NotRequired[str]
    background_tasks: NotRequired[list[BackgroundTaskSummary]]
    session_crons: NotRequired[list[SessionCronSummary]]


class StopHookInput(_StopInput):
    """The model is done with a turn."""

    hook_event_name: Literal["Stop"]


class StopFailureHookInput(BaseHookInput):
    """A turn ended with an error of the API."""

    hook_event_name: Literal["StopFailure"]
    error: str
    error_details: NotRequired[str]
    last_assistant_message: NotRequired[str]


class SubagentStartHookInput(BaseHookInput):
    """A sub-agent began."""

    hook_event_name: Literal["SubagentStart"]


class SubagentStopHookInput(_StopInput):
    """A sub-agent is done."""

    hook_event_name: Literal["SubagentStop"]
    agent_transcript_path: str


class PreCompactHookInput(BaseHookInput):
    """The conversation is about to be summarised."""

    hook_event_name: Literal["PreCompact"]
    trigger: Literal["manual", "auto"]
    custom_instructions: str | None


class PostCompactHookInput(BaseHookInput):
    """The conversation was summarised."""

    hook_event_name: Literal["PostCompact"]
    trigger: Literal["manual", "auto"]
    compact_summary: str


class PreModelSwitchHookInput(BaseHookInput):
    """The model is about to change."""

    hook_event_name: Literal["PreModelSwitch"]


class PostModelSwitchHookInput(BaseHookInput):
    """The model changed."""

    hook_event_name: Literal["PostModelSwitch"]


class SetupHookInput(BaseHookInput):
    """The CLI was run to set a project up."""

    hook_event_name: Literal["Setup"]
    trigger: Literal["init", "maintenance"]


class TeammateIdleHookInput(BaseHookInput):
    """A teammate has nothing to do."""

    hook_event_name: Literal["TeammateIdle"]
    teammate_name: str
    team_name: str


class _TeamTaskInput(BaseHookInput):
    task_id: str
    task_subject: str
    task_description: NotRequired[str]
    teammate_name: NotRequired[str]
    team_name: NotRequired[str]


class TaskCreatedHookInput(_TeamTaskInput):
    """A task was put on the list."""

    hook_event_name: Literal["TaskCreated"]


class TaskCompletedHookInput(_TeamTaskInput):
    """A task of the list is done."""

    hook_event_name: Literal["TaskCompleted"]


class ElicitationHookInput(BaseHookInput):
    """An MCP server asks the user something."""

    hook_event_name: Literal["Elicitation"]
    mcp_server_name: str
    message: str
    mode: NotRequired[Literal["form", "url"]]
    url: NotRequired[str]
    elicitation_id: NotRequired[str]
    requested_schema: NotRequired[dict[str, Any]]


class ElicitationResultHookInput(BaseHookInput):
    """The user answered an MCP server."""

    hook_event_name: Literal["ElicitationResult"]
    mcp_server_name: str
    action: Literal["accept", "decline", "cancel"]
    elicitation_id: NotRequired[str]
    mode: NotRequired[Literal["form", "url"]]
    content: NotRequired[dict[str, Any]]


class ConfigChangeHookInput(BaseHookInput):
    """A settings file changed."""

    hook_event_name: Literal["ConfigChange"]
    source: str
    file_path: NotRequired[str]


class WorktreeCreateHookInput(BaseHookInput):
    """A git worktree is wanted."""

    hook_event_name: Literal["WorktreeCreate"]
    name: str


class WorktreeRemoveHookInput(BaseHookInput):
    """A git worktree is no longer wanted."""

    hook_event_name: Literal["WorktreeRemove"]
    worktree_path: str


class InstructionsLoadedHookInput(BaseHookInput):
    """A CLAUDE.md or rules file was read."""

    hook_event_name: Literal["InstructionsLoaded"]
    file_path: str
    memory_type: Literal["User", "Project", "Local", "Managed"]
    load_reason: Literal["session_start", "nested_traversal", "path_glob_match", "include", "compact"]
    globs: NotRequired[list[str]]
    trigger_file_path: NotRequired[str]
    parent_file_path: NotRequired[str]


class CwdChangedHookInput(BaseHookInput):
    """The working directory changed."""

    hook_event_name: Literal["CwdChanged"]
    old_cwd: str
    new_cwd: str


class FileChangedHookInput(BaseHookInput):
    """A watched file changed."""

    hook_event_name: Literal["FileChanged"]
    file_path: str
    event: Literal["change", "add", "unlink"]


class DirectoryAddedHookInput(BaseHookInput):
    """A directory was added to those the session may use."""

    hook_event_name: Literal["DirectoryAdded"]
    directory: str
    source: Literal["slash_command", "register_repo_root"]


class MessageDisplayHookInput(BaseHookInput):
    """A piece of an answer is about to be shown; `index` counts the pieces of a message from 0."""

    hook_event_name: Literal["MessageDisplay"]
    turn_id: str
    message_id: str
    index: int
    final: bool
    delta: str


HookInput: TypeAlias = (
    PreToolUseHookInput
    | PostToolUseHookInput
    | PostToolUseFailureHookInput
    | PostToolBatchHookInput
    | NotificationHookInput
    | UserPromptSubmitHookInput
    | UserPromptExpansionHookInput
    | SessionStartHookInput
    | SessionEndHookInput
    | StopHookInput
    | StopFailureHookInput
    | SubagentStartHookInput
    | SubagentStopHookInput
    | PreCompactHookInput
    | PostCompactHookInput
    | PreModelSwitchHookInput
    | PostModelSwitchHookInput
    | PermissionRequestHookInput
    | PermissionDeniedHookInput
    | SetupHookInput
    | TeammateIdleHookInput
    | TaskCreatedHookInput
    | TaskCompletedHookInput
    | ElicitationHookInput
    | ElicitationResultHookInput
    | ConfigChangeHookInput
    | WorktreeCreateHookInput
    | WorktreeRemoveHookInput
    | InstructionsLoadedHookInput
    | CwdChangedHookInput
    | FileChangedHookInput
    | DirectoryAddedHookInput
    | MessageDisplayHookInput
)
