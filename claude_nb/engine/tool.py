"""In-process MCP tools, in one import: Python functions, resources and prompts for the agent.

Layer 2. Above: sessions route the CLI's `mcp_message` requests to a `ServerBridge`; users and the notebook make tools
and servers. Below: the rooms of `engine.mcp`.
"""

from claude_nb.engine.mcp.bridge import ServerBridge
from claude_nb.engine.mcp.server import (
    SdkMcpPrompt,
    SdkMcpResource,
    ToolServer,
    create_prompt,
    create_resource,
    create_sdk_mcp_server,
    tool_server,
)
from claude_nb.engine.mcp.tool import SdkMcpTool, ToolAnnotations, tool

__all__ = [
    "SdkMcpPrompt",
    "SdkMcpResource",
    "SdkMcpTool",
    "ServerBridge",
    "ToolAnnotations",
    "ToolServer",
    "create_prompt",
    "create_resource",
    "create_sdk_mcp_server",
    "tool",
    "tool_server",
]
