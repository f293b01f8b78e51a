"""One named session of the notebook: how its CLI is started, and what its agent may do.

Layer 5, below `notebook`. Options are made anew at each start of the CLI, so model, mode, rules, functions and the
folder's trust survive parking; `stamp` tells the chat when a running CLI no longer fits them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from IPython.core.error import UsageError

from claude_nb.chat import Chat
from claude_nb.engine.tool import SdkMcpTool, create_sdk_mcp_server, tool_server
from claude_nb.errors import OptionsError
from claude_nb.kernel.tools import MainThreadRunner
from claude_nb.magics import trust
from claude_nb.magics.guard import NotebookGuard
from claude_nb.magics.rules import Rules
from claude_nb.protocol.config import McpSdkServerConfig
from claude_nb.protocol.hook import HookMatcher, Hooks
from claude_nb.protocol.options import ClaudeAgentOptions
from claude_nb.protocol.permission import PermissionUpdate

if TYPE_CHECKING:
    from claude_nb.magics import ClaudeMagics

SERVER = "notebook"
ABOUT = (
    "You are working inside a Jupyter notebook: the person reads your answer as the output of a notebook cell, "
    "rendered as Markdown with code highlighting, tables and TeX maths. Their variables live in the notebook's "
    "kernel; you see only what the prompt includes and what the functions of the `notebook` MCP server return. "
    "Code that they should run in the notebook belongs into fenced code blocks of your answer."
)


class NamedSession:
    """A session's settings and its chat. `functions` are the notebook's tools by name, shared by all sessions."""

    def __init__(
        self,
        name: str,
        settings: ClaudeMagics,
        functions: dict[str, SdkMcpTool[Any]],
        runner: Callable[[Chat], MainThreadRunner],
        guard: NotebookGuard,
    ):
        self.name = name
        self.cwd: Path | None = None
        self.model: str | None = None
        self.rules = Rules()
        self.chat: Chat | None = None
        self._told_of: str | None = None
        self._before: trust.FolderSettings | None = None
        self._allowed: list[PermissionUpdate] = []
        self._loaded: trust.FolderSettings | None = None
        self._rules_told: dict[str, Any] = {}
        self._server: McpSdkServerConfig | None = None
        self._served: dict[str, SdkMcpTool[Any]] = {}
        self._settings = settings
        self._functions = functions
        self._runner = runner
        self._guard = guard

    def settle_cwd(self, asked: str | None) -> None:
        """Fix the working folder at the first prompt, so that later `os.chdir` calls do not move the agent."""
        if self.cwd is None:
            self.cwd = self.find_folder(asked)
        elif asked and self._resolve(asked) != self.cwd:
            raise UsageError(
                f"Session '{self.name}' works in {self.cwd} since its first prompt; to work elsewhere use another "
                f"--session, or --new to begin anew."
            )

    def find_folder(self, asked: str | None) -> Path:
        """The folder a new conversation would work in. Raises `OptionsError` when there is none."""
        folder = self._resolve(asked)
        if not folder.is_dir():
            raise OptionsError(f"The working folder does not exist: {folder}. Choose another with --cwd.")
        return folder

    def _resolve(self, asked: str | None) -> Path:
        return Path(asked or self._settings.cwd or os.getcwd()).expanduser().resolve()

    def forget(self) -> None:
        """Begin anew: the folder is open again, and nothing is allowed beyond asking."""
        self.cwd, self.rules = None, Rules()
        self._before, self._allowed = None, []

    def follow_mode(self, mode: str) -> None:
        """The CLI says which permission mode it is in."""
        self.rules.follow(mode)

    def learn(self, updates: list[PermissionUpdate]) -> None:
        """Keep what a person allowed. What of it the CLI writes into settings that are trusted leaves them trusted."""
        self.rules.learn(updates)
        if self._before is None:
            self._before = self._trusted()
        self._allowed += updates

    @property
    def trusts_folder(self) -> bool:
        """The folder's own settings load."""
        return self._trusted() is not None

    def trust_notice(self) -> str | None:
        """Says once that the folder has settings which are not loaded, and once more when they change."""
        self._renew_trust()
        settings = trust.read_folder(self._folder)
        if settings is None or trust.is_trusted(settings) or settings.digest == self._told_of:
            return None
        self._told_of = settings.digest
        why = "changed since you trusted them, so they are" if trust.was_trusted(settings) else "are"
        where = "this folder" if any(path.is_relative_to(self._folder) for path in settings.files) else "a folder above"
        return f"The Claude settings of {where} {why} not loaded. `%claude trust` shows them and lets them load."

    def _renew_trust(self) -> None:
        if self._before is not None and trust.renew(self._before, self._allowed):
            self._before, self._allowed = None, []
            self._loaded = self._loaded and self._trusted()

    def functions_changed(self) -> None:
        """Tell a running CLI which functions there are now; one that has had none is started anew with them."""
        if self._server is not None:
            server = tool_server(self._server)
            server.remove(*(self._served.keys() - self._functions.keys()))
            server.add(*(f for name, f in self._functions.items() if self._served.get(name) is not f))
            self._served = dict(self._functions)

    def stamp(self) -> Hashable:
        """What the CLI's start depends on, beyond what can be changed while it runs."""
        return (self.cwd, bool(self._functions or self._server), self._trusted_digest())

    def is_as_loaded(self) -> bool:
        """Whether the folder still has the settings that the running CLI loaded, or what a person's click added.

        While it has not, nothing may make the CLI read settings again: it would take the new ones along (see `trust`).
        """
        self._renew_trust()
        return self._loaded is None or trust.is_unchanged(self._loaded)

    def settings(self) -> dict[str, Any]:
        """The rules that the running CLI is told; new ones wait for its next start while it must not read settings."""
        if self.is_as_loaded():
            self._rules_told = self.rules.settings
        return self._rules_told

    def options(self, chat: Chat) -> ClaudeAgentOptions:
        """How the CLI is started now."""
        if self._functions and self._server is None:
            tools = list(self._functions.values())
            self._server = create_sdk_mcp_server(SERVER, tools=tools, runner=self._runner(chat), always_load=True)
            self._served = dict(self._functions)
        self._loaded = trusted = self._trusted()
        # In a folder that the CLI's own record does not trust, it leaves these out.
        permissions = trusted.permissions if trusted else {}
        return ClaudeAgentOptions(
            cli_path=self._settings.cli_path or None,
            cwd=self._folder,
            model=self.model or self._settings.model or None,
            system_prompt={"type": "preset", "preset": "claude_code", "append": ABOUT},
            setting_sources=["user", "project", "local"] if trusted else ["user"],
            settings=json.dumps({"permissions": permissions}) if permissions else None,
            permission_mode=self.rules.cli_mode,
            add_dirs=list(self.rules.folders),
            include_partial_messages=True,
            forward_subagent_text=True,
            enable_file_checkpointing=True,
            replay_user_messages=False,  # the engine knows the uuids; the pictures of a prompt need not come back
            can_use_tool=chat.questions.permit,
            on_elicitation=chat.questions.elicit,
            hooks=self._hooks(chat),
            mcp_servers={SERVER: self._server} if self._server else {},
            max_budget_usd=chat.budget.left_usd,
            resume=chat.resume_id,
            resume_session_at=chat.cut_at,
            fork_session=chat.cut_at is not None,
            session_id=str(uuid4()) if chat.cut_at is not None else None,
        )

    def _hooks(self, chat: Chat) -> Hooks:
        after = [HookMatcher(hooks=[chat.questions.tell_edit])]
        guard = self._guard.hooks(self._folder)
        held = trust.guard_trust(self._loaded) if self._loaded else {}
        return {**guard, **held, "PostToolUse": [*guard["PostToolUse"], *after], "PostToolUseFailure": after}

    @property
    def _folder(self) -> Path:
        return self.cwd or Path.cwd()

    def _trusted(self) -> trust.FolderSettings | None:
        """The folder's settings, if they may load."""
        settings = trust.read_folder(self._folder)
        return settings if settings and trust.is_trusted(settings) else None

    def _trusted_digest(self) -> str | None:
        trusted = self._trusted()
        return trusted.digest if trusted else None
