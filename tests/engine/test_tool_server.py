"""Servers and their bridge, message by message, on asyncio and trio: what the CLI would send, without a CLI."""

import base64
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from hypothesis import given, settings, strategies

from claude_nb.engine.mcp import bridge as bridge_module
from claude_nb.engine.tool import (
    SdkMcpTool,
    ServerBridge,
    ToolServer,
    create_prompt,
    create_resource,
    create_sdk_mcp_server,
    tool,
    tool_server,
)
from claude_nb.errors import OptionsError

Json = dict[str, Any]
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "claude-code", "version": "2.1.329"},
    },
}
RECEIPT = {"jsonrpc": "2.0", "result": {}}


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Run a coroutine function on either loop, in bounded time."""

    def on_loop(main: Callable[[], Awaitable[None]]) -> None:
        async def bounded() -> None:
            with anyio.fail_after(20):
                await main()

        anyio.run(bounded, backend=request.param)

    return on_loop


class Client:
    """The CLI's part: numbers its requests and takes results out of the answers."""

    def __init__(self, bridge: ServerBridge):
        self.bridge = bridge
        self._last = 0

    async def request(self, method: str, **params: Any) -> Json:
        self._last = key = self._last + 1
        answer = await self.bridge.handle({"jsonrpc": "2.0", "id": key, "method": method, "params": params})
        assert answer["id"] == key
        return answer

    async def notify(self, method: str, **params: Any) -> Json:
        return await self.bridge.handle({"jsonrpc": "2.0", "method": method, "params": params})

    async def initialize(self) -> Json:
        answer = await self.bridge.handle(INITIALIZE)
        assert await self.notify("notifications/initialized") == RECEIPT
        return answer

    async def tools(self) -> list[str]:
        return [entry["name"] for entry in (await self.request("tools/list"))["result"]["tools"]]

    async def call(self, name: str, /, **arguments: Any) -> Json:
        return dict((await self.request("tools/call", name=name, arguments=arguments))["result"])

    async def text(self, name: str, /, **arguments: Any) -> str:
        (piece,) = (await self.call(name, **arguments))["content"]
        return str(piece["text"])


@asynccontextmanager
async def connected(instance: Any, notify: Callable[[Json], None] | None = None) -> AsyncIterator[Client]:
    async with anyio.create_task_group() as tasks:
        bridge = ServerBridge(instance, notify=notify)
        await bridge.start(tasks)
        client = Client(bridge)
        await client.initialize()
        try:
            yield client
        finally:
            await bridge.aclose()


@tool
def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


@tool("echo", "Echo", {"text": str})
async def echo(args: Json) -> Json:
    return {"content": [{"type": "text", "text": args["text"]}]}


class Gate:
    """A tool that says when it runs, and ends when told."""

    def __init__(self) -> None:
        self.entered, self.opened, self.cancelled = anyio.Event(), anyio.Event(), anyio.Event()

    @property
    def tool(self) -> SdkMcpTool[Any]:
        async def wait() -> str:
            self.entered.set()
            try:
                await self.opened.wait()
            except anyio.get_cancelled_exc_class():
                self.cancelled.set()
                raise
            return "through"

        return tool(wait)


def test_a_server_is_a_real_server_of_the_mcp_package() -> None:
    from mcp.server.lowlevel import Server

    config = create_sdk_mcp_server("calc", "2.0.0", [add])

    assert set(config) == {"type", "name", "instance"}
    assert (config["type"], config["name"]) == ("sdk", "calc")
    assert isinstance(config["instance"], Server)
    assert create_sdk_mcp_server("calc", always_load=True)["alwaysLoad"] is True


def test_tools_are_listed_and_called(run: Any) -> None:
    async def main() -> None:
        async with connected(create_sdk_mcp_server("calc", "2.0.0", [add, echo])["instance"]) as client:
            again = (await client.bridge.handle(INITIALIZE))["result"]
            assert again["serverInfo"] == {"name": "calc", "version": "2.0.0"}
            assert again["capabilities"]["tools"] == {"listChanged": True}
            listed = (await client.request("tools/list"))["result"]["tools"]
            assert [entry["name"] for entry in listed] == ["add", "echo"]
            assert listed[0]["inputSchema"]["required"] == ["a"]
            assert await client.text("add", a=2) == "3"
            assert await client.text("echo", text="hej") == "hej"

    run(main)


