"""Hook events, each made to happen on the real CLI."""

import json
import sys
from pathlib import Path

import anyio
import pytest

from claude_nb import HOOK_EVENTS, ClaudeAgentOptions, ClaudeSDKClient, HookSet, PermissionResultAllow
from claude_nb.testing import ApiError, Text, ToolUse

from .program import PATIENCE, ask

pytestmark = pytest.mark.anyio

SHOP = Path(__file__).parents[1] / "magics" / "shop_server.py"


class Heard(dict[str, dict]):
    """The first input of each event; `answers` are given by event."""

    def __init__(self, **answers: dict):
        self.answers = answers
        self._changed = anyio.Event()

    def hooks(self) -> HookSet:
        """Callbacks for all 33 events."""
        hooks = HookSet()
        for event in HOOK_EVENTS:
            hooks.on(event)(self._note)
        return hooks

    async def _note(self, input: dict) -> dict:
        name = input["hook_event_name"]
        self.setdefault(name, input)
        self._changed.set()
        if name not in self.answers:
            return {}
        return {"hookSpecificOutput": {"hookEventName": name, **self.answers[name]}}

    async def wait(self, *events: str) -> None:
        """Until all of these were heard."""
        with anyio.fail_after(PATIENCE):
            while not set(events) <= self.keys():
                self._changed = anyio.Event()
                await self._changed.wait()


@pytest.fixture
def hearing(options):
    """`hearing(heard, ...)`: a client that allows all it is asked, with callbacks for every event."""

    async def allow(tool_name, tool_input, context):
        return PermissionResultAllow()

    def client(heard: Heard, **fields) -> ClaudeSDKClient:
        given: ClaudeAgentOptions = options(hooks=heard.hooks(), can_use_tool=allow, **fields)
        return ClaudeSDKClient(given)

    return client


