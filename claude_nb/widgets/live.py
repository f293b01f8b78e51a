"""The live output of a cell: what the agent says and does, as it happens.

Above: the cell or panel that owns the turn; it displays `view_bundle()`, passes changes in and routes messages of the
page to `receive`. Below: `patch` (what to send) and `base` (how). This file decides when: the first change goes out at
once, then at most ten messages a second, and after a silence one that says how far we are, since a busy server drops
messages without a word.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from claude_nb.conversation.model import Change
from claude_nb.render.style import Look

from .base import PageModel, script_message
from .patch import Patcher

INTERVAL = 0.1  # seconds between messages while text streams: 30 a second cost the page twice the CPU of 10
SILENCE = 3.0  # seconds without a message after which the page is told the last number; the server's window is 3 s


class Schedule(Protocol):
    """Runs `fn` on the engine's thread, `delay` seconds from now. Must be callable from any thread.

    The context in which `fn` runs must be the cell's (ipykernel 7.0 finds no parent message in others and raises).
    """

    def __call__(self, delay: float, fn: Callable[[], None], /) -> object:
        """Arrange for `fn()`; what is returned is not used."""


class LiveFace:
    """A widget that follows one turn.

    `look` is the live look. `schedule` brings work to the engine's thread. `on_message` gets what the page says beyond
    the face's own protocol (`{"k": "stop"}`; answers of cards), on the engine's thread; without it the page shows no
    Stop button. `model` replaces the widget in tests. `now` is the clock of the conversation, epoch seconds.

    Make, display and close it on the main thread; `changed` is for the engine's thread; `receive` for any thread.
    """

    def __init__(
        self,
        look: Look,
        *,
        schedule: Schedule,
        on_message: Callable[[dict[str, Any]], None] | None = None,
        model: Callable[[Callable[[dict[str, Any]], None]], PageModel] = PageModel,
        now: Callable[[], float] = time.time,
    ):
        self.ready = threading.Event()
        """Set when a page has drawn the widget: until then nobody may be watching."""
        self._patcher = Patcher(look)
        self._schedule = schedule
        self._on_message = on_message
        self._now = now
        self._timer = False  # a flush is scheduled
        self._closed = False
        self._pages: set[str] = set()
        self._model = model(self.receive)

    @property
    def comm_id(self) -> str:
        """Id of the widget's comm: messages for it belong to `receive`."""
        return self._model.comm_id

    def view_bundle(self) -> dict[str, Any]:
        """MIME bundle for the first display: the widget, and `(running)` for those that cannot show it."""
        return self._model.view_bundle()

    def changed(self, changes: Sequence[Change]) -> None:
        """Take changes of the turn in. They are sent at once if nothing was sent lately, else within 0.1 s.

        While no page is ready nothing is sent: it asks for the whole when it is.
        """
        self._patcher.apply(changes)
        if self.ready.is_set() and not self._timer and self._patcher.pending:
            self._timer = True
            self._schedule(0, self._flush)

    def receive(self, content: dict[str, Any]) -> None:
        """Take a message of the page, in any thread; it is handled on the engine's."""
        self._schedule(0, lambda: self._handle(content))

    def close(self) -> None:
        """Say goodbye to the page, once the output shows the static bundle. Closing twice does nothing.

        A page that was reloaded in mid-turn, or a second one, is not told that its output changed (JupyterLab ties
        the update to the page that ran the cell): there the widget stays, as all that page has of the turn.
        """
        if len(self._pages) > 1:
            self._schedule(0, self._flush)
        elif not self._closed:
            self._closed = True
            self._model.close()

    def _handle(self, content: dict[str, Any]) -> None:
        match content.get("k"):
            case "ready":
                self._pages.add(str(content.get("page")))
                self.ready.set()
                self._send_all()
            case "gap":
                self._send_all()
            case "script":
                self._send(script_message())
            case _ if self._on_message is not None:
                self._on_message(content)

    def _flush(self) -> None:
        # One timer at a time: it goes on while there is something to say, and the first change after that is at once.
        message = self._patcher.flush(self._now())
        self._timer = message is not None
        if message is not None:
            self._schedule(INTERVAL, self._flush)
            self._send(message)
        else:
            seq = self._patcher.seq
            self._schedule(SILENCE, lambda: self._confirm(seq))

    def _confirm(self, seq: int) -> None:
        if seq == self._patcher.seq:
            self._send({"k": "at", "s": seq})

    def _send_all(self) -> None:
        self._send(self._patcher.snapshot(self._now()) | {"stop": self._on_message is not None})

    def _send(self, message: dict[str, Any]) -> None:
        if not self._closed:
            self._model.send(message)

    def __repr__(self) -> str:
        return f"<LiveFace {'closed' if self._closed else 'ready' if self.ready.is_set() else 'waiting'}>"
