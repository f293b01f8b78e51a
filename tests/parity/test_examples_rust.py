"""The 23 example programs of the Rust SDK (v0.5), written against claude_nb and run on the real CLI.

One section per example, in their order; each test holds the example's point.
"""

import base64
import io
import json
import logging
from collections import Counter

import anyio
import pytest
from matplotlib.figure import Figure
from PIL import Image

from claude_nb import (
    AgentDefinition,
    AssistantMessage,
    BudgetExceededError,
    ClaudeSDKClient,
    CLIConnectionError,
    CLINotFoundError,
    ContentError,
    HookMatcher,
    OptionsError,
    PermissionResultAllow,
    PermissionResultDeny,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
    create_sdk_mcp_server,
    image_block,
    query,
    tool,
)
from claude_nb.testing import ApiError, Text, Thinking, ToolUse

from .program import ask, blocks, collect, first, result_of, text_of

pytestmark = pytest.mark.anyio

BOTH = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


# -- 01 hello_world ---------------------------------------------------------------------------------------------------


@BOTH
async def test_01_a_one_shot_query_writes_a_script(model, options, work):
    model.reply(Text("I will write it."), ToolUse("Write", {"file_path": f"{work}/hello.py", "content": "print('hi')"}))
    model.reply(Text("hello.py is there."))
    spoken = []
    async for message in query(
        prompt="Write a script that says hi.",
        options=options(allowed_tools=["Write"], permission_mode="acceptEdits"),
    ):
        if isinstance(message, AssistantMessage):
            spoken += [block.text for block in message.content if isinstance(block, TextBlock)]
        elif isinstance(message, ResultMessage):
            assert message.total_cost_usd > 0
            assert message.duration_ms > 0
    assert spoken == ["I will write it.", "hello.py is there."]
    assert (work / "hello.py").read_text() == "print('hi')"


# -- 02 limit_tool_use ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [{"disallowed_tools": ["Write"]}, {"tools": ["Read"]}, {}], ids=str)
async def test_02_a_tool_that_is_not_allowed_changes_nothing(model, options, work, limit):
    model.reply(ToolUse("Write", {"file_path": f"{work}/no.txt", "content": "no"}))
    model.reply(Text("I could not."))
    messages = await collect(query(prompt="Write no.txt.", options=options(allowed_tools=["Read"], **limit)))
    assert result_of(messages).result == "I could not."
    assert model.requests[1].result("Write").is_error
    assert ("Write" in model.requests[0].tools) == (limit == {})
    assert not (work / "no.txt").exists()


# -- 03 monitor_tools -------------------------------------------------------------------------------------------------


async def test_03_tool_calls_are_counted_turn_by_turn(model, options, work):
    (work / "a.txt").write_text("alpha")
    read = ToolUse("Read", {"file_path": f"{work}/a.txt"})
    model.reply(read, ToolUse("Glob", {"pattern": "*.txt"}))
    model.reply(read)
    model.reply(Text("done"))
    turns, failed = [], 0
    async for message in query(prompt="Look around.", options=options(allowed_tools=["Read", "Glob"])):
        if isinstance(message, AssistantMessage):
            calls = [block.name for block in message.content if isinstance(block, ToolUseBlock)]
            if turns and turns[-1][0] == message.message_id:  # the CLI sends a message per block
                turns[-1][1].update(calls)
            else:
                turns.append((message.message_id, Counter(calls)))
        elif isinstance(message, UserMessage):
            failed += sum(bool(block.is_error) for block in message.content if isinstance(block, ToolResultBlock))
    assert [dict(calls) for _, calls in turns] == [{"Read": 1, "Glob": 1}, {"Read": 1}, {}]
    assert failed == 0


# -- 04 permission_callbacks ------------------------------------------------------------------------------------------


