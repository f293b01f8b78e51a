"""`ClaudeSDKClient` with the real CLI and a scripted model, on asyncio and trio."""

import json

import anyio
import pytest

from claude_nb import (
    AssistantMessage,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    CLIConnectionError,
    ControlError,
    PermissionResultAllow,
    PermissionResultDeny,
    PermissionRuleValue,
    PermissionUpdate,
    ResultMessage,
    StreamEvent,
    create_sdk_mcp_server,
    tool,
)
from claude_nb.testing import Text, ToolUse

from .fake import FakeCLI, result

pytestmark = pytest.mark.anyio


async def answer(client):
    with anyio.fail_after(60):
        messages = [message async for message in client.receive_response()]
    return messages[-1].result


async def until(stream, wanted):
    with anyio.fail_after(60):
        async for message in stream:
            if wanted(message):
                return message
    raise AssertionError("the stream ended before")


async def test_a_conversation_goes_on_from_prompt_to_prompt(model, options):
    async with ClaudeSDKClient(options()) as client:
        await client.query("my name is Ada")
        assert await answer(client) == "Echo: my name is Ada"
        await client.query("and now?")
        assert await answer(client) == "Echo: and now?"
        assert [message["content"] for message in model.requests[-1]["messages"] if message["role"] == "assistant"]
        assert client.session_id == client.session().session_id
        info = await client.get_server_info()
        assert info["claude_code_version"]
        assert client.supported_commands()


async def test_a_prompt_given_to_connect_is_the_first(options):
    client = ClaudeSDKClient(options())
    await client.connect("hello")
    try:
        assert await answer(client) == "Echo: hello"
    finally:
        await client.disconnect()


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.query("x"),
        lambda c: c.interrupt(),
        lambda c: c.set_model("opus"),
        lambda c: c.get_server_info(),
        lambda c: anext(c.receive_response()),
    ],
)
async def test_everything_needs_connect_first(call):
    with pytest.raises(CLIConnectionError, match=r"Not connected\. Call connect\(\) first\."):
        await call(ClaudeSDKClient())


async def test_named_sessions_do_not_see_each_other(model, options):
    async with ClaudeSDKClient(options()) as client:
        await client.query("the word is apple", session_id="a")
        await client.query("the word is pear", session_id="b")
        assert [await answer(client) for _ in range(2)] == ["Echo: the word is apple", "Echo: the word is pear"]
        await client.query("which word?", session_id="a")
        assert await answer(client) == "Echo: which word?"
        seen = json.dumps(model.requests[-1]["messages"])
        assert "apple" in seen
        assert "pear" not in seen
        assert client.session("a").session_id != client.session("b").session_id


async def test_a_new_session_forgets_what_was_said(model, options):
    async with ClaudeSDKClient(options()) as client:
        await client.query("the word is apple")
        await answer(client)
        name = await client.new_session("which word?")
        assert await answer(client) == "Echo: which word?"
        assert "apple" not in json.dumps(model.requests[-1]["messages"])
        await client.query("still there?", session_id=name)
        await answer(client)
        assert "which word?" in json.dumps(model.requests[-1]["messages"])


async def test_an_interrupt_stops_the_turn_and_the_session_goes_on(model, options):
    gate = model.gate()
    model.reply(Text("part one "), gate, Text("part two"))
    async with ClaudeSDKClient(options(include_partial_messages=True)) as client:
        await client.query("talk")
        responses = client.receive_response()
        await until(responses, lambda m: isinstance(m, StreamEvent) and m.event["type"] == "content_block_delta")
        with anyio.fail_after(20):
            receipt = await client.interrupt()
        assert receipt.still_queued == []
        last = await until(responses, lambda m: isinstance(m, ResultMessage))
        assert last.terminal_reason.startswith("aborted")
        gate.open()
        await responses.aclose()
        await client.query("again")
        assert (await answer(client)).endswith("again")


async def test_control_answers_while_nobody_reads(model, options):
    async with ClaudeSDKClient(options(include_partial_messages=True)) as client:
        model.reply(Text("x" * 4000, chunk=4))
        await client.query("much")
        await client.session().idle()
        with anyio.fail_after(20):
            assert await client.set_model("sonnet") == client.session().model
            assert await client.set_permission_mode("acceptEdits") == "acceptEdits"
            assert (await client.get_mcp_status())["mcpServers"] == []
            assert (await client.get_context_usage("summary"))["totalTokens"] >= 0
            assert await client.list_models()
            await client.set_max_thinking_tokens(0)
            assert (await client.get_settings())["effective"] is not None
        assert (await answer(client)).startswith("xxxx")


async def test_rewind_says_what_would_change_and_then_does_it(model, options, tmp_path):
    target = tmp_path / "work" / "notes.txt"
    target.write_text("before\n")
    fields = {"enable_file_checkpointing": True, "allowed_tools": ["Read", "Edit"], "permission_mode": "acceptEdits"}
    async with ClaudeSDKClient(options(**fields)) as client:
        model.reply(ToolUse("Read", {"file_path": str(target)}))
        edit = {"file_path": str(target), "old_string": "before", "new_string": "after"}
        model.reply(ToolUse("Edit", edit))
        model.reply(Text("Edited."))
        ticket = await client.session().prompt("edit it")
        with anyio.fail_after(60):
            await ticket.result()
            assert target.read_text() == "after\n"
            planned = await client.rewind_files(ticket.uuid, dry_run=True)
            assert planned.files_changed == [str(target)]
            assert (planned.insertions, planned.deletions) == (1, 1)
            assert target.read_text() == "after\n"
            assert (await client.rewind_files(ticket.uuid)).can_rewind
            assert target.read_text() == "before\n"
            with pytest.raises(ControlError, match="No file checkpoint"):
                await client.rewind_files("0b4c2e1e-7a52-4d07-9a53-000000000000")


