"""Options to argv, environment and the initialize request: pure functions over a table.

Layer 0. Above: `engine.process` starts the CLI with them. Below: `options`, `hook`. The order of the flags is the
official Python SDK's (0.2.186), so its users' expectations of a command line hold. Source: protocol page 2.1 to 2.6.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from claude_nb.errors import CLIConnectionError, CLIVersionError, OptionsError

from .hook import needs_on_failure, register
from .options import ClaudeAgentOptions, server_entries

MINIMUM_CLI_VERSION = "2.0.0"
LONGEST = 100_000
"""Bytes of the longest prompt or schema that is an argument."""

Emit: TypeAlias = Callable[[ClaudeAgentOptions], list[str]]


def _pair(flag: str, value: Any) -> list[str]:
    return [] if value is None else [flag, str(value)]


def _list(flag: str, values: Iterable[Any]) -> list[str]:
    joined = ",".join(map(str, values))
    return [flag, joined] if joined else []


def _switch(flag: str, on: bool) -> list[str]:
    return [flag] if on else []


def _equals(flag: str, value: Any) -> list[str]:
    # One token: a value that begins with a dash cannot pose as a flag of its own.
    return [] if value is None else [f"{flag}={value}"]


def _each(flag: str, values: Iterable[Any]) -> list[str]:
    return [token for value in values for token in (flag, str(value))]


def _is_long(text: str | None) -> bool:
    """Too long for an argument (Linux: 128 KiB), so that it goes with `initialize`, where old CLIs overlook it."""
    return text is not None and len(text) * 4 > LONGEST and len(text.encode(errors="replace")) > LONGEST


def _system_prompt(o: ClaudeAgentOptions) -> list[str]:
    flag, text = _prompt(o)
    return [] if _is_long(text) else _pair(flag, text)


def _prompt(o: ClaudeAgentOptions) -> tuple[str, str | None]:
    prompt = o.system_prompt
    if prompt is None or isinstance(prompt, str):
        # None is an empty prompt, not Claude Code's own: so it is in the official SDK.
        return "--system-prompt", prompt or ""
    if prompt["type"] == "file":
        return "--system-prompt-file", str(prompt["path"])
    if prompt["type"] == "custom":
        return "--system-prompt", prompt["prompt"]
    return "--append-system-prompt", prompt.get("append")


def _tools(o: ClaudeAgentOptions) -> list[str]:
    if o.tools is None:
        return []
    return ["--tools", "default" if isinstance(o.tools, dict) else ",".join(o.tools)]


def _allowed_tools(o: ClaudeAgentOptions) -> list[str]:
    skills = ["Skill"] if o.skills == "all" else [f"Skill({name})" for name in o.skills or []]
    return _list("--allowedTools", dict.fromkeys([*o.allowed_tools, *o.append_allowed_tools, *skills]))


def _permission_tool(o: ClaudeAgentOptions) -> list[str]:
    return _pair("--permission-prompt-tool", "stdio" if o.can_use_tool else o.permission_prompt_tool_name)


def _setting_sources(o: ClaudeAgentOptions) -> list[str]:
    sources = o.setting_sources
    if sources is None and o.skills is not None:
        sources = ["user", "project"]
    return [] if sources is None else [f"--setting-sources={','.join(sources)}"]


def _mcp_config(o: ClaudeAgentOptions) -> list[str]:
    if not isinstance(o.mcp_servers, dict):
        return ["--mcp-config", str(o.mcp_servers)]
    entries = server_entries(o.mcp_servers)
    servers = {name: {k: v for k, v in entry.items() if k != "instance"} for name, entry in entries.items()}
    return ["--mcp-config", json.dumps({"mcpServers": servers})] if servers else []


def _extra_args(o: ClaudeAgentOptions) -> list[str]:
    tokens: list[str] = []
    for name, value in o.extra_args.items():
        if value is None:
            tokens.append(f"--{name}")
        else:
            tokens += [f"--{name}={value}"] if str(value).startswith("-") else [f"--{name}", str(value)]
    return tokens


def _thinking(o: ClaudeAgentOptions) -> list[str]:
    if o.thinking is None:
        return _pair("--max-thinking-tokens", o.max_thinking_tokens)
    if o.thinking["type"] == "enabled":
        tokens = ["--max-thinking-tokens", str(o.thinking["budget_tokens"])]
    else:
        tokens = ["--thinking", o.thinking["type"]]
    return (
        tokens if o.thinking["type"] == "disabled" else tokens + _pair("--thinking-display", o.thinking.get("display"))
    )


def _replays(o: ClaudeAgentOptions) -> bool:
    # A rewind names the prompt it goes back to, so checkpoints bring the prompts' uuids along.
    return o.enable_file_checkpointing if o.replay_user_messages is None else o.replay_user_messages


def _json_schema(o: ClaudeAgentOptions) -> list[str]:
    schema = _schema(o)
    return [] if _is_long(schema) else _pair("--json-schema", schema)


def _schema(o: ClaudeAgentOptions) -> str | None:
    return json.dumps(o.output_format["schema"]) if o.output_format else None


FLAGS: tuple[tuple[str, Emit], ...] = (
    ("system_prompt", _system_prompt),
    ("tools", _tools),
    ("allowed_tools", _allowed_tools),
    ("max_turns", lambda o: _pair("--max-turns", o.max_turns)),
    ("max_budget_usd", lambda o: _pair("--max-budget-usd", o.max_budget_usd)),
    ("disallowed_tools", lambda o: _list("--disallowedTools", o.disallowed_tools)),
    ("task_budget", lambda o: _pair("--task-budget", o.task_budget["total"] if o.task_budget else None)),
    ("model", lambda o: _pair("--model", o.model)),
    ("fallback_model", lambda o: _pair("--fallback-model", o.fallback_model)),
    ("betas", lambda o: _list("--betas", o.betas)),
    ("permission_prompt_tool_name", _permission_tool),
    ("permission_mode", lambda o: _pair("--permission-mode", o.permission_mode)),
    ("continue_conversation", lambda o: _switch("--continue", o.continue_conversation)),
    ("resume", lambda o: _equals("--resume", o.resume)),
    ("session_id", lambda o: _equals("--session-id", o.session_id)),
    ("add_dirs", lambda o: _each("--add-dir", o.add_dirs)),
    ("mcp_servers", _mcp_config),
    ("include_partial_messages", lambda o: _switch("--include-partial-messages", o.include_partial_messages)),
    ("include_hook_events", lambda o: _switch("--include-hook-events", o.include_hook_events)),
    ("strict_mcp_config", lambda o: _switch("--strict-mcp-config", o.strict_mcp_config)),
    ("fork_session", lambda o: _switch("--fork-session", o.fork_session)),
    ("resume_session_at", lambda o: _equals("--resume-session-at", o.resume_session_at)),
    ("resume_drops_turn", lambda o: _equals("--resume-drops-turn", o.resume_drops_turn)),
    ("session_store", lambda o: _switch("--session-mirror", o.session_store is not None)),
    ("setting_sources", _setting_sources),
    ("plugins", lambda o: _each("--plugin-dir", (plugin["path"] for plugin in o.plugins))),
    ("agent", lambda o: _equals("--agent", o.agent)),
    ("replay_user_messages", lambda o: _switch("--replay-user-messages", _replays(o))),
    ("persist_session", lambda o: _switch("--no-session-persistence", not o.persist_session)),
    ("extra_args", _extra_args),
    ("thinking", _thinking),
    ("effort", lambda o: _pair("--effort", o.effort)),
    ("output_format", _json_schema),
)
"""Field (with those it takes in) to flags. `settings` with `sandbox` is apart: it may need a file read."""

SINCE: tuple[tuple[str, str, Callable[[ClaudeAgentOptions], Any]], ...] = (
    ("max_budget_usd", "2.0.28", lambda o: o.max_budget_usd is not None),
    ("effort xhigh", "2.1.111", lambda o: o.effort == "xhigh"),
    ("verbatim_prompts", "2.1.248", lambda o: o.verbatim_prompts),
    (
        "system_prompt snapshot",
        "2.1.257",
        lambda o: isinstance(o.system_prompt, dict) and o.system_prompt.get("snapshot") is not None,
    ),
)
"""What needs a CLI newer than the minimum: name, first version, whether the options use it. A flag that a CLI does
not know ends it at once with `unknown option`, which becomes a `CLIVersionError` too."""


def arguments(options: ClaudeAgentOptions, read: Callable[[str], str]) -> list[str]:
    """The arguments after the CLI's own path. `read` gives the text of a settings file, when sandbox needs one."""
    tokens = ["--output-format", "stream-json", "--verbose"]
    for _, emit in FLAGS:
        tokens += emit(options)
    tokens += _pair("--settings", _settings(options, read))
    return [*tokens, "--input-format", "stream-json"]


