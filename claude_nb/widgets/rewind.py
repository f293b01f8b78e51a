"""A panel with buttons: checkpoints to choose from, a rewind to confirm, what came of it.

Above: the rewind commands, which say what to show next after each click. Below: `base` (the widget). Everything shown
is plain text (the page makes no HTML of it). A click counts once, names a button by an id that was made up for this
showing, and not within 400 ms of it; the page adds that only a person's clicks count, on a panel that stood still.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from .base import PageModel, script_message
from .live import Schedule

logger = logging.getLogger(__name__)

STEADY_SECONDS = 0.4
OVER = "This is over: `%claude checkpoints` shows the list as it is now."


@dataclass(frozen=True, slots=True)
class Button:
    """`name` is what `on_click` gets; `tone` says how much it weighs; `help` is read out and shown when hovered."""

    name: str
    label: str
    tone: Literal["plain", "primary", "quiet"] = "plain"
    help: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line with a heading, quieter facts below it, and at most one button. `note` is a warning."""

    text: str
    facts: str = ""
    note: str = ""
    button: Button | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What the panel shows, from top to bottom. `text` is for the person to copy. All of it is text."""

    title: str
    quote: str = ""
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    text: str = ""
    buttons: tuple[Button, ...] = ()


class PanelFace:
    """A widget that shows one `Panel` after the other.

    `on_click` gets the name of the button that was clicked, on the engine's thread; after a click nothing can be
    clicked until the next `show`. `waits` says that a cell does: then a page that shows no output of it lets the panel
    float. `schedule` brings work to the engine's thread, `model` replaces the widget in tests,
    `now` is a clock in seconds. Make, display and close it on the main thread; `show` and `receive` are for any thread.
    """

    def __init__(
        self,
        *,
        schedule: Schedule,
        on_click: Callable[[str], None],
        waits: bool = False,
        model: Callable[..., PageModel] = PageModel,
        now: Callable[[], float] = time.monotonic,
    ):
        self.ready = threading.Event()
        """Set when a page has drawn the widget."""
        self._schedule = schedule
        self._on_click = on_click
        self._now = now
        self._waits = waits
        self._panel: Panel | None = None
        self._pages: set[str] = set()
        self._message: dict[str, Any] = {"k": "panel", "panel": None}
        self._names: dict[str, str] = {}
        self._since = 0.0
        self._closed = False
        self._model = model(self.receive, face="rewind")

    @property
    def comm_id(self) -> str:
        """Id of the widget's comm: messages for it belong to `receive`."""
        return self._model.comm_id

    def view_bundle(self, plain: str) -> dict[str, Any]:
        """MIME bundle that shows the widget, and `plain` where there are no widgets."""
        return {**self._model.view_bundle(), "text/plain": plain}

    def show(self, panel: Panel) -> None:
        """Replace what is shown."""
        self._schedule(0, lambda: self._show(panel))

    def receive(self, content: dict[str, Any]) -> None:
        """Take a message of the page, in any thread; it is handled on the engine's."""
        self._schedule(0, lambda: self._handle(content))

    def close(self) -> None:
        """Close the widget, once the output shows something else. Main thread.

        Of two pages one is not told what the output shows now (see `LiveFace.close`): there the panel stays, without
        buttons.
        """
        if len(self._pages) > 1:
            self._schedule(0, self._retire)
        else:
            self._closed = True
            self._model.close()

    def _retire(self) -> None:
        self._waits = False
        if (panel := self._panel) is not None and _buttons(panel):
            rows = tuple(replace(row, button=None) for row in panel.rows)
            self._show(replace(panel, rows=rows, notes=(*panel.notes, OVER), buttons=()))

    def _show(self, panel: Panel) -> None:
        self._panel = panel
        ids = {button.name: secrets.token_urlsafe(12) for button in _buttons(panel)}
        self._names = {id: name for name, id in ids.items()}
        self._message = {"k": "panel", "panel": _with_ids(asdict(panel), ids), "waits": self._waits}
        self._since = self._now()
        self._send()

    def _handle(self, content: dict[str, Any]) -> None:
        match content:
            case {"k": "ready"}:
                self._pages.add(str(content.get("page")))
                self.ready.set()
                self._since = self._now()
                self._send()
            case {"k": "script"}:
                if not self._closed:
                    self._model.send(script_message())
            case {"k": "click", "id": str(id)} if id in self._names and self._steady:
                name = self._names[id]
                self._names = {}
                self._on_click(name)
            case {"k": "click", "id": str(id)} if id in self._names:
                self._send()  # the page waits for something to come of it
            case _:
                logger.debug("a click that does not count: %r", content)

    @property
    def _steady(self) -> bool:
        return self._now() - self._since >= STEADY_SECONDS

    def _send(self) -> None:
        if not self._closed:
            self._model.send(self._message)

    def __repr__(self) -> str:
        return f"<PanelFace {'closed' if self._closed else 'ready' if self.ready.is_set() else 'waiting'}>"


def _buttons(panel: Panel) -> list[Button]:
    return [row.button for row in panel.rows if row.button is not None] + list(panel.buttons)


def _with_ids(data: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """The panel as it goes to the page: buttons have an id in place of their name."""
    rows = [row["button"] for row in data["rows"] if row["button"] is not None]
    for button in [*rows, *data["buttons"]]:
        button["id"] = ids[button.pop("name")]
    return data
