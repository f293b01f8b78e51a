"""Named sessions behind one client, with the real CLI and a scripted model, on asyncio and trio."""

import inspect
import json
import os
import signal
import subprocess
import sys
from contextlib import aclosing
from itertools import pairwise

import anyio
import pytest

from claude_nb import (
    BudgetExceededError,
    ClaudeSDKClient,
    CLIConnectionError,
    ContentError,
    InMemorySessionStore,
    PermissionResultAllow,
    PermissionResultDeny,
    PermissionRuleValue,
    PermissionUpdate,
    ProcessError,
    ResultMessage,
    Session,
    create_sdk_mcp_server,
    get_session_messages,
    tool,
)
from claude_nb.engine.control import Controls
from claude_nb.testing import Text, ToolUse

pytestmark = pytest.mark.anyio


async def answer(client, name=None):
    with anyio.fail_after(60):
        messages = [message async for message in client.receive_response(name)]
    return messages[-1].result


async def say(client, prompt, name="default"):
    with anyio.fail_after(60):
        await client.query(prompt, session_id=name)
    return await answer(client, name)


async def results(stream, count):
    """The next results of a stream that does not end by itself."""
    found = []
    with anyio.fail_after(60):
        async with aclosing(stream) as messages:
            async for message in messages:
                found += [message] if isinstance(message, ResultMessage) else []
                if len(found) == count:
                    break
    return found


def told(model):
    """The whole conversation that the model was sent last."""
    return json.dumps(model.requests[-1]["messages"])


def pid(session):
    return session._session._stream._process.pid


def running(client):
    return {name for name, session in client.sessions.items() if session.running}


async def reached(gate):
    with anyio.fail_after(30):
        assert await anyio.to_thread.run_sync(gate.reached.wait, 30)


def test_clients_and_sessions_can_be_made_before_there_is_a_loop():
    assert Session().session_id
    assert ClaudeSDKClient().options is not None


# -- contexts -----------------------------------------------------------------------------------------------------


async def test_sessions_work_at_once_and_each_answer_is_found_by_its_name(model, options):
    gates = {name: model.gate() for name in "ab"}
    model.script = lambda request: [gates[request.prompts[-1][-1]], Text(f"for {request.prompts[-1][-1]}")]
    async with ClaudeSDKClient(options()) as client:
        for name in "ab":
            await client.query(f"I am {name}", session_id=name)
        for gate in gates.values():
            await reached(gate)  # both are at work
        gates["b"].open()
        assert await answer(client, "b") == "for b"
        gates["a"].open()
        assert await answer(client, "a") == "for a"
        ids = {session.session_id for session in client.sessions.values()}
        assert len(ids) == 2


async def test_messages_of_all_sessions_tell_which_they_are_of(options):
    async with ClaudeSDKClient(options()) as client:
        for name in "ab":
            await client.query(f"I am {name}", session_id=name)
        names = {session.session_id: name for name, session in client.sessions.items()}
        found = await results(client.receive_messages(), 2)
        assert {names[m.session_id]: m.result for m in found} == {"a": "Echo: I am a", "b": "Echo: I am b"}
        await client.query("again", session_id="a")
        await client.query("again", session_id="b")
        (only,) = await results(client.receive_messages("b"), 1)
        assert names[only.session_id] == "b"


async def test_a_fork_knows_what_was_said_and_goes_its_own_way(model, options):
    async with ClaudeSDKClient(options()) as client:
        await say(client, "the word is apple")
        fork = await client.fork_session()
        await say(client, "in the fork: pear", fork)
        assert "apple" in told(model)
        await say(client, "in the first: plum")
        assert "pear" not in told(model)
        assert client.session(fork).session_id != client.session_id
        with pytest.raises(CLIConnectionError, match="already"):
            await client.fork_session(session_id=fork)


async def test_a_fork_of_a_session_without_a_prompt_is_empty(model, options):
    async with ClaudeSDKClient(options()) as client:
        fork = await client.fork_session()
        assert await say(client, "hello", fork) == "Echo: hello"