async def test_events_of_tools_agents_models_and_compaction(model, hearing, work):
    async with hearing(heard := Heard()) as client:
        model.reply(
            ToolUse("Write", {"file_path": f"{work}/a.txt", "content": "a"}),
            ToolUse("Read", {"file_path": f"{work}/no such file"}),
            ToolUse("Agent", {"description": "d", "prompt": "p", "subagent_type": "general-purpose"}),
        )
        model.reply(Text("inside"), agent=True)
        model.reply(Text("done"))
        await ask(client, "Go.")
        await client.set_model("claude-haiku-4-5")
        await ask(client, "/compact")
        await heard.wait(
            *("PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "PermissionRequest"),
            *("SubagentStart", "SubagentStop", "PreModelSwitch", "PostModelSwitch", "PreCompact", "PostCompact"),
            *("UserPromptSubmit", "MessageDisplay", "Stop", "SessionStart"),
        )
    assert all(input["session_id"] and input["cwd"] for input in heard.values())
    assert heard["SessionStart"]["source"] == "compact"
    assert heard["PostToolUseFailure"]["tool_name"] == "Read"


async def test_events_of_a_server_that_asks_back(model, hearing):
    async def elicit(*asked):
        return {"action": "accept", "content": {"item": "fig"}}

    shop = {"type": "stdio", "command": sys.executable, "args": [str(SHOP)], "alwaysLoad": True}
    async with hearing(heard := Heard(), mcp_servers={"shop": shop}, on_elicitation=elicit) as client:
        model.reply(ToolUse("mcp__shop__order", {}))
        model.reply(Text("ordered"))
        await ask(client, "Order.")
        await heard.wait("Elicitation", "ElicitationResult", "Notification")
    assert heard["Elicitation"]["message"] == "What do you want?"
    assert heard["ElicitationResult"]["content"] == {"item": "fig"}
    assert heard["Notification"]["notification_type"] == "elicitation_response"


async def test_events_of_commands_of_the_end_of_a_session_and_of_a_failure(model, hearing, work):
    command = work / ".claude" / "commands" / "hello.md"
    command.parent.mkdir(parents=True)
    command.write_text("Say hello.")
    async with hearing(heard := Heard(), setting_sources=["project"]) as client:
        await ask(client, "/hello")
        model.reply(ApiError(400, "invalid_request_error", "bad"))
        await ask(client, "Fail.")
        await heard.wait("StopFailure")
        await ask(client, "/clear")
        await heard.wait("UserPromptExpansion", "SessionEnd", "SessionStart")
    assert heard["UserPromptExpansion"]["command_name"] == "hello"
    assert "bad" in heard["StopFailure"]["last_assistant_message"]
    assert (heard["SessionEnd"]["reason"], heard["SessionStart"]["source"]) == ("clear", "clear")


async def test_events_of_worktrees_which_a_hook_makes(model, hearing, work, tmp_path):
    await anyio.run_process(["git", "init", "-q"], cwd=work)
    tree = tmp_path / "tree"
    tree.mkdir()
    heard = Heard(WorktreeCreate={"worktreePath": str(tree)})
    async with hearing(heard) as client:
        model.reply(ToolUse("EnterWorktree", {"name": "trial"}))
        model.reply(ToolUse("ExitWorktree", {"action": "remove", "discard_changes": True}))
        model.reply(Text("done"))
        await ask(client, "Try it.")
        await heard.wait("WorktreeCreate", "WorktreeRemove")
    assert heard["WorktreeCreate"]["name"] == "trial"
    assert heard["WorktreeRemove"]["worktree_path"] == str(tree)


async def test_events_of_the_task_list(model, hearing):
    async with hearing(heard := Heard(), env={"CLAUDE_CODE_ENABLE_TODO_TOOLS": "1"}) as client:
        model.reply(ToolUse("TaskCreate", {"subject": "bees", "description": "count them"}))
        model.reply(ToolUse("TaskUpdate", {"taskId": "1", "status": "completed"}))
        model.reply(Text("done"))
        await ask(client, "Plan.")
        await heard.wait("TaskCreated", "TaskCompleted")
    assert heard["TaskCompleted"]["task_subject"] == heard["TaskCreated"]["task_subject"] == "bees"


async def test_events_of_folders_files_and_settings(model, hearing, work):
    """Files and the folder are watched where the settings have hooks for them when the CLI starts."""
    command = {"hooks": [{"type": "command", "command": "true"}]}
    settings = {"hooks": {"CwdChanged": [command], "FileChanged": [{"matcher": "watched.txt", **command}]}}
    kept = work / ".claude" / "settings.json"
    kept.parent.mkdir()
    kept.write_text(json.dumps(settings))
    (work / "watched.txt").write_text("before")
    sub = work / "sub"
    sub.mkdir()
    (sub / "CLAUDE.md").write_text("Be kind.")
    (sub / "a.txt").write_text("a")
    async with hearing(heard := Heard(), setting_sources=["project"]) as client:
        await client.request("register_repo_root", directory=str(sub))
        await heard.wait("DirectoryAdded")
        model.reply(ToolUse("Read", {"file_path": str(sub / "a.txt")}))
        model.reply(Text("read"))
        await ask(client, "Read.")
        (work / "watched.txt").write_text("after")
        kept.write_text(json.dumps({**settings, "env": {"A": "b"}}))
        await heard.wait("FileChanged", "ConfigChange", "InstructionsLoaded")
        model.reply(ToolUse("Bash", {"command": "cd sub"}))
        model.reply(Text("there"))
        await ask(client, "Go there.")
        await heard.wait("CwdChanged")
    assert heard["DirectoryAdded"]["directory"] == str(sub)
    assert heard["FileChanged"]["file_path"] == str(work / "watched.txt")
    assert heard["ConfigChange"]["source"] == "project_settings"
    assert heard["InstructionsLoaded"]["file_path"] == str(sub / "CLAUDE.md")
    assert heard["CwdChanged"]["new_cwd"] == str(sub)


async def test_the_others_can_be_registered(hearing):
    """They belong to mode `auto`, to the time before callbacks are registered, and to teams of agents."""
    others = {"PermissionDenied", "Setup", "TeammateIdle"}
    async with hearing(heard := Heard()) as client:
        await ask(client, "Hello.")
        await heard.wait("Stop")
        assert others <= set(HOOK_EVENTS)
        assert not others & heard.keys()