def test_what_goes_wrong_in_a_call_comes_back_as_a_tool_error(run: Any) -> None:
    @tool
    def fail() -> None:
        raise ValueError("out of tea")

    async def main() -> None:
        async with connected(create_sdk_mcp_server("s", tools=[add, fail])["instance"]) as client:
            for name, arguments, words in (
                ("add", {"a": "x"}, "Invalid arguments for add"),
                ("fail", {}, "ValueError: out of tea"),
                ("sub", {}, "no tool 'sub' here. There are: add, fail"),
            ):
                result = await client.call(name, **arguments)
                assert result["isError"] is True
                assert words in result["content"][0]["text"]
            assert await client.text("add", a=1, b=1) == "2"

    run(main)


def test_every_kind_of_content_passes_through_the_server(run: Any) -> None:
    content = [
        {"type": "text", "text": "t"},
        {"type": "image", "data": "aGk=", "mimeType": "image/png"},
        {"type": "audio", "data": "aGk=", "mimeType": "audio/wav"},
        {"type": "resource", "resource": {"uri": "mem://t", "text": "t"}},
        {"type": "resource", "resource": {"uri": "mem://b", "blob": "aGk=", "mimeType": "application/pdf"}},
        {"type": "resource_link", "uri": "https://example.org/", "name": "x"},
    ]
    everything = tool(name="everything")(lambda: {"content": content, "structuredContent": {"n": None}})

    async def main() -> None:
        async with connected(create_sdk_mcp_server("s", tools=[everything])["instance"]) as client:
            result = await client.call("everything")
            assert result["content"] == content
            assert result["structuredContent"] == {"n": None}

    run(main)


def test_calls_run_side_by_side(run: Any) -> None:
    async def main() -> None:
        gate = Gate()
        answers: list[str] = []
        async with (
            connected(create_sdk_mcp_server("s", tools=[gate.tool, add])["instance"]) as client,
            anyio.create_task_group() as tasks,
        ):

            async def wait() -> None:
                answers.append(await client.text("wait"))

            tasks.start_soon(wait)
            await gate.entered.wait()
            answers.append(await client.text("add", a=1))
            gate.opened.set()
        assert answers == ["2", "through"]

    run(main)


def test_an_id_in_use_is_refused_and_its_first_request_goes_on(run: Any) -> None:
    async def main() -> None:
        gate = Gate()
        request = {"jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": {"name": "wait", "arguments": {}}}
        async with (
            connected(create_sdk_mcp_server("s", tools=[gate.tool])["instance"]) as client,
            anyio.create_task_group() as tasks,
        ):

            async def first() -> None:
                answer = await client.bridge.handle(request)
                assert answer["result"]["content"][0]["text"] == "through"

            tasks.start_soon(first)
            await gate.entered.wait()
            refused = await client.bridge.handle(request)
            assert refused["id"] == "x"
            assert "still open" in refused["error"]["message"]
            gate.opened.set()

    run(main)


def test_a_withdrawn_request_is_cancelled_in_its_tool_and_answered(run: Any) -> None:
    async def main() -> None:
        gate = Gate()
        async with connected(create_sdk_mcp_server("s", tools=[gate.tool, add])["instance"]) as client:
            async with anyio.create_task_group() as tasks:

                async def first() -> None:
                    answer = await client.request("tools/call", name="wait", arguments={})
                    assert "cancelled" in answer["error"]["message"]

                tasks.start_soon(first)
                await gate.entered.wait()
                assert await client.notify("notifications/cancelled", requestId=1) == RECEIPT
                await gate.cancelled.wait()
            assert await client.notify("notifications/cancelled", requestId=1) == RECEIPT
            assert await client.text("add", a=1) == "2"

    run(main)


def test_cancelling_the_one_who_waits_cancels_the_tool(run: Any) -> None:
    async def main() -> None:
        gate = Gate()
        async with connected(create_sdk_mcp_server("s", tools=[gate.tool, add])["instance"]) as client:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call, "wait")
                await gate.entered.wait()
                tasks.cancel_scope.cancel()
            await gate.cancelled.wait()
            assert await client.text("add", a=1) == "2"

    run(main)


def test_closing_answers_open_requests_and_ends_their_tools(run: Any) -> None:
    async def main() -> None:
        gate = Gate()
        answers: list[Json] = []
        async with anyio.create_task_group() as tasks:
            bridge = ServerBridge(create_sdk_mcp_server("s", tools=[gate.tool])["instance"])
            await bridge.start(tasks)
            client = Client(bridge)
            await client.initialize()

            async def wait() -> None:
                answers.append(await client.request("tools/call", name="wait", arguments={}))

            tasks.start_soon(wait)
            await gate.entered.wait()
            await bridge.aclose()
            await gate.cancelled.wait()
            await bridge.aclose()
        assert "error" in answers[0]
        assert "not running" in (await client.request("tools/list"))["error"]["message"]

    run(main)


