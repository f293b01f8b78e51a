"""The 13 example programs of the Ruby SDK (v0.4.0), written against claude_nb and run on the real CLI.

One section per example; each test holds the example's point.
"""

import json
import pickle

import pytest

import claude_nb
from claude_nb import (
    ASSISTANT_MESSAGE_ERRORS,
    HOOK_EVENTS,
    PERMISSION_MODES,
    SDK_BETAS,
    SETTING_SOURCES,
    AssistantMessage,
    AuthenticationError,
    BudgetExceededError,
    ClaudeSDKClient,
    ClaudeSDKError,
    CLINotFoundError,
    HookMatcher,
    HookSet,
    PermissionResultAllow,
    PermissionResultDeny,
    ProcessError,
    ResultError,
    ResultMessage,
    SandboxSettings,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UserMessage,
    create_prompt,
    create_resource,
    create_sdk_mcp_server,
    query,
    tool,
    user_message,
)
from claude_nb.testing import ApiError, Text, Thinking, ToolUse

from .program import ask, blocks, collect, result_of, text_of, tools_of

pytestmark = pytest.mark.anyio

BOTH = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


# -- quick_start ------------------------------------------------------------------------------------------------------


@BOTH
async def test_quick_start_asks_one_question(model, options):
    model.reply(Text("2 + 2 is 4."))
    async for message in query(prompt="What is 2 + 2?", options=options()):
        if isinstance(message, AssistantMessage):
            assert [block.text for block in message.content if isinstance(block, TextBlock)] == ["2 + 2 is 4."]
        if isinstance(message, ResultMessage):
            assert message.total_cost_usd > 0


async def test_quick_start_sets_options(model, options):
    await collect(query(prompt="Explain Ruby.", options=options(system_prompt="Be helpful and brief.", max_turns=1)))
    assert "Be helpful and brief." in model.requests[0].system


async def test_quick_start_uses_tools(model, options, work):
    model.reply(ToolUse("Write", {"file_path": f"{work}/hello.txt", "content": "Hello, World!"}))
    model.reply(Text("done"))
    may_write = options(allowed_tools=["Read"], append_allowed_tools=["Write"], permission_mode="acceptEdits")
    messages = await collect(query(prompt="Create hello.txt.", options=may_write))
    assert tools_of(messages) == ["Write"]
    assert (work / "hello.txt").read_text() == "Hello, World!"


# -- client_example ---------------------------------------------------------------------------------------------------


@BOTH
async def test_client_example_asks_twice_in_one_session(model, options):
    client = ClaudeSDKClient(options())
    await client.connect()
    try:
        await client.query("What is the capital of France?")
        assert text_of(await collect(client.receive_response())) == "Echo: What is the capital of France?"
        await client.query("And of Italy?")
        assert text_of(await collect(client.receive_response())) == "Echo: And of Italy?"
        assert len(model.requests[-1].prompts) == 2
        assert client.server_info["commands"]
    finally:
        await client.disconnect()


# -- streaming_input_example ------------------------------------------------------------------------------------------


async def test_streaming_input_takes_a_list_of_messages(model, options):
    prompts = [user_message(text) for text in ("Hello!", "What is 2 + 2?", "Thanks.")]
    messages = await collect(query(prompt=prompts, options=options()))
    # The CLI may answer prompts that wait together in one turn: its result names them all.
    results = [message for message in messages if isinstance(message, ResultMessage)]
    assert {uuid for result in results for uuid in result.user_message_uuids} == {each["uuid"] for each in prompts}
    assert "\n".join(model.requests[-1].prompts) == "Hello!\nWhat is 2 + 2?\nThanks."


@BOTH
async def test_streaming_input_takes_a_generator(model, options):
    async def prompts():
        yield user_message("one")
        yield "two"
        yield {"type": "user", "message": {"role": "user", "content": "three"}}

    messages = await collect(query(prompt=prompts(), options=options()))
    assert result_of(messages).result.endswith("three")
    assert "\n".join(model.requests[-1].prompts) == "one\ntwo\nthree"


async def test_streaming_input_may_name_its_sessions(model, options):
    async def prompts():
        yield user_message("My pet is a cat.", session_id="a")
        yield user_message("My pet is a dog.", session_id="b")

    async with ClaudeSDKClient(options()) as client:
        await client.query(prompts())
        for _ in range(2):
            await collect(client.receive_response())
        await ask(client, "Which pet?", session_id="a")
    assert model.requests[-1].prompts == ["My pet is a cat.", "Which pet?"]


# -- mcp_calculator ---------------------------------------------------------------------------------------------------


