"""The notebook that is open here is not the agent's to write: the page holds it, and would lose or undo the change.

Layer 5, below `notebook`. A hook that fails closed, not a permission callback: allow rules and modes skip those.
It stops the agent's file tools; a shell command cannot be stopped this way, and the refusal says so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claude_nb.protocol.hook import HookContext, HookMatcher, Hooks

FILE_TOOLS = "Write|Edit|MultiEdit|NotebookEdit"
_PATH_FIELDS = ("file_path", "notebook_path", "path")
# Where front ends leave the notebook's path: Jupyter Server in the kernel's environment, VS Code in its namespace.
_ENVIRONMENT_NAME = "JPY_SESSION_NAME"
_NAMESPACE_NAME = "__vsc_ipynb_file__"

REASON = (
    "{path} is {what}, which the person has open: its page would overwrite or lose a change made on disk. Do not write "
    "it, with shell commands neither. Put the code into fenced blocks of your answer instead; the person can run them "
    "in cells of their own."
)


def open_notebook(namespace: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Path | None:
    """The file of the notebook that this kernel belongs to, None if nobody told us (or it is not a file here)."""
    environ = os.environ if environ is None else environ
    for told in (namespace.get(_NAMESPACE_NAME), environ.get(_ENVIRONMENT_NAME)):
        if isinstance(told, str) and told.endswith(".ipynb") and os.path.isabs(told) and os.path.isfile(told):
            return Path(told)
    return None


def is_guarded(path: str, folder: Path, notebook: Path | None) -> bool:
    """Whether `path` (relative ones from `folder`) is the open notebook; any .ipynb below `folder`, if unknown.

    A notebook that was renamed since is unknown again: nobody tells the kernel its new name.
    """
    target = Path(os.path.realpath(folder / Path(path).expanduser()))
    if notebook is not None and notebook.is_file():
        return _same_file(target, notebook)
    return target.suffix.lower() == ".ipynb" and target.is_relative_to(os.path.realpath(folder))


def _same_file(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)  # links and spelling do not matter
    except OSError:
        return os.path.normcase(one) == os.path.normcase(os.path.realpath(other))


def notebook_guard(folder: Path, notebook: Path | None) -> Hooks:
    """Hooks that refuse the agent's file tools on the open notebook."""
    what = "this notebook" if notebook is not None else "a notebook of this folder, maybe the one"

    async def refuse(input: Any, tool_use_id: str | None, context: HookContext) -> Any:
        given = input.get("tool_input") or {}
        start = Path(input.get("cwd") or folder)
        paths = [given[field] for field in _PATH_FIELDS if isinstance(given.get(field), str)]
        guarded = next((path for path in paths if is_guarded(path, start, notebook)), None)
        if guarded is None:
            return {}
        return {
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "deny",
                "permissionDecisionReason": REASON.format(path=guarded, what=what),
            }
        }

    return {"PreToolUse": [HookMatcher(matcher=FILE_TOOLS, hooks=[refuse], on_failure="block")]}
