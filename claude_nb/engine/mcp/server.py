"""A server of our own: tools, resources and prompts in one process with us, as a real `mcp` Server.

Layer 2. Above: the options, which take `create_sdk_mcp_server(...)` as an entry of `mcp_servers`; `bridge`, which
speaks for it to the CLI. Below: `tool`, and the `mcp` package (1.23 to 2.x, imported when a server is made). The
handlers here take and return plain dicts as they are on the wire; `_REQUESTS` is all that knows mcp's classes.
"""

from __future__ import annotations

import base64
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from claude_nb.engine.mcp.result import Present, error, to_content, to_text
from claude_nb.engine.mcp.tool import Runner, SdkMcpTool, run, tool
from claude_nb.errors import OptionsError
from claude_nb.protocol.config import McpSdkServerConfig

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

# Method: the classes of `mcp.types` for its request (1.x), its parameters (2.x) and its result.
_REQUESTS: dict[str, tuple[str, str, str]] = {
    "tools/list": ("ListToolsRequest", "PaginatedRequestParams", "ListToolsResult"),
    "tools/call": ("CallToolRequest", "CallToolRequestParams", "CallToolResult"),
    "resources/list": ("ListResourcesRequest", "PaginatedRequestParams", "ListResourcesResult"),
    "resources/read": ("ReadResourceRequest", "ReadResourceRequestParams", "ReadResourceResult"),
    "prompts/list": ("ListPromptsRequest", "PaginatedRequestParams", "ListPromptsResult"),
    "prompts/get": ("GetPromptRequest", "GetPromptRequestParams", "GetPromptResult"),
}


@dataclass
class SdkMcpResource:
    """Something the agent can read. `reader()`, sync or async, returns text, bytes, data (as JSON) or
    `{"contents": [...]}`."""

    uri: str
    reader: Callable[[], Any]
    name: str
    description: str | None = None
    mime_type: str | None = None

    def definition(self) -> dict[str, Any]:
        """The entry in the answer to `resources/list`."""
        optional = {"description": self.description, "mimeType": self.mime_type}
        return {"uri": self.uri, "name": self.name, **{k: v for k, v in optional.items() if v}}


@dataclass
class SdkMcpPrompt:
    """A prompt the user can call as a command. `renderer(arguments)`, sync or async, returns text, a list of messages
    or `{"messages": [...]}`. `arguments` are `{"name", "description", "required"}` each."""

    name: str
    renderer: Callable[[dict[str, str]], Any]
    description: str | None = None
    arguments: list[dict[str, Any]] = field(default_factory=list)

    def definition(self) -> dict[str, Any]:
        """The entry in the answer to `prompts/list`."""
        words = {"description": self.description} if self.description else {}
        return {"name": self.name, **words, "arguments": self.arguments}


def create_resource(
    uri: str, name: str | None = None, description: str | None = None, mime_type: str | None = None
) -> Callable[[Callable[[], Any]], SdkMcpResource]:
    """Decorator: make a function without parameters a resource under `uri`. Its docstring is the description."""

    def make(reader: Callable[[], Any]) -> SdkMcpResource:
        own = str(getattr(reader, "__name__", uri))
        return SdkMcpResource(uri, reader, name or own, description or inspect.getdoc(reader), mime_type)

    return make


def create_prompt(
    name: str, description: str | None = None, arguments: Iterable[str | Mapping[str, Any]] = ()
) -> Callable[[Callable[[dict[str, str]], Any]], SdkMcpPrompt]:
    """Decorator: make a function of a dict of strings a prompt. An argument given as a string is a required one."""
    listed = [{"name": a, "required": True} if isinstance(a, str) else dict(a) for a in arguments]
    return lambda renderer: SdkMcpPrompt(name, renderer, description or inspect.getdoc(renderer), listed)