def test_a_server_that_does_not_end_is_cancelled(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge_module, "GRACE", 0.05)

    class Stubborn:
        name = "stubborn"

        def create_initialization_options(self) -> None: ...

        async def run(self, incoming: Any, outgoing: Any, options: None) -> None:
            await anyio.sleep_forever()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            bridge = ServerBridge(Stubborn())
            await bridge.start(tasks)
            answers: list[Json] = []

            async def initialize() -> None:
                answers.append(await bridge.handle(INITIALIZE))

            tasks.start_soon(initialize)
            await anyio.wait_all_tasks_blocked()
            await bridge.aclose()
        assert answers[0]["error"]["message"] == "The request was cancelled."

    run(main)


class Mortal:
    """A server that dies on `die`, and answers everything else with what it is asked."""

    name = "mortal"

    def __init__(self) -> None:
        self.lives = 0

    def create_initialization_options(self) -> None: ...

    async def run(self, incoming: Any, outgoing: Any, options: None) -> None:
        from mcp.shared.message import SessionMessage
        from mcp.types import JSONRPCMessage
        from pydantic import TypeAdapter

        adapter = TypeAdapter(JSONRPCMessage)
        self.lives += 1
        async for item in incoming:
            message = adapter.dump_python(item.message, mode="json", exclude_none=True)
            if message["method"] == "die":
                raise RuntimeError("a broken heart")
            if "id" in message:
                reply = {"jsonrpc": "2.0", "id": message["id"], "result": {"asked": message["method"]}}
                await outgoing.send(SessionMessage(adapter.validate_python(reply)))


