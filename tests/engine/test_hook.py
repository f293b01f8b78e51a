"""Hooks by decorator, alone and on the real CLI, on asyncio and trio."""

import json
import threading

import anyio
import pytest

from claude_nb import ClaudeAgentOptions, ClaudeSDKClient, HookMatcher, HookSet, Session
from claude_nb.engine.hook import add_context, allow, block, callback, deny, replace_output, stop
from claude_nb.protocol.hook import HOOK_EVENTS
from claude_nb.testing import Text, ToolUse

from .fake import FakeCLI

pytestmark = pytest.mark.anyio


async def test_every_event_has_a_decorator_of_its_name():
    hooks = HookSet()
    for event in HOOK_EVENTS:
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in event)[1:]
        getattr(hooks, name)()(lambda: None)
        assert name in dir(hooks)
    assert list(hooks) == list(HOOK_EVENTS)
    with pytest.raises(AttributeError, match="pre_tool_use"):
        hooks.before_tool_use("Bash")
    with pytest.raises(ValueError, match="no hook event 'PreTool'"):
        hooks.on("PreTool")


async def test_a_decorator_registers_a_matcher_and_leaves_the_function_as_it_is():
    hooks = HookSet()

    @hooks.pre_tool_use("Bash|Write", timeout=5, on_failure="block")
    def guard(input):
        return "untouched"

    assert guard({}) == "untouched"
    (matcher,) = hooks["PreToolUse"]
    assert isinstance(matcher, HookMatcher)
    assert (matcher.matcher, matcher.timeout, matcher.on_failure) == ("Bash|Write", 5, "block")
    assert ClaudeAgentOptions(hooks=hooks).hooks is hooks


async def test_functions_take_what_they_name_and_sync_ones_run_in_a_thread():
    seen = []

    async def one(input):
        seen.append(input["hook_event_name"])

    def two(input, tool_use_id):
        seen.append((tool_use_id, threading.current_thread() is threading.main_thread()))

    async def three(input, tool_use_id, context):
        seen.append(context)

    def none():
        return deny("always")

    with anyio.fail_after(5):
        for function in (one, two, three):
            assert await callback(function)({"hook_event_name": "Stop"}, "t", {"signal": None}) is None
        answer = await callback(none)({"hook_event_name": "PreToolUse"}, None, {"signal": None})
    assert seen == ["Stop", ("t", False), {"signal": None}]
    assert answer["hookSpecificOutput"] == {
        "hookEventName": "PreToolUse",
        "permissionDecision": "deny",
        "permissionDecisionReason": "always",
    }


async def test_a_sync_hook_that_hangs_does_not_hold_up_the_end_of_the_session():
    entered, leave, left, hooks = threading.Event(), threading.Event(), threading.Event(), HookSet()

    @hooks.stop()
    def hang():
        entered.set()
        leave.wait(15)
        left.set()

    cli = FakeCLI()
    session = Session(ClaudeAgentOptions(hooks=hooks), stream=cli)
    try:
        await session.start()
        cli.put("q", "hook_callback", callback_id="hook_0", input={})
        assert await anyio.to_thread.run_sync(entered.wait, 10)
        await session.aclose()
        assert not left.is_set()
    finally:
        leave.set()


async def test_hooks_rewrite_input_add_context_and_replace_output_on_the_real_cli(model, options, tmp_path):
    hooks = HookSet()
    target = tmp_path / "work" / "rewritten.txt"

    @hooks.pre_tool_use("Write")
    def rewrite(input):
        return allow(updated_input={**input["tool_input"], "file_path": str(target)})

    @hooks.user_prompt_submit()
    async def remember(input):
        return add_context("The user prefers short answers.")

    @hooks.post_tool_use("Bash")
    def censor(input):
        return replace_output({"stdout": "censored", "stderr": "", "interrupted": False, "isImage": False})

    model.reply(ToolUse("Write", {"file_path": str(tmp_path / "work" / "asked.txt"), "content": "x"}))
    model.reply(ToolUse("Bash", {"command": "echo secret"}))
    model.reply(Text("done"))
    async with ClaudeSDKClient(options(hooks=hooks, allowed_tools=["Bash"])) as client:
        await client.query("go")
        with anyio.fail_after(60):
            assert [m async for m in client.receive_response()][-1].result == "done"
    assert target.read_text() == "x"
    sent = json.dumps(model.requests[-1]["messages"])
    assert "The user prefers short answers." in sent
    assert "censored" in sent


async def test_a_hook_may_refuse_a_prompt_and_end_a_turn(model, options):
    hooks = HookSet()

    @hooks.user_prompt_submit()
    def refuse(input):
        return block("not today") if "forbidden" in input["prompt"] else None

    @hooks.post_tool_use("Bash")
    def enough(input):
        return stop("that is enough")

    async with ClaudeSDKClient(options(hooks=hooks, allowed_tools=["Bash"])) as client:
        with anyio.fail_after(60):
            await client.query("a forbidden thing")
            assert "not today" in [m async for m in client.receive_response()][-1].result
            model.reply(ToolUse("Bash", {"command": "echo hi"}))
            model.reply(Text("never reached"))
            await client.query("go")
            assert [m async for m in client.receive_response()][-1].terminal_reason == "hook_stopped"


async def test_a_guard_that_fails_blocks_when_it_must_hold(model, options, tmp_path):
    hooks = HookSet()

    @hooks.pre_tool_use("Bash", on_failure="block")
    def broken(input):
        raise RuntimeError("the guard fell asleep")

    model.reply(ToolUse("Bash", {"command": f"touch {tmp_path}/slipped"}))
    model.reply(Text("done"))
    async with ClaudeSDKClient(options(hooks=hooks, allowed_tools=["Bash"])) as client:
        await client.query("go")
        with anyio.fail_after(60):
            assert [m async for m in client.receive_response()][-1].result == "done"
    assert not (tmp_path / "slipped").exists()
