"""Options to argv, environment and initialize; what may not be combined. Source: protocol page 2.2 and 2.3."""

import json
import re
import traceback
from dataclasses import fields
from pathlib import Path
from uuid import uuid4

import pytest
from mcp.server import Server

from claude_nb.errors import CLIConnectionError, OptionsError
from claude_nb.protocol.config import AgentDefinition
from claude_nb.protocol.hook import HookMatcher, needs_on_failure, output_to_wire, register
from claude_nb.protocol.launch import MINIMUM_CLI_VERSION, arguments, environment, initialize, too_old
from claude_nb.protocol.options import ClaudeAgentOptions, check, is_bidirectional, sdk_servers

BASE = ["--output-format", "stream-json", "--verbose"]
END = ["--input-format", "stream-json"]


def no_file(path):
    raise AssertionError(f"{path} was read")


def argv(**options):
    tokens = arguments(
        ClaudeAgentOptions(**{"system_prompt": {"type": "preset", "preset": "claude_code"}, **options}), no_file
    )
    assert tokens[:3] == BASE
    assert tokens[-2:] == END
    return tokens[3:-2]


def test_the_least_options_send_an_empty_system_prompt_as_the_official_sdk_does():
    assert arguments(ClaudeAgentOptions(), no_file) == [*BASE, "--system-prompt", "", *END]


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        ({}, []),
        ({"system_prompt": "Be brief."}, ["--system-prompt", "Be brief."]),
        ({"system_prompt": {"type": "custom", "prompt": "P"}}, ["--system-prompt", "P"]),
        ({"system_prompt": {"type": "file", "path": "p.md"}}, ["--system-prompt-file", "p.md"]),
        (
            {"system_prompt": {"type": "preset", "preset": "claude_code", "append": "More."}},
            ["--append-system-prompt", "More."],
        ),
        ({"tools": ["Read", "Bash"]}, ["--tools", "Read,Bash"]),
        ({"tools": []}, ["--tools", ""]),
        ({"tools": {"type": "preset", "preset": "claude_code"}}, ["--tools", "default"]),
        ({"allowed_tools": ["Read", "Bash(git *)"]}, ["--allowedTools", "Read,Bash(git *)"]),
        ({"allowed_tools": ["Read"], "append_allowed_tools": ["Write", "Read"]}, ["--allowedTools", "Read,Write"]),
        ({"disallowed_tools": ["Bash"]}, ["--disallowedTools", "Bash"]),
        ({"max_turns": 3}, ["--max-turns", "3"]),
        ({"max_budget_usd": 0.5}, ["--max-budget-usd", "0.5"]),
        ({"task_budget": {"total": 9}}, ["--task-budget", "9"]),
        ({"model": "opus", "fallback_model": "sonnet"}, ["--model", "opus", "--fallback-model", "sonnet"]),
        ({"betas": ["context-1m-2025-08-07"]}, ["--betas", "context-1m-2025-08-07"]),
        ({"permission_prompt_tool_name": "mcp__a__b"}, ["--permission-prompt-tool", "mcp__a__b"]),
        ({"can_use_tool": no_file}, ["--permission-prompt-tool", "stdio"]),
        ({"permission_mode": "plan"}, ["--permission-mode", "plan"]),
        ({"continue_conversation": True}, ["--continue"]),
        ({"resume": "-rf"}, ["--resume=-rf"]),
        ({"settings": '{"a":1}'}, ["--settings", '{"a":1}']),
        ({"add_dirs": ["a", "b"]}, ["--add-dir", "a", "--add-dir", "b"]),
        ({"mcp_servers": "servers.json"}, ["--mcp-config", "servers.json"]),
        ({"include_partial_messages": True}, ["--include-partial-messages"]),
        ({"include_hook_events": True}, ["--include-hook-events"]),
        ({"strict_mcp_config": True}, ["--strict-mcp-config"]),
        ({"resume": "r", "fork_session": True}, ["--resume=r", "--fork-session"]),
        (
            {"resume": "r", "resume_session_at": "u", "resume_drops_turn": ""},
            ["--resume=r", "--resume-session-at=u", "--resume-drops-turn="],
        ),
        ({"session_store": object()}, ["--session-mirror"]),
        ({"setting_sources": ["user", "local"]}, ["--setting-sources=user,local"]),
        ({"setting_sources": []}, ["--setting-sources="]),
        ({"plugins": [{"type": "local", "path": "p"}]}, ["--plugin-dir", "p"]),
        ({"extra_args": {"bare": None, "debug-file": "f", "x": "-1"}}, ["--bare", "--debug-file", "f", "--x=-1"]),
        ({"thinking": {"type": "adaptive"}}, ["--thinking", "adaptive"]),
        ({"thinking": {"type": "disabled", "display": "omitted"}}, ["--thinking", "disabled"]),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 99, "display": "summarized"}},
            ["--max-thinking-tokens", "99", "--thinking-display", "summarized"],
        ),
        ({"max_thinking_tokens": 5}, ["--max-thinking-tokens", "5"]),
        ({"max_thinking_tokens": 5, "thinking": {"type": "adaptive"}}, ["--thinking", "adaptive"]),
        ({"effort": "high"}, ["--effort", "high"]),
        (
            {"output_format": {"type": "json_schema", "schema": {"type": "object"}}},
            ["--json-schema", '{"type": "object"}'],
        ),
        ({"skills": "all"}, ["--allowedTools", "Skill", "--setting-sources=user,project"]),
        ({"skills": ["pdf"]}, ["--allowedTools", "Skill(pdf)", "--setting-sources=user,project"]),
        ({"skills": [], "setting_sources": ["user"]}, ["--setting-sources=user"]),
        ({"agent": "reviewer"}, ["--agent=reviewer"]),
        ({"replay_user_messages": True}, ["--replay-user-messages"]),
        ({"enable_file_checkpointing": True}, ["--replay-user-messages"]),
        ({"enable_file_checkpointing": True, "replay_user_messages": False}, []),
        ({"persist_session": False}, ["--no-session-persistence"]),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_each_option_becomes_its_flags(options, tokens):
    assert argv(**options) == tokens