async def test_04_a_policy_decides_and_counts(model, options, work):
    calls = Counter()

    async def policy(tool_name, tool_input, context):
        calls[tool_name] += 1
        if calls[tool_name] > 1:
            return PermissionResultDeny(message="only one of each")
        if "rm" in tool_input.get("command", ""):
            return PermissionResultDeny(message="nothing is removed here", interrupt=True)
        return PermissionResultAllow()

    async with ClaudeSDKClient(options(can_use_tool=policy)) as client:
        model.reply(ToolUse("Write", {"file_path": f"{work}/1.txt", "content": "1"}))
        model.reply(ToolUse("Write", {"file_path": f"{work}/2.txt", "content": "2"}))
        model.reply(Text("one of two"))
        assert await ask(client, "Write two files.") == "one of two"
        assert "only one of each" in model.requests[2].results[1].text

        model.reply(ToolUse("Bash", {"command": "rm 1.txt"}))
        await client.query("Remove the first.")
        last = result_of(await collect(client.receive_response()))
        assert last.terminal_reason.startswith("aborted")  # interrupt=True ends the turn
    assert sorted(path.name for path in work.iterdir()) == ["1.txt"]
    assert calls == {"Write": 2, "Bash": 1}


# -- 05 hooks_pretooluse ----------------------------------------------------------------------------------------------


async def test_05_a_hook_prints_and_blocks_shell_commands(model, options, work):
    printed = []

    async def check(input, tool_use_id, context):
        printed.append(input["tool_input"]["command"])
        if "forbidden" in printed[-1]:
            return {
                "hookSpecificOutput": {
                    "hookEventName": "PreToolUse",
                    "permissionDecision": "deny",
                    "permissionDecisionReason": "that word is not said here",
                }
            }
        return {}

    hooks = {"PreToolUse": [HookMatcher(matcher="Bash", hooks=[check])]}
    model.reply(ToolUse("Bash", {"command": "echo fine > fine"}))
    model.reply(ToolUse("Bash", {"command": "echo forbidden > no"}))
    model.reply(Text("half of it"))
    await collect(query(prompt="Run both.", options=options(hooks=hooks, allowed_tools=["Bash"])))
    assert printed == ["echo fine > fine", "echo forbidden > no"]
    assert "that word is not said here" in model.requests[2].results[1].text
    assert [path.name for path in work.iterdir()] == ["fine"]


# -- 06 bidirectional_client ------------------------------------------------------------------------------------------


@BOTH
async def test_06_a_client_keeps_the_context_between_prompts(model, options):
    async with ClaudeSDKClient(options()) as client:
        assert await ask(client, "What is the capital of France?") == "Echo: What is the capital of France?"
        assert await ask(client, "And how many people live there?") == "Echo: And how many people live there?"
    assert model.requests[-1].prompts == ["What is the capital of France?", "And how many people live there?"]


# -- 07 dynamic_control -----------------------------------------------------------------------------------------------


@BOTH
async def test_07_mode_and_model_change_and_a_turn_is_interrupted_while_it_runs(model, options, work):
    gate = model.gate()
    async with ClaudeSDKClient(options(model="claude-sonnet-4-5", include_partial_messages=True)) as client:
        assert await client.set_permission_mode("acceptEdits") == "acceptEdits"
        model.reply(ToolUse("Write", {"file_path": f"{work}/a.txt", "content": "a"}))
        model.reply(Text("written"))
        assert await ask(client, "Write a.txt.") == "written"
        assert (work / "a.txt").exists()

        resolved = await client.set_model("claude-opus-4-5")
        assert resolved.startswith("claude-opus-4-5")
        await ask(client, "Who are you?")
        assert model.requests[-1]["model"].startswith("claude-opus-4-5")

        model.reply(Text("A long story "), gate, Text("that is never told"))
        await client.query("Tell a story.")
        response = client.receive_response()
        await first(response, StreamEvent)
        receipt = await client.interrupt()
        assert receipt.still_queued == []
        ended = await first(response, ResultMessage)
        await response.aclose()
        assert ended.is_error
        assert ended.terminal_reason == "aborted_streaming"
        model.reply(Text("Still here."))
        assert await ask(client, "Still there?") == "Still here."