async def test_a_name_can_be_begun_anew(model, options):
    async with ClaudeSDKClient(options()) as client:
        for name in ("default", "a"):
            await say(client, "the word is apple", name)
            before = client.session(name).session_id
            assert await client.new_session(session_id=name) == name
            await say(client, "which word?", name)
            assert "apple" not in told(model)
            assert client.session(name).session_id != before


async def test_a_session_goes_by_its_id_too(model, options):
    async with ClaudeSDKClient(options()) as client:
        await say(client, "my name is Ada")
        await say(client, "my name is Bob", "b")
        ada, bob = (client.session(name).session_id for name in ("default", "b"))
        assert await say(client, "what is it?", ada) == "Echo: what is it?"
        assert "Ada" in told(model)
        assert (await client.interrupt(session_id=bob)).still_queued == []
        assert set(client.sessions) == {"default", "b"}
        assert await client.new_session("and now?", bob) == "b"
        assert await answer(client, "b") == "Echo: and now?"
        assert "Bob" not in told(model)


async def test_an_unknown_name_is_refused_where_nothing_can_come(options):
    async with ClaudeSDKClient(options()) as client:
        with pytest.raises(CLIConnectionError, match="no session 'nobody'"):
            client.session("nobody")
        with pytest.raises(CLIConnectionError, match="no session 'nobody'"):
            await anext(client.receive_response("nobody"))


async def test_code_that_names_its_only_session_has_one_cli_and_controls_it(model, options):
    gate = model.gate()
    model.reply(Text("begun "), gate, Text("never"))
    async with ClaudeSDKClient(options(model="sonnet")) as client:
        opened = pid(client.session())
        await client.query("long", session_id="chat-1")
        await reached(gate)
        with anyio.fail_after(20):
            await client.interrupt()
        gate.open()
        assert await answer(client) is None
        with anyio.fail_after(20):
            await client.set_model("haiku")
        await say(client, "hello", "chat-1")
        assert "haiku" in model.requests[-1]["model"]
        assert list(client.sessions) == ["chat-1"]
        assert pid(client.session("chat-1")) == opened
        assert client.session_id == client.session("chat-1").session_id
        assert (await client.get_server_info())["claude_code_version"]


async def test_a_session_that_is_resumed_is_that_of_the_first_prompt_whatever_its_name(model, options):
    async with ClaudeSDKClient(options()) as client:
        await say(client, "the word is apple", "chat-1")
        session_id = client.session_id
    async with ClaudeSDKClient(options(resume=session_id)) as client:
        await say(client, "which word?", "chat-1")
        assert "apple" in told(model)
        await say(client, "which word?")
        assert "apple" not in told(model)


async def test_a_session_that_was_prompted_keeps_its_name(model, options):
    async with ClaudeSDKClient(options()) as client:
        with anyio.fail_after(60):
            await (await client.session().prompt("the word is apple")).result()
        await say(client, "which word?", "a")
        assert "apple" not in told(model)
        assert set(client.sessions) == {"default", "a"}


async def test_an_empty_session_is_not_the_one_that_was_opened(options):
    async with ClaudeSDKClient(options()) as client:
        opened = client.session_id
        name = await client.new_session("hello")
        assert await answer(client) == "Echo: hello"
        assert client.session("default").session_id == opened
        assert client.session(name).session_id != opened


async def test_control_reaches_the_session_that_was_prompted_last_or_that_is_named(options):
    async with ClaudeSDKClient(options(model="sonnet")) as client:
        await say(client, "hello")
        await say(client, "hello", "a")
        with anyio.fail_after(20):
            await client.set_permission_mode("plan")
            await client.set_model("haiku", session_id="default")
            modes = {
                name: (await client.get_settings(session_id=name))["applied"]["model"] for name in ("default", "a")
            }
        assert ["haiku" in model for model in modes.values()] == [True, False]
        with pytest.raises(CLIConnectionError, match="no session 'nobody'"):
            await client.interrupt(session_id="nobody")
        await client.new_session(session_id="a")
        assert client.session() is client.session("a")


