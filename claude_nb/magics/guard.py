"""The notebook that is open here is not the agent's to write: the page holds it, and would lose or undo the change.

Layer 5, below `notebook`. A hook that fails closed, not a permission callback: allow rules and modes skip those.
It stops the agent's file tools; a shell command cannot be stopped this way, and the refusal says so.

Which file is open is told to the kernel once, at its start, and never again: after File > Save As another one is, and
the kernel still hears the old name. So what was told is a hint. That file is refused, and while it is there also every
notebook saved since the kernel began, or later than that file, unless the agent's own tools saved it last: a page saves
the file it holds, and nobody saves the one it has left. Where nothing was told, or that file is gone, every notebook of
the folders in question is refused as well.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from claude_nb.protocol.hook import HookContext, HookMatcher, Hooks

FILE_TOOLS = "Write|Edit|MultiEdit|NotebookEdit"
_PATH_FIELDS = ("file_path", "notebook_path", "path")
# Where front ends leave the notebook's path: Jupyter Server in the kernel's environment, VS Code in its namespace.
_ENVIRONMENT_NAME = "JPY_SESSION_NAME"
_NAMESPACE_NAME = "__vsc_ipynb_file__"
_LOADED = time.time()

REASON = (
    "{path} {why}: a page that has it open would overwrite or lose a change made on disk. Do not write it, with shell "
    "commands neither. Put the code into fenced blocks of your answer instead; the person can run them in cells of "
    "their own."
)
_OPEN = "is this notebook, which the person has open"
_SAVED = "may be the notebook that the person has open here (it was saved lately, and not by your file tools)"
_UNKNOWN = "may be the notebook that the person has open here (which one that is is not known)"


def told_notebook(namespace: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Path | None:
    """The file that this kernel was started for, if somebody told us; it may be gone."""
    environ = os.environ if environ is None else environ
    for told in (namespace.get(_NAMESPACE_NAME), environ.get(_ENVIRONMENT_NAME)):
        if isinstance(told, str) and told.endswith(".ipynb") and os.path.isabs(told):
            return Path(told)
    return None


class NotebookGuard:
    """Knows which files may be the open notebook. One for all sessions of a kernel.

    `told` is the file that the kernel was started for, `started_in` its first working folder, `since` when it began.
    """

    def __init__(self, told: Callable[[], Path | None], started_in: Path, since: float = _LOADED):
        self._told = told
        self._started_in = started_in
        self._since = since
        self._written: dict[Path, tuple[int, int]] = {}

    def known(self) -> Path | None:
        """The file that was told, if it is there."""
        told = self._told()
        return told if told is not None and told.is_file() else None

    def why(self, path: str, folder: Path, cwd: Path | None = None) -> str | None:
        """Why a session of `folder` must not write `path` (a relative one is of `cwd`); None if it may."""
        target = _resolve(path, cwd or folder)
        known = self.known()
        if known is not None and _same_file(target, known):
            return _OPEN
        if not _is_notebook(target) or self._written.get(target, ()) == _state(target):
            return None
        if _saved(target) >= min(self._since, _saved(known) if known else self._since):
            return _SAVED
        if known is None and any(target.is_relative_to(os.path.realpath(root)) for root in self._roots(folder)):
            return _UNKNOWN
        return None

    def _roots(self, folder: Path) -> list[Path]:
        told = self._told()
        return [folder, self._started_in, *([told.parent] if told else [])]

    def hooks(self, folder: Path) -> Hooks:
        """Hooks for a session of `folder` that refuse the agent's file tools what may be the open notebook."""

        async def refuse(input: Any, tool_use_id: str | None, context: HookContext) -> Any:
            for path in _paths(input):
                why = self.why(path, folder, _cwd(input))
                if why is not None:
                    return {
                        "hookSpecificOutput": {
                            "hookEventName": "PreToolUse",
                            "permissionDecision": "deny",
                            "permissionDecisionReason": REASON.format(path=path, why=why),
                        }
                    }
            return {}

        async def note(input: Any, tool_use_id: str | None, context: HookContext) -> Any:
            for path in _paths(input):
                target = _resolve(path, _cwd(input) or folder)
                self._written[target] = _state(target)
            return {}

        return {
            "PreToolUse": [HookMatcher(matcher=FILE_TOOLS, hooks=[refuse], on_failure="block")],
            "PostToolUse": [HookMatcher(matcher=FILE_TOOLS, hooks=[note])],
        }


def _paths(input: Any) -> list[str]:
    given = input.get("tool_input") or {}
    return [given[field] for field in _PATH_FIELDS if isinstance(given.get(field), str)]


def _cwd(input: Any) -> Path | None:
    # It moves with every `cd` of the agent, so it says what a relative path means and nothing else.
    return Path(input["cwd"]) if input.get("cwd") else None


def _resolve(path: str, cwd: Path) -> Path:
    return Path(os.path.realpath(cwd / Path(path).expanduser()))


def _same_file(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)  # links and spelling do not matter
    except OSError:
        return os.path.normcase(one) == os.path.normcase(os.path.realpath(other))


def _is_notebook(path: Path) -> bool:
    if path.suffix.lower() == ".ipynb":
        return True
    try:  # under another name it may still be one: a second link to it
        if not path.is_file() or path.stat().st_nlink < 2:
            return False
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "nbformat" in content


def _state(path: Path) -> tuple[int, int]:
    """What changes when a file is saved; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _saved(path: Path) -> float:
    return _state(path)[0] / 1e9
