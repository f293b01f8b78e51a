"""The questions of one session: asked in its turn, answered by a rule or a person, settled in any case.

Layer 4. Above: `chat` hosts them, and hands the callbacks here to the CLI. Below: `protocol` (what the CLI asks),
`engine.before` (the file an edit would change). Everything runs on the engine's loop. A question ends once: answered,
out of time, or withdrawn by the CLI; whatever happens, the CLI gets one answer and the conversation keeps the record.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import anyio

from claude_nb.conversation.model import Question, QuestionKind, QuestionStatus, Turn
from claude_nb.engine.before import file_before, is_inside
from claude_nb.protocol.permission import (
    PermissionResult,
    PermissionResultAllow,
    PermissionResultDeny,
    ToolPermissionContext,
)

logger = logging.getLogger(__name__)

#: Tools whose permission question is a question of another kind.
KINDS: dict[str, QuestionKind] = {"AskUserQuestion": "choice", "ExitPlanMode": "plan"}
EXPIRED = "Nobody answered in time, so this was denied. Do not try it again; say what you needed it for."
_TOLD_MOST = 4000


@dataclass(slots=True, frozen=True)
class Terms:
    """How a question is asked: for how many seconds (None: for as long as it takes), what the card adds to it, and
    whether the folder's own settings load, so that a rule kept there takes effect."""

    seconds: float | None = None
    note: str = ""
    trusted: bool = True


@dataclass(slots=True, frozen=True)
class Decided:
    """A decision that needed no person. `by` says who made it, in the record; without it there is none."""

    result: PermissionResult
    by: str = ""


Decide = Callable[[Turn, str, dict[str, Any], ToolPermissionContext], Awaitable[Decided | None]]
Answer = Callable[[Question, Turn, dict[str, Any]], Awaitable[Any]]
"""Gets the question, its turn, and what was asked with nothing redacted. Raises TimeoutError if nobody answers, and
NobodyToAsk."""


class NobodyToAsk(Exception):
    """There is no way to a person; it says why."""


class Host(Protocol):
    """The conversation in which questions are asked."""

    def turn_of(self, tool_use_id: str | None) -> Turn | None:
        """The turn that a tool call belongs to."""

    def asked(self, turn: Turn, question: Question, tool_use_id: str | None) -> None:
        """Put an open question into the turn."""

    def settled(self, turn: Turn, question: Question, status: QuestionStatus, decision: dict[str, Any] | None) -> None:
        """The question is over."""

    def recorded(self, turn: Turn, question: Question, tool_use_id: str | None, decision: dict[str, Any]) -> None:
        """A question was answered before anybody was asked."""


