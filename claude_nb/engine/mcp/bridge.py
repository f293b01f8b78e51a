"""The CLI's side of an in-process MCP server: one JSON-RPC message in, its answer out.

Layer 2. Above: the session, which gets `mcp_message` control requests and answers each with what `handle` returns.
Below: any server of the `mcp` package (1.23 to 2.x), run over streams in memory. Facts: protocol page 2.7 and 2.11.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import math
from collections.abc import Callable
from typing import Any

import anyio
from anyio.abc import TaskGroup

from claude_nb.errors import ClaudeSDKError, OptionsError

logger = logging.getLogger(__name__)

Message = dict[str, Any]

#: Seconds that a server has to end by itself (its lifespan may want to tidy up) before it is cancelled.
GRACE = 3.0

_INVALID_REQUEST, _METHOD_NOT_FOUND, _CLOSED, _CANCELLED = -32600, -32601, -32000, -32800


class ServerBridge:
    """Runs one `mcp` server for one session.

    `instance` is a low-level Server, a FastMCP or an MCPServer. The server starts with the first `initialize`, and
    again with each later one: that is how a client begins anew, also after the server has died.

    `notify`, if given, gets each notification of the server: a JSON-RPC message to send to the CLI as `mcp_message`
    control request. It is called in a task of the session and must not wait. When tools of a `ToolServer` change, in
    any thread, it gets `notifications/tools/list_changed`; CLI 2.1.329 then lists the tools again, also in mid-turn.
    """

    def __init__(self, instance: Any, *, notify: Callable[[Message], None] | None = None):
        self._server = low_level(instance)
        self._notify = notify or (lambda message: None)
        self._changes: list[Callable[[], None]] = getattr(getattr(self._server, "tool_server", None), "on_change", [])
        self._group: TaskGroup | None = None
        self._run: _Run | None = None
        self._watch = anyio.CancelScope()

    async def start(self, task_group: TaskGroup) -> None:
        """Take the task group in which the server will run."""
        self._group = task_group
        task_group.start_soon(self._tell_changes)

    async def handle(self, message: Message) -> Message:
        """Answer one JSON-RPC message of the CLI.

        A request gets its response (JSON-RPC errors are responses too), a notification an empty result as its
        receipt. Cancelling this call cancels the request in the server. Never raises for what the message holds.
        """
        key = message.get("id") if isinstance(message, dict) else None
        if key is not None and not _is_id(key):
            return _error(None, _INVALID_REQUEST, "An id is a string or a number.")
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            return _error(key, _INVALID_REQUEST, "Not a JSON-RPC request or notification.")
        if message["method"] == "initialize":
            await self._restart()
        if self._run is None or self._run.ended.is_set():
            return _error(key, _CLOSED, f"The MCP server {self._server.name!r} is not running.")
        return await self._run.handle({"jsonrpc": "2.0", **message})

    async def aclose(self) -> None:
        """End the server, in bounded time. Open requests are answered with an error."""
        self._watch.cancel()
        await self._stop()

    async def _tell_changes(self) -> None:
        """Pass changes of the tools on; several at once are one."""
        call_soon = _threadsafe_call()
        changed = anyio.Event()

        def on_change() -> None:  # in the thread that changed them
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                call_soon(changed.set)

        self._changes.append(on_change)
        try:
            with self._watch:
                while True:
                    await changed.wait()
                    changed = anyio.Event()
                    self._notify({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        finally:
            self._changes.remove(on_change)

    async def _restart(self) -> None:
        if self._group is None:
            raise ClaudeSDKError("ServerBridge.start was not called.")
        await self._stop()
        self._run = _Run(self._server, self._notify)
        self._group.start_soon(self._run.serve)

    async def _stop(self) -> None:
        if self._run is not None:
            run, self._run = self._run, None
            await run.stop()


def low_level(instance: Any) -> Any:
    """The low-level server of what a user gave: itself, or the one inside a FastMCP (1.x) or MCPServer (2.x).

    Raises OptionsError if there is none.
    """
    for found in (instance, getattr(instance, "_mcp_server", None), getattr(instance, "_lowlevel_server", None)):
        if callable(getattr(found, "create_initialization_options", None)):
            return found
    raise OptionsError(f"{instance!r} is not a server of the mcp package (Server, FastMCP or MCPServer).")


class _Run:
    """One life of a server: from its start to its end, with the requests that wait for it.

    It is also the server's write stream: what the server sends is routed at once, in the server's own task.
    """

    def __init__(self, server: Any, notify: Callable[[Message], None]):
        self._server = server
        self._notify = notify
        self._send, self._receive = anyio.create_memory_object_stream[Any](math.inf)
        self._waiting: dict[Any, _Answer] = {}
        # mcp 1.x dies of a handler that ends in spite of its cancellation, so only our own are cancelled there.
        self._cancels = hasattr(server, "add_request_handler") or hasattr(server, "tool_server")
        self._scope = anyio.CancelScope()
        self.ended = anyio.Event()

    async def serve(self) -> None:
        """Run the server until its input ends, it dies, or it is cancelled. Its own errors go no further than here."""
        reason = "has ended"
        try:
            with self._scope:
                await self._server.run(self._receive, self, self._server.create_initialization_options())
        except Exception as exception:
            logger.exception("The MCP server %r died", self._server.name)
            reason = f"died: {type(exception).__name__}: {exception}"
        finally:
            self.ended.set()
            self._send.close()
            self._receive.close()
            for key in list(self._waiting):
                self._settle(key, _error(key, _CLOSED, f"The MCP server {self._server.name!r} {reason}."))

    async def handle(self, message: Message) -> Message:
        key = message.get("id")
        if key is None:
            self._take_note(message)
            return {"jsonrpc": "2.0", "result": {}}
        if key in self._waiting:
            return _error(key, _INVALID_REQUEST, f"A request with the id {key!r} is still open.")
        answer = self._waiting[key] = _Answer()
        try:
            self._forward(message)
            return await answer.get()
        except anyio.get_cancelled_exc_class():
            self._withdraw(key, _cancelled(key))
            raise
        except ValueError as fault:  # not the shape of a JSON-RPC message, says mcp
            return _error(key, _INVALID_REQUEST, str(fault))
        finally:
            self._waiting.pop(key, None)

    async def stop(self) -> None:
        """Cancel what runs and close the server's input; after `GRACE` seconds cancel it as well."""
        for key in list(self._waiting):
            self._withdraw(key, _cancelled(key))
        with anyio.move_on_after(2 * GRACE, shield=True):
            self._send.close()
            with anyio.move_on_after(GRACE):
                await self.ended.wait()
            self._scope.cancel()
            await self.ended.wait()

    def _take_note(self, message: Message) -> None:
        params = message.get("params")
        if message["method"] != "notifications/cancelled":
            with contextlib.suppress(ValueError):  # nobody waits for a word about a notification's shape
                self._forward(message)
        elif isinstance(params, dict) and _is_id(params.get("requestId")):
            self._withdraw(params["requestId"], message)

    def _withdraw(self, key: Any, notice: Message) -> None:
        """Cancel a request. The server may answer it, or not (mcp 2.x); who waits for it is told here."""
        if key in self._waiting:
            self._settle(key, _error(key, _CANCELLED, "The request was cancelled."))
            if self._cancels:
                self._forward(notice)

    def _settle(self, key: Any, response: Message) -> None:
        if answer := self._waiting.pop(key, None):
            answer.set(response)

    def _forward(self, message: Message) -> None:
        """To the server. Raises ValueError (pydantic's) for what is no JSON-RPC."""
        from mcp.shared.message import SessionMessage

        parsed = _wire_adapter().validate_python(message)
        # The server may have ended a moment ago: then `serve` answers whoever waits.
        with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._send.send_nowait(SessionMessage(parsed))

    # -- the server's write stream ----------------------------------------------------------------------------------

    async def send(self, item: Any) -> None:
        """Route a message of the server: an answer to who waits for it; its own requests are refused, except ping."""
        message = _wire_adapter().dump_python(item.message, mode="json", by_alias=True, exclude_none=True)
        key = message.get("id")
        if "method" not in message:
            self._settle(key, message)
        elif key is None:
            self._notify(message)
        elif message["method"] == "ping":
            self._forward({"jsonrpc": "2.0", "id": key, "result": {}})
        else:
            # Sampling, roots, elicitation: the CLI has no way back for them from in-process servers.
            self._forward(_error(key, _METHOD_NOT_FOUND, f"The client does not offer {message['method']}."))

    async def aclose(self) -> None:
        """Nothing to close: `serve` ends right after its server."""

    async def __aenter__(self) -> _Run:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None


def _threadsafe_call() -> Callable[[Callable[[], None]], Any]:
    """How to call a function on the running loop, from any thread, without waiting for it."""
    if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
        return asyncio.get_running_loop().call_soon_threadsafe
    import trio

    return trio.lowlevel.current_trio_token().run_sync_soon


class _Answer:
    """A value that one task waits for and another brings."""

    def __init__(self) -> None:
        self._event = anyio.Event()
        self._value: Message = {}

    def set(self, value: Message) -> None:
        self._value = value
        self._event.set()

    async def get(self) -> Message:
        await self._event.wait()
        return self._value


@functools.cache
def _wire_adapter() -> Any:
    """mcp's JSON-RPC message: a root model in 1.x, a union in 2.x; an adapter reads and writes both."""
    from mcp.types import JSONRPCMessage
    from pydantic import TypeAdapter

    return TypeAdapter(JSONRPCMessage)


def _is_id(key: Any) -> bool:
    return isinstance(key, (str, int)) and not isinstance(key, bool)


def _cancelled(key: Any) -> Message:
    return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": key}}


def _error(key: Any, code: int, text: str) -> Message:
    return {"jsonrpc": "2.0", "id": key, "error": {"code": code, "message": text}}
