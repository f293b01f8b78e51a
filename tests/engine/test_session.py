"""Sessions against a fake CLI: what the pump, the ledgers of tickets and the callbacks do. On asyncio and trio."""

import asyncio
import contextvars
import logging

import anyio
import pytest

from claude_nb import (
    ClaudeAgentOptions,
    CLIConnectionError,
    CLIVersionError,
    ContentError,
    ControlError,
    ControlTimeoutError,
    HookMatcher,
    PermissionResultAllow,
    PermissionResultDeny,
    Session,
    TurnInterrupted,
    query,
    user_message,
)
from claude_nb.protocol.framing import Garbage

from .fake import FakeCLI, delta, result

pytestmark = pytest.mark.anyio


async def test_a_prompt_returns_at_once_and_its_ticket_brings_the_result():
    cli = FakeCLI()
    async with Session(stream=cli) as session:
        ticket = await session.prompt("hello")
        with anyio.fail_after(5):
            answer = await ticket.result()
        assert answer.result == "Echo: hello"
        assert ticket.done
        assert (await cli.heard("user"))["uuid"] == ticket.uuid


async def test_every_prompt_carries_a_fresh_uuid_unless_one_is_given():
    cli = FakeCLI()
    uuids = iter(["u1", "u2"])
    async with Session(stream=cli, fresh_uuid=lambda: next(uuids)) as session:
        assert [(await session.prompt("x")).uuid, (await session.prompt("x", uuid="mine")).uuid] == ["u1", "mine"]
        frame = {"type": "user", "uuid": "theirs", "message": {"role": "user", "content": "x"}}
        assert (await session.send(frame)).uuid == "theirs"


async def test_a_uuid_is_taken_once_in_a_session_and_again_if_it_never_left():
    cli = FakeCLI()
    async with Session(stream=cli) as session:
        message = user_message("x")
        with anyio.fail_after(5):
            await (await session.say(message)).result()
        with pytest.raises(ContentError, match=f"uuid {message['uuid']} was used"):
            await session.say(message)
        assert len([frame for frame in cli.sent if frame["type"] == "user"]) == 1
        cli.closed = True
        for _ in range(2):
            with pytest.raises(CLIConnectionError, match="takes no more input"):
                await session.prompt("x", uuid="u")


@pytest.mark.parametrize("message", [{}, {"message": "hi"}, {"message": {"content": "x"}}, {"message": {"role": "x"}}])
async def test_a_frame_that_would_end_the_cli_is_refused(message):
    frame = {"type": "user", **message}
    async with Session(stream=FakeCLI()) as session:
        with pytest.raises(ContentError, match="role `user`"):
            await session.send(frame)
        assert session.settled
    with pytest.raises(ContentError, match="role `user`"):
        await anext(query(prompt=frame, options=ClaudeAgentOptions(cli_path="/nowhere")))


async def test_listeners_hear_messages_in_wire_order_and_a_failing_one_stops_nothing(caplog):
    heard = []

    def listener(message):
        heard.append(type(message).__name__)
        raise RuntimeError("a face fell over")

    cli = FakeCLI(echo=False)
    async with Session(stream=cli, listener=listener) as session:
        ticket = await session.prompt("x")
        cli.say(delta("a"), {"type": "system", "subtype": "init"}, {"type": "new"}, result(ticket.uuid))
        with anyio.fail_after(5):
            await ticket.result()
    assert heard == ["StreamEvent", "SystemMessage", "UnknownMessage", "ResultMessage"]
    assert "a face fell over" in caplog.text


async def test_turns_never_shift_when_the_cli_runs_an_extra_one():
    cli = FakeCLI(echo=False)
    async with Session(stream=cli) as session:
        first = await session.prompt("one")
        cli.end_turn(first.uuid, result="one")
        second = await session.prompt("two")
        cli.say(result(None, result="a task is done", origin={"kind": "task-notification"}))
        cli.end_turn(second.uuid, result="two")
        with anyio.fail_after(5):
            assert [(await t.result()).result for t in (first, second)] == ["one", "two"]


async def test_a_prompt_taken_out_of_the_queue_ends_as_interrupted():
    cli = FakeCLI(echo=False)
    async with Session(stream=cli) as session:
        ticket = await session.prompt("x")
        cli.say({"type": "command_lifecycle", "command_uuid": ticket.uuid, "state": "cancelled"})
        with anyio.fail_after(5), pytest.raises(TurnInterrupted, match="before it ran"):
            await ticket.result()


async def test_a_control_request_gets_its_payload_whatever_is_unread():
    cli = FakeCLI()
    async with Session(stream=cli) as session, anyio.create_task_group() as tasks:

        async def answer():
            request = await cli.heard("control_request", "list_models")
            cli.say(*[delta("x")] * 500)
            cli.respond(request, {"models": [{"value": "opus"}]})

        tasks.start_soon(answer)
        with anyio.fail_after(5):
            assert await session.list_models() == [{"value": "opus"}]


