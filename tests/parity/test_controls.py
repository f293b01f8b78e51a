"""Control requests that no example program uses, each shown on the real CLI."""

import json
import sys

import pytest

from claude_nb import (
    ClaudeSDKClient,
    ControlError,
    get_session_info,
)
from claude_nb.testing import Text, ToolUse

from .program import SERVER, ask, connected

pytestmark = pytest.mark.anyio


async def test_the_cli_tells_its_models_costs_settings_and_limits(options):
    async with ClaudeSDKClient(options()) as client:
        await ask(client, "one")
        assert {"value", "displayName"} <= (await client.list_models())[0].keys()
        assert "$" in await client.get_session_cost()
        await client.apply_flag_settings({"outputStyle": "Explanatory"})
        assert (await client.get_settings())["effective"]["outputStyle"] == "Explanatory"
        assert isinstance(await client.get_usage(), dict)


async def test_thinking_changes_while_a_session_runs(model, options):
    async with ClaudeSDKClient(options(model="claude-sonnet-4-5")) as client:
        await client.set_max_thinking_tokens(3000)
        await ask(client, "one")
        assert model.requests[-1]["thinking"]["budget_tokens"] == 3000
        await client.set_max_thinking_tokens(0)
        await ask(client, "two")
        assert model.requests[-1].get("thinking", {}).get("type", "disabled") == "disabled"


async def test_a_side_question_leaves_the_conversation_as_it_is(model, options):
    async with ClaudeSDKClient(options()) as client:
        await ask(client, "one")
        answer = await client.side_question("What was asked?")
        assert answer.response
        await ask(client, "two")
    assert model.requests[-1].prompts == ["one", "two"]


async def test_a_session_is_named_and_a_title_made(options, work, tmp_path):
    async with ClaudeSDKClient(options()) as client:
        await ask(client, "one")
        await client.rename("My title")
        assert isinstance(await client.generate_title("A talk about bees"), dict)
        session = client.session_id
    assert get_session_info(session, work, config_dir=tmp_path / "home" / ".claude").custom_title == "My title"


async def test_files_are_read_and_marked_as_read(model, options, work):
    file = work / "a.txt"
    file.write_text("before")
    async with ClaudeSDKClient(options(permission_mode="acceptEdits")) as client:
        assert "before" in json.dumps(await client.read_file(file))
        await client.seed_read_state(file, int(file.stat().st_mtime * 1000))
        model.reply(ToolUse("Edit", {"file_path": str(file), "old_string": "before", "new_string": "after"}))
        model.reply(Text("done"))
        await ask(client, "Edit it.")
    assert file.read_text() == "after"


async def test_mcp_servers_are_turned_off_and_on_and_connected_again(options, tmp_path):
    (tmp_path / "server.py").write_text(SERVER)
    servers = {"outside": {"command": sys.executable, "args": [str(tmp_path / "server.py")]}}
    async with ClaudeSDKClient(options(mcp_servers=servers)) as client:
        await connected(client, "outside")
        await client.toggle_mcp_server("outside", False)
        (server,) = (await client.get_mcp_status())["mcpServers"]
        assert server["status"] == "disabled"
        await client.toggle_mcp_server("outside", True)
        await connected(client, "outside")
        await client.reconnect_mcp_server("outside")
        await connected(client, "outside")
        with pytest.raises(ControlError, match="not found"):
            await client.reconnect_mcp_server("nobody")


async def test_a_background_shell_is_read_and_stopped(model, options):
    async with ClaudeSDKClient(options(allowed_tools=["Bash"])) as client:
        model.reply(ToolUse("Bash", {"command": "echo begun; sleep 600", "run_in_background": True}))
        model.reply(Text("it runs"))
        await client.query("Run it.")
        started = [m async for m in client.receive_response() if getattr(m, "subtype", "") == "task_started"]
        task = started[0].task_id
        assert isinstance(await client.get_task_output(task), dict)
        assert isinstance(await client.background_tasks(), dict)
        await client.stop_task(task)
