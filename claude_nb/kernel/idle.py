"""The way to the main thread while no cell of ours waits there: between cells, at the prompt, or while a cell awaits.

Layer 3. Below: the kernel's event loop, or the loop of terminal IPython's prompt. Above: the pump, whose `drain` is
what gets called. Each way has `wake(drain)` (any thread, returns at once) and `close()`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Drain = Callable[[], None]


class Idle(Protocol):
    """Gets a function called on the main thread as soon as that is free."""

    def wake(self, drain: Drain) -> None:
        """Ask for `drain()` on the main thread; returns at once, in any thread."""

    def close(self) -> None:
        """Let go of the shell."""


class KernelLoop:
    """A Jupyter kernel: its main loop runs between cells and while a cell awaits (ipykernel 6 and 7)."""

    def __init__(self, io_loop: Any):
        self._io_loop = io_loop

    def wake(self, drain: Drain) -> None:
        """Schedule `drain` on the kernel's loop."""
        self._io_loop.add_callback(drain)

    def close(self) -> None:
        """Nothing was taken."""


class PromptLoop:
    """Terminal IPython: the prompt has a loop of its own while it waits for typing, and none while a statement runs.

    What was asked for in between is done when the next prompt is drawn.
    """

    def __init__(self, app: Any):
        self._app = app
        self._pending: Drain | None = None
        app.before_render.add_handler(self._drawn)

    def wake(self, drain: Drain) -> None:
        """Call `drain` on the prompt's loop, now or when there is one."""
        self._pending = drain
        if (loop := self._app.loop) is not None:
            loop.call_soon_threadsafe(self._run_pending)

    def close(self) -> None:
        """Stop listening to the prompt."""
        self._app.before_render.remove_handler(self._drawn)

    def _drawn(self, app: Any) -> None:
        if self._pending is not None:
            app.loop.call_soon(self._run_pending)

    def _run_pending(self) -> None:
        drain, self._pending = self._pending, None
        if drain is not None:
            drain()


class NextCell:
    """A shell without a loop of its own (a plain prompt): at the end of the next statement."""

    def __init__(self, events: Any):
        self._events = events
        self._pending: Drain | None = None
        events.register("post_run_cell", self._ended)

    def wake(self, drain: Drain) -> None:
        """Remember `drain` for the end of the statement."""
        self._pending = drain

    def close(self) -> None:
        """Stop listening to the shell."""
        self._events.unregister("post_run_cell", self._ended)

    def _ended(self, result: Any) -> None:
        drain, self._pending = self._pending, None
        if drain is not None:
            drain()


def connect_idle(shell: Any) -> Idle | None:
    """The way that fits this IPython shell; None outside of IPython."""
    kernel_loop = getattr(getattr(shell, "kernel", None), "io_loop", None)
    if kernel_loop is not None:
        return KernelLoop(kernel_loop)
    app = getattr(getattr(shell, "pt_app", None), "app", None)
    if app is not None:
        return PromptLoop(app)
    events = getattr(shell, "events", None)
    return NextCell(events) if events is not None else None