# -- 08 mcp_server_integration ----------------------------------------------------------------------------------------


async def test_08_math_tools_of_this_process_are_called(model, options):
    @tool("calculate", "Evaluate an operation", {"operation": str, "a": float, "b": float})
    async def calculate(args):
        if args["operation"] == "divide" and args["b"] == 0:
            return {"content": [{"type": "text", "text": "Division by zero"}], "is_error": True}
        value = {"add": args["a"] + args["b"], "divide": args["a"] / (args["b"] or 1)}[args["operation"]]
        return {"content": [{"type": "text", "text": f"{value:g}"}]}

    @tool
    def statistics(numbers: list[float]) -> dict[str, float]:
        """Mean and extremes of some numbers."""
        return {"mean": sum(numbers) / len(numbers), "min": min(numbers), "max": max(numbers)}

    server = create_sdk_mcp_server("math", version="1.0.0", tools=[calculate, statistics])
    model.reply(
        ToolUse("mcp__math__calculate", {"operation": "add", "a": 2, "b": 40}),
        ToolUse("mcp__math__calculate", {"operation": "divide", "a": 2, "b": 0}),
        ToolUse("mcp__math__statistics", {"numbers": [1, 2, 6]}),
        ToolUse("mcp__math__statistics", {"numbers": "none"}),
    )
    model.reply(Text("42"))
    names = ["mcp__math__calculate", "mcp__math__statistics"]
    messages = await collect(
        query(prompt="Calculate.", options=options(mcp_servers={"math": server}, allowed_tools=names))
    )
    assert result_of(messages).result == "42"
    added, divided, described, wrong = model.requests[1].results
    assert (added.text, added.is_error) == ("42", False)
    assert divided.text.startswith("Division by zero")
    assert divided.is_error
    assert json.loads(described.text) == {"mean": 3, "min": 1, "max": 6}
    assert wrong.is_error


# -- 09 agents --------------------------------------------------------------------------------------------------------


async def test_09_a_task_goes_to_the_agent_that_was_defined(model, options):
    agents = {
        "code-reviewer": AgentDefinition(
            description="Reviews code", prompt="You review code, kindly.", tools=["Read"], model="sonnet"
        ),
        "doc-writer": AgentDefinition(description="Writes documentation", prompt="You write docs."),
    }
    task = {"description": "review", "prompt": "Review app.py", "subagent_type": "code-reviewer"}
    model.reply(ToolUse("Agent", task))
    model.reply(Text("Two small things."), agent=True)
    model.reply(Text("The reviewer found two things."))
    async with ClaudeSDKClient(options(agents=agents, allowed_tools=["Agent"])) as client:
        assert {"code-reviewer", "doc-writer"} <= {agent["name"] for agent in client.supported_agents()}
        assert await ask(client, "Have app.py reviewed.") == "The reviewer found two things."
    reviewer = next(request for request in model.requests if request.kind == "agent")
    assert "You review code, kindly." in reviewer.system
    assert reviewer.prompt == "Review app.py"
    assert "Write" not in reviewer.tools


# -- 10 include_partial_messages --------------------------------------------------------------------------------------


async def test_10_text_and_thinking_come_as_deltas(model, options):
    model.reply(Thinking("Hm, let me see.", chunk=5), Text("one two three", chunk=4))
    text, thinking = "", ""
    async for message in query(prompt="Count.", options=options(include_partial_messages=True)):
        if isinstance(message, StreamEvent):
            delta = message.event.get("delta", {})
            text += delta.get("text", "")
            thinking += delta.get("thinking", "")
    assert (thinking, text) == ("Hm, let me see.", "one two three")


