"""The shapes that stand in options: agents, prompts, tools, thinking, MCP servers, sandbox, plugins.

Layer 0, pure. Above: `options`. Names and fields follow the official Python SDK 0.2.186.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, get_args

from .permission import PermissionMode

SdkBeta = Literal["context-1m-2025-08-07"]
SDK_BETAS: tuple[str, ...] = get_args(SdkBeta)
SettingSource = Literal["user", "project", "local"]
SETTING_SOURCES: tuple[str, ...] = get_args(SettingSource)
EffortLevel = Literal["low", "medium", "high", "xhigh", "max"]
EFFORT_LEVELS: tuple[str, ...] = get_args(EffortLevel)
ThinkingDisplay = Literal["summarized", "omitted"]


class SystemPromptPreset(TypedDict):
    """Claude Code's own system prompt, with `append` at its end."""

    type: Literal["preset"]
    preset: Literal["claude_code"]
    append: NotRequired[str]
    exclude_dynamic_sections: NotRequired[bool]
    snapshot: NotRequired[bool]


class SystemPromptCustom(TypedDict):
    """A system prompt of your own."""

    type: Literal["custom"]
    prompt: str
    snapshot: NotRequired[bool]


class SystemPromptFile(TypedDict):
    """A system prompt read by the CLI from a file; the way for very long ones."""

    type: Literal["file"]
    path: str


class TaskBudget(TypedDict):
    """Tokens the model is told it has for its task."""

    total: int


class ToolsPreset(TypedDict):
    """Claude Code's own set of tools."""

    type: Literal["preset"]
    preset: Literal["claude_code"]


class ThinkingConfigAdaptive(TypedDict):
    """The model decides how long to think."""

    type: Literal["adaptive"]
    display: NotRequired[ThinkingDisplay]


class ThinkingConfigEnabled(TypedDict):
    """Think, within a budget of tokens."""

    type: Literal["enabled"]
    budget_tokens: int
    display: NotRequired[ThinkingDisplay]


class ThinkingConfigDisabled(TypedDict):
    """Do not think."""

    type: Literal["disabled"]


ThinkingConfig: TypeAlias = ThinkingConfigAdaptive | ThinkingConfigEnabled | ThinkingConfigDisabled


class SandboxNetworkConfig(TypedDict, total=False):
    """What sandboxed commands may reach."""

    allowedDomains: list[str]
    deniedDomains: list[str]
    allowManagedDomainsOnly: bool
    allowUnixSockets: list[str]
    allowAllUnixSockets: bool
    allowLocalBinding: bool
    allowMachLookup: list[str]
    httpProxyPort: int
    socksProxyPort: int


SandboxIgnoreViolations: TypeAlias = dict[str, list[str]]


class SandboxSettings(TypedDict, total=False):
    """How shell commands are kept in a sandbox."""

    enabled: bool
    autoAllowBashIfSandboxed: bool
    excludedCommands: list[str]
    allowUnsandboxedCommands: bool
    network: SandboxNetworkConfig
    ignoreViolations: SandboxIgnoreViolations
    enableWeakerNestedSandbox: bool


class SdkPluginConfig(TypedDict):
    """A plugin in a local folder."""

    type: Literal["local"]
    path: str


class McpStdioServerConfig(TypedDict):
    """An MCP server started as a process."""

    type: NotRequired[Literal["stdio"]]
    command: str
    args: NotRequired[list[str]]
    env: NotRequired[dict[str, str]]


class McpSSEServerConfig(TypedDict):
    """An MCP server reached by server-sent events."""

    type: Literal["sse"]
    url: str
    headers: NotRequired[dict[str, str]]


class McpHttpServerConfig(TypedDict):
    """An MCP server reached by HTTP."""

    type: Literal["http"]
    url: str
    headers: NotRequired[dict[str, str]]


class McpSdkServerConfig(TypedDict):
    """An MCP server in this process: `instance` is any `mcp` Server or FastMCP.

    With `alwaysLoad` the model sees its tools without searching for them (CLI 2.1.329).
    """

    type: Literal["sdk"]
    name: str
    instance: Any
    alwaysLoad: NotRequired[bool]


McpServerConfig: TypeAlias = McpStdioServerConfig | McpSSEServerConfig | McpHttpServerConfig | McpSdkServerConfig


@dataclass
class AgentDefinition:
    """A sub-agent the model can call. Fields that are None are left to the CLI. Names are the wire's."""

    description: str
    prompt: str
    tools: list[str] | None = None
    disallowedTools: list[str] | None = None
    model: str | None = None
    skills: list[str] | None = None
    memory: SettingSource | None = None
    mcpServers: list[str | dict[str, Any]] | None = field(default=None, repr=False)
    initialPrompt: str | None = None
    maxTurns: int | None = None
    background: bool | None = None
    effort: EffortLevel | int | None = None
    permissionMode: PermissionMode | None = None
