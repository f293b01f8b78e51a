"""A Messages API request as the scripted model reads it: who asks, what for, what the tools said.

Below: nothing. Above: `model.py` answers these, scripts decide on them. Pure: no IO.
What the CLI sends was observed on CLI 2.1.329.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

Kind = Literal["main", "agent", "title", "topic", "side_question", "compact", "summary", "suggestion", "probe"]

# The CLI wraps what it adds to a prompt (date, skills, attribution) in these tags; scripts see the user's words.
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>\s*", re.DOTALL)

# (where, marker, kind): side calls are told apart by what the CLI writes in them. The first match wins.
_MARKS: Final[tuple[tuple[Literal["system", "text"], str, Kind], ...]] = (
    ("system", "cc_is_subagent=true", "agent"),
    ("system", "naming a coding session", "title"),
    ("system", "concise, sentence-case title", "title"),
    ("system", "new conversation topic", "topic"),
    ("text", "This is a side question from the user.", "side_question"),
    ("text", "CRITICAL: Respond with TEXT ONLY.", "compact"),
    ("text", "Your task is to create a detailed summary of the conversation", "compact"),
    ("text", "Web page content:\n---", "summary"),
    ("text", "[SUGGESTION MODE", "suggestion"),
)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What one tool call came to: the call's `name` and `input`, and the `text` the CLI sent back."""

    id: str
    name: str
    input: dict[str, Any]
    text: str
    is_error: bool


class Request(dict[str, Any]):
    """The parsed body of one POST /v1/messages, with the questions a script asks of it."""

    @cached_property
    def kind(self) -> Kind:
        """`main` for the conversation, `agent` for a sub-agent's, else which side call of the CLI this is."""
        if self.get("max_tokens") == 1:
            return "probe"
        places = {"system": self.system, "text": self._last_text}
        return next((kind for place, mark, kind in _MARKS if mark in places[place]), "main")

    @cached_property
    def system(self) -> str:
        """The system prompt as one text."""
        return _text(self.get("system") or "")

    @cached_property
    def tools(self) -> list[str]:
        """Names of the tools that the model may call."""
        return [tool.get("name", "") for tool in self.get("tools") or []]

    @cached_property
    def cwd(self) -> str | None:
        """The working folder, as the CLI tells the model."""
        match = re.search(r"working directory: (.+)", self._everything)
        return match[1].strip() if match else None

    @cached_property
    def images(self) -> list[bytes]:
        """The images that came with the prompt, decoded."""
        blocks = _blocks(self._messages[self._prompt_index]) if self._messages else []
        sources = [block["source"] for block in blocks if block.get("type") == "image"]
        return [base64.b64decode(source["data"]) for source in sources if source.get("type") == "base64"]

    def mcp_tool(self, name: str) -> str | None:
        """Full name of the MCP tool `name`; the CLI lists such tools in words, not among `tools`."""
        match = re.search(rf"\bmcp__\w+?__{re.escape(name)}\b", "\n".join([*self.tools, self._everything]))
        return match[0] if match else None

    @cached_property
    def session_id(self) -> str | None:
        """The CLI's session, from the request's metadata."""
        try:
            return str(json.loads(self["metadata"]["user_id"])["session_id"])
        except (KeyError, TypeError, ValueError):
            return None

    @cached_property
    def prompt(self) -> str:
        """The user's words that this call works on, without what the CLI added to them."""
        return self._words(self._prompt_index)

    @cached_property
    def prompts(self) -> list[str]:
        """Every prompt of the conversation so far, oldest first."""
        return [self._words(i) for i, message in enumerate(self._messages) if _is_prompt(message) and self._words(i)]

    @cached_property
    def results(self) -> list[ToolResult]:
        """Results of the tool calls since the prompt, in the order of the calls."""
        since = [block for message in self._messages[self._prompt_index :] for block in _blocks(message)]
        results = {block["tool_use_id"]: block for block in since if block.get("type") == "tool_result"}
        return [
            ToolResult(
                id=call["id"],
                name=call["name"],
                input=call["input"],
                text=_text(results[call["id"]].get("content") or ""),
                is_error=bool(results[call["id"]].get("is_error")),
            )
            for call in since
            if call.get("type") == "tool_use" and call["id"] in results
        ]

    @property
    def place(self) -> tuple[Any, ...]:
        """Where in which conversation this call stands: the same for a call and its retries."""
        # By its words: after a failed turn the CLI joins the next prompt to the one that got no answer.
        return (self.session_id, self.kind, self.prompt, len(self.results))

    def result(self, name: str) -> ToolResult | None:
        """The latest result of the tool `name` since the prompt, or None if it was not called."""
        return next((r for r in reversed(self.results) if r.name == name), None)

    @property
    def _messages(self) -> list[dict[str, Any]]:
        return self.get("messages") or []

    @cached_property
    def _everything(self) -> str:
        return "\n".join([self.system, *(_text(message.get("content") or "") for message in self._messages)])

    @cached_property
    def _last_text(self) -> str:
        return _text(self._messages[-1].get("content") or "") if self._messages else ""

    @cached_property
    def _prompt_index(self) -> int:
        candidates = [i for i, message in enumerate(self._messages) if _is_prompt(message)]
        return candidates[-1] if candidates else 0

    def _words(self, index: int) -> str:
        if index >= len(self._messages):
            return ""
        text = _text(self._messages[index].get("content") or "")
        # A turn that the CLI starts itself (a finished background task) is nothing but a reminder: keep that.
        return _REMINDER.sub("", text).strip() or text.strip()


def _is_prompt(message: dict[str, Any]) -> bool:
    """Whether a user message says something, rather than only carrying tool results and reminders."""
    if message.get("role") != "user":
        return False
    blocks = _blocks(message)
    if not any(block.get("type") == "tool_result" for block in blocks):
        return True
    return any(_REMINDER.sub("", block.get("text", "")).strip() for block in blocks if block.get("type") == "text")


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content") or ""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block.get("type") == "text")