def test_a_session_id_is_one_token():
    id = str(uuid4())
    assert argv(session_id=id) == [f"--session-id={id}"]


def test_in_process_servers_are_announced_without_their_instance():
    servers = {
        "mine": {"type": "sdk", "name": "mine", "instance": object()},
        "far": {"type": "http", "url": "https://example.org/mcp"},
    }
    flag, config = argv(mcp_servers=servers)
    assert flag == "--mcp-config"
    assert json.loads(config) == {
        "mcpServers": {
            "mine": {"type": "sdk", "name": "mine"},
            "far": {"type": "http", "url": "https://example.org/mcp"},
        }
    }
    assert sdk_servers(ClaudeAgentOptions(mcp_servers=servers)) == {"mine": servers["mine"]["instance"]}


def test_a_server_of_the_mcp_package_may_stand_for_its_entry():
    server = Server("calc")
    options = ClaudeAgentOptions(mcp_servers={"mine": server})
    check(options)
    assert sdk_servers(options) == {"mine": server}
    assert json.loads(argv(mcp_servers={"mine": server})[1]) == {
        "mcpServers": {"mine": {"type": "sdk", "name": "mine"}}
    }


def test_a_sandbox_joins_inline_settings():
    _, settings = argv(sandbox={"enabled": True}, settings=' {"a": 1}')
    assert json.loads(settings) == {"a": 1, "sandbox": {"enabled": True}}


def test_a_sandbox_joins_the_settings_of_a_file():
    options = ClaudeAgentOptions(sandbox={"enabled": True}, settings="s.json")
    tokens = arguments(options, {"s.json": '{"b": 2}'}.__getitem__)
    assert json.loads(tokens[tokens.index("--settings") + 1]) == {"b": 2, "sandbox": {"enabled": True}}


def test_settings_that_cannot_be_read_are_named():
    def missing(path):
        raise FileNotFoundError(path)

    with pytest.raises(CLIConnectionError, match=r"s\.json"):
        arguments(ClaudeAgentOptions(sandbox={"enabled": True}, settings="s.json"), missing)


