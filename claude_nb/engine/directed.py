"""The control requests of something that has several sessions: each can be told which.

Layer 2. Above: the client. Below: `control`, whose methods these are, with `session_id` as one more argument.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import Any

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

from .control import Controls, Json


class DirectedControls(Controls):
    """`session_id` is the name of a session; without it, `session()` says which is meant."""

    @abstractmethod
    def session(self, name: str | None = None) -> Controls:
        """The session of that name, or the one that is meant when nothing is said."""

    @property
    def server_info(self) -> Json | None:
        """What the CLI said about itself when the session was opened."""
        return self.session().server_info

    async def request(
        self, subtype: str, *, timeout: float | None = None, session_id: str | None = None, **fields: Any
    ) -> Json:
        """Send any control request; see `Controls`."""
        return await self.session(session_id).request(subtype, timeout=timeout, **fields)

    # -- the turn -----------------------------------------------------------------------------------------------

    async def interrupt(self, *, cancel_queued: bool = False, session_id: str | None = None) -> InterruptReceipt:
        """Stop the running turn; it ends with its own result. Queued prompts run on, or are taken out too."""
        return await self.session(session_id).interrupt(cancel_queued=cancel_queued)

    async def cancel_queued_prompt(self, uuid: str, *, session_id: str | None = None) -> bool:
        """Take one prompt out of the queue; False when it is running or done already."""
        return await self.session(session_id).cancel_queued_prompt(uuid)

    async def stop_task(self, task_id: str, *, session_id: str | None = None) -> None:
        """Stop a background task; its end comes as a message."""
        await self.session(session_id).stop_task(task_id)

    async def background_tasks(self, tool_use_id: str | None = None, *, session_id: str | None = None) -> Json:
        """Send running foreground tasks (or the one of this tool call) to the background."""
        return await self.session(session_id).background_tasks(tool_use_id)

    async def get_task_output(self, task_id: str, *, session_id: str | None = None) -> Json:
        """What a background task has written so far."""
        return await self.session(session_id).get_task_output(task_id)

    # -- how the model works ------------------------------------------------------------------------------------

    async def set_model(self, model: str | None = None, *, session_id: str | None = None) -> str | None:
        """Change the model from the next API call on (None: the default); gives the name it was resolved to."""
        return await self.session(session_id).set_model(model)

    async def set_permission_mode(self, mode: PermissionMode, *, session_id: str | None = None) -> PermissionMode:
        """Change the permission mode; gives the mode that is now in force."""
        return await self.session(session_id).set_permission_mode(mode)

    async def set_max_thinking_tokens(
        self, tokens: int | None, display: ThinkingDisplay | None = None, *, session_id: str | None = None
    ) -> None:
        """Change how long the model may think; 0 turns thinking off, None is the model's default."""
        await self.session(session_id).set_max_thinking_tokens(tokens, display)

    async def apply_flag_settings(self, settings: Json, *, session_id: str | None = None) -> Json:
        """Set settings for this session, as `--settings` would."""
        return await self.session(session_id).apply_flag_settings(settings)

    async def get_settings(self, *, session_id: str | None = None) -> Json:
        """The settings in force, and where each comes from."""
        return await self.session(session_id).get_settings()

    # -- files --------------------------------------------------------------------------------------------------

    async def rewind_files(
        self, user_message_id: str, *, dry_run: bool = False, session_id: str | None = None
    ) -> RewindResult:
        """Bring files back to where they were at that prompt, or only say which would change; see `Controls`."""
        return await self.session(session_id).rewind_files(user_message_id, dry_run=dry_run)

    async def seed_read_state(self, path: str | os.PathLike[str], mtime: int, *, session_id: str | None = None) -> None:
        """Tell the CLI that a file was read when it had that time (ms since the epoch), so that it may be edited."""
        await self.session(session_id).seed_read_state(path, mtime)

    async def read_file(
        self, path: str | os.PathLike[str], *, max_bytes: int | None = None, session_id: str | None = None
    ) -> Json:
        """Read a file as the CLI sees it."""
        return await self.session(session_id).read_file(path, max_bytes=max_bytes)

    # -- MCP servers --------------------------------------------------------------------------------------------

    async def get_mcp_status(self, *, session_id: str | None = None) -> McpStatusResponse:
        """How the MCP servers are doing."""
        return await self.session(session_id).get_mcp_status()

    async def reconnect_mcp_server(self, server_name: str, *, session_id: str | None = None) -> None:
        """Connect an MCP server again."""
        await self.session(session_id).reconnect_mcp_server(server_name)

    async def toggle_mcp_server(self, server_name: str, enabled: bool, *, session_id: str | None = None) -> None:
        """Turn an MCP server on or off."""
        await self.session(session_id).toggle_mcp_server(server_name, enabled)

    async def set_mcp_servers(
        self, servers: dict[str, McpServerConfig], *, session_id: str | None = None
    ) -> McpSetServersResult:
        """Replace the MCP servers that were set at run time; servers of this process may be among them.

        Those of the options stay, unless one of the same name takes their place.
        """
        return await self.session(session_id).set_mcp_servers(servers)

    # -- what there is ------------------------------------------------------------------------------------------

    async def get_context_usage(
        self, detail: str | None = None, *, session_id: str | None = None
    ) -> ContextUsageResponse:
        """How full the context is; `summary` estimates, `full` (the CLI's default) counts."""
        return await self.session(session_id).get_context_usage(detail)

    async def list_models(self, *, session_id: str | None = None) -> list[Json]:
        """The models that can be chosen."""
        return await self.session(session_id).list_models()

    def supported_commands(self, *, session_id: str | None = None) -> list[Json]:
        """The slash commands there are."""
        return self.session(session_id).supported_commands()

    def supported_agents(self, *, session_id: str | None = None) -> list[Json]:
        """The sub-agents there are."""
        return self.session(session_id).supported_agents()

    def account_info(self, *, session_id: str | None = None) -> Json:
        """The account the CLI is logged in with, as far as it tells."""
        return self.session(session_id).account_info()

    async def get_usage(self, *, session_id: str | None = None) -> Json:
        """How much of the plan's limits is used."""
        return await self.session(session_id).get_usage()

    async def get_session_cost(self, *, session_id: str | None = None) -> str:
        """The session's cost so far, in words."""
        return await self.session(session_id).get_session_cost()

    # -- beside the conversation --------------------------------------------------------------------------------

    async def side_question(self, question: str, *, session_id: str | None = None) -> SideAnswer:
        """Ask the model something that the conversation will not remember."""
        return await self.session(session_id).side_question(question)

    async def rename(self, title: str, *, session_id: str | None = None) -> None:
        """Give the session a title."""
        await self.session(session_id).rename(title)

    async def generate_title(self, description: str, *, session_id: str | None = None) -> Json:
        """Have a title made from a description."""
        return await self.session(session_id).generate_title(description)