@dataclass(slots=True)
class Questions:
    """Asks for one session. `decide` answers by rule, or leaves it to `answer`, which asks a person under `terms`."""

    host: Host
    decide: Decide
    answer: Answer
    terms: Callable[[Turn], Terms] = lambda turn: Terms()
    folder: Callable[[], Path] = Path.cwd
    _edited: dict[str, str] = field(default_factory=dict)

    async def permit(self, tool_name: str, input: dict[str, Any], context: ToolPermissionContext) -> PermissionResult:
        """The CLI's `can_use_tool`."""
        turn = self.host.turn_of(context.tool_use_id)
        if turn is None:
            return PermissionResultDeny(message="No turn is running that this tool call belongs to.")
        decided = await self.decide(turn, tool_name, input, context)
        if decided is not None:
            if decided.by:
                question = Question(
                    key="", id="", kind=KINDS.get(tool_name, "permission"), ask={"tool_name": tool_name}
                )
                behavior = {"behavior": decided.result.behavior, "by": decided.by}
                self.host.recorded(turn, question, context.tool_use_id, behavior)
            return decided.result
        ask = {
            "tool_name": tool_name,
            "input": input,
            "title": context.title,
            "description": context.description,
            "decision_reason": context.decision_reason,
            "decision_reason_type": context.raw.get("decision_reason_type"),
            "blocked_path": context.blocked_path,
            "inside": await is_inside(context.blocked_path, self.folder()),
            "agent": _agent(turn, context),
            "suggestions": [s.to_dict() for s in context.suggestions],
            "no_always": bool(context.raw.get("suppress_always_allow_rule")),
            "file": await file_before(tool_name, input, self.folder()),
            "plan": _plan_of(turn, context.tool_use_id) if tool_name == "ExitPlanMode" else None,
        }
        result: PermissionResult = await self._ask(
            turn, KINDS.get(tool_name, "permission"), ask, context.tool_use_id, PermissionResultDeny
        )
        if isinstance(result, PermissionResultAllow) and tool_name not in KINDS and context.tool_use_id:
            self._remember_edit(context.tool_use_id, input, result.updated_input)
        return result

    async def elicit(self, request: dict[str, Any]) -> dict[str, Any]:
        """The CLI's `on_elicitation`: a form, or an address to open, of an MCP server."""
        turn = self.host.turn_of(None)
        if turn is None:
            return {"action": "decline"}
        result: dict[str, Any] = await self._ask(turn, "form", request, None, lambda message: {"action": "decline"})
        return result

    async def _ask(
        self,
        turn: Turn,
        kind: QuestionKind,
        ask: dict[str, Any],
        tool_use_id: str | None,
        refuse: Callable[..., Any],
    ) -> Any:
        terms = self.terms(turn)
        expires = None if terms.seconds is None else time.time() + terms.seconds
        shown = {**ask, "note": terms.note, "trusted": terms.trusted}
        question = Question(key="", id=secrets.token_urlsafe(16), kind=kind, ask=shown, expires=expires)
        self.host.asked(turn, question, tool_use_id)
        status: QuestionStatus = "answered"
        try:
            result = await self.answer(question, turn, ask)
        except anyio.get_cancelled_exc_class():
            self.host.settled(turn, question, "cancelled", None)
            raise
        except TimeoutError:
            status, result = "expired", refuse(message=EXPIRED)
        except NobodyToAsk as error:
            result = refuse(message=f"This was denied, and not by the user: {error}")
        except Exception as error:
            logger.exception("a question could not be asked")
            result = refuse(message=f"The question could not be asked: {error}")
        self.host.settled(turn, question, status, decision(result))
        return result

    # -- the model is told what was edited ------------------------------------------------------------------------

    def _remember_edit(self, tool_use_id: str, asked: dict[str, Any], allowed: dict[str, Any] | None) -> None:
        if allowed is None or allowed == asked:
            return
        changed = {key: value for key, value in allowed.items() if asked.get(key) != value}
        dropped = sorted(asked.keys() - allowed.keys())
        text = json.dumps(changed, ensure_ascii=False)
        if len(text) > _TOLD_MOST:
            text = f"{text[:_TOLD_MOST]}…"
        also = f" These fields were removed: {', '.join(dropped)}." if dropped else ""
        self._edited[tool_use_id] = (
            f"The user edited the input of this call before allowing it. It ran with: {text}.{also} Go on from what "
            "really ran, and do not undo the edit."
        )

    async def tell_edit(self, input: Any, tool_use_id: str | None, context: Any) -> Any:
        """A hook for PostToolUse and PostToolUseFailure: what the user changed in the call that has just ended."""
        told = self._edited.pop(tool_use_id or "", None)
        if told is None:
            return {}
        return {"hookSpecificOutput": {"hookEventName": input["hook_event_name"], "additionalContext": told}}


def _plan_of(turn: Turn, tool_use_id: str | None) -> str | None:
    """The plan as the model wrote it into its call: the CLI asks without it unless it is in a plan file as well."""
    calls = (block for block in turn.tools if block.id == tool_use_id)
    return next((plan for call in calls if isinstance(plan := call.input.get("plan"), str)), None)


def _agent(turn: Turn, context: ToolPermissionContext) -> str | None:
    """The sub-agent that asks, by its kind and its task; by the CLI's id for it where the call is not known."""
    calls = {block.key: block for block in turn.tools}
    asking = next((call for call in calls.values() if call.id == context.tool_use_id), None)
    above = calls.get(asking.parent or "") if asking else None
    if context.agent_id is None or above is None:
        return context.agent_id
    words = (above.input.get("subagent_type"), above.input.get("description"))
    return ": ".join(str(word) for word in words if word) or context.agent_id


def decision(result: Any) -> dict[str, Any]:
    """What was answered, as the record kept with its question."""
    if isinstance(result, PermissionResultAllow):
        updates = [update.to_dict() for update in result.updated_permissions or []]
        answers = (result.updated_input or {}).get("answers")
        kept = {"answers": answers} if isinstance(answers, dict) else {"edited": result.updated_input is not None}
        return {"behavior": "allow", "updated_permissions": updates, **kept}
    if isinstance(result, PermissionResultDeny):
        return {"behavior": "deny", "message": result.message, "interrupt": result.interrupt}
    if isinstance(result, dict):
        accepted = result.get("action") == "accept"
        return {"behavior": "allow" if accepted else "deny", "answers": result.get("content") or {}}
    return {"behavior": "allow", "choice": str(result)}