def test_every_control_of_a_session_can_be_directed():
    for name, method in inspect.getmembers(Controls, inspect.isfunction):
        if not name.startswith("_"):
            directed = inspect.signature(getattr(ClaudeSDKClient, name)).parameters
            assert directed["session_id"].kind is inspect.Parameter.KEYWORD_ONLY
            assert [p for p in directed.values() if p.name != "session_id"] == [
                *inspect.signature(method).parameters.values()
            ]


async def test_messages_of_a_session_can_be_waited_for_before_it_begins(options):
    found = []
    async with ClaudeSDKClient(options()) as client:
        await say(client, "hello")

        async def read():
            found.extend(await results(client.receive_messages("a"), 1))

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                await anyio.wait_all_tasks_blocked()
                await client.query("I am a", session_id="a")
    assert [m.result for m in found] == ["Echo: I am a"]


# -- places -------------------------------------------------------------------------------------------------------


async def test_more_sessions_than_places_take_turns_and_remember(model, options):
    async with ClaudeSDKClient(options(), max_running=2) as client:
        for name in ("a", "b", "c"):
            await say(client, f"my word is {name * 7}", name)
            assert len(running(client)) <= 2
        for name in ("a", "b", "c"):
            await say(client, "which?", name)
            assert name * 7 in told(model)
            assert not any(other * 7 in told(model) for other in "abc" if other != name)


async def test_prompts_wait_for_a_place_in_order_and_an_interrupt_does_not(model, options):
    gate = model.gate()
    model.reply(Text("part one "), gate, Text("part two"))
    async with ClaudeSDKClient(options(include_partial_messages=True), max_running=1) as client:
        await client.query("talk")
        await reached(gate)
        order = []

        async def ask(name):
            await client.query(f"I am {name}", session_id=name)
            order.append(name)

        async with anyio.create_task_group() as tasks:
            for place, name in enumerate("ab"):
                tasks.start_soon(ask, name)
                with anyio.fail_after(5):
                    while client._pool.places.waiting <= place:
                        await anyio.lowlevel.checkpoint()
            assert running(client) == {"default"}
            with anyio.fail_after(30):
                await client.interrupt()
        gate.open()
        assert order == ["a", "b"]
        assert [await answer(client, name) for name in "ab"] == ["Echo: I am a", "Echo: I am b"]
        assert await answer(client) is None
        assert await say(client, "and I?") == "Echo: and I?"


async def test_a_prompt_that_gives_up_waiting_was_not_sent(model, options):
    gate = model.gate()
    model.reply(gate, Text("at last"))
    async with ClaudeSDKClient(options(), max_running=1) as client:
        await client.query("talk")
        await reached(gate)
        with anyio.move_on_after(0.2) as patience:
            await client.query("zebra", session_id="a")
        assert patience.cancelled_caught
        gate.open()
        assert await answer(client) == "at last"
        assert await say(client, "hello", "a") == "Echo: hello"
        assert "zebra" not in told(model)


async def test_disconnecting_sends_those_who_wait_away(model, options):
    gate = model.gate()
    model.reply(gate, Text("at last"))
    client = ClaudeSDKClient(options(), max_running=1)
    await client.connect()
    await client.query("talk")
    await reached(gate)
    refused = []

    async def wait():
        try:
            await client.query("never", session_id="a")
        except CLIConnectionError as error:
            refused.append(str(error))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            while not client._pool.places.waiting:
                await anyio.lowlevel.checkpoint()
            await client.disconnect()
    assert refused == ["The client was closed before there was a place."]
    gate.open()