async def test_mcp_calculator_calls_functions_of_this_process(model, options):
    log = []

    @tool("add", "Add two numbers", {"a": float, "b": float})
    async def add(args):
        log.append(args)
        return {"content": [{"type": "text", "text": f"{args['a'] + args['b']:g}"}]}

    @tool("sqrt", "Square root", {"n": float})
    async def sqrt(args):
        if args["n"] < 0:
            return {"content": [{"type": "text", "text": "n must not be negative"}], "is_error": True}
        return {"content": [{"type": "text", "text": f"{args['n'] ** 0.5:g}"}]}

    server = create_sdk_mcp_server(name="calc", tools=[add, sqrt])
    model.reply(ToolUse("mcp__calc__add", {"a": 15, "b": 27}), ToolUse("mcp__calc__sqrt", {"n": -1}))
    model.reply(Text("42"))
    allowed = ["mcp__calc__add", "mcp__calc__sqrt"]
    async with ClaudeSDKClient(options(mcp_servers={"calc": server}, allowed_tools=allowed)) as client:
        assert await ask(client, "15 + 27, and the root of -1.") == "42"
        (status,) = (await client.get_mcp_status())["mcpServers"]
    assert log == [{"a": 15, "b": 27}]
    assert [(result.text.splitlines()[0], result.is_error) for result in model.requests[1].results] == [
        ("42", False),
        ("n must not be negative", True),
    ]
    assert {each["name"] for each in status["tools"]} == {"add", "sqrt"}


# -- mcp_resources_prompts_example ------------------------------------------------------------------------------------


async def test_mcp_resources_are_read_and_prompts_are_rendered(model, options):
    @create_resource("config://app", name="Settings", mime_type="application/json")
    def settings():
        """How the application is set up."""
        return {"debug": True}

    @create_prompt("review", arguments=["code"])
    async def review(arguments):
        """Review code."""
        return f"Review this: {arguments['code']}"

    server = create_sdk_mcp_server("kit", resources=[settings], prompts=[review])
    model.reply(ToolUse("ReadMcpResourceTool", {"server": "kit", "uri": "config://app"}))
    model.reply(Text("debug is on"))
    fields = {"mcp_servers": {"kit": server}, "allowed_tools": ["ReadMcpResourceTool", "ListMcpResourcesTool"]}
    async with ClaudeSDKClient(options(**fields)) as client:
        assert await ask(client, "Is debug on?") == "debug is on"
        assert "debug" in model.requests[1].results[0].text
        # CLI 2.1.329 asks servers of the SDK for no prompts, so a program sends what its prompt renders to.
        await ask(client, await review.renderer({"code": "x = 1"}))
    assert model.requests[-1].prompt == "Review this: x = 1"


# -- hooks_example ----------------------------------------------------------------------------------------------------


async def test_hooks_example_blocks_a_pattern_and_lets_the_rest_run(model, options):
    async def check(input, tool_use_id, context):
        if input["tool_name"] == "Bash" and "foo.sh" in input["tool_input"].get("command", ""):
            return {
                "hookSpecificOutput": {
                    "hookEventName": "PreToolUse",
                    "permissionDecision": "deny",
                    "permissionDecisionReason": "Command contains invalid pattern: foo.sh",
                }
            }
        return {}

    hooks = {"PreToolUse": [HookMatcher(matcher="Bash", hooks=[check])]}
    async with ClaudeSDKClient(options(allowed_tools=["Bash"], hooks=hooks)) as client:
        model.reply(ToolUse("Bash", {"command": "./foo.sh --help"}))
        model.reply(Text("blocked"))
        await ask(client, "Run foo.sh.")
        model.reply(ToolUse("Bash", {"command": "echo 'Hello from hooks'"}))
        model.reply(Text("ran"))
        await ask(client, "Say hello.")
    assert "invalid pattern" in model.requests[1].results[0].text
    assert "Hello from hooks" in model.requests[3].results[0].text


# -- permission_callback_example --------------------------------------------------------------------------------------


async def test_permission_callback_decides_by_path_and_command(model, options, work):
    async def decide(tool_name, tool_input, context):
        if tool_name == "Write" and tool_input["file_path"].endswith(".env"):
            return PermissionResultDeny(message="Cannot write secrets")
        if tool_name == "Bash" and "curl" in tool_input["command"]:
            return PermissionResultDeny(message="Cannot reach the network")
        if tool_name == "Write":
            return PermissionResultAllow(updated_input={**tool_input, "file_path": f"{work}/safe.txt"})
        return PermissionResultAllow()

    model.reply(
        ToolUse("Write", {"file_path": f"{work}/.env", "content": "no"}),
        ToolUse("Bash", {"command": "curl example.org"}),
        ToolUse("Write", {"file_path": f"{work}/a.txt", "content": "yes"}),
    )
    model.reply(Text("done"))
    await collect(query(prompt="Try.", options=options(can_use_tool=decide)))
    assert [path.name for path in work.iterdir()] == ["safe.txt"]
    assert [result.is_error for result in model.requests[1].results] == [True, True, False]


