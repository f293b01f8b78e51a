"""The panel of a session's checkpoints in a cell: which view follows which click.

Layer 5, below `rewind`. Above the widget (`widgets.rewind`) and the rewinder. Views are made on the engine's loop; the
panel is opened and closed on the main thread. A view's buttons are named by what they do: `pick 3`, `files 3`,
`conversation+summary 3`, `undo`.
"""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable, Sequence
from typing import cast
from uuid import uuid4

from claude_nb.chat import Chat
from claude_nb.conversation.rewind import NOT_REWOUND, Checkpoint, Plan, Rewound, Scope
from claude_nb.engine import portal
from claude_nb.errors import ClaudeSDKError
from claude_nb.kernel.cell import Bundle, Place
from claude_nb.kernel.pump import Pump
from claude_nb.magics.stages import READY_SECONDS, Schedule
from claude_nb.render import rewind as words
from claude_nb.render.style import Look
from claude_nb.render.text import one_line, visible
from claude_nb.rewinder import Rewinder
from claude_nb.widgets.rewind import Button, Panel, PanelFace, Row

NEVER_MIND = Button("never mind", "Never mind", "quiet")
CLOSE = Button("never mind", "Close", "quiet")
LABELS: dict[Scope, str] = {
    "both": "Restore files and conversation",
    "conversation": "Restore conversation",
    "files": "Restore files",
}
SUMMARY = "+summary"
_QUOTE_LENGTH = 400


class RewindPanel:
    """One panel in one cell, for one chat.

    `outcome` is done when the panel has nothing more to ask: with what was done, None for nothing, or
    `TimeoutError` when no page drew the panel. `stays` lets it go on to be used after a rewind, between cells.
    """

    def __init__(
        self,
        rewinder: Rewinder,
        chat: Chat,
        place: Place,
        pump: Pump,
        schedule: Schedule,
        *,
        root: str | None,
        prefix: Callable[[str], str],
        stays: bool,
    ):
        self.outcome: concurrent.futures.Future[Rewound | None] = concurrent.futures.Future()
        self._rewinder, self._chat, self._place, self._pump = rewinder, chat, place, pump
        self._schedule, self._root, self._prefix, self._stays = schedule, root, prefix, stays
        self._display_id = f"claude-{uuid4().hex[:12]}"
        self._face: PanelFace | None = None
        self._static: Bundle = {}

    # -- main thread --------------------------------------------------------------------------------------------

    def open(self, view: Panel, static: Bundle, patience: float = READY_SECONDS) -> None:
        """Show the panel in the cell; `static` is what stays of it if nothing is clicked, `patience` how many seconds
        a page has to draw it."""
        self._static = static
        face = self._face = PanelFace(schedule=self._schedule, on_click=self._clicked, waits=not self._stays)
        if self._pump.tap is not None:
            self._pump.tap.register(face.comm_id, face.receive)
        face.show(view)
        self._place.show(face.view_bundle(static["text/plain"]), self._display_id)
        if not self._stays:
            self._schedule(patience, self._check_page)

    def leave(self, static: Bundle) -> None:
        """What stays in the cell when the panel is closed."""
        self._static = static

    def close(self, *, late: bool = False) -> None:
        """Leave static output in place of the panel; `late` when its cell has ended."""
        face, self._face = self._face, None
        if face is None:
            return
        (self._place.late_update if late else self._place.update)(self._static, self._display_id)
        if self._pump.tap is not None:
            self._pump.tap.unregister(face.comm_id)
        face.close()

    # -- the engine's thread ------------------------------------------------------------------------------------

    def _check_page(self) -> None:
        if self._face is not None and not self._face.ready.is_set():
            self._end(error=TimeoutError())

    def _clicked(self, name: str) -> None:
        portal.post(self._act, name)

    async def _act(self, name: str) -> None:
        face = self._face  # closed with what comes of the click, it shows that nevertheless where it stays
        try:
            view = await self._next(name)
        except ClaudeSDKError as error:
            view = Panel(title="This did not work", notes=(str(error),), buttons=(Button("list", "Back"), NEVER_MIND))
        if face is not None:
            face.show(view)

    async def _next(self, name: str) -> Panel:
        """Do what a button is for; the view that comes after it."""
        verb, _, number = name.partition(" ")
        match verb:
            case "pick":
                return confirm_view(await self._rewinder.plan(self._chat, int(number)), None, False, self._root)
            case "list":
                return await self.list_view()
            case "undo?":
                return self.undo_view()
            case "undo":
                return self._done(await self._rewinder.undo(self._chat))
            case "never":
                self._end()
                if self._stays:
                    # The main thread may be busy with a cell: the panel goes when that ends.
                    self._pump.submit(self.close, late=True)
                return Panel(title="Closed." if self._stays else "Nothing was changed.")
            case _:
                scope = cast(Scope, verb.removesuffix(SUMMARY))
                work = self._rewinder.rewind(self._chat, int(number), scope, summarise=verb.endswith(SUMMARY))
                return self._done(await work)

    def _end(self, rewound: Rewound | None = None, error: Exception | None = None) -> None:
        if self.outcome.done():
            return
        if error is not None:
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(rewound)

    def _done(self, rewound: Rewound) -> Panel:
        lines = words.done_lines(rewound, self._root)
        self._static = lines_bundle(lines if rewound.undone else [*lines, words.UNDO_HINT])
        self._end(rewound)
        again = () if rewound.undone else (Button("undo?", "Undo this rewind"),)
        return Panel(
            title="The rewind was undone" if rewound.undone else "Went back",
            notes=tuple(lines),
            text="" if rewound.undone or rewound.scope == "files" else self._prefix(rewound.prompt),
            buttons=(*again, Button("list", "Checkpoints"), CLOSE) if self._stays else (),
        )

    # -- views --------------------------------------------------------------------------------------------------

    async def list_view(self) -> Panel:
        """All checkpoints, newest last."""
        found = await self._rewinder.checkpoints(self._chat)
        now = time.time()
        rows = [_row(one, now, self._root) for one in found]
        undo = (Button("undo?", "Undo the last rewind"),) if self._rewinder.can_undo(self._chat) else ()
        return Panel(
            title=f"Checkpoints of session '{visible(self._chat.name)}'",
            rows=(*rows, Row("(current)")),
            notes=() if rows else ("No checkpoints yet: every prompt becomes one.",),
            buttons=(*undo, CLOSE),
        )

    def undo_view(self) -> Panel:
        """Whether to undo the last rewind."""
        rewound = self._rewinder.can_undo(self._chat)
        if rewound is None:
            return Panel(title="There is no rewind to undo.", buttons=(Button("list", "Checkpoints"), CLOSE))
        warnings = self._rewinder.undo_warnings(self._chat)
        rows = [Row(words.short_path(path, self._root), note=warnings.get(path, "")) for path in rewound.files]
        return Panel(
            title="Undo this rewind?",
            quote=_quoted(rewound.prompt),
            rows=tuple(rows),
            notes=tuple(words.undo_notes(rewound)),
            buttons=(Button("undo", "Undo the rewind", "primary"), NEVER_MIND),
        )