@pytest.mark.parametrize("settings", ['{"env": {"KEY": "hunter2hunter2"', '[{"KEY": "hunter2hunter2"}', "no.json"])
def test_settings_that_cannot_be_read_are_not_shown(settings):
    def missing(path):
        raise FileNotFoundError(2, "No such file or directory", path)

    with pytest.raises(CLIConnectionError, match="path of a file") as caught:
        arguments(ClaudeAgentOptions(sandbox={"enabled": True}, settings=settings), missing)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"can_use_tool": no_file, "permission_prompt_tool_name": "x"}, "both answer"),
        ({"permission_mode": "yolo"}, "permission_mode must be"),
        ({"continue_conversation": True, "resume": "r"}, "one of them"),
        ({"session_id": "notebook"}, "must be a UUID"),
        ({"session_id": str(uuid4()), "resume": "r"}, "fork_session"),
        ({"fork_session": True}, "session to fork"),
        ({"resume_session_at": "u"}, "set resume"),
        ({"resume": "r", "resume_drops_turn": "u"}, "resume_session_at"),
        ({"max_turns": 0}, "at least 1"),
        ({"max_budget_usd": 0}, "more than 0"),
        ({"model": "a", "fallback_model": "a"}, "another model"),
        ({"effort": "huge"}, "effort must be"),
        ({"setting_sources": ["team"]}, "setting_sources may hold"),
        ({"hooks": {"PreTool": []}}, "HOOK_EVENTS"),
        ({"thinking": {"type": "hard"}}, "adaptive, enabled"),
        ({"thinking": {"type": "enabled"}}, "budget_tokens"),
        ({"output_format": {"type": "object"}}, "json_schema"),
        ({"plugins": [{"type": "git", "path": "p"}]}, "local"),
        ({"skills": "pdf"}, "list of names"),
        ({"skills": ["*"]}, "every skill"),
        ({"skills": ["a,b"]}, "brackets, commas"),
        ({"skills": ["/pdf"]}, "slash command"),
        ({"skills": [" pdf"]}, "outer spaces"),
        ({"session_store": object(), "enable_file_checkpointing": True}, "checkpoints stay"),
        ({"persist_session": False, "resume": "r"}, "off the disk"),
        ({"mcp_servers": {"a": {"type": "sdk", "name": "a"}}}, "needs its instance"),
        ({"max_buffer_size": 0}, "longest line"),
        *[
            ({name: "Bash"}, f"{name} must be a list .*this is a str")
            for name in ("tools", "allowed_tools", "append_allowed_tools", "disallowed_tools", "betas", "add_dirs")
        ],
        ({"allowed_tools": None}, "this is None"),
        ({"disallowed_tools": [re.compile("Bash")]}, "must be a list of texts"),
        ({"setting_sources": "user"}, "setting_sources must be a list"),
        ({"plugins": {"type": "local", "path": "p"}}, "plugins must be a list"),
        ({"agents": {"a": {"description": "d", "prompt": "p"}}}, r"AgentDefinition\(description"),
        ({"system_prompt": {"type": "file"}}, '"path"'),
        ({"system_prompt": {"type": "custom"}}, '"prompt"'),
        ({"system_prompt": ["Be brief."]}, "system_prompt must be a text"),
        ({"task_budget": {"x": 1}}, '"total"'),
        ({"env": {"A": 1}}, "env must be a dict of texts"),
        ({"settings": {"a": 1}}, "json.dumps"),
        ({"extra_args": {"--bare": None}}, "without their dashes"),
        ({"hooks": {"PreToolUse": [no_file]}}, r'\[HookMatcher\("Bash"'),
        ({"hooks": {"PreToolUse": HookMatcher(hooks=[no_file])}}, "hooks must be a dict of lists"),
        ({"hooks": {"PreToolUse": [HookMatcher(hooks=no_file)]}}, r"HookMatcher\(.*\[function\]"),
        ({"can_use_tool": "allow"}, "can_use_tool must be a function"),
        ({"mcp_servers": {"a": object()}}, "create_sdk_mcp_server"),
        ({"mcp_servers": None}, "mcp_servers must be a dict"),
        ({"output_format": int}, "json_schema"),
        ({"sandbox": True}, '"enabled"'),
        ({"max_turns": "3"}, "max_turns must be a number"),
        ({"session_id": uuid4()}, r"write str\(it\)"),
        ({"cwd": 5}, "cwd must be a path"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_meant_is_refused_with_the_reason(options, why):
    with pytest.raises(OptionsError, match=why):
        check(ClaudeAgentOptions(**options))


def test_sensible_combinations_pass():
    check(ClaudeAgentOptions())
    check(ClaudeAgentOptions(allowed_tools=("Read",), disallowed_tools={"Write"}, add_dirs=[Path("a")], tools=()))
    check(ClaudeAgentOptions(resume="r", fork_session=True, session_id=str(uuid4()), resume_session_at="u"))
    check(ClaudeAgentOptions(skills=["pdf", "plugin:docx"], permission_mode="manual"))


def test_the_environment_is_the_inherited_one_without_what_belongs_to_the_kernel():
    inherited = {
        "PATH": "/bin",
        "MPLBACKEND": "inline",
        "FORCE_COLOR": "1",
        "CLICOLOR_FORCE": "1",
        "PYDEVD_USE_FRAME_EVAL": "NO",
        "JPY_PARENT_PID": "1",
        "JUPYTERHUB_API_TOKEN": "secret",
        "CLAUDECODE": "1",
    }
    env = environment(ClaudeAgentOptions(), inherited, "/work-dir")
    assert env == {
        "PATH": "/bin",
        "PWD": "/work-dir",
        "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
        "CLAUDE_CODE_SDK_READS_SESSION_STATE": "1",
    }


def test_the_users_environment_wins_and_options_add_theirs():
    options = ClaudeAgentOptions(
        env={"MPLBACKEND": "agg", "TRACEPARENT": "mine", "claude_code_sdk_reads_session_state": "0"},
        enable_file_checkpointing=True,
        client_app="app/1",
    )
    env = environment(options, {"TRACEPARENT": "stale"}, "/w", {"TRACEPARENT": "fresh", "TRACESTATE": "s"})
    assert env["MPLBACKEND"] == "agg"
    assert (env["TRACEPARENT"], env["TRACESTATE"]) == ("mine", "s")
    assert "CLAUDE_CODE_SDK_READS_SESSION_STATE" not in env
    assert env["CLAUDE_CODE_ENABLE_SDK_FILE_CHECKPOINTING"] == "true"
    assert env["CLAUDE_AGENT_SDK_CLIENT_APP"] == "app/1"


def test_initialize_carries_what_has_no_flag():
    async def hook(input, tool_use_id, context):
        return {}

    options = ClaudeAgentOptions(
        hooks={"PreToolUse": [HookMatcher("Bash", [hook], timeout=5, on_failure="block"), HookMatcher(hooks=[hook])]},
        agents={"a": AgentDefinition(description="d", prompt="p", tools=["Read"], maxTurns=2)},
        skills=[],
        forward_subagent_text=True,
        system_prompt={"type": "preset", "preset": "claude_code", "exclude_dynamic_sections": True, "snapshot": False},
        title="T",
    )
    assert initialize(options) == {
        "hooks": {
            "PreToolUse": [
                {"matcher": "Bash", "hookCallbackIds": ["hook_0"], "timeout": 5, "onFailure": "block"},
                {"matcher": None, "hookCallbackIds": ["hook_1"]},
            ]
        },
        "agents": {"a": {"description": "d", "prompt": "p", "tools": ["Read"], "maxTurns": 2}},
        "excludeDynamicSections": True,
        "systemPromptSnapshot": False,
        "skills": [],
        "forwardSubagentText": True,
        "title": "T",
    }
    assert register(options.hooks)[1] == {"hook_0": hook, "hook_1": hook}
    assert needs_on_failure(options.hooks)
    assert initialize(ClaudeAgentOptions()) == {"hooks": None}


def test_hook_answers_lose_the_underscores_of_reserved_words():
    assert output_to_wire({"continue_": False, "async_": True, "reason": "r"}) == {
        "continue": False,
        "async": True,
        "reason": "r",
    }
    assert output_to_wire(None) == {}
    with pytest.raises(TypeError, match="must return a dict"):
        output_to_wire("allow")


def test_callbacks_of_any_kind_make_a_session_bidirectional():
    assert not is_bidirectional(ClaudeAgentOptions())
    assert is_bidirectional(ClaudeAgentOptions(can_use_tool=no_file))
    assert is_bidirectional(ClaudeAgentOptions(mcp_servers={"a": {"type": "sdk", "name": "a", "instance": 1}}))
    assert not is_bidirectional(ClaudeAgentOptions(mcp_servers={"a": {"type": "http", "url": "u"}}))


@pytest.mark.parametrize(
    ("found", "options", "missing"),
    [
        ("2.1.329", {}, None),
        (MINIMUM_CLI_VERSION, {}, None),
        ("1.0.128", {}, ("this library", MINIMUM_CLI_VERSION)),
        ("2.1.99", {"effort": "xhigh"}, ("effort xhigh", "2.1.111")),
        ("2.1.111-beta.1", {"effort": "xhigh"}, None),
        ("2.1.200", {"verbatim_prompts": True}, ("verbatim_prompts", "2.1.248")),
    ],
)
def test_a_cli_that_is_too_old_is_told_with_what_it_lacks(found, options, missing):
    assert too_old(found, ClaudeAgentOptions(**options)) == missing


@pytest.mark.parametrize(
    "fields",
    [
        {"env": {"ANTHROPIC_API_KEY": "hunter2"}},
        {"mcp_servers": {"a": {"type": "http", "url": "u", "headers": {"Authorization": "Bearer hunter2"}}}},
        {"settings": '{"env": {"ANTHROPIC_AUTH_TOKEN": "hunter2"}}'},
        {"extra_args": {"token": "hunter2"}},
        {"agents": {"a": AgentDefinition("d", "p", mcpServers=[{"b": {"command": "c", "env": {"T": "hunter2"}}}])}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_may_hold_credentials_is_not_in_the_repr(fields):
    assert "hunter2" not in repr(ClaudeAgentOptions(**fields))


def test_every_official_field_is_here_in_the_official_order():
    import claude_agent_sdk as official

    theirs = [field.name for field in fields(official.ClaudeAgentOptions)]
    ours = [field.name for field in fields(ClaudeAgentOptions) if not field.kw_only]
    assert ours == theirs
