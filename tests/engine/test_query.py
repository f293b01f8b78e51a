"""`query()` with the real CLI and a scripted model, on asyncio and trio."""

import json
import os
import signal
import sys
import traceback
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from claude_nb import (
    AssistantMessage,
    AuthenticationError,
    ClaudeSDKError,
    CLIConnectionError,
    CLINotFoundError,
    CLIVersionError,
    HookMatcher,
    OptionsError,
    PermissionResultAllow,
    PermissionResultDeny,
    ProcessError,
    ResultError,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    TextBlock,
    query,
    user_message,
)
from claude_nb.errors import LOGIN_HINT
from claude_nb.testing import ApiError, FakeTransport, Text, Thinking, ToolUse, assert_ended_well, assert_tool_called

pytestmark = pytest.mark.anyio


async def run(prompt, options, **kwargs):
    with anyio.fail_after(60):
        return [message async for message in query(prompt=prompt, options=options, **kwargs)]


async def read(stream, hear):
    async for message in stream:
        hear(message)


def text_of(messages):
    blocks = [b for m in messages if isinstance(m, AssistantMessage) for b in m.content]
    return "".join(block.text for block in blocks if isinstance(block, TextBlock))


async def test_one_prompt_brings_init_answer_and_result(model, options):
    model.reply(Text("Good day."))
    messages = await run("Say good day.", options())
    assert isinstance(messages[0], SystemMessage)
    assert messages[0].subtype == "init"
    assert text_of(messages) == "Good day."
    last = messages[-1]
    assert isinstance(last, ResultMessage)
    assert (last.subtype, last.result, last.is_error) == ("success", "Good day.", False)
    assert last.session_id == messages[0].data["session_id"]
    assert last.total_cost_usd is not None


async def test_partial_messages_stream_in_order(model, options):
    model.reply(Text("one two three four five six", chunk=4))
    messages = await run("Count.", options(include_partial_messages=True))
    deltas = [m.event["delta"] for m in messages if isinstance(m, StreamEvent) and "delta" in m.event]
    assert "".join(d.get("text", "") for d in deltas) == "one two three four five six"


async def test_tool_calls_and_thinking_come_as_blocks(model, options, tmp_path):
    note = tmp_path / "work" / "note.txt"
    note.write_text("hello from the file")
    model.reply(Thinking("I should look."), Text("Looking."), ToolUse("Read", {"file_path": str(note)}))
    model.reply(Text("It says hello."))
    messages = await run("What does the note say?", options(allowed_tools=["Read"]))
    blocks = [b for m in messages if isinstance(m, AssistantMessage) for b in m.content]
    assert [type(b).__name__ for b in blocks] == ["ThinkingBlock", "TextBlock", "ToolUseBlock", "TextBlock"]
    assert assert_tool_called(messages, "Read").input == {"file_path": str(note)}
    assert "hello from the file" in json.dumps([m.raw for m in messages])


async def test_a_permission_callback_works_with_a_plain_text_prompt(model, options, tmp_path):
    asked = []

    async def can_use_tool(name, input, context):
        asked.append((name, context.tool_use_id, [str(r) for s in context.suggestions for r in s.rules or []]))
        return PermissionResultAllow(updated_input={**input, "content": "changed"})

    target = tmp_path / "work" / "made.txt"
    model.reply(ToolUse("Write", {"file_path": str(target), "content": "asked for"}))
    model.reply(Text("Written."))
    messages = await run("Write it.", options(can_use_tool=can_use_tool))
    assert [name for name, *_ in asked] == ["Write"]
    assert asked[0][1]
    assert target.read_text() == "changed"
    assert messages[-1].result == "Written."


@pytest.mark.parametrize("form", ["text", "pieces", "messages", "stream"])
async def test_questions_and_plans_are_answered_whatever_the_form_of_the_prompt(model, options, form):
    async def stream():
        yield user_message("go")

    async def can_use_tool(name, input, context):
        if name == "AskUserQuestion":
            return PermissionResultAllow(updated_input={**input, "answers": {"Which colour?": "Red"}})
        assert name == "ExitPlanMode"
        return PermissionResultDeny(message="Add tests to the plan.")

    choices = [{"label": label, "description": label} for label in ("Red", "Blue")]
    question = {"question": "Which colour?", "header": "Colour", "multiSelect": False, "options": choices}
    model.reply(ToolUse("AskUserQuestion", {"questions": [question]}))
    model.reply(ToolUse("ExitPlanMode", {"plan": "Paint it."}))
    model.reply(Text("done"))
    prompt = {"text": "go", "pieces": ["go"], "messages": [user_message("go")], "stream": stream()}[form]
    await run(prompt, options(can_use_tool=can_use_tool, permission_mode="plan"))
    said = [request.results[-1].text for request in model.requests[1:]]
    assert '"Which colour?"="Red"' in said[0]
    assert said[1] == "Add tests to the plan."