# -- 11 setting_sources -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        (None, {"of-user", "of-project"}),
        ([], set()),
        (["user"], {"of-user"}),
        (["user", "project"], {"of-user", "of-project"}),
    ],
    ids=["default", "none", "user", "user and project"],
)
async def test_11_settings_come_from_the_sources_asked_for(options, work, tmp_path, sources, found):
    for folder, name in ((tmp_path / "home" / ".claude", "of-user"), (work / ".claude", "of-project")):
        (folder / "commands").mkdir(parents=True, exist_ok=True)
        (folder / "commands" / f"{name}.md").write_text("Say who you are.")
    async with ClaudeSDKClient(options(setting_sources=sources)) as client:
        names = {command["name"] for command in client.supported_commands()}
    assert names & {"of-user", "of-project"} == found


# -- 12 stderr_callback -----------------------------------------------------------------------------------------------


async def test_12_debug_output_goes_line_by_line_to_a_callback(options):
    lines = []
    debug = options(stderr=lines.append, extra_args={"debug-to-stderr": None})
    await collect(query(prompt="Hello.", options=debug))
    assert len(lines) > 5
    assert any("[DEBUG]" in line for line in lines)
    assert not any(line.endswith("\n") for line in lines)


async def test_12_the_library_logs_what_it_does(options, caplog):
    caplog.set_level(logging.DEBUG, logger="claude_nb")
    await collect(query(prompt="Hello.", options=options()))
    said = [record for record in caplog.records if record.name.startswith("claude_nb")]
    assert any("started" in record.getMessage() for record in said)
    assert all(record.levelno == logging.DEBUG for record in said)  # a run without trouble warns of nothing
    assert "sk-ant-made-up" not in caplog.text


# -- 13 system_prompt -------------------------------------------------------------------------------------------------

PRESET = {"type": "preset", "preset": "claude_code"}


@pytest.mark.parametrize(
    ("prompt", "there", "absent"),
    [
        (None, [], ["# Harness", "pirate"]),
        ("You are a pirate.", ["pirate"], ["# Harness"]),
        (PRESET, ["# Harness"], ["pirate"]),
        ({**PRESET, "append": "Talk like a pirate."}, ["# Harness", "pirate"], []),
    ],
    ids=["none", "text", "preset", "preset and more"],
)
async def test_13_the_system_prompt_is_the_one_asked_for(model, options, prompt, there, absent):
    await collect(query(prompt="What is 2 + 2?", options=options(system_prompt=prompt)))
    system = model.requests[0].system
    assert [word for word in (*there, *absent) if word in system] == there


# -- 14 streaming_mode ------------------------------------------------------------------------------------------------


async def test_14_messages_are_handled_one_by_one_by_hand(model, options):
    kinds = []
    async with ClaudeSDKClient(options()) as client:
        await client.query("Hello.")
        async for message in client.receive_messages():
            kinds.append(type(message))
            if isinstance(message, ResultMessage):
                break
    assert kinds == [SystemMessage, AssistantMessage, ResultMessage]


async def test_14_prompts_are_sent_while_answers_are_read(options):
    heard, answers = anyio.create_memory_object_stream[str](3)

    async def read(client):
        async for message in client.receive_messages():
            if isinstance(message, ResultMessage):
                await heard.send(message.result)

    async with ClaudeSDKClient(options()) as client, heard, answers:
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read, client)
                for text in ("one", "two", "three"):
                    await client.query(text)
                    assert await answers.receive() == f"Echo: {text}"
                tasks.cancel_scope.cancel()


async def test_14_bash_calls_and_their_results_are_seen_as_blocks(model, options):
    model.reply(ToolUse("Bash", {"command": "echo from the shell"}))
    model.reply(Text("It said so."))
    messages = await collect(query(prompt="Run it.", options=options(allowed_tools=["Bash"])))
    (call,) = blocks(messages, ToolUseBlock)
    (result,) = (
        block
        for message in messages
        if isinstance(message, UserMessage)
        for block in message.content
        if isinstance(block, ToolResultBlock)
    )
    assert (call.name, call.input["command"]) == ("Bash", "echo from the shell")
    assert result.tool_use_id == call.id
    assert "from the shell" in result.content