async def test_an_unknown_control_request_is_refused_with_its_code(options):
    async with ClaudeSDKClient(options()) as client:
        with anyio.fail_after(20), pytest.raises(ControlError) as caught:
            await client.request("dance")
    assert caught.value.code == "unsupported_request"


async def test_queued_prompts_can_be_cancelled(model, options):
    gate = model.gate()
    model.reply(Text("part one "), gate, Text("part two"))
    async with ClaudeSDKClient(options(include_partial_messages=True)) as client:
        await client.query("first")
        responses = client.receive_response()
        await until(responses, lambda m: isinstance(m, StreamEvent))
        waiting = await client.session().prompt("second")
        with anyio.fail_after(20):
            while not await client.cancel_queued_prompt(waiting.uuid):
                await anyio.lowlevel.checkpoint()
            gate.open()
        last = await until(responses, lambda m: isinstance(m, ResultMessage))
        await responses.aclose()
        assert last.user_message_uuids != [waiting.uuid]
        assert waiting.done


async def test_rules_given_with_a_permission_hold_for_the_session(model, options, tmp_path):
    asked = []

    async def can_use_tool(name, input, context):
        asked.append(input["command"])
        if len(asked) > 1:
            return PermissionResultDeny(message="asked twice")
        rule = PermissionRuleValue("Bash", "touch:*")
        return PermissionResultAllow(updated_permissions=[PermissionUpdate("addRules", [rule], "allow")])

    work = tmp_path / "work"
    async with ClaudeSDKClient(options(can_use_tool=can_use_tool)) as client:
        for name in ("one", "two"):
            model.reply(ToolUse("Bash", {"command": f"touch {work / name}"}))
            model.reply(Text("done"))
            await client.query(f"touch {name}")
            assert await answer(client) == "done"
    assert asked == [f"touch {work / 'one'}"]
    assert (work / "two").exists()


async def test_python_functions_are_tools(model, options):
    @tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    server = create_sdk_mcp_server("mine", tools=[add])
    fields = {"mcp_servers": {"mine": server}, "allowed_tools": ["mcp__mine__add"]}
    async with ClaudeSDKClient(options(**fields)) as client:
        model.reply(ToolUse("mcp__mine__add", {"a": 2, "b": 40}))
        await client.query("add them")
        with anyio.fail_after(60):
            messages = [m async for m in client.receive_response()]
        assert "42" in json.dumps([m.raw for m in messages])
        status = await client.get_mcp_status()
        assert [(s["name"], s["status"]) for s in status["mcpServers"]] == [("mine", "connected")]


async def test_a_session_goes_on_after_resume(model, options):
    async with ClaudeSDKClient(options()) as client:
        await client.query("the word is apple")
        await answer(client)
        session_id = client.session_id
    async with ClaudeSDKClient(options(resume=session_id)) as client:
        await client.query("which word?")
        assert await answer(client) == "Echo: which word?"
        assert "apple" in json.dumps(model.requests[-1]["messages"])
        assert client.session_id == session_id
    async with ClaudeSDKClient(options(resume=session_id, fork_session=True)) as client:
        await client.query("which word?")
        await answer(client)
        assert client.session_id != session_id


# -- with a fake CLI: orders of events that the real one cannot be made to show at will ---------------------------


def client_of(cli: FakeCLI) -> ClaudeSDKClient:
    class Client(ClaudeSDKClient):
        def _stream(self):
            return cli

    return Client(ClaudeAgentOptions())


async def test_extra_turns_are_seen_and_end_no_response():
    cli = FakeCLI(echo=False)
    async with client_of(cli) as client:
        await client.query("one")
        cli.say(result(None, result="a task reports", origin={"kind": "task-notification"}))
        cli.end_turn((await cli.heard("user"))["uuid"], result="one")
        with anyio.fail_after(5):
            assert [m.result async for m in client.receive_response()] == ["a task reports", "one"]


async def test_one_result_for_several_prompts_is_one_response():
    cli = FakeCLI(echo=False)
    async with client_of(cli) as client:
        await client.query("one")
        await client.query("two")
        await client.query("three")
        uuids = [(await cli.heard("user", count=n))["uuid"] for n in (1, 2, 3)]
        cli.end_turn(uuids[0], user_message_uuids=uuids[:2], result="one and two")
        cli.end_turn(uuids[2], result="three")
        assert [await answer(client), await answer(client)] == ["one and two", "three"]


async def test_a_response_raises_when_the_cli_is_gone():
    cli = FakeCLI(echo=False)
    async with client_of(cli) as client:
        await client.query("one")
        cli.say({"type": "assistant", "message": {"content": [{"type": "text", "text": "half"}]}})
        cli.die()
        seen = []
        with anyio.fail_after(5), pytest.raises(CLIConnectionError):
            await collect(client.receive_response(), seen)
        assert [type(m) for m in seen] == [AssistantMessage]
        with anyio.fail_after(5), pytest.raises(CLIConnectionError):
            await collect(client.receive_messages(), seen)


async def test_messages_that_were_not_read_survive_the_disconnect():
    cli = FakeCLI()
    client = client_of(cli)
    await client.connect()
    await client.query("one")
    with anyio.fail_after(5):
        await client.session().idle()
        await client.disconnect()
        assert [m async for m in client.receive_messages()][-1].result == "Echo: one"


async def test_connect_and_disconnect_may_be_called_from_different_tasks():
    client = client_of(FakeCLI())
    with anyio.fail_after(10):
        for call in (client.connect, client.disconnect):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)


async def collect(stream, into):
    async for message in stream:
        into.append(message)
