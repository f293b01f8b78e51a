"""One tool: a Python function, what it takes, and how a call of it ends.

Layer 2. Above: `server`. Below: `schema` and `signature` for arguments, `result` for what comes back. Names and the
three-argument form follow the official Python SDK 0.2.186 (protocol page 1.1, 2.11).
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar, overload

import anyio
import anyio.to_thread
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from claude_nb.engine.mcp.result import Present, error, to_result
from claude_nb.engine.mcp.schema import ArgumentsError, Shape, shape_of
from claude_nb.engine.mcp.signature import describe, innermost
from claude_nb.errors import OptionsError
from claude_nb.protocol.record import Fields

T = TypeVar("T")

#: `runner(fn, kwargs)`: runs `fn(**kwargs)`, sync or async, where the host wants it; raises what `fn` raises.
Runner = Callable[[Callable[..., Any], Mapping[str, Any]], Awaitable[Any]]

#: Frames of a tool's traceback that the model is shown: where it was called into, and where it broke.
FRAMES = 3


class ToolAnnotations(BaseModel):
    """Hints about a tool, in snake_case or MCP's camelCase; the CLI uses `read_only_hint` to run calls side by side.

    `max_result_size_chars` is the CLI's own: up to that size a result stays in the conversation; the CLI writes a
    longer one to a file and shows its beginning.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow", defer_build=True)

    title: str | None = None
    read_only_hint: bool | None = None
    destructive_hint: bool | None = None
    idempotent_hint: bool | None = None
    open_world_hint: bool | None = None
    max_result_size_chars: int | None = None


class SdkMcpTool(Generic[T]):
    """A tool for the agent; `tool` makes it. Calling it calls the function it was made from.

    `handler` takes the arguments as one value (official form) or, made from a signature, as keywords. `input_schema`
    is what was given, or the JSON Schema of the signature; `schema` is always the JSON Schema the model sees.
    `dataclasses.replace` makes another one of it; `signature`, how arguments become keywords, goes along unless the
    `input_schema` is replaced.
    """

    __dataclass_fields__ = Fields("name", "description", "input_schema", "handler", "annotations", "signature")

    def __init__(
        self,
        name: str,
        description: str,
        input_schema: type[T] | dict[str, Any],
        handler: Callable[..., Any],
        annotations: Any = None,
        *,
        signature: Shape | None = None,
    ):
        if not name or name == "<lambda>":
            raise OptionsError("A tool needs a name: @tool(name=...).")
        functools.update_wrapper(self, handler)
        self.name = name
        self.description = description
        self.input_schema = input_schema
        self.handler = handler
        self.annotations = annotations
        self.signature = signature if signature and signature.schema is input_schema else None
        self._shape = self.signature or shape_of(input_schema)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as if it had never become a tool."""
        return self.handler(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<SdkMcpTool {self.name}: {self.description.partition(chr(10))[0]}>"

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments, as the model sees it."""
        return self._shape.schema

    def definition(self) -> dict[str, Any]:
        """The tool's entry in the answer to `tools/list`."""
        entry: dict[str, Any] = {"name": self.name, "description": self.description, "inputSchema": self.schema}
        hints = self.annotations
        if isinstance(hints, BaseModel):
            hints = hints.model_dump(mode="json", by_alias=True, exclude_none=True)
        if hints:
            entry["annotations"] = dict(hints)
            size = entry["annotations"].pop("maxResultSizeChars", None)
            if size is not None:
                # MCP clients drop hints they do not know, so this one travels beside them (protocol page 1.1).
                entry["_meta"] = {"anthropic/maxResultSizeChars": size}
        return entry

    async def call(
        self, arguments: dict[str, Any], *, runner: Runner | None = None, present: Present | None = None
    ) -> dict[str, Any]:
        """Run the tool; the result of `tools/call`. Bad arguments and exceptions come back as results with `isError`.

        `runner` runs the function (default: `run`), `present` makes content of what it returns.
        """
        try:
            read = self._shape.read(arguments)
        except ArgumentsError as fault:
            return error(f"Invalid arguments for {self.name}: {fault}")
        fn, kwargs = _function(self.handler), read
        if not self.signature:
            fn, kwargs = functools.partial(fn, read), {}
        try:
            return to_result(await (runner or run)(fn, kwargs), present)
        except asyncio.CancelledError as exception:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Something that the tool awaited was cancelled, not this call: unanswered, the model would wait for ever.
            return error(explain(exception, self.handler))
        # SystemExit: a tool that calls exit() ends its call, not the engine.
        except (Exception, SystemExit) as exception:
            return error(explain(exception, self.handler))