async def test_14_the_cli_tells_about_itself(options):
    async with ClaudeSDKClient(options()) as client:
        info = await client.get_server_info()
        assert info["claude_code_version"]
        assert info["output_style"]
        assert client.account_info() is not None
        assert {"commands", "models", "agents"} <= info.keys()
        assert (await client.get_context_usage())["maxTokens"] > 0


async def test_14_errors_say_what_is_wrong(options, tmp_path):
    client = ClaudeSDKClient(options())
    with pytest.raises(CLIConnectionError, match="Not connected"):
        await client.query("too early")
    with pytest.raises(CLINotFoundError, match="pip install"):
        await ClaudeSDKClient(options(cli_path=tmp_path / "nowhere")).connect()


# -- 15 hooks_comprehensive -------------------------------------------------------------------------------------------


async def test_15_hooks_add_context_to_prompts_and_review_results(model, options):
    async def context(input, tool_use_id, context):
        assert input["prompt"] == "What is my colour?"
        return {
            "hookSpecificOutput": {"hookEventName": "UserPromptSubmit", "additionalContext": "It is hooloovoo blue."}
        }

    async def review(input, tool_use_id, context):
        assert "error" in json.dumps(input["tool_response"])
        return {
            "systemMessage": "The command failed.",
            "hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": "Try another command."},
        }

    hooks = {
        "UserPromptSubmit": [HookMatcher(hooks=[context])],
        "PostToolUse": [HookMatcher(matcher="Bash", hooks=[review])],
    }
    model.reply(ToolUse("Bash", {"command": "echo error"}))
    model.reply(Text("blue"))
    await collect(query(prompt="What is my colour?", options=options(hooks=hooks, allowed_tools=["Bash"])))
    assert "hooloovoo blue" in json.dumps(model.requests[0]["messages"])
    assert "Try another command." in json.dumps(model.requests[1]["messages"])


async def test_15_a_hook_allows_one_call_and_denies_another(model, options, work):
    async def decide(input, tool_use_id, context):
        decision = "deny" if input["tool_input"]["file_path"].endswith(".key") else "allow"
        return {
            "reason": "decided by the name",
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": decision,
                "permissionDecisionReason": "keys are not written",
            },
        }

    hooks = {"PreToolUse": [HookMatcher(matcher="Write", hooks=[decide])]}
    model.reply(
        ToolUse("Write", {"file_path": f"{work}/a.txt", "content": "a"}),
        ToolUse("Write", {"file_path": f"{work}/a.key", "content": "a"}),
    )
    model.reply(Text("one of them"))
    await collect(query(prompt="Write both.", options=options(hooks=hooks)))
    assert [path.name for path in work.iterdir()] == ["a.txt"]


async def test_15_a_hook_stops_the_run(model, options):
    async def stop(input, tool_use_id, context):
        return {"continue_": False, "stopReason": "Enough was seen."}

    hooks = {"PostToolUse": [HookMatcher(hooks=[stop])]}
    model.reply(ToolUse("Bash", {"command": "echo critical"}))
    messages = await collect(query(prompt="Run it.", options=options(hooks=hooks, allowed_tools=["Bash"])))
    assert result_of(messages).terminal_reason == "hook_stopped"
    assert len(model.requests) == 1


# -- 16 session_management --------------------------------------------------------------------------------------------


async def test_16_each_session_has_a_context_of_its_own(model, options):
    async with ClaudeSDKClient(options()) as client:
        await ask(client, "My number is 7.", session_id="math")
        await ask(client, "My language is Rust.", session_id="code")
        await ask(client, "What is my number?", session_id="math")
        assert model.requests[-1].prompts == ["My number is 7.", "What is my number?"]
        name = await client.new_session("Who am I?")
        assert result_of(await collect(client.receive_response())).result == "Echo: Who am I?"
        assert model.requests[-1].prompts == ["Who am I?"]
        ids = {client.session(each).session_id for each in ("math", "code", name)}
        assert len(ids) == 3


