"""`ClaudeSDKClient` with the real CLI and a scripted model, on asyncio and trio."""

import contextvars
import json
from contextlib import aclosing
from uuid import uuid4

import anyio
import pytest

from claude_nb import (
    AssistantMessage,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    CLIConnectionError,
    ContentError,
    ControlError,
    PermissionResultAllow,
    PermissionResultDeny,
    PermissionRuleValue,
    PermissionUpdate,
    ResultMessage,
    StreamEvent,
    create_sdk_mcp_server,
    tool,
    user_message,
)
from claude_nb.testing import Text, ToolUse

from .fake import FakeCLI, result

pytestmark = pytest.mark.anyio


async def answer(client):
    with anyio.fail_after(60):
        messages = [message async for message in client.receive_response()]
    return messages[-1].result


async def one(message):
    yield message


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


async def test_callbacks_run_in_the_context_of_the_prompt_that_asked(model, options):
    where = contextvars.ContextVar("where", default="nowhere")
    seen = []

    async def can_use_tool(name, input, context):
        seen.append(where.get())
        return PermissionResultDeny()

    gate = model.gate()
    model.reply(gate, ToolUse("Bash", {"command": "touch file"}))
    async with ClaudeSDKClient(options(can_use_tool=can_use_tool)) as client:
        where.set("first")
        await client.query("one")
        where.set("second")
        await client.query("two")
        where.set("elsewhere")
        gate.open()
        await answer(client)
    assert seen == ["first"]


async def test_a_uuid_that_was_used_is_refused_and_the_conversation_goes_on(options):
    async with ClaudeSDKClient(options()) as client:
        message = user_message("once")
        await client.query(one(message))
        assert await answer(client) == "Echo: once"
        with pytest.raises(ContentError, match="was used"):
            await client.query(one(message))
        await client.query("again")
        assert await answer(client) == "Echo: again"


async def test_a_uuid_may_be_given_as_an_object(options):
    async with ClaudeSDKClient(options()) as client:
        await client.query(one({**user_message("once"), "uuid": uuid4()}))
        assert await answer(client) == "Echo: once"


async def test_a_prompt_given_to_connect_is_the_first(options):
    client = ClaudeSDKClient(options())
    await client.connect("hello")
    try:
        assert await answer(client) == "Echo: hello"
    finally:
        await client.disconnect()


@pytest.mark.parametrize("read", ["receive_response", "receive_messages"])
async def test_what_a_stream_of_prompts_failed_with_is_told_after_the_answers(options, read):
    async def prompts():
        yield user_message("one")
        raise ValueError("no more of them")

    heard = []

    async def hear():
        while True:
            async for message in getattr(client, read)():
                heard.append(message)  # noqa: PERF401 - kept although it ends with an error

    client = ClaudeSDKClient(options())
    await client.connect(prompts())
    try:
        with anyio.fail_after(60), pytest.raises(ValueError, match="no more of them"):
            await hear()
        assert heard[-1].result == "Echo: one"
        await client.query("two")  # the session is as it was
        assert await answer(client) == "Echo: two"
    finally:
        await client.disconnect()


async def test_a_first_prompt_that_cannot_be_sent_leaves_no_cli(options):
    client = ClaudeSDKClient(options())
    with pytest.raises(ContentError):
        await client.connect([])
    with pytest.raises(CLIConnectionError, match="Not connected"):
        await client.query("x")


async def test_responses_follow_a_stream_of_prompts_that_comes_slowly(options):
    asked = [anyio.Event() for _ in range(3)]

    async def prompts():
        for number, event in enumerate(asked):
            await event.wait()
            yield {**user_message(f"p{number}"), "session_id": "s1"}

    client = ClaudeSDKClient(options())
    await client.connect(prompts())
    try:
        for number, event in enumerate(asked):
            found = []
            with anyio.fail_after(60):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(collect, client.receive_response(), found)
                    await anyio.wait_all_tasks_blocked()
                    event.set()
            assert found[-1].result == f"Echo: p{number}"
    finally:
        await client.disconnect()