async def run(fn: Callable[..., Any], kwargs: Mapping[str, Any]) -> Any:
    """Run `fn(**kwargs)`: a coroutine function here, any other function in a worker thread.

    If the call is cancelled the thread is left to itself: a running function cannot be stopped.
    """
    if inspect.iscoroutinefunction(fn):
        return await fn(**kwargs)
    result = await anyio.to_thread.run_sync(functools.partial(fn, **kwargs), abandon_on_cancel=True)
    return await result if inspect.isawaitable(result) else result


def _function(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler itself, or the async `__call__` of an object, which is not seen to be async from outside."""
    call = getattr(handler, "__call__", None)  # noqa: B004
    return call if call is not None and inspect.iscoroutinefunction(call) else handler


def explain(exception: BaseException, fn: Callable[..., Any]) -> str:
    """An exception as a few lines for the model: what it was, and where in the tool's own code."""
    lines = traceback.format_exception_only(exception)
    frames = _frames_of(exception, fn)
    if len(frames) > FRAMES:
        frames = [frames[0], *frames[1 - FRAMES :]]
    where = [f"  {frame.name}, line {frame.lineno}: {frame.line}" for frame in frames if frame.line]
    return "".join(lines).strip() + ("\nRaised in:\n" + "\n".join(where) if where else "")


def _frames_of(exception: BaseException, fn: Callable[..., Any]) -> list[traceback.FrameSummary]:
    """The frames from the tool's function downwards: those above it are ours and say nothing to the model."""
    code = getattr(innermost(_function(fn)), "__code__", None)
    at = exception.__traceback__
    while at is not None and at.tb_frame.f_code is not code:
        at = at.tb_next
    return list(traceback.extract_tb(at))


@overload
def tool(name: Callable[..., Any], /) -> SdkMcpTool[Any]: ...
@overload
def tool(
    name: str | None = None,
    description: str | None = None,
    input_schema: type[Any] | dict[str, Any] | None = None,
    annotations: Any = None,
) -> Callable[[Callable[..., Any]], SdkMcpTool[Any]]: ...
def tool(
    name: str | Callable[..., Any] | None = None,
    description: str | None = None,
    input_schema: type[Any] | dict[str, Any] | None = None,
    annotations: Any = None,
) -> SdkMcpTool[Any] | Callable[[Callable[..., Any]], SdkMcpTool[Any]]:
    """Make a function a tool of the agent.

    - `@tool` (or `@tool(name=..., description=..., annotations=...)`): name, description and parameters come from the
      function's name, docstring and type hints; it takes keywords, and stays callable as before.
    - `@tool(name, description, input_schema, annotations=None)`: the function takes one value with all arguments. The
      schema is a dict of name to type, a TypedDict, JSON Schema, a pydantic model or a dataclass; the value is the
      arguments as they came, or an instance of the model.

    The function is sync or async. It returns `{"content": [...], "is_error": bool}`, or simply a value: text, numbers,
    data (as JSON), pictures, sound. Raises OptionsError for a function or schema that the model could not use.
    """
    if callable(name):
        return _make(name, None, None, None, None)
    return lambda fn: _make(fn, name, description, input_schema, annotations)


def _make(
    fn: Callable[..., Any], name: str | None, description: str | None, input_schema: Any, annotations: Any
) -> SdkMcpTool[Any]:
    if isinstance(fn, SdkMcpTool):
        fn = fn.handler
    if input_schema is not None:
        own = getattr(fn, "__name__", "")
        words = description if description is not None else inspect.getdoc(fn) or name or own
        return SdkMcpTool(name or own, words, input_schema, fn, annotations)
    own, words, shape = describe(fn)
    return SdkMcpTool(name or own, description or words, shape.schema, fn, annotations, signature=shape)