def texts_within(options: ClaudeAgentOptions) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts that stand under a name somewhere in the arguments: in MCP servers, settings and extra arguments."""
    for name in ("mcp_servers", "settings", "extra_args"):
        value = getattr(options, name)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):  # a path
                continue
        yield from _texts(value, (name,))


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _texts(each, (*path, str(name)))


def _settings(o: ClaudeAgentOptions, read: Callable[[str], str]) -> str | None:
    if not o.sandbox:
        return None if o.settings is None else str(o.settings)
    settings = {} if o.settings is None else _settings_object(str(o.settings).strip(), read)
    return json.dumps({**settings, "sandbox": o.sandbox})


def _settings_object(text: str, read: Callable[[str], str]) -> dict[str, Any]:
    try:
        settings = json.loads(text if text.startswith("{") else read(text))
    except (OSError, ValueError) as error:
        # Settings may hold keys, and what was meant as JSON is no path to be shown.
        what = "The settings" if text.startswith("{") or '"' in text else f"The settings file {text!r}"
        why = (error.strerror or "no such file") if isinstance(error, OSError) else error
        raise CLIConnectionError(
            f"{what} could not be read: {why}. Give a JSON object as text, or the path of a file that holds one."
        ) from None
    if not isinstance(settings, dict):
        raise OptionsError("settings must be a JSON object, or a file that holds one, when sandbox is set too.")
    return settings


# Of the kernel's environment: what would colour or redirect the CLI's children, and the hub's and kernel's secrets.
NOT_INHERITED = (
    "CLAUDECODE",
    "CLAUDE_AGENT_SDK_DERIVED_CLIENT_APP",
    "MPLBACKEND",
    "FORCE_COLOR",
    "CLICOLOR*",
    "PYDEVD_*",
    "JPY_*",
    "JUPYTER*TOKEN",
)


def environment(
    options: ClaudeAgentOptions, inherited: Mapping[str, str], cwd: str, trace: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The CLI's environment: the inherited one cleaned, `options.env` over it, then what the options ask for.

    `trace` holds TRACEPARENT and TRACESTATE of the running span; it replaces inherited values, never the user's.
    """
    env = {
        name: value
        for name, value in inherited.items()
        if not any(fnmatchcase(name.upper(), pattern) for pattern in NOT_INHERITED)
    }
    env |= {"CLAUDE_CODE_ENTRYPOINT": "sdk-py", "PWD": cwd, **(trace or {}), **options.env}
    if not any(name.upper() == "CLAUDE_CODE_SDK_READS_SESSION_STATE" for name in env):
        env["CLAUDE_CODE_SDK_READS_SESSION_STATE"] = "1"
    if options.enable_file_checkpointing:
        env["CLAUDE_CODE_ENABLE_SDK_FILE_CHECKPOINTING"] = "true"
    if options.client_app is not None:
        env["CLAUDE_AGENT_SDK_CLIENT_APP"] = options.client_app
    return env


