"""What the CLI asks, answered by the user's callbacks.

Layer 2. Above: `session` runs `answer` as a task per question. Below: `protocol` (shapes), `servers` (in-process
MCP). One method per kind of question, in a table; a kind that is not in it is refused as the protocol wants.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import anyio
from anyio.abc import TaskGroup

from claude_nb.protocol.hook import output_to_wire, register
from claude_nb.protocol.options import ClaudeAgentOptions, sdk_servers
from claude_nb.protocol.permission import context_from_request, result_to_wire

from .servers import Notify, Servers

Body = dict[str, Any]


class Silent(Exception):
    """The question is left open on purpose: another client of the session may answer it."""


class Callbacks:
    """The callbacks of one session. `notify` takes what in-process MCP servers say unasked."""

    def __init__(self, options: ClaudeAgentOptions, notify: Notify):
        self._options = options
        self._hooks = register(options.hooks)[1]
        self.servers = Servers(sdk_servers(options), notify)
        self.tasks: TaskGroup | None = None
        """Where in-process servers run; set while the session is open."""

    async def answer(self, subtype: str, body: Body, signal: anyio.Event) -> Body:
        """The body of the answer. Whatever it raises becomes a refusal with its words; `Silent` becomes nothing.

        `signal` is set when the question is withdrawn.
        """
        handler = self._HANDLERS.get(subtype)
        if handler is None:
            raise LookupError(f"Unsupported control request subtype: {subtype}")
        return await handler(self, body, signal)

    async def _permission(self, body: Body, signal: anyio.Event) -> Body:
        ask = self._options.can_use_tool
        if ask is None:
            raise LookupError("canUseTool callback is not provided")
        input = body.get("input") or {}
        result = await ask(str(body.get("tool_name")), input, context_from_request(body, signal))
        return result_to_wire(result, input)

    async def _hook(self, body: Body, signal: anyio.Event) -> Body:
        callback = self._hooks.get(str(body.get("callback_id")))
        if callback is None:
            raise LookupError(f"No hook callback found for ID: {body.get('callback_id')}")
        return output_to_wire(await callback(body.get("input"), body.get("tool_use_id"), {"signal": signal}))

    async def _mcp(self, body: Body, signal: anyio.Event) -> Body:
        assert self.tasks is not None
        name, message = str(body.get("server_name")), body.get("message") or {}
        return {"mcp_response": await self.servers.handle(name, message, self.tasks)}

    async def _elicitation(self, body: Body, signal: anyio.Event) -> Body:
        ask = self._options.on_elicitation
        return {"action": "decline"} if ask is None else await ask(body)

    async def _dialog(self, body: Body, signal: anyio.Event) -> Body:
        ask = self._options.on_user_dialog
        if ask is None:
            raise Silent
        result = await ask(body)
        return {"behavior": "cancelled"} if result is None else {"behavior": "completed", "result": result}

    _HANDLERS: ClassVar[dict[str, Callable[[Callbacks, Body, anyio.Event], Awaitable[Body]]]] = {
        "can_use_tool": _permission,
        "hook_callback": _hook,
        "mcp_message": _mcp,
        "elicitation": _elicitation,
        "request_user_dialog": _dialog,
    }
