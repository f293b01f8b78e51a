"""Hooks by decorator, and their answers by name.

Layer 2. Above: users. Below: `protocol.hook` (events, matchers). A `HookSet` is the dict that the options' `hooks`
takes:

    hooks = HookSet()

    @hooks.pre_tool_use("Bash", on_failure="block")
    def guard(input):
        if "rm -rf" in input["tool_input"]["command"]:
            return deny("Not on this machine.")

    options = ClaudeAgentOptions(hooks=hooks)
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, Literal, TypeVar, cast

import anyio

from claude_nb.protocol.hook import HOOK_EVENTS, HookCallback, HookContext, HookEvent, HookMatcher

Function = TypeVar("Function", bound=Callable[..., Any])
Output = dict[str, Any]

_METHODS = {re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower(): event for event in HOOK_EVENTS}


class HookSet(dict[HookEvent, list[HookMatcher]]):
    """Hooks by event. Every event has a decorator of its name in small letters: `pre_tool_use`, `stop`, ..."""

    def on(
        self,
        event: HookEvent,
        matcher: str | None = None,
        *,
        timeout: float | None = None,
        on_failure: Literal["continue", "block"] | None = None,
    ) -> Callable[[Function], Function]:
        """Register the decorated function, which stays as it is, for `event`; see `HookMatcher` for the arguments.

        The function may be sync (it runs in a thread, which is left to itself when the CLI no longer waits) or async,
        and takes as many of input, tool_use_id and context as it names. It returns None, one of the answers of this
        module, or any hook output as a dict.
        """
        if event not in HOOK_EVENTS:
            raise ValueError(f"There is no hook event {event!r}; the events are {', '.join(HOOK_EVENTS)}.")

        def register(function: Function) -> Function:
            entry = HookMatcher(matcher, [callback(function)], timeout=timeout, on_failure=on_failure)
            self.setdefault(event, []).append(entry)
            return function

        return register

    def __getattr__(self, name: str) -> Callable[..., Callable[[Function], Function]]:
        if name not in _METHODS:
            raise AttributeError(f"HookSet has no {name!r}; the events are {', '.join(_METHODS)}.")
        return partial(self.on, cast(HookEvent, _METHODS[name]))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_METHODS})


def callback(function: Callable[..., Any]) -> HookCallback:
    """Any function as a hook callback of three arguments whose answer names its event."""
    taken = _arguments(function)

    @wraps(function)
    async def call(input: Any, tool_use_id: str | None, context: HookContext) -> Any:
        arguments = (input, tool_use_id, context)[:taken]
        if inspect.iscoroutinefunction(function):
            output = await function(*arguments)
        else:
            output = await anyio.to_thread.run_sync(partial(function, *arguments), abandon_on_cancel=True)
            if isinstance(output, Awaitable):
                output = await output
        return _named(output, input.get("hook_event_name"))

    return call


def _arguments(function: Callable[..., Any]) -> int:
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return 3
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return min(3, len(positional))


def _named(output: Any, event: str | None) -> Any:
    """The CLI drops a specific output that does not name its event."""
    specific = output.get("hookSpecificOutput") if isinstance(output, dict) else None
    if not isinstance(specific, dict) or "hookEventName" in specific:
        return output
    return {**output, "hookSpecificOutput": {"hookEventName": event, **specific}}


# -- answers ---------------------------------------------------------------------------------------------------------


def _specific(**fields: Any) -> Output:
    return {"hookSpecificOutput": {name: value for name, value in fields.items() if value is not None}}


def allow(reason: str | None = None, *, updated_input: dict[str, Any] | None = None) -> Output:
    """PreToolUse: run the call without asking, with other input if given."""
    return _specific(permissionDecision="allow", permissionDecisionReason=reason, updatedInput=updated_input)


def deny(reason: str) -> Output:
    """PreToolUse: do not run the call; the model reads the reason."""
    return _specific(permissionDecision="deny", permissionDecisionReason=reason)


def ask(reason: str | None = None) -> Output:
    """PreToolUse: have the user asked, whatever the rules say."""
    return _specific(permissionDecision="ask", permissionDecisionReason=reason)


def add_context(text: str) -> Output:
    """UserPromptSubmit, PostToolUse and others: let the model read `text` too."""
    return _specific(additionalContext=text)


def replace_output(output: Any) -> Output:
    """PostToolUse: let the model see `output` instead of the tool's own."""
    return _specific(updatedToolOutput=output)


def block(reason: str) -> Output:
    """UserPromptSubmit: refuse the prompt. Stop: go on working, for this reason."""
    return {"decision": "block", "reason": reason}


def stop(reason: str) -> Output:
    """Any event: end the turn."""
    return {"continue_": False, "stopReason": reason}