async def test_a_warmed_up_session_is_the_next_one_begun(options):
    async with ClaudeSDKClient(options(), max_running=3) as client:
        with anyio.fail_after(60):
            assert await client.prewarm(5) == 2  # the default session has the third place
        spares = {pid(spare) for spare in client._pool._spares}
        name = await client.new_session()
        assert pid(client.session(name)) in spares
        assert client.session(name).server_info["claude_code_version"]
        assert await say(client, "hello", name) == "Echo: hello"
        assert pid(client.session(name)) in spares


# -- parking ------------------------------------------------------------------------------------------------------


async def test_an_idle_session_is_parked_after_a_while_and_comes_back_with_its_next_prompt(model, options):
    async with ClaudeSDKClient(options(), park_after=0.1) as client:
        await say(client, "the word is apple")
        session, session_id = client.session(), client.session_id
        first = pid(session)
        with anyio.fail_after(30):
            await session._session.ended()
        assert not session.running
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)
        assert (await client.interrupt()).still_queued == []
        assert not session.running  # there was nothing to interrupt
        assert await say(client, "which word?") == "Echo: which word?"
        assert "apple" in told(model)
        assert client.session_id == session_id


async def test_a_session_comes_back_where_it_was_when_the_program_went_elsewhere(model, options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with ClaudeSDKClient(options(cwd=None)) as client:
        await say(client, "my name is Ada")
        assert await client.session().park()
        monkeypatch.chdir(tmp_path / "work")
        assert await say(client, "who am I?") == "Echo: who am I?"
    assert "Ada" in told(model)


async def test_a_session_that_was_never_prompted_can_be_parked_too(options):
    async with ClaudeSDKClient(options()) as client:
        session_id = client.session_id
        assert await client.session().park()
        assert await say(client, "hello") == "Echo: hello"
        assert client.session_id == session_id


async def test_nothing_is_parked_while_a_background_shell_runs(model, options, tmp_path):
    stop = tmp_path / "stop"
    model.reply(
        ToolUse("Bash", {"command": f"until [ -e {stop} ]; do sleep 0.1; done", "run_in_background": True}),
    )
    model.reply(Text("it runs"))
    async with ClaudeSDKClient(options(allowed_tools=["Bash"]), max_running=1, park_after=0.1) as client:
        assert await say(client, "run it") == "it runs"
        session = client.session()
        with anyio.fail_after(10):
            await session.idle()
        assert not session.settled
        assert not await session.park()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.query("hello", session_id="a"))
            with anyio.fail_after(30):
                while not client._pool.places.waiting:
                    await anyio.lowlevel.checkpoint()
            # Nobody can have its place, so it need not wait with the others.
            assert await say(client, "are you there?") == "Echo: are you there?"
            assert running(client) == {"default"}
            model.reply(Text("the shell reports"))
            stop.touch()
        assert await answer(client, "a") == "Echo: hello"


async def test_a_parked_session_comes_back_as_it_was(model, options, tmp_path):
    work, asked = tmp_path / "work", []

    async def can_use_tool(name, input, context):
        asked.append(name)
        if len(asked) > 1:
            return PermissionResultDeny(message="asked twice")
        rule = PermissionRuleValue("Bash", "touch:*")
        return PermissionResultAllow(updated_permissions=[PermissionUpdate("addRules", [rule], "allow")])

    @tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    server = create_sdk_mcp_server("late", tools=[add])
    async with ClaudeSDKClient(options(can_use_tool=can_use_tool, model="sonnet")) as client:
        model.reply(ToolUse("Bash", {"command": f"touch {work / 'one'}"}))
        model.reply(Text("done"))
        await say(client, "touch one")
        with anyio.fail_after(60):
            await client.set_model("haiku")
            await client.set_permission_mode("plan")
            await client.set_permission_mode("default")
            await client.set_mcp_servers({"late": server})
            await client.set_max_thinking_tokens(0)
        await say(client, "before")
        before = {key: model.requests[-1].get(key) for key in ("model", "thinking")}
        assert "haiku" in before["model"]
        with anyio.fail_after(30):
            assert await client.session().park()
        model.reply(ToolUse("Bash", {"command": f"touch {work / 'two'}"}))
        model.reply(ToolUse("mcp__late__add", {"a": 2, "b": 40}))
        model.reply(Text("done"))
        await say(client, "touch two, then add")
        assert {key: model.requests[-1].get(key) for key in ("model", "thinking")} == before
        assert (work / "two").exists()
        # The rule was still there, so only the new tool was a question.
        assert asked == ["Bash", "mcp__late__add"]
        status = await client.get_mcp_status()
        assert [(s["name"], s["status"]) for s in status["mcpServers"]] == [("late", "connected")]


