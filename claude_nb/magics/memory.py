"""Small facts kept from kernel to kernel, outside any project: which folder is trusted, which session was whose.

Layer 5, below `trust` and `past`. One JSON object per name in the CLI's config folder, written whole or not at all;
one that cannot be read counts as empty.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from claude_nb.sessions.paths import config_home


def _file(name: str) -> Path:
    return config_home() / "claude-nb" / f"{name}.json"


def recall(name: str) -> dict[str, Any]:
    """What is kept under this name."""
    try:
        content = json.loads(_file(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def keep(name: str, content: dict[str, Any]) -> None:
    """Keep this under the name, in place of what was there. Raises OSError if that cannot be written."""
    path = _file(name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    os.replace(file.name, path)
