"""The in-process MCP servers of a session, by name.

Layer 2. Above: `callbacks` passes the `mcp_message` requests on. Below: a `ServerBridge` for each server. Nothing of
the `mcp` package is imported for a session without such servers. Source: protocol page 2.7, CLI 2.1.329.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from anyio.abc import TaskGroup

if TYPE_CHECKING:
    from .tool import ServerBridge

Json = dict[str, Any]
Notify = Callable[[str, Json], None]

_METHOD_NOT_FOUND = -32601


class Servers:
    """`instances` are servers of the `mcp` package.

    `notify(name, message)` gets what a server says unasked (its tools changed, say) and must not wait.
    """

    def __init__(self, instances: dict[str, Any], notify: Notify):
        self._instances = dict(instances)
        self._notify = notify
        self._bridges: dict[str, ServerBridge] = {}

    def others(self, instances: dict[str, Any]) -> set[str]:
        """The names under which another server than this one is known."""
        return {name for name, server in instances.items() if self._instances.get(name, server) is not server}

    async def add(self, instances: dict[str, Any]) -> None:
        """Make more servers known; one that had the same name is ended."""
        replaced = self.others(instances)
        self._instances |= instances
        for name in replaced:
            if bridge := self._bridges.pop(name, None):
                await bridge.aclose()

    async def handle(self, name: str, message: Json, tasks: TaskGroup) -> Json:
        """The JSON-RPC answer of the server `name`, which runs in `tasks`; errors are JSON-RPC errors."""
        bridge = self._bridges.get(name)
        if bridge is None:
            if name not in self._instances:
                error = {"code": _METHOD_NOT_FOUND, "message": f"Server '{name}' not found"}
                return {"jsonrpc": "2.0", "id": message.get("id"), "error": error}
            bridge = self._bridges[name] = self._bridge(name)
            await bridge.start(tasks)
        return await bridge.handle(message)

    def _bridge(self, name: str) -> ServerBridge:
        from .tool import ServerBridge

        return ServerBridge(self._instances[name], notify=lambda message: self._notify(name, message))

    async def aclose(self) -> None:
        """End all servers, in bounded time."""
        for bridge in self._bridges.values():
            await bridge.aclose()
        self._bridges.clear()