def test_a_dead_server_answers_with_the_reason_and_lives_again_after_initialize(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        server = Mortal()
        async with connected(server) as client:
            died = await client.request("die")
            assert "RuntimeError: a broken heart" in died["error"]["message"]
            assert "not running" in (await client.request("tools/list"))["error"]["message"]
            assert "result" in await client.initialize()
            assert (await client.request("tools/list"))["result"] == {"asked": "tools/list"}
            assert server.lives == 2
        assert "a broken heart" in caplog.text

    run(main)


@pytest.mark.parametrize(
    "message", [{}, {"id": 1}, {"id": 1, "method": 5}, [], {"id": 1, "result": {}}, {"id": {}, "method": "ping"}]
)
def test_what_is_no_request_is_answered_with_an_error(run: Any, message: Any) -> None:
    async def main() -> None:
        async with connected(create_sdk_mcp_server("s")["instance"]) as client:
            assert (await client.bridge.handle(message))["error"]["code"] == -32600

    run(main)


def test_a_request_of_the_wrong_shape_does_not_harm_the_server(run: Any) -> None:
    async def main() -> None:
        async with connected(create_sdk_mcp_server("s", tools=[add])["instance"]) as client:
            for params in (["list"], "words", {"requestId": {}}, {}):
                for method in ("notifications/cancelled", "notifications/progress", "no/such/notification"):
                    assert await client.bridge.handle({"method": method, "params": params}) == RECEIPT
            bad = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": "words"}
            assert "error" in await client.bridge.handle(bad)
            assert "error" in await client.request("tools/call", arguments={})
            assert "error" in await client.request("no/such/method")
            assert await client.text("add", a=1) == "2"

    run(main)


def test_a_servers_own_requests_are_refused_except_ping_and_its_notifications_passed_on(run: Any) -> None:
    from mcp.shared.message import SessionMessage
    from mcp.types import JSONRPCMessage
    from pydantic import TypeAdapter

    adapter = TypeAdapter(JSONRPCMessage)
    answers: list[Json] = []
    told: list[Json] = []

    class Asking(Mortal):
        async def run(self, incoming: Any, outgoing: Any, options: None) -> None:
            for key, method in ((1, "ping"), (2, "roots/list"), (None, "notifications/message")):
                message = {"jsonrpc": "2.0", "method": method, **({"id": key} if key else {})}
                await outgoing.send(SessionMessage(adapter.validate_python(message)))
            async for item in incoming:
                message = adapter.dump_python(item.message, mode="json", exclude_none=True)
                if "method" not in message:
                    answers.append(message)
                elif "id" in message:
                    reply = {"jsonrpc": "2.0", "id": message["id"], "result": {}}
                    await outgoing.send(SessionMessage(adapter.validate_python(reply)))

    async def main() -> None:
        async with connected(Asking(), told.append) as client:
            await client.request("tools/list")
        ping, roots = sorted(answers, key=lambda answer: answer["id"])
        assert ping["result"] == {}
        assert roots["error"]["code"] == -32601
        assert [message["method"] for message in told] == ["notifications/message"]

    run(main)


def test_tools_come_and_go_on_a_running_server_from_any_thread(run: Any) -> None:
    @tool
    def late() -> str:
        return "late"

    async def main() -> None:
        config = create_sdk_mcp_server("s", tools=[add])
        tools = tool_server(config)
        told = anyio.Event()
        messages: list[Json] = []

        def notify(message: Json) -> None:
            messages.append(message)
            told.set()

        async with connected(config["instance"], notify) as client:
            await anyio.wait_all_tasks_blocked()
            thread = threading.Thread(target=tools.add, args=(late,))
            thread.start()
            await told.wait()
            thread.join(5)
            assert messages == [{"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}]
            assert await client.tools() == ["add", "late"]
            assert await client.text("late") == "late"
            tools.add(lambda_named_add)
            assert await client.text("add") == "replaced"
            tools.remove("add")
            assert await client.tools() == ["late"]
            with pytest.raises(KeyError):
                tools.remove("add")
        assert tools.on_change == []

    run(main)


lambda_named_add = tool(name="add")(lambda: "replaced")


def test_one_server_serves_several_sessions_at_once(run: Any) -> None:
    async def main() -> None:
        instance = create_sdk_mcp_server("s", tools=[add])["instance"]
        async with connected(instance) as one, connected(instance) as two:
            assert await one.text("add", a=1) == "2"
            assert await two.text("add", a=2) == "3"
        async with connected(instance) as three:
            assert await three.text("add", a=3) == "4"

    run(main)


def test_resources_are_listed_and_read(run: Any) -> None:
    @create_resource("mem://settings")
    def settings() -> Json:
        """What is set."""
        return {"depth": 3}

    @create_resource("mem://note", "a note", "Words.", "text/markdown")
    async def note() -> str:
        return "# Note"

    picture = create_resource("mem://picture", mime_type="image/png")(lambda: b"\x89PNG")
    parts = create_resource("mem://parts")(lambda: {"contents": [{"text": "1"}, {"uri": "mem://parts/2", "text": "2"}]})

    async def main() -> None:
        server = create_sdk_mcp_server("s", resources=[settings, note, picture, parts])
        async with connected(server["instance"]) as client:
            listed = (await client.request("resources/list"))["result"]["resources"]
            assert listed[0] == {"uri": "mem://settings", "name": "settings", "description": "What is set."}
            assert listed[1]["mimeType"] == "text/markdown"

            async def read(uri: str) -> list[Json]:
                return list((await client.request("resources/read", uri=uri))["result"]["contents"])

            json_text = {"uri": "mem://settings", "text": '{"depth":3}', "mimeType": "application/json"}
            assert await read("mem://settings") == [json_text]
            assert await read("mem://note") == [{"uri": "mem://note", "text": "# Note", "mimeType": "text/markdown"}]
            blob = {"uri": "mem://picture", "blob": base64.b64encode(b"\x89PNG").decode(), "mimeType": "image/png"}
            assert await read("mem://picture") == [blob]
            assert [entry["uri"] for entry in await read("mem://parts")] == ["mem://parts", "mem://parts/2"]
            assert "error" in await client.request("resources/read", uri="mem://nothing")

    run(main)


def test_prompts_are_listed_and_rendered(run: Any) -> None:
    @create_prompt("greet", arguments=["who", {"name": "how", "description": "manner"}])
    def greet(args: dict[str, str]) -> str:
        """Greet somebody."""
        return f"Greet {args['who']} {args.get('how', 'warmly')}."

    async def main() -> None:
        turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": {"type": "text", "text": "Yes?"}}]
        talk = create_prompt("talk", "Start a talk.")(lambda args: turns)
        async with connected(create_sdk_mcp_server("s", prompts=[greet, talk])["instance"]) as client:
            listed = (await client.request("prompts/list"))["result"]["prompts"]
            assert listed[0]["description"] == "Greet somebody."
            assert listed[0]["arguments"][0] == {"name": "who", "required": True}
            got = (await client.request("prompts/get", name="greet", arguments={"who": "Ada"}))["result"]
            words = {"role": "user", "content": {"type": "text", "text": "Greet Ada warmly."}}
            assert got == {"description": "Greet somebody.", "messages": [words]}
            got = (await client.request("prompts/get", name="talk"))["result"]
            assert [m["content"]["text"] for m in got["messages"]] == ["Hi", "Yes?"]
            assert "error" in await client.request("prompts/get", name="greet")
            assert "error" in await client.request("prompts/get", name="nobody")

    run(main)


def test_only_what_a_server_has_is_offered(run: Any) -> None:
    async def main() -> None:
        async with connected(create_sdk_mcp_server("s", tools=[add])["instance"]) as client:
            capabilities = (await client.bridge.handle(INITIALIZE))["result"]["capabilities"]
            assert "resources" not in capabilities
            assert "prompts" not in capabilities

    run(main)


def make_high_level() -> Any:
    """FastMCP of mcp 1.x, which 2.x calls MCPServer."""
    try:
        from mcp.server import MCPServer
    except ImportError:
        from mcp.server.fastmcp import FastMCP as MCPServer  # type: ignore[no-redef]
    return MCPServer("theirs")


def test_a_high_level_server_of_the_users_own_works_as_it_is(run: Any) -> None:
    async def main() -> None:
        server = make_high_level()

        @server.tool()  # type: ignore[untyped-decorator]
        def shout(word: str) -> str:
            return word.upper()

        async with connected(server) as client:
            assert await client.tools() == ["shout"]
            assert (await client.call("shout", word="hej"))["content"][0]["text"] == "HEJ"
            assert (await client.call("shout"))["isError"] is True

    run(main)


def test_a_users_server_survives_a_call_that_ends_after_it_was_withdrawn(run: Any) -> None:
    entered, opened = threading.Event(), threading.Event()

    def work() -> str:
        entered.set()
        assert opened.wait(10)
        return "done anyway"

    async def main() -> None:
        server = make_high_level()
        ended = anyio.Event()

        @server.tool()  # type: ignore[untyped-decorator]
        async def slow() -> str:
            try:
                return await anyio.to_thread.run_sync(work)
            finally:
                ended.set()

        async with connected(server) as client:
            async with anyio.create_task_group() as tasks:

                async def call() -> None:
                    answer = await client.request("tools/call", name="slow", arguments={})
                    assert "cancelled" in answer["error"]["message"]

                tasks.start_soon(call)
                assert await anyio.to_thread.run_sync(entered.wait, 10)
                await client.notify("notifications/cancelled", requestId=1)
            opened.set()
            await ended.wait()
            await anyio.wait_all_tasks_blocked()
            assert await client.tools() == ["slow"]

    run(main)


JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers(-5, 5) | strategies.text(max_size=3),
    lambda inner: strategies.lists(inner, max_size=2) | strategies.dictionaries(strategies.text(max_size=3), inner),
    max_leaves=5,
)
METHODS = ("initialize", "tools/call", "tools/list", "ping", "notifications/cancelled", "notifications/progress", "x")


@settings(deadline=None, max_examples=40)
@given(
    strategies.lists(
        strategies.fixed_dictionaries(
            {"method": strategies.sampled_from(METHODS)}, optional={"id": JSON, "params": JSON, "jsonrpc": JSON}
        ),
        max_size=8,
    )
)
def test_whatever_is_sent_is_answered(messages: list[Json]) -> None:
    async def main() -> None:
        with anyio.fail_after(20):
            async with connected(create_sdk_mcp_server("s", tools=[add])["instance"]) as client:
                for message in messages:
                    answer = await client.bridge.handle(message)
                    assert "result" in answer or "error" in answer
                await client.initialize()
                assert await client.text("add", a=1) == "2"

    anyio.run(main)


def test_what_is_no_server_is_refused() -> None:
    with pytest.raises(OptionsError, match="not a server"):
        ServerBridge(object())
    with pytest.raises(OptionsError, match="not made by"):
        tool_server({"type": "sdk", "name": "x", "instance": object()})


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(OptionsError, match="two entries named 'add'"):
        ToolServer("s", tools=[add, lambda_named_add])


def test_plain_functions_become_tools() -> None:
    def half(number: float) -> float:
        return number / 2

    server = ToolServer("s", tools=[half])
    assert server.tools["half"].schema["required"] == ["number"]