async def test_a_uuid_that_was_used_before_parking_is_refused(options):
    async with ClaudeSDKClient(options()) as client:
        session = client.session()
        ticket = await session.prompt("once")
        await ticket.result()
        assert await session.park()
        with pytest.raises(ContentError, match="was used"):
            await session.prompt("again", uuid=ticket.uuid)


async def test_a_uuid_that_died_with_its_cli_may_be_used_again(model, options):
    model.reply(model.gate())
    async with ClaudeSDKClient(options()) as client:
        session = client.session()
        ticket = await session.prompt("once")
        os.kill(pid(session), signal.SIGSTOP)
        os.kill(pid(session), signal.SIGKILL)
        with anyio.fail_after(30), pytest.raises(ProcessError):
            await ticket.result()
        await session.prompt("again", uuid=ticket.uuid)


def server_saying(word):
    async def say_it(arguments):
        return {"content": [{"type": "text", "text": word}]}

    return create_sdk_mcp_server("t", tools=[tool("word", "Says a word", {})(say_it)])


async def test_a_cut_that_was_asked_for_holds_although_the_session_was_parked_before_its_first_prompt(model, options):
    async with ClaudeSDKClient(options()) as client:
        await say(client, "stays")
        cut = get_session_messages(client.session_id, options().cwd, config_dir=options().env["CLAUDE_CONFIG_DIR"])[-1]
        await say(client, "goes")
        session_id = client.session_id
    async with ClaudeSDKClient(options(resume=session_id, resume_session_at=cut.uuid)) as client:
        for prompt in ("one", "two"):
            assert await client.session().park()
            await say(client, prompt)
    assert model.requests[-1].prompts == ["stays", "one", "two"]


@pytest.mark.parametrize("gone_between", [False, True])
@pytest.mark.parametrize("from_the_start", [False, True])
async def test_a_server_of_the_same_name_takes_the_place_of_the_one_before(
    model, options, from_the_start, gone_between
):
    first = {"t": server_saying("one")}
    async with ClaudeSDKClient(
        options(allowed_tools=["mcp__t"], mcp_servers=first if from_the_start else {})
    ) as client:
        if not from_the_start:
            await client.set_mcp_servers(first)
        for word in ("one", "two"):
            model.reply(ToolUse("mcp__t__word", {}))
            model.reply(Text("done"))
            await say(client, "go")
            assert model.requests[-1].results[-1].text == word
            if gone_between:
                await client.set_mcp_servers({})
            await client.set_mcp_servers({"t": server_saying("two")})


async def test_servers_of_the_options_stay_when_others_are_set(model, options):
    async with ClaudeSDKClient(options(allowed_tools=["mcp__t"], mcp_servers={"t": server_saying("one")})) as client:
        for servers, word in (
            ({"other": server_saying("x")}, "one"),
            ({"t": server_saying("two")}, "two"),
            ({}, "one"),
        ):
            await client.set_mcp_servers(servers)
            model.reply(ToolUse("mcp__t__word", {}))
            model.reply(Text("done"))
            await say(client, "go")
            assert model.requests[-1].results[-1].text == word


