"""Going back: the checkpoints of a conversation, what a rewind to one would do, and what a person should know first.

Pure. Above: `rewinder` asks the CLI and does it, `render.rewind` words it. Below: the standard library. A checkpoint is
a prompt: the CLI keeps the files as they were when it came (Write, Edit and NotebookEdit only), and the conversation
can be cut in front of it. Paths are absolute, times are seconds since the epoch. Transcript fields: CLI 2.1.329.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from .model import Tool

Scope = Literal["files", "conversation", "both"]

WRITERS = {"Write": "file_path", "Edit": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path"}
"""The tools whose changes the CLI can take back, and where each names its file."""

NOT_REWOUND = "Not taken back: what shell commands did, and the variables of this notebook's kernel."


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One prompt that can be gone back to. `number` counts from 1, the oldest; `id` is the uuid it was sent under.

    `parent` is the transcript entry before it, where the conversation would be cut; None for the first prompt.
    `files` are those that going back would change, by `insertions` and `deletions` lines in all; None when the CLI
    has no checkpoint of the files there.
    """

    number: int
    id: str
    prompt: str
    at: float
    session: str = "default"
    parent: str | None = None
    files: tuple[str, ...] | None = None
    insertions: int = 0
    deletions: int = 0


@dataclass(frozen=True, slots=True)
class Write:
    """A file as an agent left it: who wrote it, when, and the digest of its content (None: it was gone)."""

    path: str
    session: str
    at: float
    digest: str | None


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that the agent changed after the checkpoint. `kept` when a rewind leaves it alone."""

    path: str
    warnings: tuple[str, ...] = ()
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a rewind to `checkpoint` would do: to files, and to the last `dropped` prompts of the conversation."""

    checkpoint: Checkpoint
    files: tuple[FileChange, ...] = ()
    dropped: int = 0

    @property
    def restores(self) -> tuple[str, ...]:
        """The files that would be changed."""
        return tuple(file.path for file in self.files if not file.kept)

    @property
    def kept(self) -> tuple[str, ...]:
        """The files that the CLI would change and that are left as they are."""
        return tuple(file.path for file in self.files if file.kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewound:
    """A rewind that was done, or undone (`undone`).

    `files` were changed, `kept` were left alone on purpose, `failed` could not be brought back. `dropped` prompts left
    the conversation (came back to it, if undone); it went on from session `session_id` before. `prompt` is the text of
    the checkpoint's prompt, to be edited and sent again. `summary` is what the next prompt tells of the dropped part.
    `backup` is the folder that holds the files as they were before.
    """

    checkpoint: Checkpoint
    scope: Scope
    files: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    dropped: int = 0
    session_id: str | None = None
    summary: str | None = None
    backup: str | None = None
    undone: bool = False

    @property
    def prompt(self) -> str:
        """The prompt that was gone back to."""
        return self.checkpoint.prompt


class Footprints:
    """Which agent wrote which file last, over all sessions of a notebook."""

    def __init__(self) -> None:
        self._writes: dict[str, list[Write]] = {}

    def add(self, write: Write) -> None:
        """Remember a write; of each session only its last write to a file counts."""
        others = [w for w in self._writes.get(write.path, []) if w.session != write.session]
        self._writes[write.path] = [*others, write]

    def warnings(self, path: str, digest: str | None, checkpoint: Checkpoint) -> tuple[str, ...]:
        """What is to be known before `path`, whose content has that digest now, goes back to `checkpoint`."""
        writes = self._writes.get(path, [])
        if not writes:
            return ("no record of how the agent left it: it may hold changes of your own",)
        found = []
        if writes[-1].digest != digest:
            found.append("changed since the agent wrote it: those changes would be lost")
        found += [
            f"session '{w.session}' changed it too"
            for w in writes
            if w.session != checkpoint.session and w.at >= checkpoint.at
        ]
        return tuple(found)


def written_path(tool: Tool) -> str | None:
    """The file that a finished tool call wrote, as the call names it; None if it wrote none that can be taken back."""
    path = tool.input.get(WRITERS.get(tool.name, ""))
    return path if tool.status == "done" and isinstance(path, str) else None


def checkpoints_in(
    branch: Iterable[Mapping[str, Any]], session: str, asked: Mapping[str, str], *, until: str | None = None
) -> list[Checkpoint]:
    """The prompts on a branch of a transcript, oldest first.

    `asked` maps uuids to prompts as the person wrote them, before values were filled in. With `until`, the branch ends
    with the entry of that uuid.
    """
    found: list[Checkpoint] = []
    for entry in _cut(branch, until):
        if _is_prompt(entry):
            found.append(
                Checkpoint(
                    number=len(found) + 1,
                    id=entry["uuid"],
                    prompt=asked.get(entry["uuid"]) or _text(entry),
                    at=_time(entry.get("timestamp")),
                    session=session,
                    parent=entry.get("parentUuid") or entry.get("logicalParentUuid"),
                )
            )
    return found


def plan(
    checkpoint: Checkpoint,
    last: int,
    footprints: Footprints,
    digest: Callable[[str], str | None],
    keep: Callable[[str], bool],
) -> Plan:
    """What going back to `checkpoint` means when `last` is the number of the last one.

    `digest` tells the content of a file now, `keep` whether it must be left as it is.
    """
    files = (
        FileChange(path, kept=True)
        if keep(path)
        else FileChange(path, footprints.warnings(path, digest(path), checkpoint))
        for path in checkpoint.files or ()
    )
    return Plan(checkpoint=checkpoint, files=tuple(files), dropped=last - checkpoint.number + 1)


def _cut(branch: Iterable[Mapping[str, Any]], until: str | None) -> Iterator[Mapping[str, Any]]:
    for entry in branch:
        yield entry
        if until is not None and entry.get("uuid") == until:
            return


def _is_prompt(entry: Mapping[str, Any]) -> bool:
    """Whether a person said this: no tool result, no note of the CLI, no report of a background task."""
    if entry.get("type") != "user" or entry.get("isMeta") or entry.get("isSidechain") or entry.get("isCompactSummary"):
        return False
    origin = entry.get("origin")
    if isinstance(origin, dict) and origin.get("kind") not in (None, "human"):
        return False
    content = (entry.get("message") or {}).get("content")
    if isinstance(content, list) and any(part.get("type") == "tool_result" for part in content):
        return False
    return not _text(entry).startswith("[Request interrupted by user")


def _text(entry: Mapping[str, Any]) -> str:
    content = (entry.get("message") or {}).get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content if part.get("type") == "text")


def _time(stamp: Any) -> float:
    try:
        return datetime.fromisoformat(str(stamp)).timestamp()
    except ValueError:
        return 0.0
