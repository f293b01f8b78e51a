"""The file that an edit would change, as it is: so that a person can be shown the difference before agreeing to it.

Layer 2. Above: `questions`. Below: the file system, read in a thread of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

#: Tools that change a text file, and the field that names it.
EDITS = {"Edit": "file_path", "MultiEdit": "file_path", "Write": "file_path", "NotebookEdit": "notebook_path"}
#: The most bytes that are read to compare.
MOST = 2_000_000
SECONDS = 2.0


async def file_before(tool_name: str, input: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """`{"text": ...}`, `{"missing": True}` or `{"unreadable": why}`; None for a tool that edits no file.

    Relative paths start at `folder`. Takes two seconds at most, whatever file system the path is on.
    """
    path = input.get(EDITS.get(tool_name, ""))
    if not isinstance(path, str):
        return None
    with anyio.move_on_after(SECONDS):
        return await anyio.to_thread.run_sync(_read, folder / path, abandon_on_cancel=True)
    return {"unreadable": "it took too long"}


async def is_inside(path: str | None, folder: Path) -> bool:
    """Whether a path lies in `folder`, links followed; False where that cannot be told."""
    if not path:
        return False
    with anyio.move_on_after(SECONDS):
        return await anyio.to_thread.run_sync(_inside, folder / path, folder, abandon_on_cancel=True)
    return False


def _inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
        return False


def _read(path: Path) -> dict[str, Any]:
    try:
        if not path.exists():
            return {"missing": True}
        if not path.is_file():  # a pipe or a device would never end
            return {"unreadable": "it is no regular file"}
        if path.stat().st_size > MOST:
            return {"unreadable": f"it is larger than {MOST:,} bytes"}
        return {"text": path.read_bytes().decode("utf-8").replace("\r\n", "\n")}
    except UnicodeDecodeError:
        return {"unreadable": "it is not UTF-8 text"}
    except (OSError, ValueError) as error:
        return {"unreadable": type(error).__name__}
