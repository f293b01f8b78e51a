"""Options that no example program uses, each shown on the real CLI."""

import getpass
import json
import sys
from types import ModuleType

import anyio
import pytest

from claude_nb import (
    AgentDefinition,
    AssistantMessage,
    ClaudeSDKClient,
    CLIConnectionError,
    ControlTimeoutError,
    HookEventMessage,
    ResultError,
    TextBlock,
    create_sdk_mcp_server,
    get_session_info,
    list_sessions,
    query,
    tool,
)
from claude_nb.protocol.launch import initialize
from claude_nb.testing import Text, ToolUse

from .program import SERVER, WEB_SERVER, ask, collect, connected, result_of

pytestmark = pytest.mark.anyio


async def run(prompt, options):
    return await collect(query(prompt=prompt, options=options))


# -- sessions ---------------------------------------------------------------------------------------------------------


async def test_session_id_names_the_session_and_continue_takes_the_latest(model, options):
    wanted = "0b4c2e1e-7a52-4d07-9a53-000000000001"
    assert result_of(await run("one", options(session_id=wanted))).session_id == wanted
    assert result_of(await run("two", options(continue_conversation=True))).session_id == wanted
    assert model.requests[-1].prompts == ["one", "two"]


async def test_a_resumed_session_is_cut_where_it_is_told(model, options):
    messages = await run("one", options())
    session, cut = result_of(messages).session_id, [m.uuid for m in messages if isinstance(m, AssistantMessage)][-1]
    await run("two", options(resume=session))
    await run("three", options(resume=session, resume_session_at=cut))
    assert model.requests[-1].prompts == ["one", "three"]


async def test_a_cut_that_would_drop_other_turns_is_refused(options):
    messages = await run("one", options())
    session, cut = result_of(messages).session_id, [m.uuid for m in messages if isinstance(m, AssistantMessage)][-1]
    await run("two", options(resume=session))
    with pytest.raises(ResultError, match="resume-drops-turn"):
        await run("x", options(resume=session, resume_session_at=cut, resume_drops_turn=cut))


async def test_a_session_may_stay_off_the_disk(options, work, tmp_path):
    await run("one", options(persist_session=False))
    assert list_sessions(work, config_dir=tmp_path / "home" / ".claude") == []


async def test_a_session_may_be_given_its_title(options, work, tmp_path):
    session = result_of(await run("one", options(title="On titles"))).session_id
    assert get_session_info(session, work, config_dir=tmp_path / "home" / ".claude").summary == "On titles"


# -- what the model works with ----------------------------------------------------------------------------------------


async def test_effort_goes_to_the_api(model, options):
    await run("one", options(effort="low", model="claude-opus-4-5"))
    assert model.requests[0]["output_config"]["effort"] == "low"


async def test_a_task_budget_goes_to_the_api(model, options):
    await run("one", options(task_budget={"total": 50_000}, model="claude-opus-4-5"))
    assert model.requests[0]["output_config"]["task_budget"]["total"] == 50_000


async def test_an_agent_may_answer_the_prompts_itself(model, options):
    agents = {"pirate": AgentDefinition(description="Talks like a pirate", prompt="You are a pirate.")}
    await run("one", options(agents=agents, agent="pirate"))
    assert "You are a pirate." in model.requests[0].system


async def test_what_sub_agents_say_is_forwarded(model, options):
    model.reply(ToolUse("Agent", {"description": "d", "prompt": "p", "subagent_type": "general-purpose"}))
    model.reply(Text("said inside"), agent=True)
    model.reply(Text("done"))
    messages = await run("one", options(forward_subagent_text=True, allowed_tools=["Agent"]))
    inside = [m for m in messages if isinstance(m, AssistantMessage) and m.parent_tool_use_id]
    assert "said inside" in [b.text for m in inside for b in m.content if isinstance(b, TextBlock)]


async def test_a_verbatim_prompt_is_no_command(model, options):
    await run("/cost", options(verbatim_prompts=True))
    assert model.requests[0].prompt == "/cost"


async def test_what_the_cli_may_offer_is_asked_for_at_the_start(options):
    fields = {"prompt_suggestions": True, "agent_progress_summaries": True, "supported_dialog_kinds": ["refusal"]}
    said = initialize(options(**fields))
    assert [said[key] for key in ("promptSuggestions", "agentProgressSummaries", "supportedDialogKinds")] == [
        True,
        True,
        ["refusal"],
    ]
    assert result_of(await run("one", options(**fields))).result == "Echo: one"


@pytest.mark.parametrize(
    ("wanted", "found"), [(["brew"], {"brew"}), ("all", {"brew", "bake"}), ([], set())], ids=["some", "all", "none"]
)
async def test_skills_are_those_asked_for(model, options, work, wanted, found):
    for name in ("brew", "bake"):
        folder = work / ".claude" / "skills" / name
        folder.mkdir(parents=True)
        (folder / "SKILL.md").write_text(f"---\nname: {name}\ndescription: How to {name}\n---\nDo it.")
    await run("one", options(skills=wanted))
    seen = json.dumps(model.requests[0])
    assert {name for name in ("brew", "bake") if f"How to {name}" in seen} == found


# -- files, settings, environment -------------------------------------------------------------------------------------


@pytest.mark.parametrize("added", [True, False])
async def test_folders_are_added_to_what_may_be_written(model, options, tmp_path, added):
    other = tmp_path / "other"
    other.mkdir()
    model.reply(ToolUse("Write", {"file_path": f"{other}/a.txt", "content": "a"}))
    model.reply(Text("done"))
    await run("one", options(add_dirs=[other] if added else [], permission_mode="acceptEdits"))
    assert (other / "a.txt").exists() == added