async def test_16_a_fork_keeps_the_history_and_leaves_the_original(model, options):
    async with ClaudeSDKClient(options()) as client:
        await ask(client, "The word is plum.")
        original = client.session_id
    async with ClaudeSDKClient(options(resume=original, fork_session=True)) as client:
        await ask(client, "Which word?")
        assert model.requests[-1].prompts == ["The word is plum.", "Which word?"]
        assert client.session_id != original


# -- 17 fallback_model ------------------------------------------------------------------------------------------------


async def test_17_another_model_answers_when_the_first_is_overloaded(model, options):
    def script(request):
        if request["model"].startswith("claude-opus"):
            return [ApiError(529, "overloaded_error", "Overloaded", retry_after=0.01)]
        return [Text(f"answered by {request['model']}")]

    model.script = script
    messages = await collect(
        query(
            prompt="Hello.",
            options=options(model="claude-opus-4-5", fallback_model="claude-haiku-4-5"),
        )
    )
    assert result_of(messages).result.startswith("answered by claude-haiku-4-5")
    assert blocks(messages, TextBlock)
    assert [m.model for m in messages if isinstance(m, AssistantMessage)][-1].startswith("claude-haiku-4-5")


# -- 18 max_budget_usd ------------------------------------------------------------------------------------------------


async def test_18_a_budget_that_is_used_up_starts_no_further_turn(options):
    async with ClaudeSDKClient(options(max_budget_usd=0.0001)) as client:
        await client.query("one")
        spent = result_of(await collect(client.receive_response()))
        assert spent.total_cost_usd > 0.0001
        await client.query("two")
        refused = result_of(await collect(client.receive_response()))
        assert refused.subtype == "error_max_budget_usd"


async def test_18_a_query_over_budget_raises_after_its_result(model, options):
    model.reply(ToolUse("Bash", {"command": "echo expensive"}), usage={"input_tokens": 1_000_000})
    model.reply(Text("never asked for"))
    results = []

    async def run():
        async for message in query(prompt="x", options=options(max_budget_usd=0.01, allowed_tools=["Bash"])):
            results.extend([message.subtype] if isinstance(message, ResultMessage) else [])

    with pytest.raises(BudgetExceededError):
        await run()
    assert results == ["error_max_budget_usd"]


# -- 19 max_thinking_tokens -------------------------------------------------------------------------------------------


async def test_19_thinking_is_limited_and_comes_as_blocks(model, options):
    model.reply(Thinking("carefully"), Text("42"))
    messages = await collect(
        query(prompt="Think.", options=options(max_thinking_tokens=4000, model="claude-sonnet-4-5"))
    )
    assert model.requests[0]["thinking"]["type"] == "enabled"
    assert model.requests[0]["thinking"]["budget_tokens"] == 4000
    assert [block.thinking for block in blocks(messages, ThinkingBlock)] == ["carefully"]


# -- 20 query_stream --------------------------------------------------------------------------------------------------


async def test_20_a_query_is_collected_or_read_as_it_comes(model, options):
    gate = model.gate()
    model.reply(Text("at once"))
    assert text_of([message async for message in query(prompt="x", options=options())]) == "at once"

    model.reply(Text("early. "), gate, Text("late."))
    seen = ""
    async for message in query(prompt="x", options=options(include_partial_messages=True)):
        if isinstance(message, StreamEvent):
            seen += message.event.get("delta", {}).get("text", "")
            if seen == "early. ":
                gate.open()  # the rest is only told once the beginning was read
    assert seen == "early. late."


# -- 21 custom_plugins ------------------------------------------------------------------------------------------------


