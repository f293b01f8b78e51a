"""Going back: the checkpoints of a conversation, what a rewind to one would do, and what a person should know first.

Pure. Above: `rewinder` asks the CLI and does it, `render.rewind` words it. Below: the standard library. A checkpoint is
a prompt: the CLI keeps the files as they were when it came (Write, Edit and NotebookEdit only), and the conversation
can be cut in front of it. Paths are absolute, times are seconds since the epoch. Transcript fields: CLI 2.1.329.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .model import Conversation, Tool

Scope = Literal["files", "conversation", "both"]

WRITERS = {"Write": "file_path", "Edit": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path"}
"""The tools whose changes the CLI can take back, and where each names its file."""

NOT_REWOUND = "Not taken back: what shell commands did, and the variables of this notebook's kernel."


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One prompt that can be gone back to. `number` counts from 1, the oldest; `id` is the uuid it was sent under.

    `at` is 0.0 where it is not known (a session of an earlier kernel). `files` are those that going back would change,
    by `insertions` and `deletions` lines in all; None when the CLI has no checkpoint of the files there.
    """

    number: int
    id: str
    prompt: str
    at: float
    session: str = "default"
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


def checkpoints_of(conversation: Conversation) -> list[Checkpoint]:
    """The prompts of a conversation that were sent, oldest first; what they would change is not known yet."""
    sent = (t for t in conversation.turns if t.origin == "human" and t.status not in ("queued", "cancelled"))
    return [
        Checkpoint(number=number, id=turn.id, prompt=turn.prompt.strip(), at=turn.started, session=conversation.name)
        for number, turn in enumerate(sent, 1)
    ]


def entry_before(entries: Iterable[Mapping[str, Any]], prompt_id: str) -> str | None:
    """The entry of a transcript after which it has to be cut to end just before a prompt; None for its beginning.

    Raises KeyError if the prompt is not there. Works across a compaction, which links what came before it by a field of
    its own.
    """
    for entry in entries:
        if entry.get("uuid") == prompt_id:
            return entry.get("parentUuid") or entry.get("logicalParentUuid")
    raise KeyError(prompt_id)


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
