"""What the agent may do in the demo without asking: only things inside the demo's own folder.

Below: nothing. Above: the magics call it for each permission question, because `place.py` puts its name into
CLAUDE_NB_PERMISSION_POLICY. Anything it does not know is left to the person, and refused where there is none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

FOLDER_VARIABLE: Final = "CLAUDE_NB_DEMO_FOLDER"
NAME: Final = f"{__name__}.scratch_only"

_PATHS: Final = {
    "Read": "file_path",
    "Write": "file_path",
    "Edit": "file_path",
    "NotebookEdit": "notebook_path",
    "Glob": "path",
    "Grep": "path",
}
# A shell command is judged as a whole: no metacharacter passes, so nothing can be appended to it.
_RUN_SCRIPT: Final = re.compile(r"python3? (?P<script>[\w.][\w.-]*\.py)")


def scratch_only(tool_name: str, input: Mapping[str, Any], context: Any = None) -> bool | None:
    """True for a tool call that the demo lets pass, None (ask) for any other.

    File tools pass inside the folder named by CLAUDE_NB_DEMO_FOLDER (links are followed first), Bash passes for
    `python SCRIPT.py` with a script that lies directly in it, functions of the notebook always.
    """
    root = os.environ.get(FOLDER_VARIABLE)
    return True if root and _passes(Path(root), tool_name, input) else None


def _passes(root: Path, tool_name: str, input: Mapping[str, Any]) -> bool:
    if tool_name.startswith("mcp__notebook__"):
        return True
    if tool_name == "Bash":
        match = _RUN_SCRIPT.fullmatch(str(input.get("command", "")))
        return match is not None and _inside(root, match["script"])
    if tool_name in _PATHS:
        return _inside(root, str(input.get(_PATHS[tool_name]) or root))
    return False


def _inside(root: Path, path: str) -> bool:
    root = root.resolve()
    return (root / path).resolve().is_relative_to(root)