class ToolServer:
    """What a server offers; it may change while sessions use it.

    `instance` is the `mcp` Server that speaks for it, `config` its entry for `mcp_servers`. `on_change` callbacks are
    called after each `add` and `remove`.
    """

    def __init__(
        self,
        name: str,
        version: str = "1.0.0",
        tools: Iterable[SdkMcpTool[Any] | Callable[..., Any]] | None = None,
        *,
        resources: Iterable[SdkMcpResource] | None = None,
        prompts: Iterable[SdkMcpPrompt] | None = None,
        runner: Runner | None = None,
        present: Present | None = None,
        always_load: bool = False,
    ):
        self.name, self.version = name, version
        self.tools = _by(name, "name", map(_as_tool, tools or ()))
        self.resources = _by(name, "uri", resources or ())
        self.prompts = _by(name, "name", prompts or ())
        self.on_change: list[Callable[[], None]] = []
        self._runner = runner
        self._present = present
        self._always_load = always_load
        self.instance = _instance(self)

    @property
    def config(self) -> McpSdkServerConfig:
        """The entry for `ClaudeAgentOptions.mcp_servers`."""
        config: McpSdkServerConfig = {"type": "sdk", "name": self.name, "instance": self.instance}
        if self._always_load:
            config["alwaysLoad"] = True
        return config

    def add(self, *tools: SdkMcpTool[Any] | Callable[..., Any]) -> None:
        """Add tools; one of the same name is replaced."""
        self.tools |= {added.name: added for added in map(_as_tool, tools)}
        self._changed()

    def remove(self, *names: str) -> None:
        """Take tools away. Raises KeyError for a name that is not there."""
        for name in names:
            del self.tools[name]
        self._changed()

    def _changed(self) -> None:
        for listener in list(self.on_change):
            listener()

    def handlers(self) -> dict[str, Handler]:
        """The methods this server answers. Resources and prompts only where there are any: each asks for a listing."""
        handlers: dict[str, Handler] = {"tools/list": self._list_tools, "tools/call": self._call_tool}
        if self.resources:
            handlers |= {"resources/list": self._list_resources, "resources/read": self._read_resource}
        if self.prompts:
            handlers |= {"prompts/list": self._list_prompts, "prompts/get": self._get_prompt}
        return handlers

    async def _list_tools(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"tools": [tool.definition() for tool in self.tools.values()]}

    async def _call_tool(self, params: dict[str, Any]) -> dict[str, Any]:
        found: SdkMcpTool[Any] | None = self.tools.get(params["name"])
        if found is None:
            return error(f"There is no tool {params['name']!r} here. There are: {', '.join(self.tools) or 'none'}.")
        return await found.call(params.get("arguments") or {}, runner=self._runner, present=self._present)

    async def _list_resources(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"resources": [resource.definition() for resource in self.resources.values()]}

    async def _read_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        resource = self.resources.get(str(params["uri"]))
        if resource is None:
            raise ValueError(f"There is no resource {params['uri']} here. There are: {', '.join(self.resources)}.")
        return _contents(resource, await (self._runner or run)(resource.reader, {}))

    async def _list_prompts(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"prompts": [prompt.definition() for prompt in self.prompts.values()]}

    async def _get_prompt(self, params: dict[str, Any]) -> dict[str, Any]:
        prompt = self.prompts.get(params["name"])
        if prompt is None:
            raise ValueError(f"There is no prompt {params['name']!r} here. There are: {', '.join(self.prompts)}.")
        given = params.get("arguments") or {}
        missing = [a["name"] for a in prompt.arguments if a.get("required") and a["name"] not in given]
        if missing:
            raise ValueError(f"The prompt {prompt.name} needs: {', '.join(missing)}.")
        return _messages(prompt, await (self._runner or run)(functools.partial(prompt.renderer, given), {}))


def create_sdk_mcp_server(
    name: str,
    version: str = "1.0.0",
    tools: Iterable[SdkMcpTool[Any] | Callable[..., Any]] | None = None,
    *,
    resources: Iterable[SdkMcpResource] | None = None,
    prompts: Iterable[SdkMcpPrompt] | None = None,
    runner: Runner | None = None,
    present: Present | None = None,
    always_load: bool = False,
) -> McpSdkServerConfig:
    """An in-process server for `ClaudeAgentOptions.mcp_servers`: `{"type": "sdk", "name", "instance"}`.

    `instance` is a real `mcp.server.Server`; the model calls its tools as `mcp__<key in mcp_servers>__<tool>`. Plain
    functions among `tools` become tools of their signature. `runner(fn, kwargs)` runs functions in a place of the
    host's (default: async ones on the loop, others in a worker thread); `present(result)` makes MCP content of a
    result, or returns None to leave it to the default. The CLI leaves MCP tools out of the prompt until the model
    searches for them; with `always_load` the model sees them from the start (CLI 2.1.329). That CLI asks in-process
    servers for tools and resources, but not for prompts. Raises OptionsError for two tools of one name.
    """
    server = ToolServer(
        name,
        version,
        tools,
        resources=resources,
        prompts=prompts,
        runner=runner,
        present=present,
        always_load=always_load,
    )
    return server.config


