"""Who answers when the CLI asks whether a tool may run: a policy, or the person at the keyboard.

Layer 5, below `notebook`. The policy comes first; what it leaves open is asked where somebody can answer, and denied
where nobody can. Policies come from traitlets or the environment, never from a notebook's metadata.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any, Literal

from claude_nb.errors import OptionsError
from claude_nb.protocol.permission import (
    PermissionResultAllow,
    PermissionResultDeny,
    ToolPermissionContext,
)
from claude_nb.questions import Decided

Policy = Callable[[str, dict[str, Any], ToolPermissionContext], Any]
"""Tool name, its input, what the CLI says about it -> True: allow, False: deny, None: ask. May be async."""

DENIED = (
    "Nobody could be asked (this notebook runs without a person), so the tool call was denied. "
    "To allow it, set ClaudeMagics.permission_policy (or CLAUDE_NB_PERMISSION_POLICY) to 'allow' "
    "or to the dotted name of a function that decides."
)

UNANSWERED = "Nobody can be asked: this notebook runs without a person. Decide by yourself and say what you decided."


def load_policy(name: str | Policy) -> Policy | Literal["allow", "deny"]:
    """A policy from its setting: "allow", "deny", a function, or a function's dotted name."""
    if callable(name):
        return name
    if name == "allow":
        return "allow"
    if name == "deny":
        return "deny"
    module, _, attribute = name.rpartition(".")
    try:
        policy = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise OptionsError(
            f"permission_policy must be 'allow', 'deny' or the dotted name of a function; {name!r} is none ({error})"
        ) from error
    if not callable(policy):
        raise OptionsError(f"permission_policy {name!r} is not a function")
    return policy  # type: ignore[no-any-return]


async def by_policy(
    policy: Policy | Literal["allow", "deny"], tool_name: str, input: dict[str, Any], context: ToolPermissionContext
) -> Decided | None:
    """What the policy says, None when it leaves the question open. A policy that fails denies."""
    if not callable(policy):
        return None
    try:
        verdict = policy(tool_name, input, context)
        if inspect.isawaitable(verdict):
            verdict = await verdict
    except Exception as error:
        failed = PermissionResultDeny(message=f"The permission policy failed: {type(error).__name__}: {error}")
        return Decided(failed, "the permission policy, which failed")
    if verdict is None:
        return None
    denied = PermissionResultDeny(message="The permission policy denied this.")
    return Decided(PermissionResultAllow() if verdict else denied, "the permission policy")


def without_a_person(policy: Policy | Literal["allow", "deny"], tool_name: str) -> Decided:
    """What a question gets that nobody can answer. What only a person can say is never made up."""
    if tool_name == "AskUserQuestion":
        return Decided(PermissionResultDeny(message=UNANSWERED), "nobody, since nobody is here")
    if policy == "allow":
        return Decided(PermissionResultAllow(), "permission policy 'allow'")
    return Decided(PermissionResultDeny(message=DENIED), "permission policy 'deny'")