async def test_hooks_run_and_may_block(model, options, tmp_path):
    heard = []

    async def guard(input, tool_use_id, context):
        heard.append((input["hook_event_name"], input["tool_name"]))
        return {
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "deny",
                "permissionDecisionReason": "not on my watch",
            }
        }

    model.reply(ToolUse("Bash", {"command": f"touch {tmp_path}/no"}))
    model.reply(Text("I was stopped."))
    hooks = {"PreToolUse": [HookMatcher(matcher="Bash", hooks=[guard], on_failure="block")]}
    messages = await run("Touch it.", options(hooks=hooks, allowed_tools=["Bash"]))
    assert heard == [("PreToolUse", "Bash")]
    assert "not on my watch" in json.dumps([m.raw for m in messages])
    assert not (tmp_path / "no").exists()


async def test_a_stream_of_prompts_is_answered_to_its_end(model, options):
    async def prompts():
        for text in ("first", "second"):
            yield {"type": "user", "message": {"role": "user", "content": text}}

    messages = await run(prompts(), options())
    results = [m for m in messages if isinstance(m, ResultMessage)]
    assert len({uuid for m in results for uuid in m.user_message_uuids}) == 2


async def test_a_stream_of_prompts_that_fails_ends_the_run_and_is_raised(options):
    async def prompts():
        raise ZeroDivisionError("the generator broke")
        yield

    with pytest.raises(ZeroDivisionError, match="the generator broke"):
        await run(prompts(), options())


async def test_structured_output_is_the_result(model, options):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    model.reply(ToolUse("StructuredOutput", {"n": 7}))
    model.reply(Text("done"))
    messages = await run("Give n.", options(output_format={"type": "json_schema", "schema": schema}))
    assert messages[-1].structured_output == {"n": 7}


LONG = "as I said, " * 20_000


@pytest.mark.parametrize(
    "prompt", [LONG, {"type": "custom", "prompt": LONG}, {"type": "preset", "preset": "claude_code", "append": LONG}]
)
async def test_a_system_prompt_may_be_longer_than_an_argument(model, options, prompt):
    await run("x", options(system_prompt=prompt))
    assert LONG.strip() in model.requests[0].system
    assert ("Claude Code" in model.requests[0].system) == ("append" in prompt)


async def test_a_schema_may_be_longer_than_an_argument(model, options):
    schema = {"type": "object", "properties": {"n": {"type": "integer", "description": LONG}}}
    model.reply(ToolUse("StructuredOutput", {"n": 1}))
    messages = await run("x", options(output_format={"type": "json_schema", "schema": schema}))
    assert messages[-1].structured_output == {"n": 1}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take longer arguments, or fail in other words")
async def test_other_arguments_that_are_too_long_are_named(options):
    settings = json.dumps({"env": {"A": LONG}})
    with pytest.raises(CLIConnectionError, match="longest is --settings with 220,") as caught:
        await run("x", options(settings=settings))
    assert LONG[:20] not in str(caught.value)
    with pytest.raises(CLIConnectionError, match="null"):
        await run("x", options(system_prompt="\0"))


async def test_leaving_early_ends_the_cli(model, options):
    gate = model.gate()
    model.reply(Text("part one "), gate, Text("part two"))
    pids = set(_children())
    with anyio.fail_after(30):
        stream = query(prompt="x", options=options(include_partial_messages=True))
        async for message in stream:
            if isinstance(message, StreamEvent):
                break
        assert set(_children()) - pids
        await stream.aclose()
    assert not set(_children()) - pids


@pytest.mark.parametrize("fields", [{"cli_path": "/no/such/claude"}, {"env": {"CLAUDE_CLI_PATH": "/no/such/claude"}}])
async def test_no_cli_says_how_to_get_one(options, fields):
    with pytest.raises(CLINotFoundError, match=r"pip install.*/no/such/claude"):
        await run("x", options(**fields))


