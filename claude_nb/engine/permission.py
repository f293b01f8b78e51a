"""Permission questions on their way to whoever decides: rules first, then a person.

Layer 2. Above: `chat` and the cards, users. Below: `protocol.permission` (shapes). A question is answered once, from
any thread; later answers do not count. A `Broker` is a `can_use_tool` callback: a policy, then an `Ask` that somebody
shows.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

import anyio

from claude_nb.protocol.permission import (
    PermissionResult,
    PermissionResultAllow,
    PermissionResultDeny,
    PermissionRuleValue,
    ToolPermissionContext,
)

from .background import scheduler

# What a rule's content is compared with, by tool; tools that are not here match by name alone.
_MATCHED = {
    "Bash": "command",
    "Read": "file_path",
    "Write": "file_path",
    "Edit": "file_path",
    "NotebookEdit": "notebook_path",
    "WebFetch": "url",
    "WebSearch": "query",
    "Skill": "skill",
    "Task": "subagent_type",
}


class Ask:
    """One open question. `id` is a secret that an answer from outside must name.

    `answer` and `cancel` may be called from any thread; the first call counts.
    """

    def __init__(self, tool_name: str, input: dict[str, Any], context: ToolPermissionContext):
        self.id = secrets.token_urlsafe(16)
        self.tool_name, self.input, self.context = tool_name, input, context
        self._lock = threading.Lock()
        self._result: PermissionResult | None = None
        self._cancelled = False
        self._wake: list[Callable[[], object]] = []

    @property
    def open(self) -> bool:
        """An answer would count."""
        return self._result is None and not self._cancelled

    @property
    def result(self) -> PermissionResult | None:
        """The answer, once there is one."""
        return self._result

    def answer(self, result: PermissionResult) -> bool:
        """Settle the question; False if it was settled or cancelled before."""
        return self._settle(result)

    def allow(self, updated_input: dict[str, Any] | None = None) -> bool:
        """Allow this one call, with other input if given."""
        return self.answer(PermissionResultAllow(updated_input=updated_input))

    def deny(self, message: str = "The user denied this call.", *, interrupt: bool = False) -> bool:
        """Deny the call; the model reads `message`. With `interrupt` the turn ends too."""
        return self.answer(PermissionResultDeny(message=message, interrupt=interrupt))

    def cancel(self) -> bool:
        """Nobody waits for an answer any more."""
        return self._settle(None)

    def _settle(self, result: PermissionResult | None) -> bool:
        with self._lock:
            if not self.open:
                return False
            self._result, self._cancelled = result, result is None
            waiting, self._wake = self._wake, []
        for wake in waiting:
            wake()
        return True

    async def wait(self) -> PermissionResult | None:
        """Wait until the question is settled; None if it was cancelled."""
        settled, soon = anyio.Event(), scheduler()
        with self._lock:
            if not self.open:
                return self._result
            self._wake.append(lambda: soon(settled.set))
        await settled.wait()
        return self._result


@dataclass(frozen=True)
class Policy:
    """Rules that decide without asking: `deny` before `allow`, then `otherwise`.

    Rules are written as in settings files: `Read`, `Bash(git *)`, `WebFetch(https://docs.*)`, `mcp__server__*`. They
    are compared with the whole command, path or URL, `*` standing for anything. A Bash rule never matches a command
    that chains or substitutes others.
    """

    allow: Sequence[str] = ()
    deny: Sequence[str] = ()
    otherwise: Literal["ask", "allow", "deny"] = "ask"
    reason: str = "The policy of this session does not allow it."
    _rules: dict[str, tuple[PermissionRuleValue, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = {side: tuple(map(PermissionRuleValue.parse, getattr(self, side))) for side in ("allow", "deny")}
        object.__setattr__(self, "_rules", rules)

    def decide(self, tool_name: str, input: dict[str, Any]) -> PermissionResult | None:
        """The decision, or None to ask."""
        if any(_fits(rule, tool_name, input, strict=False) for rule in self._rules["deny"]):
            return PermissionResultDeny(message=self.reason)
        if any(_fits(rule, tool_name, input, strict=True) for rule in self._rules["allow"]):
            return PermissionResultAllow()
        if self.otherwise == "ask":
            return None
        return PermissionResultAllow() if self.otherwise == "allow" else PermissionResultDeny(message=self.reason)


def _fits(rule: PermissionRuleValue, tool_name: str, input: dict[str, Any], *, strict: bool) -> bool:
    if not fnmatchcase(tool_name, rule.tool_name):
        return False
    if rule.rule_content is None:
        return True
    value = str(input.get(_MATCHED.get(tool_name, ""), ""))
    if strict and tool_name == "Bash" and any(mark in value for mark in (";", "&", "|", "`", "$(", "\n", "<", ">")):
        return False
    return fnmatchcase(value, rule.rule_content)


@dataclass
class Broker:
    """A `can_use_tool` callback. `show` puts an open `Ask` before somebody and returns at once.

    `timeout` (seconds, None: for ever) ends in a denial.
    """

    show: Callable[[Ask], None]
    policy: Policy = field(default_factory=Policy)
    timeout: float | None = None

    async def __call__(self, tool_name: str, input: dict[str, Any], context: ToolPermissionContext) -> PermissionResult:
        """Decide; see the class."""
        decided = self.policy.decide(tool_name, input)
        if decided is not None:
            return decided
        ask = Ask(tool_name, input, context)
        try:
            self.show(ask)
            with anyio.move_on_after(self.timeout):
                if result := await ask.wait():
                    return result
        finally:
            ask.cancel()
        return ask.result or PermissionResultDeny(message="Nobody answered the permission question.")
