"""In-process tools through the real CLI and a scripted model, on asyncio and trio."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from claude_nb.engine.query import query
from claude_nb.engine.session import Session
from claude_nb.engine.tool import create_resource, create_sdk_mcp_server, tool, tool_server
from claude_nb.protocol.message import ResultMessage
from claude_nb.protocol.options import ClaudeAgentOptions
from claude_nb.testing import ScriptedModel, Text, ToolUse

Json = dict[str, Any]
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x04\0\0\0\xb5\x1c\x0c\x02\0\0\0\x0bIDATx\xdacd\xf8\xcf\x50"
    b"\x0f\0\x03\x86\x01\x80Z4}k\0\0\0\0IEND\xaeB`\x82"
)


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Run a coroutine function on either loop, in bounded time."""

    def on_loop(main: Callable[[], Awaitable[None]]) -> None:
        async def bounded() -> None:
            with anyio.fail_after(60):
                await main()

        anyio.run(bounded, backend=request.param)

    return on_loop


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., ClaudeAgentOptions]:
    """Options of a session with the server `nb`, whose tools need no permission."""

    def make(model: ScriptedModel, server: Json) -> ClaudeAgentOptions:
        return ClaudeAgentOptions(
            cwd=tmp_path,
            env=model.env(tmp_path),
            setting_sources=[],
            mcp_servers={"nb": server},
            allowed_tools=["mcp__nb"],
        )

    return make


def results(model: ScriptedModel) -> dict[str, Json]:
    """The tool results that the model has been sent, by the tool's short name."""
    calls, found = {}, {}
    for request in model.requests:
        for message in request["messages"]:
            for block in message["content"] if isinstance(message["content"], list) else []:
                if block["type"] == "tool_use":
                    calls[block["id"]] = block["name"].rpartition("__")[2]
                elif block["type"] == "tool_result":
                    found[calls[block["tool_use_id"]]] = block
    return found


def words(block: Json) -> str:
    """The text of a tool result, which the CLI sends as text or as a list of blocks."""
    content = block["content"]
    return content if isinstance(content, str) else "".join(b.get("text", "") for b in content)


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def fail() -> None:
    """Fail."""
    raise ValueError("out of tea")


@tool("look", "Look at a picture", {"where": str})
async def look(args: Json) -> Json:
    return {
        "content": [{"type": "text", "text": args["where"]}, {"type": "image", "data": PNG, "mimeType": "image/png"}]
    }


def test_what_tools_return_reaches_the_model(run: Any, options: Any) -> None:
    async def main() -> None:
        with ScriptedModel() as model:
            model.reply(
                ToolUse("mcp__nb__add", {"a": 2, "b": 3}),
                ToolUse("mcp__nb__look", {"where": "here"}),
                ToolUse("mcp__nb__fail", {}),
                ToolUse("mcp__nb__add", {"a": 2}),
            )
            model.reply(Text("Seen."))
            server = create_sdk_mcp_server("nb", tools=[add, look, fail])
            messages = [m async for m in query(prompt="go", options=options(model, server))]
            assert isinstance(messages[-1], ResultMessage)
            assert messages[-1].result == "Seen."
            sent = [b for b in model.requests[-1]["messages"][-1]["content"] if b["type"] == "tool_result"]
            assert words(sent[0]) == "5"
            assert words(sent[1]).startswith("here")
            assert [b["source"]["media_type"] for b in sent[1]["content"] if b["type"] == "image"] == ["image/png"]
            assert "ValueError: out of tea" in words(sent[2])
            assert "b: missing" in words(sent[3])
            assert [bool(b.get("is_error")) for b in sent] == [False, False, True, True]

    run(main)