# -- structured_output_example ----------------------------------------------------------------------------------------

PROFILE = {"name": "Ada", "age": 36, "skills": ["mathematics"]}
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "skills": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "age", "skills"],
}


async def test_structured_output_fits_its_schema(model, options):
    model.reply(ToolUse("StructuredOutput", {**PROFILE, "age": "thirty-six"}))
    model.reply(ToolUse("StructuredOutput", PROFILE))
    model.reply(Text("There it is."))
    structured = options(output_format={"type": "json_schema", "schema": SCHEMA}, max_turns=5)
    messages = await collect(query(prompt="Make up a profile.", options=structured))
    assert result_of(messages).structured_output == PROFILE
    assert [block.input for block in blocks(messages, ToolUseBlock) if block.name == "StructuredOutput"][-1] == PROFILE


# -- budget_control_example -------------------------------------------------------------------------------------------


async def test_budget_control_tells_what_was_spent_and_stops_a_client(options):
    messages = await collect(query(prompt="Explain recursion.", options=options(max_budget_usd=5.0, max_turns=3)))
    assert 0 < result_of(messages).total_cost_usd < 5
    async with ClaudeSDKClient(options(max_budget_usd=0.00001)) as client:
        await ask(client, "This turn was begun within the budget.")
        await client.query("This one is not begun.")
        with pytest.raises(BudgetExceededError, match="budget"):
            raise claude_nb.errors.error_from_result(result_of(await collect(client.receive_response())))


# -- fallback_model_example -------------------------------------------------------------------------------------------


async def test_fallback_model_answers_in_place_of_one_that_cannot(model, options):
    def script(request):
        if "sonnet" in request["model"]:
            return [ApiError(529, "overloaded_error", "Overloaded", retry_after=0.01)]
        return [Text("here instead")]

    model.script = script
    fields = {"model": "claude-sonnet-4-5", "fallback_model": "claude-haiku-4-5"}
    messages = await collect(query(prompt="Hello.", options=options(**fields)))
    used = [message.model for message in messages if isinstance(message, AssistantMessage)]
    assert used[-1].startswith("claude-haiku-4-5")
    assert result_of(messages).result == "here instead"


# -- advanced_hooks_example -------------------------------------------------------------------------------------------


async def test_advanced_hooks_rewrite_inputs_and_inject_context(model, options, work):
    hooks = HookSet()
    seen = []

    @hooks.pre_tool_use("Write")
    def into_the_sandbox(input: claude_nb.PreToolUseHookInput) -> claude_nb.HookJSONOutput:
        seen.append((input["hook_event_name"], input["cwd"], input["permission_mode"]))
        changed = {**input["tool_input"], "file_path": f"{work}/sandbox.txt"}
        return {"hookSpecificOutput": {"permissionDecision": "allow", "updatedInput": changed}}

    @hooks.post_tool_use("Write", timeout=5)
    async def tell(input: claude_nb.PostToolUseHookInput, tool_use_id, context) -> claude_nb.HookJSONOutput:
        seen.append((input["hook_event_name"], tool_use_id == input["tool_use_id"], context["signal"] is not None))
        return {"hookSpecificOutput": {"additionalContext": "It was written to the sandbox."}}

    @hooks.user_prompt_submit()
    def remind(input: claude_nb.UserPromptSubmitHookInput) -> claude_nb.HookJSONOutput:
        return {"hookSpecificOutput": {"additionalContext": f"{len(input['prompt'])} letters were typed."}}

    @hooks.stop()
    def ended(input: claude_nb.StopHookInput) -> None:
        seen.append((input["hook_event_name"], input["stop_hook_active"]))

    model.reply(ToolUse("Write", {"file_path": f"{work}/anywhere.txt", "content": "x"}))
    model.reply(Text("done"))
    await collect(query(prompt="Write it.", options=options(hooks=hooks)))
    assert [path.name for path in work.iterdir()] == ["sandbox.txt"]
    assert "9 letters were typed." in json.dumps(model.requests[0]["messages"])
    assert "It was written to the sandbox." in json.dumps(model.requests[1]["messages"])
    assert seen == [
        ("PreToolUse", str(work), "default"),
        ("PostToolUse", True, True),
        ("Stop", False),
    ]