async def test_a_rule_for_a_command_of_the_models_making_stays_that_rule_after_parking(model, options):
    command, asked = "mkdir 'a),Bash,c'", []

    async def permit(name, input, context):
        asked.append(input["command"])
        rule = PermissionUpdate("addRules", [PermissionRuleValue("Bash", command)], "allow")
        return PermissionResultAllow(updated_permissions=[rule]) if len(asked) == 1 else PermissionResultDeny("no")

    async with ClaudeSDKClient(options(can_use_tool=permit)) as client:
        model.reply(ToolUse("Bash", {"command": command}))
        model.reply(Text("made"))
        await say(client, "make it")
        with anyio.fail_after(30):
            assert await client.session().park()
        model.reply(ToolUse("Bash", {"command": "touch everything"}))
        model.reply(Text("tried"))
        await say(client, "touch it")
        assert asked == [command, "touch everything"]


async def test_a_plan_that_was_left_is_not_gone_back_to(model, options):
    async with ClaudeSDKClient(options(permission_mode="plan")) as client:
        await say(client, "hello")
        with anyio.fail_after(60):
            await client.set_permission_mode("acceptEdits")
            await client.session().park()
        await client.query("hello again")
        with anyio.fail_after(60):
            messages = [m async for m in client.receive_response()]
        inits = [m.data["permissionMode"] for m in messages if getattr(m, "subtype", None) == "init"]
        assert inits == ["acceptEdits"]


async def test_a_parked_session_resumes_from_its_store(model, options):
    async with ClaudeSDKClient(options(session_store=InMemorySessionStore())) as client:
        await say(client, "the word is apple")
        for _ in range(2):
            with anyio.fail_after(30):
                assert await client.session().park()
            await say(client, "which word?")
            assert "apple" in told(model)


@pytest.mark.parametrize("how", ["continue_conversation", "resume"])
async def test_a_session_of_a_store_can_be_parked_before_its_first_prompt(model, options, how):
    store = InMemorySessionStore()
    async with ClaudeSDKClient(options(session_store=store)) as client:
        await say(client, "the word is apple")
        session_id = client.session_id
    again = {"resume": session_id} if how == "resume" else {"continue_conversation": True}
    async with ClaudeSDKClient(options(session_store=store, **again)) as client:
        assert await client.session().park()
        await say(client, "which word?")
        assert client.session_id == session_id
    assert "apple" in told(model)


async def test_costs_are_counted_over_all_processes_and_a_new_one_gets_what_is_left(model, options):
    async with ClaudeSDKClient(options(max_budget_usd=1.0)) as client:
        session, totals, turns = client.session(), [0.0], []
        for park in (True, False, True):
            await client.query("hello")
            with anyio.fail_after(60):
                result = [m async for m in client.receive_response()][-1]
            totals.append(result.total_cost_usd)
            turns.append(session.turn_usd)
            if park:
                with anyio.fail_after(30):
                    assert await session.park()
        assert turns == pytest.approx([b - a for a, b in pairwise(totals)])
        assert session.spent_usd == pytest.approx(totals[-1])
        assert totals[-1] > 0.001
        session._options.max_budget_usd = totals[-1] + 0.001
        await say(client, "one more")
        assert session._session.options.max_budget_usd == pytest.approx(0.001)
        with anyio.fail_after(30):
            assert await session.park()
        with pytest.raises(BudgetExceededError, match="used up"):
            await client.query("and one more")


# -- faults -------------------------------------------------------------------------------------------------------


async def test_a_cli_killed_in_mid_turn_ends_that_response_and_the_next_prompt_goes_on(model, options):
    async with ClaudeSDKClient(options()) as client:
        await say(client, "the word is apple")
        gate = model.gate()
        model.reply(Text("part one "), gate, Text("part two"))
        await client.query("talk")
        await reached(gate)
        os.kill(pid(client.session()), signal.SIGKILL)
        with anyio.fail_after(30), pytest.raises(ProcessError, match="signal 9"):
            async for _ in client.receive_response():
                pass
        gate.open()
        before = client.session().spent_usd
        assert await say(client, "which word?") == "Echo: which word?"
        assert "apple" in told(model)
        assert client.session().spent_usd - before == pytest.approx(client.session().turn_usd)
        assert client.session().turn_usd < 0.1