async def test_a_refused_request_raises_with_the_clis_words_and_code():
    cli = FakeCLI()
    async with Session(stream=cli) as session, anyio.create_task_group() as tasks:

        async def answer():
            request = await cli.heard("control_request", "set_color")
            response = {"subtype": "error", "request_id": request["request_id"], "error": "no", "error_code": "c"}
            cli.say({"type": "control_response", "response": response})

        tasks.start_soon(answer)
        with anyio.fail_after(5), pytest.raises(ControlError, match="refused set_color: no") as caught:
            await session.request("set_color", color="red")
    assert (caught.value.subtype, caught.value.code) == ("set_color", "c")


async def test_a_request_nobody_answers_times_out_and_its_late_reply_is_dropped():
    cli = FakeCLI()
    async with Session(stream=cli) as session:
        with pytest.raises(ControlTimeoutError, match=r"get_plan within 0\.05 s"):
            await session.request("get_plan", timeout=0.05)
        cli.respond(await cli.heard("control_request", "get_plan"), {})
        ticket = await session.prompt("still here")
        with anyio.fail_after(5):
            assert (await ticket.result()).result == "Echo: still here"


async def test_nothing_can_be_said_before_start_and_after_the_end():
    session = Session(stream=FakeCLI())
    with pytest.raises(CLIConnectionError, match="Not connected"):
        await session.prompt("x")
    await session.start()
    await session.aclose()
    await session.aclose()
    with pytest.raises(CLIConnectionError, match="closed"):
        await session.prompt("x")
    assert not session.is_alive


async def test_an_open_prompt_and_request_end_with_the_cli():
    cli = FakeCLI(echo=False)
    session = Session(stream=cli)
    await session.start()
    ticket = await session.prompt("x")
    async with anyio.create_task_group() as tasks:

        async def ask():
            with pytest.raises(CLIConnectionError):
                await session.request("get_plan")

        tasks.start_soon(ask)
        await cli.heard("control_request", "get_plan")
        cli.die()
    with anyio.fail_after(5), pytest.raises(CLIConnectionError, match="can be resumed"):
        await ticket.result()
    assert isinstance(session.failure, CLIConnectionError)
    assert not session.is_alive
    await session.aclose()


async def test_a_cli_that_ends_before_it_opened_fails_the_start():
    cli = FakeCLI()
    cli.die()
    with anyio.fail_after(5), pytest.raises(CLIConnectionError):
        await Session(stream=cli).start()


async def test_a_cli_that_is_too_old_is_refused_at_the_start():
    session = Session(stream=FakeCLI(info={"claude_code_version": "1.0.9"}))
    with anyio.fail_after(5), pytest.raises(CLIVersionError, match=r"version 1\.0\.9, but this library needs 2\.0\.0"):
        await session.start()


async def test_guards_that_must_hold_need_a_cli_that_knows_them():
    async def guard(input, tool_use_id, context):
        return {}

    options = ClaudeAgentOptions(hooks={"PreToolUse": [HookMatcher(hooks=[guard], on_failure="block")]})
    with anyio.fail_after(5), pytest.raises(CLIVersionError, match="guard would not hold"):
        await Session(options, stream=FakeCLI()).start()
    info = {"hook_on_failure_supported": True, "hooks_applied": True}
    async with Session(options, stream=FakeCLI(info=info)):
        pass


async def test_a_permission_question_is_answered_by_the_callback_once():
    async def can_use_tool(name, input, context):
        assert (name, input, context.tool_use_id) == ("Bash", {"command": "ls"}, "t")
        return PermissionResultAllow(updated_input={"command": "ls -l"})

    cli = FakeCLI()
    async with Session(ClaudeAgentOptions(can_use_tool=can_use_tool), stream=cli):
        cli.put("q", "can_use_tool", tool_name="Bash", input={"command": "ls"}, tool_use_id="t")
        answer = await cli.heard("control_response")
        assert answer["response"] == {
            "subtype": "success",
            "request_id": "q",
            "response": {"behavior": "allow", "updatedInput": {"command": "ls -l"}},
        }


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
async def test_a_callback_that_raises_refuses_with_its_words(error, caplog):
    async def can_use_tool(name, input, context):
        raise error("the policy is broken")

    cli = FakeCLI()
    async with Session(ClaudeAgentOptions(can_use_tool=can_use_tool), stream=cli):
        cli.put("q", "can_use_tool", tool_name="Bash", input={})
        answer = await cli.heard("control_response")
    assert answer["response"] == {"subtype": "error", "request_id": "q", "error": "the policy is broken"}