async def test_a_missing_folder_is_named(options, tmp_path):
    with pytest.raises(CLIConnectionError, match=r"does not exist: .*nowhere"):
        await run("x", options(cwd=tmp_path / "nowhere"))


async def test_options_that_cannot_be_meant_start_nothing(options):
    with pytest.raises(OptionsError, match="must be a UUID"):
        await run("x", options(session_id="notebook"))


async def test_a_flag_the_cli_does_not_know_says_that_it_is_too_old(options):
    with pytest.raises(CLIVersionError, match="unknown option '--from-the-future'"):
        await run("x", options(extra_args={"from-the-future": None}))


async def test_a_session_that_is_not_there_is_named(options):
    with pytest.raises(ResultError, match="No conversation found"):
        await run("x", options(resume="0b4c2e1e-7a52-4d07-9a53-000000000000"))


async def test_an_api_error_comes_as_a_result_and_is_raised_after_it(model, options):
    model.reply(ApiError(400, "invalid_request_error", "too blue"))
    seen = []
    with anyio.fail_after(60), pytest.raises(ResultError, match="too blue") as caught:
        await read(query(prompt="x", options=options()), seen.append)
    assert isinstance(seen[-1], ResultMessage)
    assert seen[-1].is_error
    assert caught.value.api_error_status == 400
    assert caught.value.exit_code == 1


async def test_no_credentials_say_how_to_log_in(options):
    with pytest.raises(AuthenticationError) as caught:
        await run("x", options(env={"ANTHROPIC_API_KEY": ""}))
    assert LOGIN_HINT in str(caught.value)


async def test_the_turn_limit_is_an_error_with_its_result(model, options):
    model.reply(ToolUse("Bash", {"command": "echo 1"}))
    model.reply(Text("never reached"))
    with pytest.raises(ResultError, match=r"raise max_turns .*\(1\)") as caught:
        await run("x", options(max_turns=1, allowed_tools=["Bash"]))
    assert caught.value.subtype == "error_max_turns"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the CLI")
