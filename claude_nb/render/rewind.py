"""Checkpoints and rewinds in words: the same sentences for the panel, the terminal and the saved notebook.

Pure. Above: the rewind commands and the panel. Below: `conversation.rewind` (what is told), `text` (made fit to show:
prompts and paths are untrusted). `root` is the folder that paths are shown relative to.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from claude_nb.conversation.rewind import NOT_REWOUND, Checkpoint, Plan, Rewound

from .sanitize import sanitize
from .style import Look, dress
from .text import escape_prose, one_line, plural, visible

MOST_FILES = 4
UNDO_HINT = "`%claude rewind --undo` takes this back."
_QUOTE_LENGTH = 90


def quote(prompt: str) -> str:
    """A prompt in one line, every character of it to be seen."""
    return f"“{one_line(visible(prompt), _QUOTE_LENGTH)}”"


def ago(at: float, now: float) -> str:
    """How long ago a moment was: `just now`, `5m ago`, `3h ago`, `2d ago`; `earlier` for 0.0, which is not known."""
    if not at:
        return "earlier"
    minutes = int(now - at) // 60
    for size, unit in ((60 * 24, "d"), (60, "h"), (1, "m")):
        if minutes >= size:
            return f"{minutes // size}{unit} ago"
    return "just now"


def short_path(path: str, root: str | None) -> str:
    """A path relative to `root`, if it is below it; hidden characters shown."""
    if root and (path == root or path.startswith(root.rstrip(os.sep) + os.sep)):
        path = os.path.relpath(path, root)
    return visible(path)


def changes(checkpoint: Checkpoint, root: str | None) -> str:
    """What going back would do to the files, in one line: `a.txt, b.txt +3 −1`."""
    if checkpoint.files is None:
        return "no checkpoint of the files"
    if not checkpoint.files:
        return "no file changes"
    names = [short_path(path, root) for path in checkpoint.files[:MOST_FILES]]
    more = len(checkpoint.files) - len(names)
    listed = ", ".join(names) + (f" and {plural(more, 'more file')}" if more else "")
    return f"{listed} {_lines(checkpoint)}".rstrip()


def listing_plain(checkpoints: Sequence[Checkpoint], now: float, root: str | None) -> str:
    """All checkpoints as text, newest last, and where the conversation stands."""
    if not checkpoints:
        return "No checkpoints yet: every prompt becomes one."
    width = len(str(checkpoints[-1].number))
    rows = []
    for one in checkpoints:
        rows.append(f"  {one.number:>{width}}  {quote(one.prompt)}")
        rows.append(f"  {'':>{width}}  {ago(one.at, now)} · {changes(one, root)}")
    return "\n".join(
        [
            "Going back to a prompt takes it back, and all that came after it:",
            *rows,
            f"  {'':>{width}}  (current)",
            "`%claude rewind NUMBER` goes back.",
        ]
    )


def listing_html(checkpoints: Sequence[Checkpoint], now: float, root: str | None, look: Look) -> str:
    """All checkpoints as a table, for the saved notebook."""
    rows = "".join(
        f'<tr><td class="cnb-td">{one.number}</td><td class="cnb-td">{escape_prose(quote(one.prompt))}</td>'
        f'<td class="cnb-td">{ago(one.at, now)}</td><td class="cnb-td">{escape_prose(changes(one, root))}</td></tr>'
        for one in checkpoints
    )
    if not rows:
        return lines_html([listing_plain(checkpoints, now, root)], look)
    head = "".join(f'<th class="cnb-th">{word}</th>' for word in ("", "Prompt", "Asked", "Going back changes"))
    table = f'<table class="cnb-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return dress(sanitize(table), look)


def lines_html(lines: Sequence[str], look: Look) -> str:
    """Sentences as quiet notes."""
    notes = "".join(f'<div class="cnb-note cnb-note-info">{escape_prose(line)}</div>' for line in lines)
    return dress(sanitize(notes), look)


def file_lines(plan: Plan, root: str | None) -> list[tuple[str, str]]:
    """Each file of a plan and what is to be known of it (may be empty)."""
    return [
        (
            short_path(file.path, root),
            "left as it is: it is the open notebook, or could be" if file.kept else "; ".join(file.warnings),
        )
        for file in plan.files
    ]


def plan_lines(plan: Plan, now: float, root: str | None) -> list[str]:
    """What going back would do, for a person who is asked."""
    one = plan.checkpoint
    lines = [f"Go back to {quote(one.prompt)} ({ago(one.at, now)})?", f"The conversation: {fork_line(plan)}"]
    lines.append(f"The files: {counts(one)}")
    lines += [f"    {path}" + (f" ({note})" if note else "") for path, note in file_lines(plan, root)]
    return [*lines, NOT_REWOUND]


def fork_line(plan: Plan) -> str:
    """What restoring the conversation means."""
    return f"it is forked there, without {_dropped(plan.dropped)}; the whole of it is kept on disk."


def _dropped(count: int) -> str:
    after = {1: "", 2: " and the one after it"}.get(count, f" and the {count - 1} after it")
    return f"that prompt{after}"


def counts(checkpoint: Checkpoint) -> str:
    """How much of the files going back would change: `2 files, +3 −1 lines`."""
    if not checkpoint.files:
        return changes(checkpoint, None)
    files, lines = plural(len(checkpoint.files), "file"), _lines(checkpoint)
    noun = "line" if checkpoint.insertions + checkpoint.deletions == 1 else "lines"
    return f"{files}, {lines} {noun}" if lines else files


def _lines(checkpoint: Checkpoint) -> str:
    signed = (("+", checkpoint.insertions), ("−", checkpoint.deletions))
    return " ".join(f"{sign}{count}" for sign, count in signed if count)


def done_lines(rewound: Rewound, root: str | None) -> list[str]:
    """What a rewind, or its undoing, did."""
    back = "as they were before the rewind" if rewound.undone else "as they were before that prompt"
    lines = []
    if rewound.scope != "conversation":
        names = ", ".join(short_path(path, root) for path in rewound.files)
        lines.append(f"Files {back}: {names}." if names else "No files had to be changed.")
    if rewound.scope != "files":
        if rewound.undone:
            lines.append(f"The conversation has {_dropped(rewound.dropped)} again.")
        else:
            lines.append(f"The conversation goes on from there, without {_dropped(rewound.dropped)}.")
    if rewound.summary and not rewound.undone:
        lines.append("A summary of what was cut off goes to the model with the next prompt.")
    if rewound.kept:
        names = ", ".join(short_path(path, root) for path in rewound.kept)
        lines.append(f"Left as it is, because it is the open notebook or could be: {names}.")
    if rewound.failed:
        names = ", ".join(short_path(path, root) for path in rewound.failed)
        lines.append(f"Could not be restored: {names}.")
    return lines if rewound.undone else [*lines, NOT_REWOUND]


def undo_lines(rewound: Rewound, warnings: Mapping[str, str], root: str | None) -> list[str]:
    """What undoing a rewind would do, for a person who is asked."""
    files = [
        f"    {short_path(path, root)}" + (f" ({warnings[path]})" if path in warnings else "") for path in rewound.files
    ]
    return [f"Undo the rewind to {quote(rewound.prompt)}?", *undo_notes(rewound), *files]


def undo_notes(rewound: Rewound) -> list[str]:
    """What undoing a rewind means for files and conversation."""
    notes = ["Files go back to how they were just before the rewind."] if rewound.files else []
    if rewound.scope != "files":
        notes.append(f"The conversation gets {_dropped(rewound.dropped)} back; what was asked since leaves it.")
    return notes
