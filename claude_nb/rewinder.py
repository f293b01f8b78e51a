"""Going back to a checkpoint, for real: asks the CLI, keeps what was there, and can undo it.

Layer 4. Above: the rewind commands and panel. Below: `chat` (whose conversation is cut), `conversation.rewind` (what is
decided), `sessions` (transcripts, backups). One rewinder serves all chats of a notebook, since it also tells when one
session would undo another's work. Lives on the engine's loop, like the chats.

Measured on CLI 2.1.329: checkpoints of files survive a fork that is cut at an earlier prompt; a real rewind answers
with an empty list of files, so the dry run before it says which they are; the CLI itself tells the model afterwards
which files changed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import anyio

from claude_nb.chat import Chat, Position
from claude_nb.conversation import Change, ChangeKind, Tool
from claude_nb.conversation.rewind import (
    Checkpoint,
    Footprints,
    Plan,
    Rewound,
    Scope,
    Write,
    checkpoints_of,
    entry_before,
    plan,
    written_path,
)
from claude_nb.engine.session import Session
from claude_nb.errors import ControlError, RewindError
from claude_nb.protocol.control import SideAnswer
from claude_nb.sessions.paths import find_transcript
from claude_nb.sessions.transcript import chain, read
from claude_nb.sessions.undo import Backup, back_up, digest

# The CLI writes its transcript a little later than it answers: how often to look for a prompt in it, how far apart.
FLUSH_TRIES = 30
FLUSH_SECONDS = 0.1
# Long conversations take a model a while to sum up; seconds.
SUMMARY_TIMEOUT = 300.0
SUMMARISE = (
    "Sum up this conversation from the prompt quoted below to its end, for somebody who goes on from just before that "
    "prompt and has seen nothing after it: what was asked and decided, what was found out, what was done (files, "
    "commands) and what came of it, what is open. Facts only, no preamble. The prompt was:\n\n{prompt}"
)
RECAP = (
    "<rewound-conversation-summary>\nThe person went back to an earlier point of this conversation. What was said "
    "after that point is no longer part of it; this sums it up:\n\n{summary}\n</rewound-conversation-summary>"
)


@dataclass(slots=True)
class _Done:
    """A rewind that can be undone: where the conversation stood, and the files as they were and as they were left."""

    rewound: Rewound
    position: Position
    backup: Backup
    left: dict[str, str | None]


@dataclass(slots=True)
class Rewinder:
    """Checkpoints of the chats of one notebook.

    `keep(chat, path)` is true for files that must never be changed by a rewind: the open notebook.
    """

    keep: Callable[[Chat, str], bool] = lambda chat, path: False
    footprints: Footprints = field(default_factory=Footprints)
    _done: dict[str, list[_Done]] = field(default_factory=dict)

    def watch(self, chat: Chat, change: Change) -> None:
        """Notice what the agent of `chat` writes. The engine's thread; for `Chat.on_change`."""
        if change.kind is ChangeKind.CLOSED and isinstance(change.block, Tool):
            path = written_path(change.block)
            if path is not None:
                self._mark(chat, [os.path.realpath(os.path.join(chat.conversation.cwd or "", path))])

    def _mark(self, chat: Chat, paths: Iterable[str]) -> None:
        for path in paths:
            self.footprints.add(Write(path, chat.name, time.time(), digest(path)))

    def forget(self, name: str) -> None:
        """The session of that name began anew: what was rewound before cannot be undone in it."""
        self._done.pop(name, None)

    # -- looking ------------------------------------------------------------------------------------------------

    async def checkpoints(self, chat: Chat) -> list[Checkpoint]:
        """The prompts of the conversation, oldest first, and what going back to each would change now.

        Starts the CLI if it does not run. Raises what keeps it from starting.
        """
        found = checkpoints_of(chat.conversation)
        if not found:
            return []
        if chat.session is not None and chat.session.is_alive:
            return [await _with_files(one, chat.session) for one in found]
        if chat.busy:
            return found  # the CLI is on its way, for a prompt that is first in line
        async with chat.at_rest() as session:
            return [await _with_files(one, session) for one in found]

    async def plan(self, chat: Chat, number: int) -> Plan:
        """What going back to checkpoint `number` would do now. Raises RewindError if there is no such checkpoint."""
        found = await self.checkpoints(chat)
        chosen = next((one for one in found if one.number == number), None)
        if chosen is None:
            has = f"checkpoints 1 to {len(found)}" if found else "no checkpoints yet"
            raise RewindError(f"There is no checkpoint {number}: session '{chat.name}' has {has}.")
        return await anyio.to_thread.run_sync(
            plan, chosen, len(found), self.footprints, digest, partial(self.keep, chat)
        )

    def can_undo(self, chat: Chat) -> Rewound | None:
        """The rewind that `undo` would take back."""
        done = self._done.get(chat.name)
        return done[-1].rewound if done else None

    # -- doing --------------------------------------------------------------------------------------------------

    async def rewind(self, chat: Chat, number: int, scope: Scope, *, summarise: bool = False) -> Rewound:
        """Go back to checkpoint `number`: bring the files back, or cut the conversation there, or both.

        With `summarise` the model sums up what is cut off first, and is told that with the next prompt. Everything is
        kept for `undo`. Raises RewindError when it cannot be done; nothing was changed then, or the message says so.
        """
        if summarise and scope == "files":
            raise RewindError("A summary is of the conversation that is cut off; restoring files alone cuts nothing.")
        async with chat.at_rest() as session:
            todo = await self.plan(chat, number)
            checkpoint = todo.checkpoint
            if scope == "files" and checkpoint.files is None:
                raise RewindError(f"The CLI has no checkpoint of the files at prompt {checkpoint.number}.")
            files = todo.files if scope != "conversation" else ()
            cut = await _before(chat, checkpoint) if scope != "files" else None
            summary = await _summary(session, checkpoint) if summarise else None
            about = {"session": chat.resume_id, "prompt": checkpoint.prompt, "folder": chat.conversation.cwd}
            backup = await anyio.to_thread.run_sync(back_up, [file.path for file in files], about)
            position = chat.position
            failed = await self._restore_files(session, replace(todo, files=files), backup) if files else ()
            if cut is not None:
                await chat.move(replace(cut, recap=RECAP.format(summary=summary) if summary else None))
        restored = tuple(path for path in todo.restores if path not in failed) if files else ()
        self._mark(chat, restored)
        rewound = Rewound(
            checkpoint=checkpoint,
            scope=scope,
            files=restored,
            kept=todo.kept if files else (),
            failed=failed,
            dropped=todo.dropped if scope != "files" else 0,
            session_id=position.session_id,
            summary=summary,
            backup=str(backup.folder),
        )
        left = {path: digest(path) for path in restored}
        self._done.setdefault(chat.name, []).append(_Done(rewound, position, backup, left))
        return rewound

    async def _restore_files(self, session: Session, todo: Plan, backup: Backup) -> tuple[str, ...]:
        """Have the CLI bring the files back, all but those to be kept; those that it could not are given back."""
        result = await session.rewind_files(todo.checkpoint.id)
        # The CLI knows all files or none: what must stay is put back as it was.
        await anyio.to_thread.run_sync(backup.restore, todo.kept)
        if not result.can_rewind:
            raise RewindError(f"The CLI could not restore the files: {result.error or 'no reason given'}")
        after = await session.rewind_files(todo.checkpoint.id, dry_run=True)
        left = set(map(os.path.realpath, after.files_changed))
        return tuple(path for path in todo.restores if path in left)

    async def undo(self, chat: Chat) -> Rewound:
        """Take the last rewind back: the files as they were before it, and the conversation with what was cut off.

        What was asked since then leaves the conversation if the rewind had cut it. Raises RewindError if there is
        nothing to undo.
        """
        done = self._done.get(chat.name)
        if not done:
            raise RewindError(f"No rewind of session '{chat.name}' can be undone: none was done in this kernel.")
        last = done[-1]
        rewound = last.rewound
        async with chat.at_rest():
            about = {"undo of": rewound.backup, "folder": chat.conversation.cwd}
            backup = await anyio.to_thread.run_sync(back_up, rewound.files, about)
            failed = await anyio.to_thread.run_sync(last.backup.restore, rewound.files)
            if rewound.scope != "files":
                await chat.move(last.position)
        done.pop()
        restored = tuple(path for path in rewound.files if path not in failed)
        self._mark(chat, restored)
        return replace(rewound, files=restored, failed=tuple(failed), backup=str(backup.folder), undone=True)

    def undo_warnings(self, chat: Chat) -> dict[str, str]:
        """The files that were changed after the last rewind, which undoing it would lose, and what happened to them."""
        done = self._done.get(chat.name)
        changed = [path for path, left in done[-1].left.items() if digest(path) != left] if done else []
        return dict.fromkeys(changed, "changed since the rewind: those changes would be lost")


