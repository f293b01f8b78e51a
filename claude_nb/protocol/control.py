"""Control requests of ours: the names of their fields and the shapes of what comes back.

Layer 0, pure. Above: `engine.control` sends them, one method per row of the table. Below: `block` (the lenient base).
Success payloads as seen on CLI 2.1.329 (protocol page 2.8); unknown fields are kept.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

from pydantic import ConfigDict, Field

from .block import WireModel
from .config import McpHttpServerConfig, McpSSEServerConfig, McpStdioServerConfig


class InterruptReceipt(WireModel):
    """What an interrupt left: prompts that will still run, and those it took out of the queue (uuids)."""

    still_queued: list[str] = Field(default_factory=list)
    cancelled: list[str] = Field(default_factory=list)


class RewindResult(WireModel):
    """What a rewind changed, or would change (dry run): files as absolute paths, lines in and out."""

    can_rewind: bool = Field(default=True, validation_alias="canRewind")
    files_changed: list[str] = Field(default_factory=list, validation_alias="filesChanged")
    insertions: int = 0
    deletions: int = 0
    skipped_links: list[str] | int | None = Field(default=None, validation_alias="skippedLinks")
    error: str | None = None

    model_config = ConfigDict(populate_by_name=True)


McpServerConnectionStatus = Literal["connected", "failed", "needs-auth", "pending", "disabled"]


class McpToolAnnotations(TypedDict, total=False):
    """What a tool says about itself."""

    readOnly: bool
    destructive: bool
    openWorld: bool


class McpToolInfo(TypedDict):
    """A tool of an MCP server."""

    name: str
    description: NotRequired[str]
    annotations: NotRequired[McpToolAnnotations]


class McpServerInfo(TypedDict):
    """What an MCP server calls itself."""

    name: str
    version: str


class McpSdkServerConfigStatus(TypedDict):
    """How an in-process server is reported."""

    type: Literal["sdk"]
    name: str


class McpClaudeAIProxyServerConfig(TypedDict):
    """How a connector of the claude.ai account is reported."""

    type: Literal["claudeai-proxy"]
    url: str
    id: str


McpServerStatusConfig: TypeAlias = (
    McpStdioServerConfig
    | McpSSEServerConfig
    | McpHttpServerConfig
    | McpSdkServerConfigStatus
    | McpClaudeAIProxyServerConfig
)


class McpServerStatus(TypedDict):
    """How an MCP server is doing."""

    name: str
    status: McpServerConnectionStatus
    serverInfo: NotRequired[McpServerInfo]
    error: NotRequired[str]
    config: NotRequired[McpServerStatusConfig]
    scope: NotRequired[str]
    tools: NotRequired[list[McpToolInfo]]


class McpStatusResponse(TypedDict):
    """How all MCP servers are doing."""

    mcpServers: list[McpServerStatus]


class McpSetServersResult(WireModel):
    """What a change of the MCP servers did: names added and removed, and errors by name."""

    added: list[str] = Field(default_factory=list)
    removed: list[str] = Field(default_factory=list)
    errors: dict[str, str] = Field(default_factory=dict)


class ContextUsageCategory(TypedDict):
    """A part of the context and its size."""

    name: str
    tokens: int
    color: str
    isDeferred: NotRequired[bool]


class ContextUsageResponse(TypedDict, total=False):
    """How full the context is, by category."""

    categories: list[ContextUsageCategory]
    totalTokens: int
    maxTokens: int
    rawMaxTokens: int
    percentage: float
    model: str
    isAutoCompactEnabled: bool
    memoryFiles: list[dict[str, Any]]
    mcpTools: list[dict[str, Any]]
    agents: list[dict[str, Any]]
    gridRows: list[list[dict[str, Any]]]
    autoCompactThreshold: int
    deferredBuiltinTools: list[dict[str, Any]]
    systemTools: list[dict[str, Any]]
    systemPromptSections: list[dict[str, Any]]
    slashCommands: dict[str, Any]
    skills: dict[str, Any]
    messageBreakdown: dict[str, Any]
    apiUsage: dict[str, Any] | None


class SideAnswer(WireModel):
    """The answer to a question asked beside the conversation, which it leaves as it is."""

    response: str = ""
    synthetic: bool = False