@pytest.fixture
def plugin(tmp_path):
    """A plugin with one command and one agent."""
    folder = tmp_path / "greeter"
    for name, text in {
        ".claude-plugin/plugin.json": json.dumps({"name": "greeter", "version": "1.0.0", "description": "Greets"}),
        "commands/greet.md": "---\ndescription: Greet somebody\n---\nGreet $ARGUMENTS warmly.",
        "agents/butler.md": "---\nname: butler\ndescription: Opens doors\n---\nYou open doors.",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return {"type": "local", "path": str(folder)}


async def test_21_a_local_plugin_brings_commands_and_agents(model, options, plugin):
    async with ClaudeSDKClient(options(plugins=[plugin])) as client:
        assert "greeter:greet" in {command["name"] for command in client.supported_commands()}
        assert "greeter:butler" in {agent["name"] for agent in client.supported_agents()}
        await client.query("/greeter:greet Ada")
        messages = await collect(client.receive_response())
    init = next(message for message in messages if isinstance(message, SystemMessage) and message.subtype == "init")
    assert "greeter" in {found["name"] for found in init.data["plugins"]}
    assert "Greet Ada warmly." in json.dumps(model.requests[0]["messages"])


# -- 22 plugin_integration --------------------------------------------------------------------------------------------


async def test_22_plugins_tools_and_permissions_work_together(model, options, plugin):
    asked = []

    @tool
    def count(word: str) -> int:
        """Count the letters of a word."""
        return len(word)

    async def allow(name, input, context):
        asked.append(name)
        return PermissionResultAllow()

    together = options(
        plugins=[plugin], mcp_servers={"own": create_sdk_mcp_server("own", tools=[count])}, can_use_tool=allow
    )
    model.reply(ToolUse("mcp__own__count", {"word": "Lovelace"}))
    model.reply(Text("eight letters"))
    async with ClaudeSDKClient(together) as client:
        assert await ask(client, "/greeter:greet Lovelace") == "eight letters"
    assert asked == ["mcp__own__count"]
    assert model.requests[1].results[0].text == "8"


async def test_22_a_plugin_of_another_kind_is_refused_before_the_start(model, options):
    with pytest.raises(OptionsError, match="local"):
        await collect(query(prompt="x", options=options(plugins=[{"type": "remote", "path": "x"}])))
    assert model.requests == []


# -- 23 image_input ---------------------------------------------------------------------------------------------------


def picture(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, format="PNG")
    return buffer.getvalue()


@BOTH
async def test_23_images_go_with_the_text(model, options, work):
    (work / "green.png").write_bytes(picture("green"))
    red = base64.b64encode(picture("red")).decode()
    prompt = ["Compare.", image_block(red, media_type="image/png"), image_block(work / "green.png")]
    model.reply(Text("red and green"))
    messages = await collect(query(prompt=prompt, options=options()))
    assert result_of(messages).result == "red and green"
    assert model.requests[0].prompt.startswith("Compare.")
    assert model.requests[0].images == [picture("red"), picture("green")]


async def test_23_figures_and_pil_images_go_to_a_client(model, options):
    async with ClaudeSDKClient(options()) as client:
        assert await ask(client, ["What is this?", Figure(figsize=(1, 1)), Image.new("RGB", (4, 4))]) is not None
    assert [data[:4] for data in model.requests[0].images] == [b"\x89PNG"] * 2


async def test_23_an_image_may_be_named_by_its_address(model, options):
    await collect(query(prompt=["Look.", image_block("https://example.org/a.png")], options=options()))
    assert '"url": "https://example.org/a.png"' in json.dumps(model.requests[0]["messages"])


async def test_23_what_is_no_image_is_refused_before_anything_is_sent(model, options):
    with pytest.raises(ContentError, match="not base64"):
        await collect(query(prompt=["Look.", image_block("???", media_type="image/png")], options=options()))
    with pytest.raises(ContentError, match="nothing that can be sent"):
        await collect(query(prompt=["Look.", object()], options=options()))
    assert model.requests == []