async def _with_files(checkpoint: Checkpoint, session: Session) -> Checkpoint:
    try:
        found = await session.rewind_files(checkpoint.id, dry_run=True)
    except ControlError:
        return checkpoint
    if not found.can_rewind:
        return checkpoint
    files = tuple(map(os.path.realpath, found.files_changed))
    return replace(checkpoint, files=files, insertions=found.insertions, deletions=found.deletions)


async def _before(chat: Chat, checkpoint: Checkpoint) -> Position:
    """Where the conversation stands when it is cut in front of `checkpoint`. Raises RewindError."""
    session_id = chat.resume_id or chat.conversation.session_id or ""
    for _ in range(FLUSH_TRIES):
        path = await anyio.to_thread.run_sync(find_transcript, session_id, chat.conversation.cwd)
        entries = await anyio.to_thread.run_sync(read, path) if path else []
        with suppress(KeyError):
            parent = entry_before(entries, checkpoint.id)
            _check_reachable(checkpoint, entries)
            break
        await anyio.sleep(FLUSH_SECONDS)
    else:
        raise RewindError(f"Prompt {checkpoint.number} is not in the session's transcript: it never reached the CLI.")
    if parent is None:
        return Position()
    position = chat.position
    ids = [turn.id for turn in position.turns]
    return replace(position, cut_at=parent, turns=position.turns[: ids.index(checkpoint.id)], recap=None)


def _check_reachable(checkpoint: Checkpoint, entries: list[dict[str, Any]]) -> None:
    """The CLI cuts only what it still has in mind: it finds nothing from before a compaction (measured)."""
    if not any(entry["uuid"] == checkpoint.id for entry in chain(entries)):
        raise RewindError(
            f"Prompt {checkpoint.number} came before the conversation was summarised (/compact), so the conversation "
            "cannot be cut there. Nothing was changed. The files can be restored alone: --files, or conversation=False."
        )


async def _summary(session: Session, checkpoint: Checkpoint) -> str:
    question = SUMMARISE.format(prompt=checkpoint.prompt)
    answer = SideAnswer.model_validate(
        await session.request("side_question", question=question, timeout=SUMMARY_TIMEOUT)
    )
    if answer.synthetic or not answer.response.strip():
        # The CLI's own words stand in for an answer that the model did not give.
        raise RewindError("The model gave no summary, so nothing was changed. Rewind without it, or try again.")
    return answer.response.strip()
