"""The public names: there when asked for, and not before."""

import subprocess
import sys

import pytest

import claude_nb


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_every_public_name_is_found():
    assert [name for name in claude_nb.__all__ if not hasattr(claude_nb, name)] == []
    assert {"query", "ClaudeSDKClient", "HOOK_EVENTS", "UserPromptExpansionHookSpecificOutput"} <= set(dir(claude_nb))


def test_a_name_there_is_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'qurey'"):
        _ = claude_nb.qurey


def test_importing_brings_no_engine_and_asking_for_query_nothing_heavy():
    heavy = "[m for m in ('asyncio', 'mcp', 'IPython', 'anywidget', 'trio', 'claude_agent_sdk') if m in sys.modules]"
    assert python("import sys, claude_nb; print('anyio' in sys.modules)") == "False"
    assert python(f"import sys, claude_nb; claude_nb.query; print({heavy})") == "[]"


def test_a_star_import_brings_all_of_them():
    assert python("from claude_nb import *; print(query.__module__)") == "claude_nb.engine.query"
    assert python("from claude_nb.types import *; print(HookInput.__args__[0].__name__)") == "PreToolUseHookInput"


def test_the_module_of_types_costs_no_more_and_has_no_other_names():
    assert (
        python("import sys; from claude_nb.types import SyncHookJSONOutput; print('anyio' in sys.modules)") == "False"
    )
    with pytest.raises(ImportError, match="HookInptu"):
        from claude_nb.types import HookInptu  # noqa: F401
