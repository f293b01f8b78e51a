"""What was said before this kernel started: offered, shown and continued, never taken up unasked.

Layer 5, below `notebook`. A session's id never goes into the notebook's file: which one was whose is kept in the
CLI's config folder, by the notebook's path (or the folder, where the path is not known).
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from claude_nb.conversation import Turn
from claude_nb.conversation.redact import Redactor
from claude_nb.conversation.replay import replay
from claude_nb.magics import memory
from claude_nb.sessions import get_session_info, get_session_messages
from claude_nb.sessions.paths import find_transcript

_NAME = "notebooks"
_MOST = 200  # notebooks remembered; the ones longest untouched are forgotten
_TAIL = 256 * 1024  # bytes of a transcript in which its last cost is looked for


@dataclass(slots=True, frozen=True)
class Past:
    """A session of an earlier kernel. `when` is seconds since the epoch, `asked` its last or first words, redacted."""

    session_id: str
    when: float
    asked: str
    folder: Path


def remember(notebook: Path, name: str, session_id: str, folder: Path) -> None:
    """Note that this notebook's session `name` is this one now. A disk that is full or closed forgets it."""
    known = memory.recall(_NAME)
    entry = known.pop(str(notebook), {})
    entry = {**entry, name: {"id": session_id, "when": time.time(), "folder": str(folder)}}
    newest = dict(list(known.items())[-_MOST + 1 :])
    with contextlib.suppress(OSError):
        memory.keep(_NAME, {**newest, str(notebook): entry})


def last_session(notebook: Path, name: str) -> Past | None:
    """The session this notebook had under that name, if its transcript is still there."""
    try:
        entry = memory.recall(_NAME)[str(notebook)][name]
        session_id, when, folder = str(entry["id"]), float(entry["when"]), Path(entry["folder"])
    except (KeyError, TypeError, ValueError):
        return None
    info = get_session_info(session_id, folder)
    return Past(session_id, when, without_secrets(info.summary), folder) if info is not None else None


def read_turns(past: Past) -> list[Turn]:
    """What was asked and answered in it."""
    return replay(get_session_messages(past.session_id, past.folder), os.environ)


def without_secrets(summary: str) -> str:
    """The line that stands for a stored session: transcripts hold what was sent, secrets included."""
    return Redactor(os.environ).excerpt(summary)


def cost_so_far(past: Past) -> float:
    """What the CLI had counted for the session when it last wrote, in US dollars; 0.0 if it is not to be found."""
    path = find_transcript(past.session_id, past.folder)
    if path is None:
        return 0.0
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        lines = file.read().split(b"\n")
    for line in reversed(lines):
        if b'"cost-state"' in line:
            with contextlib.suppress(ValueError, TypeError, KeyError):
                return float(json.loads(line)["totalCostUSD"])
    return 0.0


def age(seconds: float) -> str:
    """How long ago, roughly, in words."""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
