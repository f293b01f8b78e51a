"""A CLI in memory: it asks what the test wants, and what the code under test says is kept. On asyncio and trio."""

from contextlib import asynccontextmanager

import anyio
import pytest

from claude_nb import (
    AssistantMessage,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    CLIConnectionError,
    ControlError,
    HookSet,
    PermissionResultAllow,
    PermissionResultDeny,
    TextBlock,
    ToolUseBlock,
    create_sdk_mcp_server,
    query,
    tool,
)
from claude_nb.engine.hook import deny
from claude_nb.testing import (
    FakeTransport,
    Text,
    Thinking,
    ToolUse,
    assert_ended_well,
    assert_hook_asked,
    assert_permission_asked,
    assert_prompt_sent,
    assert_tool_called,
)

pytestmark = pytest.mark.anyio


async def run(cli, prompt="hello", options=None):
    with anyio.fail_after(10):
        return [message async for message in query(prompt=prompt, options=options, transport=cli)]


@asynccontextmanager
async def talking(cli, **options):
    """A client with a prompt under way, which the test answers."""
    with anyio.fail_after(10):
        async with ClaudeSDKClient(ClaudeAgentOptions(**options), transport=cli) as client:
            await client.query("go")
            yield client


async def test_prompts_are_answered_from_the_queue_and_then_repeated():
    cli = FakeTransport()
    cli.reply(Thinking("Hm."), Text("Reading."), ToolUse("Read", {"file_path": "a"}), total_cost_usd=0.5)
    messages = await run(cli)
    blocks = [block for m in messages if isinstance(m, AssistantMessage) for block in m.content]
    assert [type(block).__name__ for block in blocks] == ["ThinkingBlock", "TextBlock", "ToolUseBlock"]
    result = assert_ended_well(messages)
    assert (result.result, result.total_cost_usd, result.session_id) == ("Reading.", 0.5, cli.session_id)
    assert assert_tool_called(messages, "Read", file_path="a") == blocks[2]
    assert cli.prompts == ["hello"]
    assert assert_ended_well(await run(FakeTransport(), ["say", "this"])).result == "Echo: say\nthis"


async def test_a_prompt_may_hold_any_line_ends():
    prompt = "a\u2028b\x85c\r\nd"
    cli = FakeTransport()
    assert [m async for m in query(prompt=prompt, transport=cli)][-1].result == f"Echo: {prompt}"


async def test_a_prompt_may_be_answered_when_the_test_likes_though_the_input_has_ended():
    cli, seen = FakeTransport(echo=False), []

    async def code_under_test():
        seen.extend(await run(cli))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(code_under_test)
        prompt = await cli.heard("user")
        assert seen == []
        cli.answer(prompt, Text("At last."))
    assert assert_ended_well(seen).result == "At last."


async def test_a_permission_is_asked_and_its_answer_kept():
    async def can_use_tool(name, input, context):
        if "rm" in input["command"]:
            return PermissionResultDeny(message="not that")
        return PermissionResultAllow(updated_input={"command": "ls -l"})

    cli = FakeTransport(echo=False)
    async with talking(cli, can_use_tool=can_use_tool):
        answer = await cli.ask_permission("Bash", {"command": "ls"})
        assert answer == {"behavior": "allow", "updatedInput": {"command": "ls -l"}}
        await cli.ask_permission("Bash", {"command": "rm x"})
    assert assert_permission_asked(cli, "Bash", command="ls") == answer
    assert assert_permission_asked(cli, "Bash", command="rm x")["message"] == "not that"
    with pytest.raises(AssertionError, match=r"no question for Write[^\n]*\n.*ls"):
        assert_permission_asked(cli, "Write")