async def test_an_error_that_a_response_raised_is_not_raised_again_once_the_session_goes_on(model, options):
    async with ClaudeSDKClient(options()) as client:
        gate = model.gate()
        model.reply(gate, Text("never"))
        await client.query("talk")
        await reached(gate)
        os.kill(pid(client.session()), signal.SIGKILL)
        gate.open()
        with pytest.raises(ProcessError):
            await answer(client)
        await client.query("hello")
        assert [m.result for m in await results(client.receive_messages(), 1)] == ["Echo: hello"]


async def test_a_cli_killed_while_idle_is_replaced(model, options):
    async with ClaudeSDKClient(options()) as client:
        await say(client, "the word is apple")
        session = client.session()._session
        os.kill(pid(client.session()), signal.SIGKILL)
        with anyio.fail_after(30):
            await session.ended()
        assert await say(client, "which word?") == "Echo: which word?"
        assert "apple" in told(model)


async def test_one_that_dies_does_not_keep_the_messages_of_others_back(model, options):
    async with ClaudeSDKClient(options()) as client:
        gate = model.gate()
        model.reply(gate, Text("never"))
        await client.query("talk", session_id="a")
        await reached(gate)
        os.kill(pid(client.session("a")), signal.SIGKILL)
        gate.open()
        with anyio.fail_after(30), pytest.raises(ProcessError):
            async for _ in client.receive_messages():
                pass
        await client.query("hello", session_id="b")
        assert [m.result for m in await results(client.receive_messages(), 1)] == ["Echo: hello"]


# -- one owner ----------------------------------------------------------------------------------------------------


async def test_a_session_that_is_open_elsewhere_is_forked(model, options):
    async with ClaudeSDKClient(options()) as first:
        await say(first, "the word is apple")
        async with ClaudeSDKClient(options(resume=first.session_id)) as second:
            await say(second, "which word?")
            assert "apple" in told(model)
            assert second.session_id != first.session_id
            forked = second.session_id
        async with ClaudeSDKClient(options(continue_conversation=True)) as third:
            await say(third, "hello")
            assert third.session_id not in (first.session_id,)
        await say(first, "still mine")
    async with ClaudeSDKClient(options(resume=forked)) as again:
        await say(again, "free again")
        assert again.session_id == forked


async def test_another_process_is_an_owner_too(model, options, tmp_path):
    async with ClaudeSDKClient(options()) as client:
        await say(client, "the word is apple")
        session_id = client.session_id
    settings = options()
    program = (
        "import sys; from claude_nb.sessions import SessionLock\n"
        f"lock = SessionLock({session_id!r}, env={settings.env!r}); lock.acquire()\n"
        "print('locked', flush=True); sys.stdin.read()"
    )
    async with await anyio.open_process([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as owner:
        with anyio.fail_after(30):
            assert (await owner.stdout.receive()).startswith(b"locked")
        async with ClaudeSDKClient(options(resume=session_id)) as client:
            await say(client, "which word?")
            assert "apple" in told(model)
            assert client.session_id != session_id
        await owner.stdin.aclose()


async def test_a_cleared_session_is_owned_under_its_new_id(model, options):
    async with ClaudeSDKClient(options()) as client:
        await say(client, "the word is apple")
        old = client.session_id
        await client.query("/clear")
        with anyio.fail_after(60):
            async for _ in client.receive_response():
                pass
        assert client.session_id != old
        tenure = client.session()._session._tenure
        with anyio.fail_after(10):
            while tenure._lock.session_id != client.session_id:
                await anyio.lowlevel.checkpoint()
        assert (await say(client, "hello")).endswith("hello")
        with anyio.fail_after(30):
            assert await client.session().park()
        await say(client, "and now?")
        assert "hello" in told(model)
        assert "apple" not in told(model)