def confirm_view(plan: Plan, scope: Scope | None, summarise: bool, root: str | None) -> Panel:
    """Whether to go back, and what of: all that can be chosen, or only `scope` if the person has said so already."""
    one = plan.checkpoint
    rows = [Row(path, note=note) for path, note in words.file_lines(plan, root)] if scope != "conversation" else []
    notes = [f"Files: {words.counts(one)}"] if scope != "conversation" else []
    if scope != "files":
        notes.append(f"Conversation: {words.fork_line(plan)}")
    return Panel(
        title=f"Go back to before this prompt? ({words.ago(one.at, time.time())})",
        quote=_quoted(one.prompt),
        rows=tuple(rows),
        notes=(*notes, NOT_REWOUND),
        buttons=(*choices(plan, scope, summarise), NEVER_MIND),
    )


def choices(plan: Plan, scope: Scope | None, summarise: bool) -> list[Button]:
    """What can be restored: without changed files, only the conversation."""
    number = plan.checkpoint.number
    if scope is not None:
        label = LABELS[scope] + (", with a summary" if summarise else "")
        return [Button(f"{scope}{SUMMARY if summarise else ''} {number}", label, "primary")]
    scopes: list[Scope] = ["both", "conversation", "files"] if plan.restores else ["conversation"]
    return [
        *(Button(f"{scope} {number}", LABELS[scope]) for scope in scopes),
        Button(
            f"conversation{SUMMARY} {number}",
            "Summarise from here",
            help="Restore the conversation; the model is told a summary of what is cut off",
        ),
    ]


def lines_bundle(lines: Sequence[str]) -> Bundle:
    """Sentences as static output."""
    return {"text/plain": "\n".join(lines), "text/html": words.lines_html(lines, Look(live=False))}


def listing_bundle(found: Sequence[Checkpoint], root: str | None) -> Bundle:
    """The checkpoints as static output."""
    now = time.time()
    return {
        "text/plain": words.listing_plain(found, now, root),
        "text/html": words.listing_html(found, now, root, Look(live=False)),
    }


def _row(one: Checkpoint, now: float, root: str | None) -> Row:
    return Row(
        f"{one.number}  {words.quote(one.prompt)}",
        facts=f"{words.ago(one.at, now)} · {words.changes(one, root)}",
        button=Button(f"pick {one.number}", "Rewind…", help=f"to before prompt {one.number}"),
    )


def _quoted(prompt: str) -> str:
    text = visible(prompt.strip())
    return text if len(text) <= _QUOTE_LENGTH else one_line(text, _QUOTE_LENGTH)