@pytest.mark.parametrize("disconnects", [True, False])
async def test_a_response_does_not_wait_for_a_stream_of_prompts_that_is_over(disconnects):
    cli, more, found = FakeCLI(echo=False), anyio.Event(), []

    async def prompts():
        await more.wait()
        for prompt in ():
            yield prompt

    client = client_of(cli)
    await client.connect(prompts())
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(collect, client.receive_response(), found)
            await anyio.wait_all_tasks_blocked()
            if disconnects:
                await client.disconnect()
            else:
                more.set()
                cli.say(result(None, result="a task reports"))
    await client.disconnect()
    assert kinds(found) == ([] if disconnects else ["a task reports"])


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


# -- whose answers they are ---------------------------------------------------------------------------------------


async def test_a_response_answers_its_own_prompt_whoever_read_the_one_before(options):
    async with ClaudeSDKClient(options()) as client:
        await client.query("first")
        async with aclosing(client.receive_messages()) as messages:
            await until(messages, lambda m: isinstance(m, ResultMessage))
        for prompt in ("second", "third"):
            await client.query(prompt)
            assert await answer(client) == f"Echo: {prompt}"


async def test_a_reader_in_the_background_does_not_shift_what_is_received_after_it(options):
    answers = {prompt: anyio.Event() for prompt in "abc"}

    async def read(client):
        async for message in client.receive_messages():
            if isinstance(message, ResultMessage):
                answers[message.result.removeprefix("Echo: ")].set()

    async with ClaudeSDKClient(options()) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read, client)
            with anyio.fail_after(60):
                for prompt, read_it in answers.items():
                    await client.query(prompt)
                    await read_it.wait()
            tasks.cancel_scope.cancel()
        for prompt in "de":
            await client.query(prompt)
            assert await answer(client) == f"Echo: {prompt}"


@pytest.mark.parametrize("at_once", [True, False])
async def test_prompts_that_the_cli_answers_in_one_turn_have_a_response_each(model, options, at_once):
    async def prompts():
        for number in (1, 2, 3):
            yield user_message(f"x{number}")

    async with ClaudeSDKClient(options()) as client:
        gate = model.gate()
        model.reply(gate, Text("Echo: x1"))
        if at_once:
            await client.query(prompts())
        else:
            for number in (1, 2, 3):
                await client.query(f"x{number}")
        gate.open()
        assert [await answer(client) for _ in range(3)] == ["Echo: x1", "Echo: x2\nx3", "Echo: x2\nx3"]
        await client.query("x4")
        assert await answer(client) == "Echo: x4"


async def test_prompts_queued_behind_an_interrupted_turn_have_a_response_each(model, options):
    async with ClaudeSDKClient(options()) as client:
        gate = model.gate()
        model.reply(Text("begun "), gate, Text("never"))
        for number in (1, 2, 3):
            await client.query(f"x{number}")
        assert await anyio.to_thread.run_sync(gate.reached.wait, 30)
        with anyio.fail_after(20):
            await client.interrupt()
        gate.open()
        first, second, third = [await answer(client) for _ in range(3)]
        assert first is None
        assert second == third
        assert second.endswith("x2\nx3")


async def test_a_response_does_not_hold_the_turns_that_were_waited_for_with_tickets(options):
    async with ClaudeSDKClient(options(include_partial_messages=True)) as client:
        for number in range(3):
            with anyio.fail_after(60):
                await (await client.session().prompt(f"by ticket {number}")).result()
        await client.query("and now")
        with anyio.fail_after(60):
            messages = [message async for message in client.receive_response()]
        assert [m.result for m in messages if isinstance(m, ResultMessage)] == ["Echo: and now"]
        assert getattr(messages[0], "subtype", None) == "init"


async def test_a_response_that_was_left_is_not_in_the_next_one(options):
    async with ClaudeSDKClient(options(include_partial_messages=True)) as client:
        await client.query("one")
        async with aclosing(client.receive_response()) as messages:
            await anext(messages)
        await client.query("two")
        with anyio.fail_after(60):
            messages = [message async for message in client.receive_response()]
        assert [m.result for m in messages if isinstance(m, ResultMessage)] == ["Echo: two"]


async def test_what_was_left_can_be_read_to_its_end(options):
    async with ClaudeSDKClient(options()) as client:
        await client.query("one")
        async with aclosing(client.receive_response()) as messages:
            await anext(messages)
        assert await answer(client) == "Echo: one"


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


async def test_one_result_for_several_prompts_is_the_answer_to_each():
    cli = FakeCLI(echo=False)
    async with client_of(cli) as client:
        uuids = await sent(client, cli, "one", "two", "three")
        cli.say(text("one and two"))
        cli.end_turn(uuids[0], user_message_uuids=uuids[:2], result="one and two")
        cli.end_turn(uuids[2], result="three")
        assert [kinds(await response(client)) for _ in range(3)] == [
            ["AssistantMessage", "one and two"],
            ["one and two"],
            ["three"],
        ]


