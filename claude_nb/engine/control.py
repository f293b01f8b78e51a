"""The control requests as methods with typed results.

Layer 2. Above: `Session` and `ClaudeSDKClient` both are `Controls`. Below: `protocol.control` (shapes). Everything goes
through `request`, which also sends what has no method here. Each raises `ControlError` when the CLI refuses,
`ControlTimeoutError` when it does not answer, and `CLIConnectionError` when it is gone. Protocol page 2.8, CLI 2.1.329.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Any, cast

from claude_nb.protocol.config import McpServerConfig, ThinkingDisplay
from claude_nb.protocol.control import (
    ContextUsageResponse,
    InterruptReceipt,
    McpSetServersResult,
    McpStatusResponse,
    RewindResult,
    SideAnswer,
)
from claude_nb.protocol.permission import PermissionMode

Json = dict[str, Any]


def _given(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


class Controls(ABC):
    """What can be asked of a running CLI."""

    @abstractmethod
    async def request(self, subtype: str, *, timeout: float | None = None, **fields: Any) -> Json:
        """Send any control request and give back its payload. `timeout` in seconds, else `options.control_timeout`."""

    @property
    @abstractmethod
    def server_info(self) -> Json | None:
        """What the CLI said about itself when the session was opened: commands, models, account ..."""

    # -- the turn -----------------------------------------------------------------------------------------------

    async def interrupt(self, *, cancel_queued: bool = False) -> InterruptReceipt:
        """Stop the running turn; it ends with its own result. Queued prompts run on, or are taken out too."""
        fields = {"cancel_queued": True} if cancel_queued else {}
        return InterruptReceipt.model_validate(await self.request("interrupt", **fields))

    async def cancel_queued_prompt(self, uuid: str) -> bool:
        """Take one prompt out of the queue; False when it is running or done already."""
        return bool((await self.request("cancel_async_message", message_uuid=uuid)).get("cancelled"))

    async def stop_task(self, task_id: str) -> None:
        """Stop a background task; its end comes as a message."""
        await self.request("stop_task", task_id=task_id)

    async def background_tasks(self, tool_use_id: str | None = None) -> Json:
        """Send running foreground tasks (or the one of this tool call) to the background."""
        return await self.request("background_tasks", **_given(tool_use_id=tool_use_id))

    async def get_task_output(self, task_id: str) -> Json:
        """What a background task has written so far."""
        return await self.request("get_task_output", task_id=task_id)

    # -- how the model works ------------------------------------------------------------------------------------

    async def set_model(self, model: str | None = None) -> str | None:
        """Change the model from the next API call on (None: the default); gives the name it was resolved to."""
        resolved = (await self.request("set_model", model=model)).get("model")
        return resolved if isinstance(resolved, str) else None

    async def set_permission_mode(self, mode: PermissionMode) -> PermissionMode:
        """Change the permission mode; gives the mode that is now in force."""
        return cast(PermissionMode, (await self.request("set_permission_mode", mode=mode)).get("mode", mode))

    async def set_max_thinking_tokens(self, tokens: int | None, display: ThinkingDisplay | None = None) -> None:
        """Change how long the model may think; 0 turns thinking off, None is the model's default."""
        await self.request("set_max_thinking_tokens", max_thinking_tokens=tokens, **_given(thinking_display=display))

    async def apply_flag_settings(self, settings: Json) -> Json:
        """Set settings for this session, as `--settings` would."""
        return await self.request("apply_flag_settings", settings=settings)

    async def get_settings(self) -> Json:
        """The settings in force, and where each comes from."""
        return await self.request("get_settings")

    # -- files --------------------------------------------------------------------------------------------------

    async def rewind_files(self, user_message_id: str, *, dry_run: bool = False) -> RewindResult:
        """Bring files back to where they were at that prompt, or only say which would change.

        Needs `enable_file_checkpointing`. Raises `ControlError` when there is no checkpoint of that prompt.
        """
        fields = {"dry_run": True} if dry_run else {}
        return RewindResult.model_validate(
            await self.request("rewind_files", user_message_id=user_message_id, **fields)
        )

    async def seed_read_state(self, path: str | os.PathLike[str], mtime: int) -> None:
        """Tell the CLI that a file was read when it had that time (ms since the epoch), so that it may be edited."""
        await self.request("seed_read_state", path=os.fspath(path), mtime=mtime)

    async def read_file(self, path: str | os.PathLike[str], *, max_bytes: int | None = None) -> Json:
        """Read a file as the CLI sees it."""
        return await self.request("read_file", path=os.fspath(path), **_given(max_bytes=max_bytes))

    # -- MCP servers --------------------------------------------------------------------------------------------

    async def get_mcp_status(self) -> McpStatusResponse:
        """How the MCP servers are doing."""
        return cast(McpStatusResponse, await self.request("mcp_status"))

    async def reconnect_mcp_server(self, server_name: str) -> None:
        """Connect an MCP server again."""
        await self.request("mcp_reconnect", serverName=server_name)

    async def toggle_mcp_server(self, server_name: str, enabled: bool) -> None:
        """Turn an MCP server on or off."""
        await self.request("mcp_toggle", serverName=server_name, enabled=enabled)

    @abstractmethod
    async def set_mcp_servers(self, servers: dict[str, McpServerConfig]) -> McpSetServersResult:
        """Replace the MCP servers that were set at run time; servers of this process may be among them.

        Those of the options stay, unless one of the same name takes their place.
        """

    # -- what there is ------------------------------------------------------------------------------------------

    async def get_context_usage(self, detail: str | None = None) -> ContextUsageResponse:
        """How full the context is; `summary` estimates, `full` (the CLI's default) counts."""
        return cast(ContextUsageResponse, await self.request("get_context_usage", **_given(detail=detail)))

    async def list_models(self) -> list[Json]:
        """The models that can be chosen."""
        return list((await self.request("list_models")).get("models") or [])

    def supported_commands(self) -> list[Json]:
        """The slash commands there are."""
        return list((self.server_info or {}).get("commands") or [])

    def supported_agents(self) -> list[Json]:
        """The sub-agents there are."""
        return list((self.server_info or {}).get("agents") or [])

    def account_info(self) -> Json:
        """The account the CLI is logged in with, as far as it tells."""
        return dict((self.server_info or {}).get("account") or {})

    async def get_usage(self) -> Json:
        """How much of the plan's limits is used."""
        return await self.request("get_usage", skip_behaviors=True)

    async def get_session_cost(self) -> str:
        """The session's cost so far, in words."""
        return str((await self.request("get_session_cost")).get("text", ""))

    # -- beside the conversation --------------------------------------------------------------------------------

    async def side_question(self, question: str) -> SideAnswer:
        """Ask the model something that the conversation will not remember."""
        return SideAnswer.model_validate(await self.request("side_question", question=question))

    async def rename(self, title: str) -> None:
        """Give the session a title."""
        await self.request("rename_session", title=title)

    async def generate_title(self, description: str) -> Json:
        """Have a title made from a description."""
        return await self.request("generate_session_title", description=description)