@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ("echo some trouble >&2; exit 3", ProcessError, r"exit code: 3\)\n.*\nsome trouble"),
        ("kill -9 $$", ProcessError, "signal 9"),
        ("exit 0", CLIConnectionError, "closed the connection"),
    ],
)
async def test_a_cli_that_dies_at_the_start_tells_what_it_said(options, tmp_path, script, kind, words):
    cli = tmp_path / "claude"
    cli.write_text(f"#!/bin/sh\n{script}\n")
    cli.chmod(0o755)
    with pytest.raises(kind, match=words):
        await run("x", options(cli_path=cli))


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the CLI")
@pytest.mark.parametrize("words", ["", "unknown option", "Invalid API key"])
@pytest.mark.parametrize("key", ["sk-ant-api03-0123456789abcdef", "correct-horse-battery"])
async def test_a_cli_that_prints_its_key_and_dies_gives_the_key_to_nobody(options, tmp_path, words, key):
    cli = tmp_path / "claude"
    cli.write_text(f'#!/bin/sh\necho "{words} with $ANTHROPIC_API_KEY" >&2; exit 3\n')
    cli.chmod(0o755)
    with pytest.raises(ClaudeSDKError, match=r"with \[redacted: ANTHROPIC_API_KEY\]") as caught:
        await run("x", options(cli_path=cli, env={"ANTHROPIC_API_KEY": key}))
    assert key not in repr(vars(caught.value)) + "".join(traceback.format_exception(caught.value))


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the CLI")
async def test_a_cli_that_prints_a_whole_bundle_and_dies_is_quoted_in_part(options, tmp_path):
    cli = tmp_path / "claude"
    cli.write_text("#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo TypeError: oh >&2; exit 3\n")
    cli.chmod(0o755)
    with pytest.raises(ProcessError, match=r"x…\nTypeError: oh") as caught:
        await run("x", options(cli_path=cli))
    assert len(str(caught.value)) < 3000


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the CLI")
async def test_a_cli_that_prints_its_arguments_and_dies_gives_their_secrets_to_nobody(options, tmp_path):
    cli = tmp_path / "claude"
    cli.write_text('#!/bin/sh\necho "cannot read $*" >&2; exit 3\n')
    cli.chmod(0o755)
    secrets = [f"correct-horse-battery-{number}" for number in range(4)]
    servers = {
        "a": {"type": "http", "url": "https://a.test", "headers": {"Authorization": f"Bearer {secrets[0]}"}},
        "b": {"command": "b", "env": {"PASSWORD": secrets[1]}},
    }
    settings = json.dumps({"env": {"MY_API_KEY": secrets[2]}})
    fields = {"mcp_servers": servers, "settings": settings, "extra_args": {"api-key": secrets[3]}}
    with pytest.raises(
        ProcessError, match=r"cannot read .*\[redacted: mcp_servers.a.headers.Authorization\]"
    ) as caught:
        await run("x", options(cli_path=cli, **fields))
    assert not [secret for secret in secrets if secret in repr(vars(caught.value)) + str(caught.value)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_a_cli_killed_in_mid_turn_ends_the_stream_with_its_signal(model, options):
    gate = model.gate()
    model.reply(Text("part one "), gate, Text("part two"))
    before = set(_children())

    def kill(message):
        if isinstance(message, StreamEvent):
            for pid in set(_children()) - before:
                os.kill(pid, signal.SIGKILL)

    with anyio.fail_after(30), pytest.raises(ProcessError, match="signal 9") as caught:
        await read(query(prompt="x", options=options(include_partial_messages=True)), kill)
    assert caught.value.exit_code == -9


async def test_a_transport_of_the_users_replaces_the_process():
    transport = FakeTransport()
    assert assert_ended_well(await run("hello", None, transport=transport)).result == "Echo: hello"
    assert (transport.connected, transport.input_ended, transport.closed) == (True, True, True)


class FailingTransport(FakeTransport):
    """One whose `method` raises `error`; a write, from the frame of type `when` on."""

    def __init__(self, method, error, when=""):
        super().__init__()
        self._method, self._error, self._when = method, error, when

    def _step(self, method):
        if method == self._method:
            raise self._error

    async def connect(self):
        self._step("connect")

    async def write(self, data):
        if f'"{self._when}' in data:
            self._step("write")
        await super().write(data)

    async def read_messages(self):
        async with aclosing(super().read_messages()) as frames:
            async for frame in frames:
                if frame["type"] == "result":
                    self._step("read_messages")
                yield frame

    async def end_input(self):
        self._step("end_input")


@pytest.mark.parametrize(
    ("method", "when"),
    [("connect", ""), ("write", ""), ("write", "user"), ("read_messages", ""), ("end_input", "")],
)
async def test_what_a_transport_raises_comes_out_as_it_is_or_as_the_cause(method, when, monkeypatch):
    monkeypatch.setattr("claude_nb.engine.session.LAST_WORDS", 0.1)
    for error in (ProcessError("the host died", 7), RuntimeError("boom"), OSError("gone")):
        transport = FailingTransport(method, error, when)
        with anyio.fail_after(10), pytest.raises(ClaudeSDKError) as caught:
            await run("hello", None, transport=transport)
        assert error in (caught.value, caught.value.__cause__)
        assert transport.closed


async def test_a_prompt_that_did_not_reach_the_other_end_is_no_empty_run():
    class Full(FakeTransport):
        async def write(self, data):
            if '"user"' in data:
                raise OSError("no space")
            await super().write(data)

    with pytest.raises(CLIConnectionError, match="no space"):
        await run("hello", None, transport=Full())


async def test_how_the_other_end_died_says_more_than_that_it_cannot_be_written_to():
    dead = anyio.Event()

    class Dying(FailingTransport):
        async def write(self, data):
            dead.set()
            await super().write(data)

        async def read_messages(self):
            await dead.wait()
            raise ProcessError("the host died", 7)
            yield

    with anyio.fail_after(10), pytest.raises(ProcessError, match="the host died"):
        await run("hello", None, transport=Dying("write", RuntimeError("broken pipe")))


def _children() -> list[int]:
    """Processes named like the CLI whose parent is this one."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = stat.read_text().split(" ", 1)
        except OSError:
            continue
        name, fields = rest.rsplit(")", 1)
        if "claude" in name and int(fields.split()[1]) == os.getpid() and fields.split()[0] != "Z":
            found.append(int(pid))
    return found