async def test_hooks_are_called_whose_matcher_fits():
    hooks, heard = HookSet(), []

    @hooks.pre_tool_use("Bash|Write")
    def guard(input):
        heard.append("guard")
        return deny("not on my watch")

    @hooks.pre_tool_use("mcp__.*")
    def other(input):
        heard.append("other")

    @hooks.stop()
    def last(input):
        heard.append(input["stop_hook_active"])

    cli = FakeTransport(echo=False)
    async with talking(cli, hooks=hooks):
        (said,) = await cli.call_hooks("PreToolUse", tool_name="Bash", tool_input={"command": "ls"})
        assert said["hookSpecificOutput"]["permissionDecision"] == "deny"
        assert await cli.call_hooks("PreToolUse", tool_name="mcp__a__b", tool_input={}) == [{}]
        assert await cli.call_hooks("PreToolUse", tool_name="Read", tool_input={}) == []
        await cli.call_hooks("Stop", stop_hook_active=False)
    assert heard == ["guard", "other", False]
    assert assert_hook_asked(cli, "PreToolUse", tool_name="Bash") == said
    with pytest.raises(AssertionError, match="no hook with"):
        assert_hook_asked(cli, "PreToolUse", tool_name="Read")


async def test_tools_of_this_process_are_called():
    @tool
    def add(a: int, b: int) -> int:
        "Add."
        return a + b

    cli = FakeTransport(echo=False)
    async with talking(cli, mcp_servers={"calc": create_sdk_mcp_server("calc", tools=[add])}):
        for a in (1, 2):
            result = await cli.call_tool("calc", "add", {"a": a, "b": 2})
            assert result["content"] == [{"type": "text", "text": str(a + 2)}]
        with pytest.raises(ControlError, match="'other' not found"):
            await cli.call_tool("other", "add", {})


async def test_control_requests_are_answered_as_asked_and_an_interrupt_ends_the_turn():
    cli = FakeTransport(echo=False, controls={"set_model": {"model": "resolved"}})
    async with talking(cli) as client:
        assert await client.set_model("m") == "resolved"
        assert (await cli.heard("control_request", "set_model"))["request"]["model"] == "m"
        await client.set_permission_mode("plan")
        await client.interrupt()
        assert [m.is_error async for m in client.receive_response()] == [True]


async def test_a_request_may_be_left_to_the_test():
    cli, models = FakeTransport(controls={"list_models": None}), []
    async with talking(cli) as client, anyio.create_task_group() as tasks:

        async def ask():
            models.extend(await client.list_models())

        tasks.start_soon(ask)
        cli.respond(await cli.heard("control_request", "list_models"), {"models": [{"value": "opus"}]})
    assert models == [{"value": "opus"}]


async def test_questions_that_are_refused_raise_with_the_words():
    cli = FakeTransport(echo=False)
    async with talking(cli):
        with pytest.raises(ControlError, match="callback is not provided"):
            await cli.ask_permission("Bash", {})


async def test_a_cli_that_dies_in_mid_turn_ends_the_run_with_an_error():
    cli = FakeTransport(echo=False)
    cli.die()
    with pytest.raises(CLIConnectionError):
        await run(cli)


async def test_what_does_not_come_is_not_waited_for_for_ever():
    with pytest.raises(TimeoutError):
        await FakeTransport(timeout=0.01).heard("user")


async def test_assertions_say_what_there_was_instead():
    cli = FakeTransport()
    messages = [AssistantMessage([TextBlock("x"), ToolUseBlock("1", "Read", {"file_path": "a"})], "m")]
    with pytest.raises(AssertionError, match=r"no call of Read with .*'b'.*\n.*'file_path': 'a'"):
        assert_tool_called(messages, "Read", file_path="b")
    with pytest.raises(AssertionError, match="did not end well"):
        assert_ended_well(messages)
    with pytest.raises(AssertionError, match="did not end well"):
        assert_ended_well([])
    with pytest.raises(AssertionError, match=r"no prompt with 'bye'.*\nnothing"):
        assert_prompt_sent(cli, "bye")
    await run(cli, "hello you")
    assert assert_prompt_sent(cli, "hello") == "hello you"
