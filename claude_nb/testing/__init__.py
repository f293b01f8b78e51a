"""The kit for testing code that uses claude_nb: a scripted model for the real CLI.

Above: your tests. Below: `claude_nb.demo.model`, where all of it is documented.
"""

from __future__ import annotations

from claude_nb.demo.answer import Answer, ApiError, Gate, HangUp, Part, Pause, Raw, Text, Thinking, ToolUse
from claude_nb.demo.model import Script, ScriptedModel, echo
from claude_nb.demo.request import Request, ToolResult

from .conformance import run_session_store_conformance

__all__ = [
    "Answer",
    "ApiError",
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
    "echo",
    "run_session_store_conformance",
]
