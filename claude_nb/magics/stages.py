"""How a turn appears in its cell: one stage per kind of place, all with the same three moments.

Layer 5, below `notebook`. A stage opens on the main thread before the prompt is sent, follows the turn on the engine's
thread, and closes with the finished turn: then what is left in the cell is static and outlives the kernel.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import anyio
import anyio.to_thread

from claude_nb.conversation import Change, Turn
from claude_nb.kernel.cell import Kind, Place
from claude_nb.kernel.pump import Pump
from claude_nb.render.bundle import turn_bundle
from claude_nb.render.style import Look

if TYPE_CHECKING:
    from claude_nb.widgets.live import LiveFace

# A front end that shows widgets answers well within this time; one that does not gets plain updates from then on.
READY_SECONDS = 3.0
PLAIN_UPDATE_SECONDS = 0.25

Schedule = Callable[[float, Callable[[], None]], Any]
Heard = Callable[[dict[str, Any]], None]
"""Gets what a page says to the kernel: `{"k": "stop"}`, `{"k": "answer", ...}`. Engine's thread."""


class Stage(Protocol):
    """Where one turn is shown."""

    def open(self) -> None:
        """Make room in the cell. Main thread."""

    def changed(self, changes: Sequence[Change]) -> None:
        """Follow the turn. Engine's thread; must not wait."""

    async def watched(self, patience: float) -> bool | None:
        """Whether a page shows this stage with its buttons; waits up to `patience` seconds from its opening on. None
        for a stage that has none to show."""

    def make_room(self) -> None:
        """Something is about to be asked below what is shown. Engine's thread."""

    def close(self, turn: Turn, *, late: bool = False) -> None:
        """Leave the finished turn. Main thread; `late` when the cell has ended already (then any thread)."""


class Silent:
    """Nothing while it runs, and at the end only a turn that failed (`--quiet`)."""

    def __init__(self, place: Place, look: Look):
        self.place, self.look = place, look

    def open(self) -> None:
        """Nothing to show yet."""

    def changed(self, changes: Sequence[Change]) -> None:
        """Nothing to follow."""

    async def watched(self, patience: float) -> bool | None:
        """It has nothing to show."""
        return None

    def make_room(self) -> None:
        """There is nothing in the way."""

    def close(self, turn: Turn, *, late: bool = False) -> None:
        """Show a failure; a good answer is in its variable."""
        if turn.error is not None:
            self.place.show(turn_bundle(turn, self.look))


class Final(Silent):
    """One output at the end: nbclient, papermill, nbconvert and scripts."""

    def close(self, turn: Turn, *, late: bool = False) -> None:
        """Show the turn, whatever became of it."""
        self.place.show(turn_bundle(turn, self.look))


class Terminal:
    """Text that streams into the terminal."""

    def __init__(self, place: Place, look: Look, pump: Pump):
        from rich.console import Console

        from claude_nb.render.terminal import TerminalView

        self._view = TerminalView(Console(), look)
        self._pump = pump

    def open(self) -> None:
        """The first word opens it."""

    def changed(self, changes: Sequence[Change]) -> None:
        """Print on the main thread, where the prompt lives."""
        self._pump.submit(self._view.apply, list(changes))

    async def watched(self, patience: float) -> bool | None:
        """A terminal has no buttons."""
        return None

    def make_room(self) -> None:
        """Take away what stands below the text; calls are done in order, so this comes before the question."""
        self._pump.submit(self._view.pause)

    def close(self, turn: Turn, *, late: bool = False) -> None:
        """All has been printed as it came."""


class Live:
    """A widget that fills while the turn runs, replaced at the end by static output under the same display id."""

    def __init__(self, place: Place, look: Look, pump: Pump, schedule: Schedule, heard: Heard):
        self.place, self.look, self._pump = place, look, pump
        self._schedule, self._heard = schedule, heard
        self._display_id = f"claude-{uuid4().hex[:12]}"
        self._face: LiveFace | None = None
        self._opened = 0.0
        self._plain_due = False
        self._closed = False

    def open(self) -> None:
        """Put the widget into the cell."""
        from claude_nb.widgets.live import LiveFace

        self._face = LiveFace(replace(self.look, live=True), schedule=self._schedule, on_message=self._heard)
        if self._pump.tap is not None:
            self._pump.tap.register(self._face.comm_id, self._face.receive)
        self.place.show(self._face.view_bundle(), self._display_id)
        self._opened = time.monotonic()

    def changed(self, changes: Sequence[Change]) -> None:
        """Send them to the page; where no widget answers, show the turn as it is now, a few times a second."""
        assert self._face is not None
        self._face.changed(changes)
        waited = time.monotonic() - self._opened
        if self._face.ready.is_set() or self._plain_due or waited < READY_SECONDS:
            return
        self._plain_due = True
        turn = changes[-1].turn
        self._schedule(PLAIN_UPDATE_SECONDS, lambda: self._show_plainly(turn))

    async def watched(self, patience: float) -> bool | None:
        """Whether a page has drawn the widget."""
        assert self._face is not None
        left = max(0.0, self._opened + patience - time.monotonic())
        return await anyio.to_thread.run_sync(self._face.ready.wait, left, abandon_on_cancel=True)

    def make_room(self) -> None:
        """The cell's output has room below the widget."""

    def _show_plainly(self, turn: Turn) -> None:
        self._plain_due = False
        if not self._closed and self._face is not None and not self._face.ready.is_set():
            self.place.late_update(turn_bundle(turn, self.look), self._display_id)

    def close(self, turn: Turn, *, late: bool = False) -> None:
        """Replace the widget by what it showed."""
        self._closed = True
        bundle = turn_bundle(turn, self.look)
        (self.place.late_update if late else self.place.update)(bundle, self._display_id)
        if self._face is not None:
            if self._pump.tap is not None:
                self._pump.tap.unregister(self._face.comm_id)
            self._face.close()


def choose(place: Place, look: Look, pump: Pump, *, quiet: bool, schedule: Schedule, heard: Heard) -> Stage:
    """The stage for this cell."""
    if quiet:
        return Silent(place, look)
    if place.kind is Kind.TERMINAL:
        return Terminal(place, look, pump)
    if place.kind is Kind.LAB:
        return Live(place, look, pump, schedule, heard)
    return Final(place, look)
