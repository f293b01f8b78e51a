"""The kit for testing code that uses claude_nb: a scripted model for the real CLI, a CLI in memory, assertions.

Above: your tests. Below: `claude_nb.demo.model` (the scripted model), `transport`, `assertions`, and `conformance` for
session stores; each is documented there.
"""

from __future__ import annotations

from claude_nb.demo.answer import Answer, ApiError, Gate, HangUp, Part, Pause, Raw, Text, Thinking, ToolUse
from claude_nb.demo.model import Script, ScriptedModel, echo
from claude_nb.demo.request import Request, ToolResult

from .assertions import (
    assert_ended_well,
    assert_hook_asked,
    assert_permission_asked,
    assert_prompt_sent,
    assert_tool_called,
)
from .conformance import run_session_store_conformance
from .transport import Asked, FakeTransport

__all__ = [
    "Answer",
    "ApiError",
    "Asked",
    "FakeTransport",
    "Gate",
    "HangUp",
    "Part",
    "Pause",
    "Raw",
    "Request",
    "Script",
    "ScriptedModel",
    "Text",
    "Thinking",
    "ToolResult",
    "ToolUse",
    "assert_ended_well",
    "assert_hook_asked",
    "assert_permission_asked",
    "assert_prompt_sent",
    "assert_tool_called",
    "echo",
    "run_session_store_conformance",
]