def tool_server(config: Mapping[str, object]) -> ToolServer:
    """The ToolServer behind an entry made by `create_sdk_mcp_server`, to add or remove tools while it is in use.

    Raises OptionsError for an entry of another origin.
    """
    found = getattr(config.get("instance"), "tool_server", None)
    if not isinstance(found, ToolServer):
        raise OptionsError(f"The MCP server {config.get('name')!r} was not made by create_sdk_mcp_server.")
    return found


def _as_tool(made: SdkMcpTool[Any] | Callable[..., Any]) -> SdkMcpTool[Any]:
    return made if isinstance(made, SdkMcpTool) else tool(made)


def _by(server: str, key: str, entries: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in entries:
        if found.setdefault(getattr(entry, key), entry) is not entry:
            raise OptionsError(f"The MCP server {server!r} has two entries named {getattr(entry, key)!r}.")
    return found


def _contents(resource: SdkMcpResource, value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping) and isinstance(value.get("contents"), list):
        return {"contents": [{"uri": resource.uri, **entry} for entry in value["contents"]]}
    entry: dict[str, Any] = {"uri": resource.uri}
    if isinstance(value, (bytes, bytearray)):
        entry |= {"blob": base64.b64encode(value).decode("ascii"), "mimeType": "application/octet-stream"}
    else:
        entry |= {"text": to_text(value), "mimeType": "text/plain" if isinstance(value, str) else "application/json"}
    if resource.mime_type:
        entry["mimeType"] = resource.mime_type
    return {"contents": [entry]}


def _messages(prompt: SdkMcpPrompt, value: Any) -> dict[str, Any]:
    words = {"description": prompt.description} if prompt.description else {}
    if isinstance(value, Mapping) and isinstance(value.get("messages"), list):
        return {**words, **value}
    messages = value if isinstance(value, list) else [{"role": "user", "content": value}]
    return {**words, "messages": [{**m, "content": to_content(m["content"])[0]} for m in messages]}


# -- the two generations of the mcp package -------------------------------------------------------------------------


def _instance(tools: ToolServer) -> Any:
    """A real `mcp` Server that answers with the handlers of `tools`, for mcp 1.x and 2.x."""
    from mcp import types
    from mcp.server.lowlevel import NotificationOptions, Server

    class SdkServer(Server[Any]):
        """Tells its clients that its tools may change."""

        tool_server = tools

        def create_initialization_options(self, notification_options: Any = None, *args: Any, **kwargs: Any) -> Any:
            options = notification_options or NotificationOptions(tools_changed=True)
            return super().create_initialization_options(options, *args, **kwargs)

    server: Any = SdkServer(tools.name, version=tools.version)
    for method, handler in tools.handlers().items():
        request, params, result = (getattr(types, name) for name in _REQUESTS[method])
        if hasattr(server, "add_request_handler"):
            server.add_request_handler(method, params, _handler_2(handler, result))
        else:
            server.request_handlers[request] = _handler_1(handler, result)
    return server


def _handler_1(handler: Handler, result: Any) -> Callable[[Any], Awaitable[Any]]:
    from mcp import types

    wrap: Any = types.ServerResult  # a class in 1.x

    async def handle(request: Any) -> Any:
        return wrap(result.model_validate(await handler(_wire(request.params))))

    return handle


def _handler_2(handler: Handler, result: Any) -> Callable[[Any, Any], Awaitable[Any]]:
    async def handle(context: Any, params: Any) -> Any:
        return result.model_validate(await handler(_wire(params)))

    return handle


def _wire(params: Any) -> dict[str, Any]:
    return params.model_dump(mode="json", by_alias=True, exclude_none=True) if params is not None else {}