async def test_settings_are_given_as_text_and_hooks_of_settings_are_told(model, options, work):
    hook = {"matcher": "Bash", "hooks": [{"type": "command", "command": "echo heard > heard"}]}
    settings = json.dumps({"hooks": {"PreToolUse": [hook]}})
    model.reply(ToolUse("Bash", {"command": "true"}))
    model.reply(Text("done"))
    fields = {"settings": settings, "include_hook_events": True, "allowed_tools": ["Bash"]}
    told = [m for m in await run("one", options(**fields)) if isinstance(m, HookEventMessage)]
    assert {m.subtype for m in told} == {"hook_started", "hook_response"}
    assert {m.hook_event_name for m in told} == {"PreToolUse"}
    assert (work / "heard").exists()


async def test_the_environment_and_the_name_of_the_program_reach_the_cli(model, options, monkeypatch):
    trace = ModuleType("opentelemetry.propagate")
    trace.inject = lambda carrier: carrier.update(traceparent="00-aaaa-bbbb-01", tracestate="v=1")
    for name, module in {
        "opentelemetry": ModuleType("opentelemetry"),
        "opentelemetry.trace": ModuleType("opentelemetry.trace"),
        "opentelemetry.propagate": trace,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("TRACEPARENT", "stale")
    names = "CLAUDE_AGENT_SDK_CLIENT_APP OF_MY_OWN TRACEPARENT TRACESTATE"
    model.reply(ToolUse("Bash", {"command": f"for n in {names}; do printenv $n; done"}))
    model.reply(Text("done"))
    fields = {"client_app": "my-app/1.0", "env": {"OF_MY_OWN": "mine"}, "allowed_tools": ["Bash"]}
    await run("one", options(**fields))
    said = model.requests[1].results[0].text.split()
    assert said[:2] == ["my-app/1.0", "mine"]
    assert "stale" not in said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows starts no process as another user")
async def test_the_cli_runs_as_the_user_asked_for(options):
    assert result_of(await run("one", options(user=getpass.getuser()))).result == "Echo: one"
    with pytest.raises(CLIConnectionError, match="nobody-of-that-name"):
        await run("one", options(user="nobody-of-that-name"))


# -- MCP --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_file", [False, True], ids=["dict", "file"])
async def test_a_server_outside_this_process_is_called(model, options, tmp_path, as_file):
    (tmp_path / "server.py").write_text(SERVER)
    servers = {"outside": {"command": sys.executable, "args": [str(tmp_path / "server.py")]}}
    if as_file:
        config = tmp_path / "mcp.json"
        config.write_text(json.dumps({"mcpServers": servers}))
        servers = config
    model.reply(ToolUse("mcp__outside__double", {"n": 21}))
    model.reply(Text("done"))
    async with ClaudeSDKClient(options(mcp_servers=servers, allowed_tools=["mcp__outside__double"])) as client:
        await connected(client, "outside")
        await ask(client, "one")
    assert "42" in model.requests[1].results[0].text


@pytest.mark.parametrize("kind", ["http", "sse"])
async def test_a_server_at_an_address_is_called_with_its_headers(model, options, tmp_path, kind):
    (tmp_path / "server.py").write_text(WEB_SERVER)
    command = [sys.executable, str(tmp_path / "server.py"), kind]
    async with await anyio.open_process(command, stderr=None) as server:
        url = (await server.stdout.receive()).decode().strip()
        servers = {"outside": {"type": kind, "url": url, "headers": {"Authorization": "Bearer open"}}}
        model.reply(ToolUse("mcp__outside__double", {"n": 21}))
        model.reply(Text("done"))
        async with ClaudeSDKClient(options(mcp_servers=servers, allowed_tools=["mcp__outside"])) as client:
            await connected(client, "outside")
            await ask(client, "one")
        server.kill()
    assert "42" in model.requests[1].results[0].text


@pytest.mark.parametrize("strict", [True, False])
async def test_only_the_servers_given_are_used_when_strict(options, work, strict):
    (work / ".mcp.json").write_text(json.dumps({"mcpServers": {"projects": {"command": "no-such-program"}}}))
    own = {"own": create_sdk_mcp_server("own")}
    async with ClaudeSDKClient(options(mcp_servers=own, strict_mcp_config=strict)) as client:
        await connected(client, "own")
        names = {server["name"] for server in (await client.get_mcp_status())["mcpServers"]}
    assert names == ({"own"} if strict else {"own", "projects"})


async def test_a_tool_may_decide_about_permissions(model, options, work):
    asked = []

    @tool("decide", "Decide about a call", {"tool_name": str, "input": dict})
    async def decide(args):
        asked.append(args["tool_name"])
        return {"content": [{"type": "text", "text": json.dumps({"behavior": "deny", "message": "not by me"})}]}

    server = create_sdk_mcp_server("gate", tools=[decide])
    model.reply(ToolUse("Write", {"file_path": f"{work}/a.txt", "content": "a"}))
    model.reply(Text("done"))
    await run("one", options(mcp_servers={"gate": server}, permission_prompt_tool_name="mcp__gate__decide"))
    assert asked == ["Write"]
    assert "not by me" in model.requests[1].results[0].text


# -- this library -----------------------------------------------------------------------------------------------------


async def test_control_requests_are_waited_for_as_long_as_asked(model, options):
    gate = model.gate()
    model.reply(gate, Text("late"))
    async with ClaudeSDKClient(options()) as client:
        with pytest.raises(ControlTimeoutError, match=r"side_question within 0\.2 s"):
            await client.request("side_question", timeout=0.2, question="?")
        gate.open()
