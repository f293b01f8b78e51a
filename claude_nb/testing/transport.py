"""A CLI in memory, for tests of code that uses `query()` or the client: nothing is started, the test is the CLI.

Above: users' tests and ours. Below: `engine.transport`, and the words of `demo.answer`. The real CLI with a scripted
model shows more; this one shows orders of events that the real one cannot be made to show, and takes no time.

    cli = FakeTransport()
    cli.reply(Text("They say hello."))
    messages = [message async for message in query(prompt="What do the notes say?", transport=cli)]
    assert cli.prompts == ["What do the notes say?"]
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from uuid import uuid4

import anyio

from claude_nb.demo.answer import Answer, Raw, Text, Thinking, ToolUse, whole
from claude_nb.demo.request import Request
from claude_nb.engine.transport import Transport
from claude_nb.errors import ControlError
from claude_nb.protocol.hook import MATCHED_FIELDS

Frame = dict[str, Any]
Block: TypeAlias = Text | Thinking | ToolUse | Raw
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that the code under test answered: `request` is its body, `subtype` included."""

    request: Frame
    answer: Frame


class FakeTransport(Transport):
    """A scripted CLI: `say` frames as it, `reply` to prompts, `ask` what it would ask; `sent` is what it was told.

    A prompt for which nothing is queued is repeated (`Echo: ...`), or left to the test with `echo=False`. Control
    requests are answered with the payload that `controls` has for their subtype, else with an empty one; None leaves
    them to the test. What a test waits for must come within `timeout` seconds, or TimeoutError is raised.
    """

    def __init__(self, *, controls: Mapping[str, Frame | None] | None = None, echo: bool = True, timeout: float = 5.0):
        self.sent: list[Frame] = []
        self.asked: list[Asked] = []
        self.session_id = str(uuid4())
        self.connected = self.input_ended = self.closed = False
        self._controls = {"initialize": {"claude_code_version": "2.1.329"}, **(controls or {})}
        self._echo, self._timeout = echo, timeout
        self._replies: deque[tuple[tuple[Block, ...], Frame]] = deque()
        self._open: list[str] = []
        self._out: deque[Any] = deque()
        self._dead = False
        self._news = anyio.Event()
        self._servers: set[str] = set()

    # -- the test's side: what the CLI says ---------------------------------------------------------------------

    def reply(self, *parts: Block, **result: Any) -> None:
        """Queue the answer to the next prompt: a message per part, then the result, which has the fields `result`."""
        self._replies.append((parts, result))

    def answer(self, prompt: Frame, *parts: Block, **result: Any) -> None:
        """Answer a prompt now. `prompt` is its frame, as `heard("user")` gives it."""
        message = whole(Answer(parts), Request(messages=[prompt["message"]]))
        self.say({"type": "system", "subtype": "init", "session_id": self.session_id, "model": message["model"]})
        for block in message["content"]:
            one = {**message, "content": [block]}
            self.say({"type": "assistant", "message": one, "uuid": str(uuid4()), "session_id": self.session_id})
        said = [part.text for part in parts if isinstance(part, Text)]
        self.end_turn(prompt["uuid"], **{"result": said[-1] if said else "", "usage": message["usage"], **result})

    def end_turn(self, uuid: str | None, **fields: Any) -> None:
        """The result of the prompt `uuid`; None: of a turn that the CLI began itself. `fields` join the frame."""
        named = {"user_message_uuid": uuid, "user_message_uuids": [uuid]} if uuid else {}
        frame = {"type": "result", "subtype": "success", "is_error": False, "session_id": self.session_id}
        times = {"duration_ms": 1, "duration_api_ms": 1, "num_turns": 1, "total_cost_usd": 0.0}
        self.say({**frame, **times, **named, **fields})

    def say(self, *frames: Frame) -> None:
        """Send frames, whatever they are."""
        self._out.extend(frames)
        done = [uuid for f in frames if f.get("type") == "result" for uuid in f.get("user_message_uuids") or []]
        self._open = [uuid for uuid in self._open if uuid not in done]
        self._wake()

    def respond(self, request: Frame, payload: Frame | None) -> None:
        """Answer a control request. `request` is its frame, as `heard("control_request")` gives it."""
        response = {"subtype": "success", "request_id": request["request_id"], "response": payload}
        self.say({"type": "control_response", "response": response})

    def die(self) -> None:
        """The CLI is gone: what it said is still read, then the stream ends."""
        self._dead = True
        self._wake()

    # -- the test's side: what the CLI hears --------------------------------------------------------------------

    @property
    def prompts(self) -> list[str]:
        """The text of the prompts that were sent."""
        return [_text(frame) for frame in self.sent if frame["type"] == "user"]

    async def heard(self, kind: str, subtype: str | None = None, count: int = 1) -> Frame:
        """The `count`-th frame of the type `kind` (and the subtype of its request or response), waited for."""

        def found() -> Frame | None:
            frames = [f for f in self.sent if f["type"] == kind and subtype in (None, _subtype(f))]
            return frames[count - 1] if len(frames) >= count else None

        return await self._until(found)

    async def ask(self, subtype: str, **fields: Any) -> Frame:
        """Ask what a CLI asks (`elicitation`, say) and wait for the answer. Raises `ControlError` if it is refused."""
        id = str(uuid4())
        request = {"subtype": subtype, **fields}
        self.say({"type": "control_request", "request_id": id, "request": request})

        def answered() -> Frame | None:
            responses = (f["response"] for f in self.sent if f["type"] == "control_response")
            return next((r for r in responses if r["request_id"] == id), None)

        response = await self._until(answered)
        if response["subtype"] == "error":
            raise ControlError(response["error"], subtype=subtype)
        self.asked.append(Asked(request, response.get("response") or {}))
        return self.asked[-1].answer

    async def ask_permission(self, tool: str, input: Frame, **fields: Any) -> Frame:
        """Ask `can_use_tool`, and return its answer in wire form: `{"behavior": "allow", ...}`."""
        return await self.ask("can_use_tool", **{"tool_name": tool, "input": input, "tool_use_id": "t1", **fields})

    async def call_hooks(self, event: str, **input: Any) -> list[Frame]:
        """Run the hooks for `event` whose matcher fits `input`, and return what they say, in wire form."""
        hooks = (await self.heard("control_request", "initialize"))["request"]["hooks"] or {}
        asked = {"hook_event_name": event, "session_id": self.session_id, "transcript_path": "", "cwd": "", **input}
        value = str(asked.get(MATCHED_FIELDS.get(event, ""), ""))
        ids = [
            id for entry in hooks.get(event, ()) if _fits(entry["matcher"], value) for id in entry["hookCallbackIds"]
        ]
        fields = {"input": asked, "tool_use_id": asked.get("tool_use_id")}
        return [await self.ask("hook_callback", callback_id=id, **fields) for id in ids]

    async def call_tool(self, server: str, tool: str, arguments: Frame) -> Frame:
        """Call a tool of an in-process MCP server, and return its result: `{"content": [...], ...}`.

        Raises `ControlError` with the words of a JSON-RPC error.
        """
        if server not in self._servers:
            self._servers.add(server)
            about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
            await self._rpc(server, "initialize", about)
            message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
            await self.ask("mcp_message", server_name=server, message=message)
        return await self._rpc(server, "tools/call", {"name": tool, "arguments": arguments})

    async def _rpc(self, server: str, method: str, params: Frame) -> Frame:
        message = {"jsonrpc": "2.0", "id": len(self.asked), "method": method, "params": params}
        answer: Frame = (await self.ask("mcp_message", server_name=server, message=message))["mcp_response"]
        if "error" in answer:
            raise ControlError(answer["error"]["message"], subtype="mcp_message")
        return dict(answer["result"])

    async def _until(self, find: Callable[[], T | None]) -> T:
        with anyio.fail_after(self._timeout):
            while (found := find()) is None:
                await self._news.wait()
        return found

    def _wake(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    # -- the engine's side --------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """See `Transport`."""
        self.connected = True

    async def write(self, data: str) -> None:
        """Take lines, and answer those that need no test to answer them."""
        if self.closed:
            raise anyio.ClosedResourceError
        for line in data.rstrip("\n").split("\n"):
            frame = json.loads(line)
            self.sent.append(frame)
            if frame["type"] == "control_request":
                self._control(frame)
            elif frame["type"] == "user":
                self._prompted(frame)
        self._wake()

    def control(self, subtype: str) -> Frame | None:
        """The payload for a control request; None leaves it to the test."""
        return self._controls.get(subtype, {})

    def _control(self, frame: Frame) -> None:
        subtype = frame["request"]["subtype"]
        if (payload := self.control(subtype)) is None:
            return
        self.respond(frame, payload)
        if subtype == "interrupt":
            for uuid in self._open:
                self.end_turn(
                    uuid, subtype="error_during_execution", is_error=True, terminal_reason="aborted_streaming"
                )

    def _prompted(self, frame: Frame) -> None:
        self._open.append(frame["uuid"])
        if self._replies:
            parts, result = self._replies.popleft()
            self.answer(frame, *parts, **result)
        elif self._echo:
            self.answer(frame, Text(f"Echo: {_text(frame)}"))

    async def read_messages(self) -> AsyncIterator[Frame]:
        """See `Transport`. Ends when the CLI died, or has nothing more to do after the end of its input."""
        with suppress(anyio.EndOfStream):
            while True:
                yield await self._next()

    async def _next(self) -> Any:
        while not self._out:
            if self._dead or self.closed or (self.input_ended and not self._open):
                raise anyio.EndOfStream
            await self._news.wait()
        return self._out.popleft()

    async def end_input(self) -> None:
        """See `Transport`."""
        self.input_ended = True
        self._wake()

    async def close(self) -> None:
        """See `Transport`."""
        self.closed = True
        self._wake()

    def is_ready(self) -> bool:
        """See `Transport`."""
        return self.connected and not self.closed


def _subtype(frame: Frame) -> str | None:
    return (frame.get("request") or frame.get("response") or {}).get("subtype")


def _text(frame: Frame) -> str:
    content = frame["message"]["content"]
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block.get("type") == "text")


def _fits(matcher: str | None, value: str) -> bool:
    """As the CLI matches: a name, names joined by `|`, or a regular expression; None fits all."""
    if not matcher or matcher == "*":
        return True
    if re.fullmatch(r"[\w|]+", matcher):
        return value in matcher.split("|")
    return re.search(matcher, value) is not None