# -- error_handling_example -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "word", "raised"),
    [
        (ApiError(401, "authentication_error", "invalid x-api-key"), "authentication_failed", AuthenticationError),
        (ApiError(400, "invalid_request_error", "prompt is odd"), "unknown", ResultError),
        (ApiError(529, "overloaded_error", "Overloaded"), "server_error", ResultError),
    ],
    ids=["key", "request", "server"],
)
async def test_error_handling_names_what_the_api_refused(model, options, error, word, raised):
    model.reply(error)
    words, results = [], []

    async def run():
        async for message in query(prompt="Hello.", options=options(env={"CLAUDE_CODE_MAX_RETRIES": "0"})):
            if isinstance(message, AssistantMessage):
                words.append(message.error)
            if isinstance(message, ResultMessage):
                results.append(message.api_error_status)

    with pytest.raises(raised) as caught:
        await run()
    assert words == [word]
    assert word in ASSISTANT_MESSAGE_ERRORS
    assert results == [error.status]
    assert caught.value.api_error_status == error.status
    assert isinstance(caught.value, ProcessError)
    assert type(pickle.loads(pickle.dumps(caught.value))) is raised


async def test_error_handling_tries_again(model, options):
    model.reply(ApiError(429, "rate_limit_error", "Slow down", retry_after=0.01))
    model.reply(Text("better"))
    assert result_of(await collect(query(prompt="Hello.", options=options()))).result == "better"


async def test_error_handling_says_where_the_cli_was_looked_for(options):
    with pytest.raises(CLINotFoundError, match=r"tried /nowhere/claude") as caught:
        await collect(query(prompt="Hello.", options=options(cli_path="/nowhere/claude")))
    assert isinstance(caught.value, ClaudeSDKError)
    assert caught.value.cli_path == "/nowhere/claude"


# -- extended_thinking_example ----------------------------------------------------------------------------------------


async def test_extended_thinking_comes_as_blocks_with_a_signature(model, options):
    model.reply(Thinking("27 times 40 is 1080."), Text("1134"))
    thinking = options(model="claude-sonnet-4-5", thinking={"type": "enabled", "budget_tokens": 2048})
    messages = await collect(query(prompt="27 * 42?", options=thinking))
    (block,) = blocks(messages, ThinkingBlock)
    assert (block.thinking, bool(block.signature)) == ("27 times 40 is 1080.", True)
    assert text_of(messages) == "1134"
    assert model.requests[0]["thinking"]["budget_tokens"] == 2048


# -- beyond the examples: what the README names -----------------------------------------------------------------------


async def test_the_rewind_loop_works_as_written(model, options, work):
    file = work / "test.rb"
    fields = {"enable_file_checkpointing": True, "permission_mode": "acceptEdits"}
    uuids = []
    async with ClaudeSDKClient(options(**fields)) as client:
        for text in ("puts 1", "puts 2"):
            model.reply(ToolUse("Write", {"file_path": str(file), "content": text}))
            model.reply(Text("written"))
            await client.query(f"Write {text}.")
            messages = await collect(client.receive_response())
            uuids += [message.uuid for message in messages if isinstance(message, UserMessage) and message.uuid]
        assert file.read_text() == "puts 2"
        await client.rewind_files(uuids[0])
    assert not file.exists()


def test_the_constants_name_what_there_is():
    assert SDK_BETAS == ("context-1m-2025-08-07",)
    assert PERMISSION_MODES[:4] == ("default", "acceptEdits", "plan", "bypassPermissions")
    assert SETTING_SOURCES == ("user", "project", "local")
    assert {"PreToolUse", "PostToolUse", "UserPromptSubmit", "Stop", "SubagentStop", "PreCompact"} <= set(HOOK_EVENTS)
    assert len(HOOK_EVENTS) == 33
    assert {"authentication_failed", "billing_error", "rate_limit"} <= set(ASSISTANT_MESSAGE_ERRORS)


async def test_betas_tools_and_sandbox_reach_the_cli(model, options):
    fields = {
        "betas": ["context-1m-2025-08-07"],
        "tools": ["Read", "Bash"],
        "sandbox": SandboxSettings(enabled=False, network={"allowLocalBinding": True}),
        "model": "claude-sonnet-4-5",
    }
    async with ClaudeSDKClient(options(**fields)) as client:
        await ask(client, "Hello.")
        effective = (await client.get_settings())["effective"]
    assert effective["sandbox"] == {"enabled": False, "network": {"allowLocalBinding": True}}
    assert set(model.requests[0].tools) == {"Read", "Bash"}