async def await_something_cancelled(*args):
    """Wait for what somebody else has cancelled."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # trio has nothing of the kind but a cancellation that was kept
        with anyio.CancelScope() as scope:
            scope.cancel()
            try:
                await anyio.sleep_forever()
            except anyio.get_cancelled_exc_class() as error:
                kept = error
        raise kept from None
    assert task is not None
    future = task.get_loop().create_future()
    future.cancel()
    await future


@pytest.mark.parametrize(
    ("subtype", "option"),
    [
        ("can_use_tool", {"can_use_tool": await_something_cancelled}),
        ("hook_callback", {"hooks": {"Stop": [HookMatcher(hooks=[await_something_cancelled])]}}),
        ("elicitation", {"on_elicitation": await_something_cancelled}),
        ("request_user_dialog", {"on_user_dialog": await_something_cancelled}),
    ],
)
async def test_a_callback_that_awaits_something_cancelled_refuses_and_the_session_goes_on(subtype, option):
    cli = FakeCLI()
    async with Session(ClaudeAgentOptions(**option), stream=cli) as session:
        cli.put("q", subtype, tool_name="Bash", input={}, callback_id="hook_0")
        answer = await cli.heard("control_response")
        assert "was cancelled" in answer["response"]["error"]
        with anyio.fail_after(5):
            assert (await (await session.prompt("x")).result()).result == "Echo: x"


@pytest.mark.parametrize(
    ("subtype", "words"),
    [
        ("can_use_tool", "canUseTool callback is not provided"),
        ("hook_callback", "No hook callback found"),
        ("dance", "Unsupported control request subtype: dance"),
    ],
)
async def test_questions_nobody_can_answer_are_refused_as_the_protocol_says(subtype, words, caplog):
    cli = FakeCLI()
    with caplog.at_level(logging.WARNING):
        async with Session(stream=cli):
            cli.put("q", subtype)
            assert words in (await cli.heard("control_response"))["response"]["error"]
    assert not caplog.records


async def test_a_withdrawn_question_cancels_its_callback_and_is_not_answered():
    asked, cancelled = anyio.Event(), anyio.Event()
    signals = []

    async def can_use_tool(name, input, context):
        signals.append(context.signal)
        asked.set()
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    cli = FakeCLI()
    async with Session(ClaudeAgentOptions(can_use_tool=can_use_tool), stream=cli) as session:
        cli.put("q", "can_use_tool", tool_name="Bash", input={})
        with anyio.fail_after(5):
            await asked.wait()
            cli.say({"type": "control_cancel_request", "request_id": "q"})
            await cancelled.wait()
            await (await session.prompt("x")).result()
        assert signals[0].is_set()
        assert not [frame for frame in cli.sent if frame["type"] == "control_response"]


async def test_callbacks_run_side_by_side():
    both = anyio.Event()
    waiting = []

    async def can_use_tool(name, input, context):
        waiting.append(name)
        if len(waiting) == 2:
            both.set()
        await both.wait()
        return PermissionResultDeny(message=name)

    cli = FakeCLI()
    async with Session(ClaudeAgentOptions(can_use_tool=can_use_tool), stream=cli):
        cli.put("a", "can_use_tool", tool_name="A", input={})
        cli.put("b", "can_use_tool", tool_name="B", input={})
        answers = [await cli.heard("control_response", count=n) for n in (1, 2)]
    assert {a["response"]["request_id"]: a["response"]["response"]["message"] for a in answers} == {"a": "A", "b": "B"}


async def test_callbacks_see_the_context_variables_of_the_prompt():
    where = contextvars.ContextVar("where", default="nowhere")
    seen = []

    async def can_use_tool(name, input, context):
        seen.append(where.get())
        return PermissionResultDeny()

    cli = FakeCLI(echo=False)
    async with Session(ClaudeAgentOptions(can_use_tool=can_use_tool), stream=cli) as session:
        where.set("cell 7")
        await session.prompt("x")
        cli.put("q", "can_use_tool", tool_name="A", input={})
        await cli.heard("control_response")
    assert seen == ["cell 7"]


async def test_callbacks_run_in_the_context_of_the_prompt_that_is_worked_on():
    where = contextvars.ContextVar("where", default="nowhere")
    seen = []

    async def can_use_tool(name, input, context):
        seen.append(where.get())
        return PermissionResultDeny()

    cli = FakeCLI(echo=False)
    async with Session(ClaudeAgentOptions(can_use_tool=can_use_tool), stream=cli) as session:

        async def asked():
            cli.put(f"q{len(seen)}", "can_use_tool", tool_name="A", input={})
            await cli.heard("control_response", count=len(seen) + 1)

        tickets = []
        for name in ("first", "second", "third"):
            where.set(name)
            tickets.append(await session.prompt(name))
        await asked()  # nothing was told yet: the oldest
        cli.say({"type": "command_lifecycle", "command_uuid": tickets[1].uuid, "state": "started"})
        await asked()
        cli.end_turn(tickets[1].uuid)
        await asked()
        cli.end_turn(tickets[0].uuid)
        cli.end_turn(tickets[2].uuid)
        await asked()  # an extra turn: the last
    assert seen == ["first", "second", "first", "first"]


async def test_elicitations_are_declined_unless_someone_answers():
    cli = FakeCLI()
    async with Session(stream=cli):
        cli.put("q", "elicitation", message="name?")
        assert (await cli.heard("control_response"))["response"]["response"] == {"action": "decline"}

    async def answer(request):
        return {"action": "accept", "content": {"name": request["message"]}}

    cli = FakeCLI()
    async with Session(ClaudeAgentOptions(on_elicitation=answer), stream=cli):
        cli.put("q", "elicitation", message="name?")
        assert (await cli.heard("control_response"))["response"]["response"]["content"] == {"name": "name?"}


async def test_dialogs_stay_open_unless_someone_answers():
    async def answer(request):
        return None if request["dialog_kind"] == "b" else 7

    cli = FakeCLI()
    async with Session(stream=cli) as session:
        cli.put("q", "request_user_dialog", dialog_kind="a")
        with anyio.fail_after(5):
            await (await session.prompt("x")).result()
        assert not [frame for frame in cli.sent if frame["type"] == "control_response"]
    cli = FakeCLI()
    async with Session(ClaudeAgentOptions(on_user_dialog=answer), stream=cli):
        cli.put("q1", "request_user_dialog", dialog_kind="a")
        assert (await cli.heard("control_response"))["response"]["response"] == {"behavior": "completed", "result": 7}
        cli.put("q2", "request_user_dialog", dialog_kind="b")
        assert (await cli.heard("control_response", count=2))["response"]["response"] == {"behavior": "cancelled"}


async def test_garbage_and_oversized_lines_are_noted_and_the_session_goes_on(caplog):
    seen = []
    cli = FakeCLI()
    options = ClaudeAgentOptions(max_buffer_size=2000)
    async with Session(options, stream=cli, observer=seen.append) as session:
        cli.say_bytes(b"Debugger attached.\n")
        cli.say_bytes(b'{"type":"assistant","x":"' + b"y" * 5000 + b'"}\n')
        ticket = await session.prompt("x")
        with anyio.fail_after(5):
            assert (await ticket.result()).result == "Echo: x"
    assert [event.size for event in seen if isinstance(event, Garbage)] == [18, 5027]
    assert "limit of 2000" in caplog.text


async def test_idle_waits_for_turns_and_for_background_agents():
    cli = FakeCLI(echo=False)
    async with Session(stream=cli) as session, anyio.create_task_group() as tasks:
        idle = anyio.Event()

        async def wait():
            await session.idle()
            idle.set()

        ticket = await session.prompt("x")
        tasks.start_soon(wait)
        cli.say({"type": "system", "subtype": "task_started", "task_id": "t", "task_type": "local_agent"})
        cli.end_turn(ticket.uuid)
        with anyio.fail_after(5):
            await ticket.result()
            assert not session.settled
            assert not idle.is_set()
            cli.say({"type": "system", "subtype": "task_notification", "task_id": "t", "status": "completed"})
            await idle.wait()


async def test_the_session_knows_its_id_and_model_from_what_the_cli_says():
    cli = FakeCLI(echo=False)
    async with Session(stream=cli) as session:
        ticket = await session.prompt("x")
        cli.say({"type": "system", "subtype": "init", "session_id": "abc", "model": "claude-x"})
        cli.end_turn(ticket.uuid, session_id="abc")
        with anyio.fail_after(5):
            await ticket.result()
        assert (session.session_id, session.model) == ("abc", "claude-x")


async def test_a_slow_callback_does_not_hold_the_pump():
    gate = anyio.Event()

    async def can_use_tool(name, input, context):
        await gate.wait()
        return PermissionResultDeny()

    cli = FakeCLI()
    async with Session(ClaudeAgentOptions(can_use_tool=can_use_tool), stream=cli) as session:
        cli.put("q", "can_use_tool", tool_name="A", input={})
        with anyio.fail_after(5):
            assert (await (await session.prompt("x")).result()).result == "Echo: x"
        gate.set()
        await cli.heard("control_response")


async def test_closing_in_mid_turn_interrupts_and_ends_the_open_ticket():
    cli = FakeCLI(echo=False)
    session = Session(stream=cli)
    await session.start()
    ticket = await session.prompt("x")
    with anyio.fail_after(10):
        await session.aclose()
        with pytest.raises(CLIConnectionError, match="closed before the turn ended"):
            await ticket.result()
    assert any(frame.get("request", {}).get("subtype") == "interrupt" for frame in cli.sent)