def test_the_model_sees_tools_at_once_only_if_asked_for(run: Any, options: Any) -> None:
    async def main() -> None:
        for always in (True, False):
            with ScriptedModel() as model:
                server = create_sdk_mcp_server("nb", tools=[add], always_load=always)
                async with Session(options(model, server)) as session:
                    await (await session.prompt("hello")).result()
                tools = [
                    t for request in model.requests for t in request.get("tools", []) if t["name"] == "mcp__nb__add"
                ]
                assert bool(tools) is always

    run(main)


def test_tools_added_to_a_running_session_can_be_used_in_the_same_turn_and_removed(run: Any, options: Any) -> None:
    async def main() -> None:
        listed = anyio.Event()

        @tool
        def late() -> str:
            """Come late."""
            return "better than never"

        def define(definition: Callable[[], Json] = late.definition) -> Json:
            listed.set()
            return definition()

        late.definition = define  # type: ignore[method-assign]

        @tool
        async def grow() -> str:
            """Add a tool."""
            tools.add(late)
            await listed.wait()
            return "grown"

        with ScriptedModel() as model:
            server = create_sdk_mcp_server("nb", tools=[add, grow])
            tools = tool_server(server)
            async with Session(options(model, server)) as session:
                model.reply(ToolUse("mcp__nb__grow", {}))
                model.reply(ToolUse("mcp__nb__add", {"a": 1, "b": 1}))
                model.reply(ToolUse("mcp__nb__late", {}))
                model.reply(Text("done"))
                await (await session.prompt("go")).result()
                assert words(results(model)["late"]) == "better than never"

                tools.remove("late")
                model.reply(ToolUse("mcp__nb__late", {}))
                model.reply(Text("done"))
                await (await session.prompt("again")).result()
                assert results(model)["late"]["is_error"] is True

    run(main)


def test_the_model_reads_resources(run: Any, options: Any) -> None:
    config = create_resource("mem://config")(lambda: {"depth": 3})

    async def main() -> None:
        with ScriptedModel() as model:
            async with Session(options(model, create_sdk_mcp_server("nb", tools=[add], resources=[config]))) as session:
                model.reply(ToolUse("ReadMcpResourceTool", {"server": "nb", "uri": "mem://config"}))
                model.reply(Text("read"))
                await (await session.prompt("go")).result()
            assert '{\\"depth\\":3}' in words(results(model)["ReadMcpResourceTool"])

    run(main)


def test_an_interrupt_cancels_the_running_tool(run: Any, options: Any) -> None:
    async def main() -> None:
        entered, cancelled = anyio.Event(), anyio.Event()

        @tool
        async def wait() -> None:
            """Wait for ever."""
            entered.set()
            try:
                await anyio.sleep_forever()
            finally:
                cancelled.set()

        with ScriptedModel() as model:
            async with Session(options(model, create_sdk_mcp_server("nb", tools=[wait, add]))) as session:
                model.reply(ToolUse("mcp__nb__wait", {}))
                ticket = await session.prompt("go")
                await entered.wait()
                await session.request("interrupt")
                await cancelled.wait()
                assert (await ticket.result()).is_error
                model.reply(ToolUse("mcp__nb__add", {"a": 1, "b": 1}))
                model.reply(Text("done"))
                await (await session.prompt("again")).result()
                assert words(results(model)["add"]) == "2"

    run(main)


def test_a_server_of_the_mcp_package_can_be_set_at_run_time_as_it_is(
    run: Callable[..., None], options: Callable[..., ClaudeAgentOptions]
) -> None:
    from mcp.server.mcpserver import MCPServer

    late = MCPServer("late")
    late.add_tool(lambda: "late indeed", name="greet", description="Greet.")

    async def main() -> None:
        with ScriptedModel() as model:
            model.reply(ToolUse("mcp__late__greet", {}))
            model.reply(Text("done"))
            base = options(model, create_sdk_mcp_server("nb"))
            async with Session(replace(base, allowed_tools=["mcp__late"])) as session:
                await session.set_mcp_servers({"late": late})
                await (await session.prompt("Greet.")).result()
            assert "late indeed" in words(results(model)["greet"])

    run(main)