def initialize(options: ClaudeAgentOptions) -> dict[str, Any]:
    """The fields of the initialize request."""
    prompt: Any = options.system_prompt if isinstance(options.system_prompt, dict) else {}
    fields: dict[str, Any] = {"hooks": register(options.hooks)[0]}
    flag, text = _prompt(options)
    long = {flag: text} if _is_long(text) else {}
    optional = {
        "agents": {
            name: {key: value for key, value in asdict(agent).items() if value is not None}
            for name, agent in (options.agents or {}).items()
        },
        "excludeDynamicSections": prompt.get("exclude_dynamic_sections"),
        "systemPromptSnapshot": prompt.get("snapshot"),
        "skills": options.skills if isinstance(options.skills, list) else None,
        "forwardSubagentText": options.forward_subagent_text or None,
        "title": options.title,
        "promptSuggestions": options.prompt_suggestions or None,
        "agentProgressSummaries": options.agent_progress_summaries or None,
        "supportedDialogKinds": options.supported_dialog_kinds or None,
        "systemPrompt": long.get("--system-prompt"),
        "appendSystemPrompt": long.get("--append-system-prompt"),
        "jsonSchema": options.output_format["schema"] if options.output_format and _is_long(_schema(options)) else None,
    }
    # An empty list of skills means none, so only what was not said is left out.
    return fields | {key: value for key, value in optional.items() if value is not None and value != {}}


def check_server(info: Mapping[str, Any], options: ClaudeAgentOptions) -> None:
    """Raise `CLIVersionError` when the CLI that answered `initialize` with `info` lacks what the options need."""
    version = info.get("claude_code_version")
    if isinstance(version, str) and (missing := too_old(version, options)):
        name, needed = missing
        raise CLIVersionError(
            f"The CLI is version {version}, but {name} needs {needed} or newer. Update it with `claude update` or "
            "`pip install -U claude-agent-sdk`.",
            found=version,
            needed=needed,
        )
    if needs_on_failure(options.hooks) and not (
        info.get("hook_on_failure_supported") and info.get("hooks_applied") is not False
    ):
        raise CLIVersionError(
            f'The CLI{f" is version {version} and" if version else ""} does not support on_failure="block", so a guard '
            "would not hold. Update it with `claude update` or `pip install -U claude-agent-sdk`.",
            found=version,
        )


def too_old(found: str, options: ClaudeAgentOptions) -> tuple[str, str] | None:
    """What is missing in the CLI version `found` and the version that has it; None when it will do."""
    needs = [("this library", MINIMUM_CLI_VERSION), *((name, since) for name, since, used in SINCE if used(options))]
    return next(((name, since) for name, since in needs if _numbers(found) < _numbers(since)), None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-")[0].split(".")[:3] if part.isdigit())