async def test_a_prompt_that_shares_its_result_does_not_wait_for_more():
    cli = FakeCLI(echo=False)
    async with client_of(cli) as client:
        uuids = await sent(client, cli, "one", "two")
        cli.end_turn(uuids[0], user_message_uuids=uuids, result="both")
        await response(client)
        cli.say(result(None, result="a task reports", origin={"kind": "task-notification"}))
        assert kinds(await response(client)) == ["both"]
        await client.query("three")
        cli.end_turn((await cli.heard("user", count=3))["uuid"], result="three")
        assert kinds(await response(client)) == ["a task reports", "three"]


async def test_responses_that_are_read_at_the_same_time_have_their_own_turns():
    cli = FakeCLI(echo=False)
    seen = {"one": [], "two": []}
    async with client_of(cli) as client:
        uuids = await sent(client, cli, *seen)
        async with anyio.create_task_group() as tasks:
            for name in seen:
                tasks.start_soon(collect, client.receive_response(), seen[name])
                await anyio.wait_all_tasks_blocked()
            for name, uuid in zip(seen, uuids, strict=True):
                cli.say(text(name))
                cli.end_turn(uuid, result=name)
    assert {name: kinds(messages) for name, messages in seen.items()} == {
        name: ["AssistantMessage", name] for name in seen
    }


async def test_a_reader_that_pauses_keeps_its_turn_from_the_next():
    cli = FakeCLI(echo=False)
    async with client_of(cli) as client:
        uuids = await sent(client, cli, "one", "two")
        cli.say(text("one"))
        async with aclosing(client.receive_response()) as first:
            seen = [await anext(first)]
            for name, uuid in zip(("one", "two"), uuids, strict=True):
                cli.say(text(name))
                cli.end_turn(uuid, result=name)
            assert kinds(await response(client)) == ["AssistantMessage", "two"]
            with anyio.fail_after(5):
                await collect(first, seen)
        assert kinds(seen) == ["AssistantMessage", "AssistantMessage", "one"]


async def test_a_response_waits_until_a_turn_that_was_left_has_ended():
    cli = FakeCLI(echo=False)
    seen = []
    async with client_of(cli) as client:
        uuids = await sent(client, cli, "one", "two")
        cli.say(text("one"))
        async with aclosing(client.receive_response()) as first:
            await anext(first)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(collect, client.receive_response(), seen)
            cli.say(text("still one"))
            await anyio.wait_all_tasks_blocked()
            assert seen == []
            cli.end_turn(uuids[0], result="one")
            cli.say(text("two"))
            await anyio.wait_all_tasks_blocked()
            assert kinds(seen) == ["AssistantMessage"]
            cli.end_turn(uuids[1], result="two")
    assert kinds(seen) == ["AssistantMessage", "two"]


async def test_what_a_cli_said_before_it_died_is_not_in_the_response_to_another_prompt():
    cli = FakeCLI(echo=False)
    async with client_of(cli) as client:
        await sent(client, cli, "one", "two")
        cli.say(text("one"))
        async with aclosing(client.receive_response()) as first:
            await anext(first)
        cli.say(text("still one"))
        cli.die()
        seen = []
        with anyio.fail_after(5), pytest.raises(CLIConnectionError):
            await collect(client.receive_response(), seen)
        assert seen == []


async def test_a_response_raises_when_the_cli_is_gone():
    cli = FakeCLI(echo=False)
    async with client_of(cli) as client:
        await client.query("one")
        cli.say(text("half"))
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


async def sent(client, cli, *prompts):
    """The uuids of the prompts, which the CLI has got."""
    for prompt in prompts:
        await client.query(prompt)
    return [(await cli.heard("user", count=n + 1))["uuid"] for n in range(len(prompts))]


def text(content):
    return {"type": "assistant", "message": {"content": [{"type": "text", "text": content}]}}


async def response(client):
    with anyio.fail_after(5):
        return [message async for message in client.receive_response()]


def kinds(messages):
    return [m.result if isinstance(m, ResultMessage) else type(m).__name__ for m in messages]


async def collect(stream, into):
    async for message in stream:
        into.append(message)
